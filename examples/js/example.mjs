// The document's JavaScript example: seals a payload, prints the field, opens it, prints the payload.
import { Envelope } from "cardseal";

const envelope = new Envelope(process.env.CARDSEAL_SECRET);
const body = envelope.seal('{"request_timestamp": 1700000000000000, "card_id": "card_abc123"}');
console.log(body); // the HTTP body: {"encrypted":"…"}
console.log(envelope.open(body)); // { request_timestamp: 1700000000000000, card_id: 'card_abc123' }
