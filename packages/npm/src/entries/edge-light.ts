/** Next's edge runtime: as Cloudflare's, with Next's own spelling of the import. */

import { start, useEngine } from "../engine.js";
import { wasmEngine } from "../engines/wasm.js";
import module from "./cardseal.wasm?module";

useEngine(() => start(wasmEngine(() => module)));

export * from "../index.js";
