/** Node, as CommonJS: native code, or WebAssembly where there is none for the platform. */

import { useEngine } from "../engine.js";
import { inlineWasm } from "../engines/inline.js";
import { nativeOr } from "../engines/native.js";

useEngine(() => nativeOr(inlineWasm, () => require));

export * from "../index.js";
