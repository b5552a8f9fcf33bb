/** Browsers, Deno, Bun, and whoever asks for `cardseal/wasm`: WebAssembly that stands in the code. */

import { useEngine } from "../engine.js";
import { inlineWasm } from "../engines/inline.js";

useEngine(inlineWasm);

export * from "../index.js";
/** @internal For Node's entries, which load this one where there is no native code. */
export { inlineWasm };
