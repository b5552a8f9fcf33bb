/** Browsers, Deno, Bun, and whoever asks for `cardseal/wasm`: WebAssembly that stands in the code. */

import { useEngine } from "../engine.js";
import { inlineWasm } from "../engines/inline.js";

useEngine(inlineWasm);

export * from "../index.js";
