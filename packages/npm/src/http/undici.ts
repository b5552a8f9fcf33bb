/**
 * Seals beneath undici: an interceptor for `compose`, and plain JSON above.
 *
 * @packageDocumentation
 */

import type { IncomingHttpHeaders } from "node:http";
import { EnvelopeError, type SealedRequest } from "cardseal";
import type { Dispatcher } from "undici";
import {
  type Answer,
  Caller,
  type CallerOptions,
  checkRequest,
  type Ended,
  isOfSealedBody,
  isOfSealing,
  plainBody,
} from "./attempts.js";
import { withApiError } from "./errors.js";

export type { AttemptEvent, CallerOptions, Credentials } from "./attempts.js";
export { apiErrorOf, OutcomeUnknownError } from "./errors.js";

/**
 * An interceptor for undici's `compose` whose requests travel sealed and whose responses are plain JSON. It has to be the
 * first, which is the innermost: no interceptor that retries or redirects belongs between it and the network.
 *
 * Each call is a `POST` of JSON; its idempotency key is the header `Idempotency-Key`. An attempt that failed is made again,
 * sealed anew, where the protocol's rules allow it. The API's error is a response with its status; `apiErrorOf` gives it
 * typed, of what `request` gave. A call fails with `OutcomeUnknownError` where it may or may not have been carried out, with
 * `EnvelopeError` for what cannot be sealed and for a success that does not open, with `ApiError` for a redirect, and with
 * undici's own error for the transport.
 *
 * @throws EnvelopeError `invalid_key` for the secret; `invalid_option`.
 *
 * @example
 * ```ts
 * import { sealInterceptor } from "cardseal/undici";
 * import { Agent, request } from "undici";
 *
 * const dispatcher = new Agent().compose(sealInterceptor({ apiKey: "key_1", secret: "your_api_secret_key_here" }));
 * export const getCard = (url: string, cardId: string) =>
 *   request(new URL("/api/v1/cards/get", url), { dispatcher, method: "POST", body: JSON.stringify({ card_id: cardId }) });
 * ```
 */
export function sealInterceptor(options: CallerOptions): Dispatcher.DispatcherComposeInterceptor {
  const caller = new Caller(options);
  return (dispatch) => (request, handler) => {
    const control = new Control();
    // Where `request` lets its caller see something that belongs to a response.
    const context = {};
    const run = async (): Promise<void> => {
      handler.onRequestStart?.(control, context);
      const path = request.path.split("?", 1)[0] as string;
      const headers = headersOf(request.headers);
      checkRequest(request.method, headerOf(headers, "content-type"), queryOf(request));
      const call = {
        path,
        isSecure: String(request.origin).startsWith("https:"),
        payload: await bodyOf(request.body),
        idempotencyKey: headerOf(headers, "idempotency-key"),
        signal: control.signal,
      };
      const ended = await caller.call(call, exchange(dispatch, request, headers, caller.maxBytes));
      withApiError(context, ended.error);
      await deliver(ended, handler, control);
    };
    run().catch((error) => handler.onResponseError?.(control, error));
    return true; // it queues by itself: undici need not hold back
  };
}

interface UndiciAnswer extends Answer {
  readonly headers: IncomingHttpHeaders;
  readonly statusText: string | undefined;
}

type Pairs = readonly (readonly [name: string, value: string])[];

/** Sends one sealed request, and gathers its answer. */
function exchange(
  dispatch: Dispatcher["dispatch"],
  request: Dispatcher.DispatchOptions,
  given: Pairs,
  maxBytes: number,
) {
  return (sealed: SealedRequest, signal: AbortSignal): Promise<UndiciAnswer> =>
    new Promise((resolve, reject) => {
      const own = given.filter(([name]) => !isOfSealing(name));
      const headers = [...Object.entries(sealed.headers), ...own].flat();
      const { query, ...rest } = request;
      const chunks: Uint8Array[] = [];
      let length = 0;
      let head: Omit<UndiciAnswer, "body"> | undefined;
      const end = (): void => {
        if (head) {
          resolve({ ...head, body: Buffer.concat(chunks) });
        }
      };
      dispatch(
        { ...rest, path: sealed.path, method: "POST", headers, body: sealed.body, idempotent: false },
        {
          onRequestStart(controller) {
            const abort = (): void => controller.abort(signal.reason);
            if (signal.aborted) {
              abort();
            }
            signal.addEventListener("abort", abort);
          },
          onResponseStart(_, status, received, statusText) {
            const retryAfter = first(received["retry-after"]);
            head = { status, headers: received, statusText, retryAfter, date: first(received.date) };
          },
          onResponseData(controller, chunk) {
            chunks.push(chunk);
            length += chunk.length;
            if (length > maxBytes) {
              end(); // one byte too many is enough to know
              controller.abort(new Error("the answer is too large"));
            }
          },
          onResponseEnd: end,
          onResponseError: (_, error) => reject(error),
        },
      );
    });
}

async function deliver(
  ended: Ended<UndiciAnswer>,
  handler: Dispatcher.DispatchHandler,
  control: Control,
): Promise<void> {
  const { body, isOpened } = plainBody(ended);
  const { status, statusText, headers: received } = ended.answer;
  const kept = Object.entries(received).filter(([name]) => !isOfSealedBody(name, isOpened));
  const bytes = Buffer.from(body as string);
  const headers = {
    ...Object.fromEntries(kept),
    ...(isOpened && { "content-type": "application/json" }),
    "content-length": String(bytes.length),
  };
  handler.onResponseStart?.(control, status, headers, statusText ?? "");
  await control.flowing();
  if (bytes.length > 0) {
    handler.onResponseData?.(control, bytes);
  }
  await control.flowing();
  handler.onResponseEnd?.(control, {});
}

/** What a handler steers its response with: over all attempts. */
class Control implements Dispatcher.DispatchController {
  readonly #abort = new AbortController();
  #waiting: (() => void)[] = [];
  paused = false;

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get aborted(): boolean {
    return this.#abort.signal.aborted;
  }

  get reason(): Error | null {
    return this.#abort.signal.reason ?? null;
  }

  abort(reason: Error): void {
    this.#abort.abort(reason);
    this.resume();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) {
      go();
    }
  }

  /** Ends when the handler takes more. */
  async flowing(): Promise<void> {
    while (this.paused) {
      await new Promise<void>((go) => this.#waiting.push(go));
    }
    this.#abort.signal.throwIfAborted();
  }
}

/** The bytes of a body, in every form in which undici's own functions hand one down. */
async function bodyOf(body: unknown): Promise<string | Uint8Array | undefined> {
  if (body === undefined || body === null) {
    return undefined;
  }
  if (typeof body === "string" || body instanceof Uint8Array) {
    return body;
  }
  if (typeof (body as AsyncIterable<unknown>)[Symbol.asyncIterator] !== "function") {
    throw new EnvelopeError("invalid_option", "the body is no JSON: hand the payload over as text or bytes");
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of body as AsyncIterable<string | Uint8Array>) {
    chunks.push(Buffer.from(chunk as string));
  }
  return Buffer.concat(chunks);
}

/** Headers in one form: undici takes a list, an object, or anything that gives pairs. */
function headersOf(headers: Dispatcher.DispatchOptions["headers"]): Pairs {
  if (!headers) {
    return [];
  }
  if (Array.isArray(headers)) {
    return headers.flatMap((name, index) => (index % 2 ? [] : [[String(name), String(headers[index + 1])] as const]));
  }
  const pairs = Symbol.iterator in headers ? [...(headers as Iterable<[string, unknown]>)] : Object.entries(headers);
  return pairs.flatMap(([name, value]) =>
    value === undefined || value === null ? [] : [value].flat().map((each) => [name, String(each)] as const),
  );
}

function headerOf(headers: Pairs, name: string): string | undefined {
  return headers.find(([each]) => each.toLowerCase() === name)?.[1];
}

function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

function queryOf({ path, query }: Dispatcher.DispatchOptions): string {
  return query && Object.keys(query).length > 0 ? "?" : path.slice(path.split("?", 1)[0]?.length);
}
