/** A card is topped up once, whatever happens on the way; over axios. */

import { setTimeout as sleep } from "node:timers/promises";
import axios from "axios";
import { deriveIdempotencyKey, OrderStatus } from "cardseal";
import { apiErrorOf, sealedAdapter } from "cardseal/axios";
import { apiKey, baseUrl, fail, issueCard, secret } from "./account.mjs";

const http = axios.create({ baseURL: baseUrl, adapter: sealedAdapter({ apiKey, secret }) });

async function call(path, payload, headers) {
  try {
    return (await http.post(path, payload, { headers })).data;
  } catch (error) {
    throw apiErrorOf(error) ?? error; // what the API says is more than axios makes of its status
  }
}

const { cardId } = await issueCard();
const key = deriveIdempotencyKey("card-topup", `invoice 42 of ${cardId}`);
let order = await call("/cards/topup", { card_id: cardId, amount: "20.00" }, { "Idempotency-Key": key });
while (!OrderStatus.isTerminal(order.status)) {
  await sleep(100);
  order = await call("/orders/check", { order_id: order.order_id });
}
if (order.status !== "completed") fail(`the top-up failed, and what it cost is given back: ${order.last_error}`);
const card = await call("/cards/get", { card_id: cardId });
console.log("wallet", order.balance_before, "→", order.balance_after);
console.log("card  ", card.balance, card.currency);
