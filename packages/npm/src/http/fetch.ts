/**
 * Seals beneath `fetch`: a function with its signature that sends sealed requests and gives plain JSON. It runs wherever
 * `fetch` does, and beneath what is built on that, such as ky.
 *
 * @packageDocumentation
 */

import { EnvelopeError, type SealedRequest } from "cardseal";
import {
  type Answer,
  Caller,
  type CallerOptions,
  checkRequest,
  type Ended,
  isOfSealedBody,
  isOfSealing,
  originOf,
  plainBody,
} from "./attempts.js";
import { withApiError } from "./errors.js";

export type { AttemptEvent, CallerOptions, Credentials } from "./attempts.js";
export { apiErrorOf, OutcomeUnknownError } from "./errors.js";

/** The options of {@link sealedFetch}. */
export type SealedFetchOptions = CallerOptions & {
  /**
   * The API's origin, such as `https://api.example.com`: where relative paths go. An address of another origin is refused, so
   * that no API key goes astray. Without it every address has to be absolute.
   */
  readonly baseUrl?: string | undefined;
  /** What sends; the runtime's `fetch` unless given. It must not try again by itself. */
  readonly fetch?: typeof globalThis.fetch | undefined;
};

/**
 * A `fetch` whose requests travel sealed and whose responses are plain JSON.
 *
 * Each call is a `POST` of JSON; its idempotency key is the header `Idempotency-Key`. An attempt that failed is made again,
 * sealed anew, where the protocol's rules allow it. The API's error is a response with its status, and
 * {@link apiErrorOf} gives it typed. Of a `Request`, the URL, method, headers, body and signal count.
 *
 * The promise is rejected with {@link OutcomeUnknownError} where the call may or may not have been carried out; with
 * `EnvelopeError` for what cannot be sealed and for a success that does not open; with `ApiError` for a redirect; and with
 * what `fetch` gave for the transport.
 *
 * @throws EnvelopeError `invalid_key` for the secret; `invalid_option`.
 *
 * @example
 * ```ts
 * import { sealedFetch } from "cardseal/fetch";
 *
 * const call = sealedFetch({ baseUrl: "https://api.example.com", apiKey: "key_1", secret: "your_api_secret_key_here" });
 * export const getCard = (cardId: string): Promise<Response> =>
 *   call("/cards/get", { method: "POST", body: JSON.stringify({ card_id: cardId }) });
 * ```
 */
export function sealedFetch(options: SealedFetchOptions): typeof globalThis.fetch {
  const caller = new Caller(options, "baseUrl", "fetch");
  const origin = options.baseUrl === undefined ? undefined : originOf(options.baseUrl);
  const send = options.fetch ?? ((...given) => globalThis.fetch(...given));

  return async (input, init) => {
    const url = urlOf(input, origin);
    const given = isRequest(input) ? input : undefined;
    const { headers, payload } = contentOf(given, url, init);
    checkRequest(init?.method ?? given?.method, headers.get("content-type"), url.search);
    const ended = await caller.call(
      {
        path: url.pathname,
        isSecure: url.protocol === "https:",
        payload: await payload(),
        idempotencyKey: headers.get("idempotency-key") ?? undefined,
        signal: init?.signal ?? given?.signal ?? undefined,
      },
      fetchExchange(send, url.origin, caller.maxBytes, headers, init),
    );
    return plainResponse(ended);
  };
}

/** What came back over `fetch`. */
export interface FetchAnswer extends Answer {
  readonly body: Uint8Array;
  readonly response: Response;
}

/** How one sealed request goes over a `fetch`. */
export function fetchExchange(
  send: typeof globalThis.fetch,
  origin: string,
  maxBytes: number,
  given?: Headers,
  init?: RequestInit,
): (request: SealedRequest, signal: AbortSignal) => Promise<FetchAnswer> {
  return async (sealed, signal) => {
    const headers = new Headers(sealed.headers);
    given?.forEach((value, name) => {
      if (!isOfSealing(name)) {
        headers.set(name, value);
      }
    });
    const response = await send(origin + sealed.path, {
      ...init,
      method: "POST",
      headers,
      body: sealed.body,
      redirect: "manual",
      signal,
    });
    return {
      // A browser hides the status of a redirect that it was told not to follow.
      status: response.type === "opaqueredirect" ? 302 : response.status,
      body: await bytesOf(response, maxBytes),
      retryAfter: response.headers.get("retry-after"),
      date: response.headers.get("date"),
      response,
    };
  };
}

/** What a request says and holds: of text as it is, which most have, and of every other kind of body as `Request` reads it. */
function contentOf(
  given: Request | undefined,
  url: URL,
  init: RequestInit | undefined,
): { readonly headers: Headers; readonly payload: () => string | Promise<Uint8Array> } {
  const text = init?.body;
  if (!given && typeof text === "string") {
    return { headers: new Headers(init?.headers), payload: () => text };
  }
  // Made to be read, never sent.
  const request = new Request(given ?? url, { ...readable(init), duplex: "half" } as RequestInit);
  return { headers: request.headers, payload: async () => new Uint8Array(await request.arrayBuffer()) };
}

/** The body, but no more than shows that it is too large. */
async function bytesOf(response: Response, maxBytes: number): Promise<Uint8Array> {
  const length = response.headers.get("content-length");
  if (length !== null && Number(length) <= maxBytes && !response.headers.has("content-encoding")) {
    return new Uint8Array(await response.arrayBuffer()); // no longer than it says: the transport sees to that
  }
  return readUpTo(response, maxBytes);
}

async function readUpTo(response: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  while (reader && length <= maxBytes) {
    const { done, value } = await reader.read();
    if (done) {
      break;
    }
    chunks.push(value);
    length += value.length;
  }
  if (length > maxBytes) {
    reader?.cancel().catch(() => undefined);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function plainResponse(ended: Ended<FetchAnswer>): Response {
  const { body, isOpened } = plainBody(ended);
  const { status, response } = ended.answer;
  const headers = new Headers(isOpened ? { "content-type": "application/json" } : {});
  response.headers.forEach((value, name) => {
    if (!isOfSealedBody(name, isOpened)) {
      headers.append(name, value);
    }
  });
  const { statusText } = response;
  return dressed(new Response(body as BodyInit, { status, statusText, headers }), response.url, ended);
}

/** What the constructor does not set; also on copies, which ky hands to its hooks. */
function dressed(response: Response, url: string, ended: Ended<FetchAnswer>): Response {
  const clone = (): Response => dressed(Response.prototype.clone.call(response), url, ended);
  Object.defineProperties(response, {
    url: { value: url, configurable: true },
    clone: { value: clone, configurable: true, writable: true },
  });
  return withApiError(response, ended.error);
}

function isRequest(input: Parameters<typeof fetch>[0]): input is Request {
  return typeof input === "object" && "headers" in input;
}

function urlOf(input: Parameters<typeof fetch>[0], origin: string | undefined): URL {
  const address = isRequest(input) ? input.url : String(input);
  const isAbsolute = URL.canParse(address);
  if (!isAbsolute && origin === undefined) {
    throw new EnvelopeError("invalid_option", "the address is relative: hand in `baseUrl`, or an absolute one");
  }
  const url = new URL(isAbsolute ? address : `/${address.replace(/^\//, "")}`, origin);
  if (origin !== undefined && url.origin !== origin) {
    throw new EnvelopeError("invalid_option", "the address is not at `baseUrl`: the API key is not sent elsewhere");
  }
  return url;
}

/** Not what is about the sending, which some runtimes refuse where nothing is sent. */
function readable(init: RequestInit | undefined): RequestInit {
  const { method, headers, body, signal } = init ?? {};
  return {
    ...(method && { method }),
    ...(headers && { headers }),
    ...(body && { body }),
    ...(signal && { signal }),
  };
}
