/**
 * Seals before the routes of Hono.
 *
 * @packageDocumentation
 */

import type { MiddlewareHandler } from "hono";
import { Gate, type SealOptions } from "./gate.js";
import { throughGate } from "./web.js";

export * from "./web.js";

/**
 * A middleware for Hono behind which requests and answers are plain JSON, and travel sealed. A route receives webhooks with
 * `webhookHandler`: `app.post("/webhooks", (context) => handler(context.req.raw))`.
 *
 * @example
 * ```ts
 * import { Envelope, MemoryReplayStore } from "cardseal";
 * import { sealMiddleware } from "cardseal/hono";
 * import { Hono } from "hono";
 *
 * const envelope = new Envelope("your_api_secret_key_here");
 * const app = new Hono();
 * app.use(sealMiddleware({ envelopeOf: (apiKey) => (apiKey === "key_1" ? envelope : undefined), store: new MemoryReplayStore() }));
 * app.post("/api/v1/cards/get", async (context) => context.json({ card: (await context.req.json()).card_id }));
 * const { headers, body } = envelope.sealRequest("/cards/get", { card_id: "card_abc123" }, { apiKey: "key_1" });
 * const answer = await app.request("/api/v1/cards/get", { method: "POST", headers, body });
 * console.log(envelope.openResponse(answer.status, await answer.text())); // { card: 'card_abc123' }
 * ```
 */
export function sealMiddleware(options: SealOptions): MiddlewareHandler {
  const gate = new Gate(options);
  return async (context, next) => {
    const { raw } = context.req;
    const answer = await throughGate(
      gate,
      raw,
      async (plain) => {
        if (plain !== raw) {
          context.req.raw = plain;
          context.req.bodyCache = {};
        }
        await next();
        if (plain !== raw && context.error) {
          throw context.error;
        }
        return context.res;
      },
      async () => new Uint8Array(await context.req.arrayBuffer()),
    );
    if (answer !== context.res) {
      context.res = undefined; // or Hono adds the headers of the plain one
      context.res = answer;
    }
  };
}
