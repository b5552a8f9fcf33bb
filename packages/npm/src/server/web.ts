/**
 * Seals before a handler of web standards, `Request → Response`: for Deno, Bun, workerd, and what is built on them.
 *
 * @packageDocumentation
 */

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

/** A handler of web standards; what a runtime hands over beside the request is passed on. */
export type WebHandler<Rest extends readonly unknown[] = readonly unknown[]> = (
  request: Request,
  ...rest: Rest
) => Response | Promise<Response>;

/**
 * Wraps a handler so that its requests and answers travel sealed. It sees a plain JSON request, checked and claimed, with its
 * stamp, and answers plain JSON, which is sealed with its status. An answer that is no JSON, or a throw, is a sealed
 * `internal_error`.
 *
 * @example
 * ```ts
 * import { Envelope, MemoryReplayStore } from "cardseal";
 * import { sealed } from "cardseal/server";
 *
 * const envelope = new Envelope("your_api_secret_key_here");
 * const handler = sealed(
 *   { envelopeOf: (apiKey) => (apiKey === "key_1" ? envelope : undefined), store: new MemoryReplayStore() },
 *   async (request) => Response.json({ seen: Object.keys(await request.json()) }),
 * );
 * const { headers, body } = envelope.sealRequest("/cards/get", { card_id: "card_abc123" }, { apiKey: "key_1" });
 * const answer = await handler(new Request("http://localhost/api/v1/cards/get", { method: "POST", headers, body }));
 * console.log(envelope.openResponse(answer.status, await answer.text())); // { seen: [ 'request_timestamp', 'card_id' ] }
 * ```
 */
export function sealed<Rest extends readonly unknown[]>(
  options: SealOptions,
  handler: WebHandler<Rest>,
): (request: Request, ...rest: Rest) => Promise<Response> {
  const gate = new Gate(options);
  return (request, ...rest) => throughGate(gate, request, async (plain) => handler(plain, ...rest));
}

/**
 * A handler of web standards that receives webhooks: it opens each, drops repeats, calls your function once, and answers 200
 * and `{"success": true}` when that returns.
 *
 * @example
 * ```ts
 * import { Envelope } from "cardseal";
 * import { MemoryWebhookStore, webhookHandler } from "cardseal/server";
 *
 * const envelope = new Envelope("your_api_secret_key_here");
 * const handle = ({ type }: { type: string | undefined }) => console.log(type); // card.activated
 * const receive = webhookHandler({ envelope, store: new MemoryWebhookStore(), handle });
 * const body = envelope.sealWebhook({ type: "card.activated", delivery_id: "d-1" });
 * await receive(new Request("http://localhost/webhooks", { method: "POST", body }));
 * await receive(new Request("http://localhost/webhooks", { method: "POST", body })); // a repeat: answered, not handled
 * ```
 */
export function webhookHandler(options: WebhookOptions): (request: Request) => Promise<Response> {
  const receiver = new Receiver(options);
  return async (request) => {
    const body = await bytesOf(request.body as AsyncIterable<Uint8Array> | null, receiver.maxBytes);
    return responseOf(await receiver.receive(request.method, body));
  };
}

/**
 * A request through the gate, and its answer back.
 *
 * @param read - Reads a body that somebody has read before.
 */
export async function throughGate(
  gate: Gate,
  request: Request,
  next: (plain: Request) => Promise<Response>,
  read?: () => Promise<unknown>,
): Promise<Response> {
  const head = {
    method: request.method,
    paths: [new URL(request.url).pathname],
    header: (name: string) => request.headers.get(name) ?? undefined,
  };
  let passed: Passed | undefined;
  try {
    const endpoint = gate.endpoint(head);
    const body = request.body as AsyncIterable<Uint8Array> | null;
    passed =
      endpoint === undefined
        ? undefined
        : await gate.pass(endpoint, head, (maxBytes) => (request.bodyUsed && read ? read() : bytesOf(body, maxBytes)));
  } catch (error) {
    return responseOf(gate.refusal(error));
  }
  if (!passed) {
    return await next(request);
  }
  try {
    const answer = await next(plainRequest(request, passed));
    const reply = gate.seal(passed, answer.status, new Uint8Array(await answer.arrayBuffer()));
    const headers = [...answer.headers].filter(([name]) => !isOfBody(name));
    return responseOf(reply, reply.status === answer.status ? headers : []);
  } catch (error) {
    return responseOf(gate.failed(passed, error));
  }
}

function plainRequest(request: Request, { text }: Passed): Request {
  const headers = new Headers(request.headers);
  const body = new TextEncoder().encode(text);
  headers.set("content-type", JSON_TYPE);
  headers.set("content-length", String(body.length));
  return new Request(request.url, { method: "POST", headers, body, signal: request.signal });
}

function responseOf({ status, body, headers }: Reply, others: readonly (readonly [string, string])[] = []): Response {
  const all = new Headers(headers);
  for (const [name, value] of others) {
    all.append(name, value);
  }
  return new Response(body, { status, headers: all });
}
