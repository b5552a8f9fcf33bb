/** A receiver of webhooks: a real HTTP server that opens them, drops repeats and answers; subscribed, called, unsubscribed. */

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { serve } from "@hono/node-server";
import { type CardStatus, Envelope, type OrderStatus, type Webhook } from "cardseal";
import { Client } from "cardseal/client";
import { MemoryWebhookStore, webhookHandler } from "cardseal/hono";
import { Hono } from "hono";
import { fail, issueCard, secret } from "./account.js";

type CardEvent =
  | { type: "order.status_changed"; order: { card_id: string; status: OrderStatus } }
  | { type: "card.status_changed"; card: { card_id: string; provider_card_status: CardStatus } };

let hasEnded = false;

/** Called once for each event, though the sender may deliver it more often. If it throws, the sender comes again. */
function handle({ payload }: Webhook): void {
  const event = payload as CardEvent;
  if (event.type === "order.status_changed") {
    console.log("webhook", event.type, "·", event.order.card_id);
    hasEnded ||= event.order.status === "completed";
  } else if (event.type === "card.status_changed") {
    console.log("webhook", event.type, "·", event.card.card_id);
  }
}

const receive = webhookHandler({ envelope: new Envelope(secret), store: new MemoryWebhookStore(), handle });
const app = new Hono().post("/webhooks", (context) => receive(context.req.raw));
const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 });
await once(server, "listening");

const client = Client.fromEnv();
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`;
const subscription = await client.call<{ id: string }>("/wh/subscribe", { url });
try {
  await issueCard(); // whose order now ends, as a webhook says
  for (let waited = 0; !hasEnded && waited < 300; waited++) await sleep(100);
} finally {
  await client.call("/wh/unsubscribe", { id: subscription.id });
  server.close();
}
if (!hasEnded) fail("no webhook said that the order has ended");
