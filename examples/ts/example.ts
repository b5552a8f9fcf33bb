// The document's TypeScript example: a typed payload, sealed, opened, and typed again.
import { Envelope } from "cardseal";

interface CardRequest {
  request_timestamp: number;
  card_id: string;
}

const envelope = new Envelope(process.env["CARDSEAL_SECRET"] ?? "");
const payload: CardRequest = { request_timestamp: 1700000000000000, card_id: "card_abc123" };
const body = envelope.seal(payload);
console.log(body); // the HTTP body: {"encrypted":"…"}
console.log(envelope.open<CardRequest>(body)); // { request_timestamp: 1700000000000000, card_id: 'card_abc123' }
