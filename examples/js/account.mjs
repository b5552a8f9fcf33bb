/** What the other examples start from: the account in the environment, and a card of it to try things with. */

import { randomUUID } from "node:crypto";
import { Client } from "cardseal/client";

export const baseUrl = variable("CARDSEAL_URL");
export const apiKey = variable("CARDSEAL_API_KEY");
export const secret = variable("CARDSEAL_SECRET");

// What an example does not handle ends it with one line, such as `ApiError: Card not found`.
process.on("uncaughtException", (error) => fail(error.cause ? `${error}: ${error.cause}` : `${error}`));

/** Creates a user with a cardholder; gives the user's id. */
export async function createCardholder() {
  const client = Client.fromEnv();
  const userId = `user-${randomUUID()}`;
  await client.call("/users/create", { external_user_id: userId });
  const person = { first_name: "Ada", last_name: "Lovelace", birth_date: "1990-12-10", country_iso: "DE" };
  const contact = { email: "ada@example.com", phone_number_full: "+4915112345678" };
  const of = { external_user_id: userId, subprovider_code: "sandbox" };
  await client.call("/cardholders/create", { ...of, ...person, ...contact });
  return userId;
}

/** Issues an active card; gives its id and its user's. */
export async function issueCard() {
  const client = Client.fromEnv();
  const userId = await createCardholder();
  const payload = { product_code: "virtual_usd", external_user_id: userId, amount: "10.00" };
  const order = await client.call("/cards/create", payload, { idempotencyKey: `issue-${userId}` });
  const { card_id: cardId } = await client.waitForOrder(order.order_id);
  return { cardId, userId };
}

/** Asks the sandbox for what no real API does, such as a fault; false where CARDSEAL_URL is no sandbox of yours. */
export async function askSandbox(path, payload) {
  const { CARDSEAL_CONTROL_URL: url, CARDSEAL_CONTROL_TOKEN: token } = process.env;
  if (!url) return false;
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const response = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(payload) });
  if (!response.ok) fail(`the sandbox refuses ${path}: ${await response.text()}`);
  return true;
}

/** Ends the example with one line that says why. */
export function fail(message) {
  console.error(message);
  process.exit(1);
}

function variable(name) {
  return process.env[name] || fail(`the environment variable ${name} is not set: export it`);
}
