/**
 * The API's own example: a typed payload is encrypted and decrypted again. It needs this package alone.
 *
 * Run it with `npx tsc --types node encrypted_payload.ts && node encrypted_payload.js`, in a project with `"type": "module"`,
 * after `npm install cardseal`; the compiler also needs `@types/node`.
 */

import { Envelope } from "cardseal";

interface CardRequest {
  request_timestamp: number;
  card_id: string;
}

const { CARDSEAL_SECRET: secret = "your_api_secret_key_here" } = process.env;
const envelope = new Envelope(secret);
const payload: CardRequest = { request_timestamp: 1700000000000000, card_id: "card_abc123" };

// As the document does it: text in, the field out, and back.
const field = envelope.encrypt(JSON.stringify(payload));
console.log("field  ", field);
console.log("payload", new TextDecoder().decode(envelope.decrypt(field)));

// The same in one step each: the whole HTTP body, with a timestamp of now unless there is one.
const body = envelope.seal({ card_id: "card_abc123" });
console.log("body   ", body);
console.log("payload", envelope.open<CardRequest>(body));
