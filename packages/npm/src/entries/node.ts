/**
 * Node, as an ES module: native code, or WebAssembly where there is none for the platform. That is a file of its own, which most
 * programs never read: with it in the code, importing took a third longer.
 */

import { createRequire } from "node:module";
import { type Core, useEngine } from "../engine.js";
import { nativeOr } from "../engines/native.js";

useEngine(() => nativeOr(wasm, ownRequire));

function wasm(): Core {
  return (ownRequire()("cardseal/wasm") as typeof import("./wasm.js")).inlineWasm();
}

/** This module's own; bundled as CommonJS it has no address, and the working directory has to do. */
function ownRequire(): NodeJS.Require {
  try {
    return createRequire(import.meta.url);
  } catch {
    return createRequire(`${process.cwd()}/`);
  }
}

export * from "../index.js";
