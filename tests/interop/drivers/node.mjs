/** Seals and opens with the npm package, `node.mjs cardseal|cardseal/wasm`, a line of JSON each, in the form of `cardseal batch`. */

import { createInterface } from "node:readline";

const { Envelope, EnvelopeError } = await import(process.argv[2]);

function answer({ operation, secret, layout, payload, body, now_micros }) {
  const envelope = new Envelope(secret, { layout });
  switch (operation) {
    case "seal":
      return { body: envelope.seal(payload) };
    case "open":
      return { payload: JSON.stringify(envelope.open(body)) };
    case "open_request":
      return { payload: JSON.stringify(envelope.openRequest(body, { nowMicros: now_micros }).payload) };
    default:
      throw new Error(`unknown operation: ${operation}`);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  try {
    console.log(JSON.stringify({ id: question.id, ok: answer(question) }));
  } catch (error) {
    if (!(error instanceof EnvelopeError)) throw error;
    console.log(JSON.stringify({ id: question.id, error: { code: error.code } }));
  }
}
