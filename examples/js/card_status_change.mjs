/** A card is frozen, and unfrozen again; over fetch. */

import { setTimeout as sleep } from "node:timers/promises";
import { OrderStatus } from "cardseal";
import { apiErrorOf, sealedFetch } from "cardseal/fetch";
import { apiKey, baseUrl, fail, issueCard, secret } from "./account.mjs";

const api = sealedFetch({ baseUrl, apiKey, secret });

async function call(path, payload) {
  const response = await api(path, { method: "POST", body: JSON.stringify(payload) });
  const error = apiErrorOf(response);
  if (error) throw error;
  return await response.json();
}

const { cardId, userId } = await issueCard();
const changes = [
  { path: "/cards/freeze", wanted: "frozen" },
  { path: "/cards/unfreeze", wanted: "active" },
];
for (const { path, wanted } of changes) {
  let order = await call(path, { card_id: cardId, external_user_id: userId });
  while (!OrderStatus.isTerminal(order.status)) {
    await sleep(100);
    order = await call("/orders/check", { order_id: order.order_id });
  }
  const { provider_card_status: status } = await call("/cards/get", { card_id: cardId });
  console.log(path, "→", status);
  if (status !== wanted) fail(`the card is ${status}: ${order.last_error}`);
}
