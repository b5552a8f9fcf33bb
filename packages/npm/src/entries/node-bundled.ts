/**
 * Node, for bundlers: as the module that Node itself loads, but with the WebAssembly in the code, since what is asked for by name
 * while a program runs is not in its bundle.
 */

import { useEngine } from "../engine.js";
import { inlineWasm } from "../engines/inline.js";
import { nativeOr } from "../engines/native.js";
import { ownRequire } from "../engines/require.js";

useEngine(() => nativeOr(inlineWasm, ownRequire));

export * from "../index.js";
