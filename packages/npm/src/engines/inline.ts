/** The core as WebAssembly that stands in this package's own code. */

import { type Core, start } from "../engine.js";
import { compile, wasmEngine } from "./wasm.js";

/** Starts the engine. */
export function inlineWasm(): Core {
  return start(wasmEngine(() => compile(binary)));
}

/** The module, one character for each byte, put here by the build. */
declare const BINARY: string;

/** Outside of every function: inside of one, the text would be read when the function is found, and again when it is called. */
const binary = BINARY;
