/** A card is topped up once, whatever happens on the way; over fetch. */

import { setTimeout as sleep } from "node:timers/promises";
import { deriveIdempotencyKey, OrderStatus } from "cardseal";
import { apiErrorOf, sealedFetch } from "cardseal/fetch";
import { apiKey, baseUrl, fail, issueCard, secret } from "./account.js";

interface TopUp {
  card_id: string;
  amount: string;
}

interface TopUpOrder {
  order_id: string;
  status: OrderStatus;
  balance_before: string;
  balance_after: string;
  last_error?: string;
}

const api = sealedFetch({ baseUrl, apiKey, secret });

async function call<Answer>(path: string, payload: object, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await api(path, { method: "POST", headers, body: JSON.stringify(payload) });
  const error = apiErrorOf(response);
  if (error) throw error;
  return (await response.json()) as Answer;
}

const { cardId } = await issueCard();
const key = deriveIdempotencyKey("card-topup", `invoice 42 of ${cardId}`);
const payload: TopUp = { card_id: cardId, amount: "20.00" };
let order = await call<TopUpOrder>("/cards/topup", payload, { "Idempotency-Key": key });
while (!OrderStatus.isTerminal(order.status)) {
  await sleep(100);
  order = await call<TopUpOrder>("/orders/check", { order_id: order.order_id });
}
if (order.status !== "completed") fail(`the top-up failed, and what it cost is given back: ${order.last_error}`);
const card = await call<{ balance: string; currency: string }>("/cards/get", { card_id: cardId });
console.log("wallet", order.balance_before, "→", order.balance_after);
console.log("card  ", card.balance, card.currency);
