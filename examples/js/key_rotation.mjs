/** A secret is replaced without an interruption: old bodies open as long as the old secret is there, new ones are sealed anew. */

import { Envelope, EnvelopeError } from "cardseal";
import { fail, secret } from "./account.mjs";

const newSecret = "the_secret_that_comes_next";
const before = new Envelope(secret);
const after = new Envelope(newSecret);

// 1. Wherever bodies are opened, the new secret comes first, and the old one stays for opening.
const rotating = new Envelope(newSecret, { openSecrets: [secret] });
const oldBody = before.seal({ card_id: "card_abc123" });
const newBody = rotating.seal({ card_id: "card_abc123" });

// 2. Both kinds of bodies open. keyIndex says which secret a body has: 0 is the new one.
for (const body of [oldBody, newBody]) {
  const { keyIndex, payload } = rotating.openRequest(body);
  console.log("opened with secret", keyIndex, "·", payload.card_id);
}
console.log("what it seals opens with the new secret alone:", after.open(newBody).card_id);

// 3. When no old body has come for long enough, the old secret goes.
try {
  after.open(oldBody);
  fail("the old body still opens");
} catch (error) {
  if (!(error instanceof EnvelopeError)) throw error;
  console.log("the old secret is gone:", error.code);
}
