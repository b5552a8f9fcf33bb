/**
 * Seals before the routes of Express, or of anything else that takes `(request, response, next)`.
 *
 * @packageDocumentation
 */

import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from "node:http";
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

/** A request of Node's, with what Express and its parsers put there. */
export type ExpressRequest = IncomingMessage & { body?: unknown; originalUrl?: string };

/** A middleware for Express. */
export type ExpressMiddleware = (
  request: ExpressRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * A middleware for Express behind which requests and answers are plain JSON, and travel sealed: `request.body` is the payload,
 * with its stamp, whether a parser ran before or not. What is answered with its status is sealed when it ends; an answer that
 * is no JSON, as Express makes one of an exception, is a sealed `internal_error`.
 *
 * @example
 * ```ts
 * import { Envelope, MemoryReplayStore } from "cardseal";
 * import { sealMiddleware } from "cardseal/express";
 * import express from "express";
 *
 * const envelope = new Envelope("your_api_secret_key_here");
 * export const app = express();
 * app.use(sealMiddleware({ envelopeOf: (apiKey) => (apiKey === "key_1" ? envelope : undefined), store: new MemoryReplayStore() }));
 * app.post("/api/v1/cards/get", (request, response) => void response.json({ card: request.body.card_id }));
 * ```
 */
export function sealMiddleware(options: SealOptions): ExpressMiddleware {
  const gate = new Gate(options);
  return (request, response, next) => {
    const head = {
      method: request.method ?? "",
      paths: pathsOf(request),
      header: (name: string) => headerOf(request, name),
    };
    const run = async (): Promise<void> => {
      const endpoint = gate.endpoint(head);
      if (endpoint === undefined) {
        next();
        return;
      }
      const passed = await gate.pass(endpoint, head, (maxBytes) => bodyOf(request, maxBytes));
      request.body = JSON.parse(passed.text); // text that the core has accepted
      request.headers["content-type"] = JSON_TYPE;
      request.headers["content-length"] = String(Buffer.byteLength(passed.text));
      sealWhenItEnds(gate, passed, response);
      next();
    };
    run().catch((error) => send(response, gate.refusal(error)));
  };
}

/**
 * A route for Express that receives webhooks: it opens each, drops repeats, calls your function once, and answers 200 and
 * `{"success": true}` when that returns. A parser may have run before.
 *
 * @example
 * ```ts
 * import { Envelope } from "cardseal";
 * import { MemoryWebhookStore, webhookMiddleware } from "cardseal/express";
 * import express from "express";
 *
 * const envelope = new Envelope("your_api_secret_key_here");
 * const handle = ({ type }: { type: string | undefined }) => console.log(type);
 * export const app = express();
 * app.use("/webhooks", webhookMiddleware({ envelope, store: new MemoryWebhookStore(), handle }));
 * ```
 */
export function webhookMiddleware(options: WebhookOptions): ExpressMiddleware {
  const receiver = new Receiver(options);
  return (request, response, next) => {
    bodyOf(request, receiver.maxBytes)
      .then((body) => receiver.receive(request.method ?? "", body))
      .then((reply) => send(response, reply))
      .catch(next);
  };
}

/** Whatever is written before the end is kept back until the whole can be sealed. */
function sealWhenItEnds(gate: Gate, passed: Passed, response: ServerResponse): void {
  // Other middlewares can have put their own over the prototype's.
  const before = REPLACED.map((name) => [name, Object.getOwnPropertyDescriptor(response, name)] as const);
  const chunks: Buffer[] = [];
  const keep = (chunk: unknown, encoding: unknown): void => {
    if (chunk !== null && chunk !== undefined && typeof chunk !== "function") {
      const isText = typeof chunk === "string";
      chunks.push(isText ? Buffer.from(chunk, charset(encoding)) : Buffer.from(chunk as Uint8Array));
    }
  };
  const told = (given: readonly unknown[]): void => {
    const done = given.find((each): each is () => void => typeof each === "function");
    if (done) {
      process.nextTick(done);
    }
  };
  Object.assign(response, {
    flushHeaders: () => undefined,
    writeHead: (status: number, ...more: readonly unknown[]) => {
      response.statusCode = status;
      setHeaders(response, more.find((each) => typeof each === "object") as Headers | undefined);
      return response;
    },
    write: (chunk: unknown, ...more: readonly unknown[]) => {
      keep(chunk, more[0]);
      told(more);
      return true;
    },
    end: (...given: readonly unknown[]) => {
      keep(given[0], given[1]);
      for (const [name, descriptor] of before) {
        Reflect.deleteProperty(response, name);
        if (descriptor) {
          Object.defineProperty(response, name, descriptor);
        }
      }
      send(response, gate.seal(passed, response.statusCode, Buffer.concat(chunks)));
      told(given);
      return response;
    },
  });
}

const REPLACED = ["flushHeaders", "writeHead", "write", "end"];

type Headers = OutgoingHttpHeaders | readonly OutgoingHttpHeader[];

/** In the two forms of `writeHead`: an object, or a list of names and values. */
function setHeaders(response: ServerResponse, headers: Headers | undefined): void {
  const pairs = Array.isArray(headers)
    ? headers.flatMap((name, index) => (index % 2 ? [] : [[String(name), headers[index + 1]] as const]))
    : Object.entries(headers ?? {});
  for (const [name, value] of pairs) {
    if (value !== undefined) {
      response.setHeader(name, value as string);
    }
  }
}

function send(response: ServerResponse, { status, body, headers }: Reply): void {
  response.statusCode = status;
  response.statusMessage = "";
  for (const name of response.getHeaderNames().filter(isOfBody)) {
    response.removeHeader(name);
  }
  setHeaders(response, headers);
  // Said, since Node says it of no answer from which a header of that name was taken away.
  response.setHeader("content-length", Buffer.byteLength(body));
  response.end(body);
  response.req.resume(); // what nobody reads of the request would keep the next one on its connection waiting
}

/** What a parser has made of the body, if one ran before; else its bytes. */
async function bodyOf(request: ExpressRequest, maxBytes: number): Promise<unknown> {
  // Not destroyed where the reading stops: the answer goes over the same socket.
  return request.body === undefined ? bytesOf(request.iterator({ destroyOnReturn: false }), maxBytes) : request.body;
}

/** The whole path, and the one by which an application chooses that is mounted somewhere in another. */
function pathsOf({ originalUrl, url }: ExpressRequest): readonly string[] {
  return [originalUrl, url].flatMap((address) => address?.split("?", 1)[0] ?? []);
}

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

function charset(encoding: unknown): BufferEncoding {
  return typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8";
}
