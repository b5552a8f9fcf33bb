/** A top-up whose answer is lost is repeated: same idempotency key, new timestamp and nonce, charged once. */

import { deriveIdempotencyKey } from "cardseal";
import { type AttemptEvent, Client, type Order, OutcomeUnknownError } from "cardseal/client";
import { askSandbox, fail, issueCard } from "./account.js";

interface TopUpOrder extends Order {
  balance_before: string;
  balance_after: string;
}

function onAttempt({ attempt, path, status }: AttemptEvent): void {
  console.log(`attempt ${attempt} of ${path}: ${status ?? "no answer"}`);
}

const client = Client.fromEnv({ onAttempt });
const { cardId } = await issueCard();
const topup = { card_id: cardId, amount: "20.00" };
const idempotencyKey = deriveIdempotencyKey("retry", cardId);
const lostAnswer = { kind: "drop", when: "after", path: "/cards/topup", count: 1 };

// By itself: the client seals again and sends again, since the call has a key.
await askSandbox("/control/faults", lostAnswer);
const first = await client.call<Order>("/cards/topup", topup, { idempotencyKey });

// By hand, as after a crash: whoever finds the key in their database calls again with it.
const impatient = Client.fromEnv({ onAttempt, attempts: 1 });
await askSandbox("/control/faults", lostAnswer);
const second = await impatient.call<Order>("/cards/topup", topup, { idempotencyKey }).catch((error: unknown) => {
  if (!(error instanceof OutcomeUnknownError)) throw error;
  return client.call<Order>(error.path, topup, { idempotencyKey: error.idempotencyKey });
});

const order = await client.waitForOrder<TopUpOrder>(first.order_id);
const again = await client.waitForOrder<TopUpOrder>(second.order_id);
const charged = Number(order.balance_before) - Number(order.balance_after);
console.log("one order", order.order_id, "· charged", charged.toFixed(2), "once");
if (again.order_id !== order.order_id || charged >= 40) fail("it was charged twice");
