/** A receiver of webhooks: a real HTTP server that opens them, drops repeats and answers; subscribed, called, unsubscribed. */

import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Envelope } from "cardseal";
import { Client } from "cardseal/client";
import { MemoryWebhookStore, webhookMiddleware } from "cardseal/express"; // it needs node:http alone
import { fail, issueCard, secret } from "./account.mjs";

let hasEnded = false;

/** Called once for each event, though the sender may deliver it more often. If it throws, the sender comes again. */
function handle({ type, payload }) {
  console.log("webhook", type, "·", (payload.order ?? payload.card)?.card_id);
  hasEnded ||= type === "order.status_changed" && payload.order.status === "completed";
}

const receive = webhookMiddleware({ envelope: new Envelope(secret), store: new MemoryWebhookStore(), handle });
const server = createServer((request, response) => {
  const end = (status) => response.writeHead(status).end();
  if (request.url === "/webhooks") receive(request, response, () => end(500));
  else end(404);
});
server.listen(0, "127.0.0.1");
await once(server, "listening");

const client = Client.fromEnv();
const url = `http://127.0.0.1:${server.address().port}/webhooks`;
const subscription = await client.call("/wh/subscribe", { url });
try {
  await issueCard(); // whose order now ends, as a webhook says
  for (let waited = 0; !hasEnded && waited < 300; waited++) await sleep(100);
} finally {
  await client.call("/wh/unsubscribe", { id: subscription.id });
  server.close();
}
if (!hasEnded) fail("no webhook said that the order has ended");
