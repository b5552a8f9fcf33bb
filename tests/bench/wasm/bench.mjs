/** WebAssembly against what one would use in its place. */

import { Envelope } from "cardseal/wasm";
import { documentsWay, libsodiumWrappers, noble } from "../node/peers.mjs";
import { compare } from "../node/ratios.mjs";

const secret = "your_api_secret_key_here";
const envelope = new Envelope(secret);
const own = { name: "wasm", seal: (payload) => envelope.seal(payload), open: (body) => envelope.open(body) };
compare("wasm", [own, await libsodiumWrappers(secret), noble(secret), documentsWay(secret)]);
