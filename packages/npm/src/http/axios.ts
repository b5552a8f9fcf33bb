/**
 * Seals beneath axios: an adapter around its own, and plain JSON above.
 *
 * @packageDocumentation
 */

import axios, {
  type AxiosAdapter,
  AxiosError,
  AxiosHeaders,
  type AxiosRequestConfig,
  type AxiosResponse,
  CanceledError,
  type InternalAxiosRequestConfig,
} from "axios";
import { EnvelopeError, type SealedRequest } from "cardseal";
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

/** The options of {@link sealedAdapter}. */
export type SealedAdapterOptions = CallerOptions & {
  /**
   * What sends; axios's own over `http` or `fetch` unless given. It must not try again by itself. Not `xhr`: a browser follows
   * redirects beneath it, whatever it is told.
   */
  readonly adapter?: AxiosRequestConfig["adapter"];
};

/**
 * An adapter for axios whose requests travel sealed and whose responses are plain JSON.
 *
 * Each call is a `post` of data that becomes JSON; its idempotency key is the header `Idempotency-Key`; `baseURL` decides where
 * it goes. An attempt that failed is made again, sealed anew, where the protocol's rules allow it; `timeout` is that of an
 * attempt. The config on responses and errors is the caller's; their `request` is a stand-in, since the real one has the
 * API key in its headers.
 *
 * The API's error is an `AxiosError`, as `validateStatus` has it; its `cause` is the `ApiError`, which `apiErrorOf` gives also
 * of a response. Besides, a call rejects with `OutcomeUnknownError` where it may or may not have been carried out, with
 * `EnvelopeError` for what cannot be sealed and for a success that does not open, and with `ApiError` for a redirect.
 *
 * @throws EnvelopeError `invalid_key` for the secret; `invalid_option`.
 *
 * @example
 * ```ts
 * import axios from "axios";
 * import { sealedAdapter } from "cardseal/axios";
 *
 * const adapter = sealedAdapter({ apiKey: "key_1", secret: "your_api_secret_key_here" });
 * export const api = axios.create({ baseURL: "https://api.example.com", adapter });
 * ```
 */
export function sealedAdapter(options: SealedAdapterOptions): AxiosAdapter {
  const caller = new Caller(options, "adapter");
  const send = axios.getAdapter(options.adapter ?? ["http", "fetch"]);

  return async (config) => {
    const url = urlOf(config);
    checkRequest(config.method, contentTypeOf(config), url.search);
    if (!["json", "text", undefined].includes(config.responseType)) {
      throw new EnvelopeError("invalid_option", "the answer is JSON: `responseType` can be `json` or `text` alone");
    }
    const signal = signalOf(config);
    const call = {
      path: url.pathname,
      isSecure: url.protocol === "https:",
      payload: dataOf(config.data),
      idempotencyKey: textOf(config.headers.get("Idempotency-Key")),
      signal,
    };
    try {
      return settled(await caller.call(call, exchange(send, url.origin, config)), config);
    } catch (error) {
      throw signal?.aborted && error === signal.reason ? new CanceledError(undefined, config) : error;
    }
  };
}

interface AxiosAnswer extends Answer {
  readonly response: AxiosResponse;
}

function exchange(send: AxiosAdapter, origin: string, config: InternalAxiosRequestConfig) {
  return async (sealed: SealedRequest, signal: AbortSignal): Promise<AxiosAnswer> => {
    // What speaks of the plain request, or would make its answer something else than bytes, stays behind.
    const { baseURL, params, paramsSerializer, cancelToken, ...rest } = config;
    const headers = AxiosHeaders.from(sealed.headers);
    for (const [name, value] of config.headers) {
      if (!isOfSealing(name)) {
        headers.set(name, value);
      }
    }
    try {
      const response = await send({
        ...rest,
        url: origin + sealed.path,
        method: "post",
        headers,
        data: sealed.body,
        responseType: "arraybuffer",
        maxRedirects: 0,
        fetchOptions: { ...config.fetchOptions, redirect: "manual" },
        validateStatus: null,
        signal,
      });
      const { status, data } = response;
      const body = typeof data === "string" ? data : new Uint8Array(data ?? 0);
      const received = AxiosHeaders.from(response.headers as AxiosHeaders);
      const [retryAfter, date] = ["Retry-After", "Date"].map((name) => textOf(received.get(name)));
      return { status, body, retryAfter, date, response };
    } catch (error) {
      throw error instanceof AxiosError ? Object.assign(error, { config, request: standIn(config) }) : error;
    }
  };
}

/** As axios itself settles: whether a status is an error is for the config to say. */
function settled(ended: Ended<AxiosAnswer>, config: InternalAxiosRequestConfig): AxiosResponse {
  const { body, isOpened } = plainBody(ended);
  const { status, statusText, headers: received } = ended.answer.response;
  const headers = new AxiosHeaders(isOpened ? { "content-type": "application/json" } : {});
  for (const [name, value] of AxiosHeaders.from(received as AxiosHeaders)) {
    if (!isOfSealedBody(name, isOpened)) {
      headers.set(name, value);
    }
  }
  const data = typeof body === "string" ? body : new TextDecoder().decode(body);
  const request = standIn(config);
  const response: AxiosResponse = { data, status, statusText, headers, config, request };
  withApiError(response, ended.error);
  if (!config.validateStatus || config.validateStatus(status)) {
    return response;
  }
  const code = status >= 400 && status <= 499 ? AxiosError.ERR_BAD_REQUEST : AxiosError.ERR_BAD_RESPONSE;
  const message = `Request failed with status code ${status}`;
  throw Object.assign(new AxiosError(message, code, config, request, response), ended.error && { cause: ended.error });
}

/** In the place of a request whose headers show the API key; there, since code asks whether an error has one. */
function standIn({ url, method }: InternalAxiosRequestConfig): object {
  return { path: url, method: method?.toUpperCase() };
}

function urlOf(config: InternalAxiosRequestConfig): URL {
  const address = axios.getUri(config);
  if (!URL.canParse(address)) {
    throw new EnvelopeError("invalid_option", "the address is relative: hand in `baseURL`, or an absolute one");
  }
  return new URL(address);
}

/** What axios assumes of a text whose type nobody gave is no type: the core says whether it is JSON. */
function contentTypeOf({ headers }: InternalAxiosRequestConfig): string | undefined {
  const contentType = textOf(headers.getContentType());
  return contentType === "application/x-www-form-urlencoded" ? undefined : contentType;
}

function dataOf(data: unknown): string | Uint8Array | undefined {
  if (data === undefined || data === null || typeof data === "string" || data instanceof Uint8Array) {
    return data ?? undefined;
  }
  if (data instanceof ArrayBuffer) {
    return new Uint8Array(data);
  }
  throw new EnvelopeError("invalid_option", "the data does not become JSON: hand the payload over as an object");
}

function signalOf({ signal, cancelToken }: InternalAxiosRequestConfig): AbortSignal | undefined {
  return (signal as AbortSignal | undefined) ?? cancelToken?.toAbortSignal();
}

function textOf(header: unknown): string | undefined {
  return typeof header === "string" ? header : undefined;
}
