/** Each kind of error, met and handled: what the code says, and whether it is worth trying again. */

import { ApiError, Envelope, EnvelopeError } from "cardseal";
import { Client, OutcomeUnknownError } from "cardseal/client";
import { apiKey, askSandbox, baseUrl, fail, issueCard, secret } from "./account.js";

const options = { baseUrl, apiKey, secret, attempts: 1 };
const client = new Client(options);

/** Every error of the package in one place: the order of these clauses serves an integration as well. */
async function show(title: string, act: () => unknown): Promise<void> {
  const say = (...words: string[]) => console.log(title.padEnd(24), ...words);
  try {
    await act();
  } catch (error) {
    if (error instanceof ApiError) {
      // The API has said no: sealed with a slug, or plain before it opened the request.
      return say(error.code ?? "no code", "·", `status ${error.status}, ${error.failureClass}`);
    }
    if (error instanceof OutcomeUnknownError) {
      // It may have been done: ask the API, or call again with the same key.
      return say("outcome unknown", "·", `key ${error.idempotencyKey}, ${error.attempts} attempt`);
    }
    if (error instanceof EnvelopeError) {
      // Refused before it was sent, or an answer that cannot be believed. The message is for people, the code for programs.
      return say(error.code, "·", error.message);
    }
    // Nobody answered, and nothing was done. fetch puts what the system says into the cause.
    const code = error instanceof TypeError && (error.cause as NodeJS.ErrnoException | undefined)?.code;
    if (code) return say(code, "·", "nothing was done");
    throw error;
  }
  fail(`${title}: no error`);
}

const { cardId, userId } = await issueCard();
const topup = { card_id: cardId, amount: "20.00" };
const tooMuch = { ...topup, amount: "9999999.00" };
const another = new Client({ ...options, secret: "the_secret_of_another_key" });
const foreignBody = new Envelope("another_secret").seal({});

await show("an unknown card", () => client.call("/cards/get", { card_id: "card_0" }));
await show("too much", () => client.call("/cards/topup", tooMuch, { idempotencyKey: `much-${cardId}` }));
await show("no idempotency key", () => client.call("/cards/topup", topup));
await show("an unknown API key", () => new Client({ ...options, apiKey: "key_of_nobody" }).call("/project/balance"));
await show("another secret", () => another.call("/project/balance"));
await show("a body of somebody else", () => new Envelope(secret).open(foreignBody));
const nobody = new Client({ ...options, baseUrl: "http://127.0.0.1:2" }); // no service has this port
await show("nobody listens", () => nobody.call("/project/balance"));
const busy = { kind: "status", status: 503, when: "before", path: "/cards/get", count: 1 };
if (await askSandbox("/control/faults", busy)) {
  await show("a busy server", () => client.call("/cards/get", { card_id: cardId }));
}
const lost = { kind: "drop", when: "after", path: "/cards/freeze", count: 1 };
if (await askSandbox("/control/faults", lost)) {
  const freeze = { card_id: cardId, external_user_id: userId };
  await show("an answer that is lost", () => client.call("/cards/freeze", freeze));
}
