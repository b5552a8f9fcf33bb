/** The core as WebAssembly that stands in this package's own code. */

import base64 from "cardseal-module-base64";
import { type Core, start } from "../engine.js";
import { compileBase64, wasmEngine } from "./wasm.js";

/** Starts the engine. */
export function inlineWasm(): Core {
  return start(wasmEngine(() => compileBase64(base64)));
}
