/** Opens a body with the npm package and prints its text: `open.mjs cardseal|cardseal/wasm`, stdin to stdout. */

import { readFileSync } from "node:fs";

const { Envelope } = await import(process.argv[2]);
const envelope = new Envelope(process.env.CARDSEAL_SECRET);
const { encrypted } = JSON.parse(readFileSync(0, "utf8"));
console.log(new TextDecoder().decode(envelope.decrypt(encrypted)));
