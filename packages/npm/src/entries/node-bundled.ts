/**
 * Node, for bundlers: as the module that Node itself loads, but with the WebAssembly in the code, since what is asked for by name
 * while a program runs is not in its bundle.
 */

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
