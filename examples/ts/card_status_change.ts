/** A card is frozen, and unfrozen again; over fetch. */

import { setTimeout as sleep } from "node:timers/promises";
import { type CardStatus, OrderStatus } from "cardseal";
import { apiErrorOf, sealedFetch } from "cardseal/fetch";
import { apiKey, baseUrl, fail, issueCard, secret } from "./account.js";

interface Order {
  order_id: string;
  status: OrderStatus;
  last_error?: string;
}

interface Card {
  provider_card_status: CardStatus;
}

const api = sealedFetch({ baseUrl, apiKey, secret });

async function call<Answer>(path: string, payload: object): Promise<Answer> {
  const response = await api(path, { method: "POST", body: JSON.stringify(payload) });
  const error = apiErrorOf(response);
  if (error) throw error;
  return (await response.json()) as Answer;
}

const { cardId, userId } = await issueCard();
const changes: { path: string; wanted: CardStatus }[] = [
  { path: "/cards/freeze", wanted: "frozen" },
  { path: "/cards/unfreeze", wanted: "active" },
];
for (const { path, wanted } of changes) {
  let order = await call<Order>(path, { card_id: cardId, external_user_id: userId });
  while (!OrderStatus.isTerminal(order.status)) {
    await sleep(100);
    order = await call<Order>("/orders/check", { order_id: order.order_id });
  }
  const { provider_card_status: status } = await call<Card>("/cards/get", { card_id: cardId });
  console.log(path, "→", status);
  if (status !== wanted) fail(`the card is ${status}: ${order.last_error}`);
}
