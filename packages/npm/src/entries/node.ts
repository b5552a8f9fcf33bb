/**
 * Node, as an ES module: native code, or WebAssembly where there is none for the platform. That is a file of its own, which most
 * programs never read: with it in the code, importing took a third longer.
 */

import { type Core, useEngine } from "../engine.js";
import { nativeOr } from "../engines/native.js";
import { ownRequire } from "../engines/require.js";

useEngine(() => nativeOr(wasm, ownRequire));

function wasm(): Core {
  return (ownRequire()("cardseal/wasm") as typeof import("./wasm.js")).inlineWasm();
}

export * from "../index.js";
