/** N-API against what one would use in its place. */

import { Envelope, engineName } from "cardseal";
import { documentsWay, tunedSodium } from "./peers.mjs";
import { compare } from "./ratios.mjs";

const secret = "your_api_secret_key_here";
const envelope = new Envelope(secret);
const own = { name: engineName(), seal: (payload) => envelope.seal(payload), open: (body) => envelope.open(body) };
if (own.name !== "napi") throw new Error("there is no native code for this platform");
compare("node", [own, tunedSodium(secret), documentsWay(secret)]);
