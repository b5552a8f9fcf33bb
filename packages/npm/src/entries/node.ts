/** Node, as an ES module: native code, or WebAssembly where there is none for the platform. */

import { createRequire } from "node:module";
import { useEngine } from "../engine.js";
import { inlineWasm } from "../engines/inline.js";
import { nativeOr } from "../engines/native.js";

useEngine(() => nativeOr(inlineWasm, createRequire(import.meta.url)));

export * from "../index.js";
