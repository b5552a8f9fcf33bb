/** Cloudflare's runtime: a module that was compiled when the worker was uploaded. */

import { start, useEngine } from "../engine.js";
import { wasmEngine } from "../engines/wasm.js";
import module from "./cardseal.wasm";

useEngine(() => start(wasmEngine(() => module)));

export * from "../index.js";
