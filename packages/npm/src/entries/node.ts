/** Node, as an ES module: native code, or WebAssembly where there is none for the platform. */

import { createRequire } from "node:module";
import { useEngine } from "../engine.js";
import { inlineWasm } from "../engines/inline.js";
import { nativeOr } from "../engines/native.js";

useEngine(() => nativeOr(inlineWasm, ownRequire));

/** This module's own; bundled as CommonJS it has no address, and the working directory has to do. */
function ownRequire(): NodeJS.Require {
  try {
    return createRequire(import.meta.url);
  } catch {
    return createRequire(`${process.cwd()}/`);
  }
}

export * from "../index.js";
