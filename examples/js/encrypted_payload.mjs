/**
 * The API's own example: a payload is encrypted and decrypted again. It needs this package alone.
 *
 * Run it with `node encrypted_payload.mjs` after `npm install cardseal`.
 */

import { Envelope } from "cardseal";

const { CARDSEAL_SECRET: secret = "your_api_secret_key_here" } = process.env;
const envelope = new Envelope(secret);
const payload = { request_timestamp: 1700000000000000, card_id: "card_abc123" };

// As the document does it: text in, the field out, and back.
const field = envelope.encrypt(JSON.stringify(payload));
console.log("field  ", field);
console.log("payload", new TextDecoder().decode(envelope.decrypt(field)));

// The same in one step each: the whole HTTP body, with a timestamp of now unless there is one.
const body = envelope.seal({ card_id: "card_abc123" });
console.log("body   ", body);
console.log("payload", envelope.open(body));
