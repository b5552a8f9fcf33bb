/** A card is ordered, and its order polled by the status models until it has ended; over fetch. */

import { setTimeout as sleep } from "node:timers/promises";
import { type CardIssueStatus, type CardStatus, deriveIdempotencyKey, OrderStatus } from "cardseal";
import { apiErrorOf, sealedFetch } from "cardseal/fetch";
import { apiKey, baseUrl, createCardholder, fail, secret } from "./account.js";

interface NewCard {
  product_code: string;
  external_user_id: string;
  amount: string; // the first top-up
}

interface IssueOrder {
  order_id: string;
  status: OrderStatus;
  issue_status: CardIssueStatus;
  card_id?: string;
  last_error?: string;
}

interface Card {
  masked_number: string;
  provider_card_status: CardStatus;
  balance: string;
  currency: string;
}

const api = sealedFetch({ baseUrl, apiKey, secret });

async function call<Answer>(path: string, payload: object, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await api(path, { method: "POST", headers, body: JSON.stringify(payload) });
  const error = apiErrorOf(response);
  if (error) throw error;
  return (await response.json()) as Answer;
}

const userId = await createCardholder();
// The key is made of what is ordered, so that it is the same however often this runs, also after a crash.
const key = deriveIdempotencyKey("card-issue", userId);
const payload: NewCard = { product_code: "virtual_usd", external_user_id: userId, amount: "10.00" };
let order = await call<IssueOrder>("/cards/create", payload, { "Idempotency-Key": key });

while (!OrderStatus.isTerminal(order.status)) {
  console.log("order", order.status, "·", order.issue_status);
  await sleep(100);
  order = await call<IssueOrder>("/orders/check", { order_id: order.order_id });
}
console.log("order", order.status, "·", order.issue_status);
if (order.status !== "completed") fail(`the card was not issued: ${order.last_error}`);

const card = await call<Card>("/cards/get", { card_id: order.card_id });
console.log("card ", card.masked_number, card.provider_card_status, card.balance, card.currency);
