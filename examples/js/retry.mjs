/** A top-up whose answer is lost is repeated: same idempotency key, new timestamp and nonce, charged once. */

import { deriveIdempotencyKey } from "cardseal";
import { Client, OutcomeUnknownError } from "cardseal/client";
import { askSandbox, fail, issueCard } from "./account.mjs";

function onAttempt({ attempt, path, status }) {
  console.log(`attempt ${attempt} of ${path}: ${status ?? "no answer"}`);
}

const client = Client.fromEnv({ onAttempt });
const { cardId } = await issueCard();
const topup = { card_id: cardId, amount: "20.00" };
const idempotencyKey = deriveIdempotencyKey("retry", cardId);
const lostAnswer = { kind: "drop", when: "after", path: "/cards/topup", count: 1 };

// By itself: the client seals again and sends again, since the call has a key.
await askSandbox("/control/faults", lostAnswer);
const first = await client.call("/cards/topup", topup, { idempotencyKey });

// By hand, as after a crash: whoever finds the key in their database calls again with it.
const impatient = Client.fromEnv({ onAttempt, attempts: 1 });
await askSandbox("/control/faults", lostAnswer);
const second = await impatient.call("/cards/topup", topup, { idempotencyKey }).catch((error) => {
  if (!(error instanceof OutcomeUnknownError)) throw error;
  return client.call(error.path, topup, { idempotencyKey: error.idempotencyKey });
});

const order = await client.waitForOrder(first.order_id);
const again = await client.waitForOrder(second.order_id);
const charged = Number(order.balance_before) - Number(order.balance_after);
console.log("one order", order.order_id, "· charged", charged.toFixed(2), "once");
if (again.order_id !== order.order_id || charged >= 40) fail("it was charged twice");
