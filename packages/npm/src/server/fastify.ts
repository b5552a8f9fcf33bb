/**
 * Seals before the routes of Fastify.
 *
 * @packageDocumentation
 */

import { Readable } from "node:stream";
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from "fastify";
import { bytesOf, Gate, isOfBody, JSON_TYPE, type Passed, type Reply, type SealOptions } from "./gate.js";
import { Receiver, type WebhookOptions } from "./webhooks.js";

export type { Found, SealOptions } from "./gate.js";
export { type Begun, type IdempotencyStore, MemoryIdempotencyStore } from "./records.js";
export {
  type RedisClient,
  RedisIdempotencyStore,
  type RedisOptions,
  RedisReplayStore,
  RedisWebhookStore,
} from "./stores.js";
export { MemoryWebhookStore, type WebhookOptions, type WebhookState, type WebhookStore } from "./webhooks.js";

/**
 * A plugin for Fastify: in the scope in which it is registered, and nowhere else, requests and answers are plain JSON, and
 * travel sealed. An answer that is no JSON, and an error with a status from 500 up, is a sealed `internal_error`. What no route
 * of the scope takes never comes here: it is Fastify's own 404.
 *
 * @example
 * ```ts
 * import { Envelope, MemoryReplayStore } from "cardseal";
 * import { sealPlugin } from "cardseal/fastify";
 * import Fastify from "fastify";
 *
 * const envelope = new Envelope("your_api_secret_key_here");
 * const app = Fastify();
 * await app.register(async (scope) => {
 *   await scope.register(sealPlugin, { envelopeOf: (apiKey) => (apiKey === "key_1" ? envelope : undefined), store: new MemoryReplayStore() });
 *   scope.post<{ Body: { card_id: string } }>("/api/v1/cards/get", async ({ body }) => ({ card: body.card_id }));
 * });
 * const { headers, body } = envelope.sealRequest("/cards/get", { card_id: "card_abc123" }, { apiKey: "key_1" });
 * const answer = await app.inject({ method: "POST", url: "/api/v1/cards/get", headers, body });
 * console.log(envelope.openResponse(answer.statusCode, answer.body)); // { card: 'card_abc123' }
 * ```
 */
export const sealPlugin: FastifyPluginCallback<SealOptions> = (scope, options, done) => {
  const gate = new Gate(options);
  const passed = new WeakMap<FastifyRequest, Passed>();
  const failures = new WeakMap<FastifyRequest, unknown>();

  scope.addHook("preParsing", async (request, reply, payload) => {
    const head = {
      method: request.method,
      paths: [request.url.split("?", 1)[0] ?? ""],
      header: (name: string) => headerOf(request, name),
    };
    try {
      const endpoint = gate.endpoint(head);
      if (endpoint === undefined) {
        return payload;
      }
      const opened = await gate.pass(endpoint, head, (maxBytes) =>
        // Not destroyed where the reading stops: the answer goes over the same socket.
        bytesOf((payload as Readable).iterator({ destroyOnReturn: false }), maxBytes),
      );
      passed.set(request, opened);
      const body = Buffer.from(opened.text);
      request.headers["content-type"] = JSON_TYPE;
      request.headers["content-length"] = String(body.length);
      return Object.assign(Readable.from([body], { objectMode: false }), { receivedEncodedLength: body.length });
    } catch (error) {
      send(reply, gate.refusal(error));
      return payload;
    }
  });
  scope.addHook("onError", async (request, _, error) => void failures.set(request, error));
  scope.addHook("onSend", async (request, reply, payload) => {
    const opened = passed.get(request);
    if (!opened) {
      return payload;
    }
    const isFault = failures.has(request) && reply.statusCode >= 500;
    const sealed = isFault
      ? gate.failed(opened, failures.get(request))
      : gate.seal(opened, reply.statusCode, await textOf(payload));
    for (const name of Object.keys(reply.getHeaders()).filter(isOfBody)) {
      reply.removeHeader(name);
    }
    reply.code(sealed.status).headers(sealed.headers);
    return sealed.body;
  });
  done();
};

// Registered as a part of the scope that asks for it, as `fastify-plugin` would do it: its hooks are that scope's.
Object.assign(sealPlugin, { [Symbol.for("skip-override")]: true, [Symbol.for("fastify.display-name")]: "cardseal" });

/**
 * A route for Fastify that receives webhooks: it opens each, drops repeats, calls your function once, and answers 200 and
 * `{"success": true}` when that returns. Put it where {@link sealPlugin} is not, or its path is not an endpoint.
 *
 * @example
 * ```ts
 * import { Envelope } from "cardseal";
 * import { MemoryWebhookStore, webhookRoute } from "cardseal/fastify";
 * import Fastify from "fastify";
 *
 * const envelope = new Envelope("your_api_secret_key_here");
 * const handle = ({ type }: { type: string | undefined }) => console.log(type);
 * export const app = Fastify();
 * app.post("/webhooks", webhookRoute({ envelope, store: new MemoryWebhookStore(), handle }));
 * ```
 */
export function webhookRoute(
  options: WebhookOptions,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  const receiver = new Receiver(options);
  return async (request, reply) => send(reply, await receiver.receive(request.method, request.body));
}

function send(reply: FastifyReply, { status, body, headers }: Reply): FastifyReply {
  reply.request.raw.resume(); // what nobody reads of the request would keep the next one on its connection waiting
  return reply.code(status).headers(headers).send(Buffer.from(body)); // to a text it would add a charset
}

function headerOf({ headers }: FastifyRequest, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

/** A payload of Fastify's, in any of its forms. */
async function textOf(payload: unknown): Promise<string | Uint8Array> {
  if (typeof payload === "string" || payload instanceof Uint8Array) {
    return payload;
  }
  const isStream = typeof (payload as AsyncIterable<Uint8Array> | null)?.[Symbol.asyncIterator] === "function";
  return isStream ? bytesOf(payload as AsyncIterable<Uint8Array>, Number.POSITIVE_INFINITY) : "";
}
