/** Node, as CommonJS: native code, or WebAssembly where there is none for the platform: that is a file of its own (`node.ts`). */

import { type Core, useEngine } from "../engine.js";
import { nativeOr } from "../engines/native.js";

useEngine(() => nativeOr(wasm, () => require));

/** By its place in the package, where bundlers find it. */
function wasm(): Core {
  return (require("../cjs/wasm.js") as typeof import("./wasm.js")).inlineWasm();
}

export * from "../index.js";
