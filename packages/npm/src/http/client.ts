/**
 * A client of the API: path and payload in, payload out. It runs wherever `fetch` does.
 *
 * @packageDocumentation
 */

import { EnvelopeError, internals, type JsonObject, type JsonText, type JsonValue, OrderStatus } from "cardseal";
import { Caller, type CallerOptions, longestBackoffMillis, originOf, pause } from "./attempts.js";
import { fetchExchange } from "./fetch.js";

export type { AttemptEvent, CallerOptions, Credentials } from "./attempts.js";
export { apiErrorOf, OutcomeUnknownError } from "./errors.js";

/** The options of a {@link Client}. */
export type ClientOptions = CallerOptions & {
  /** The API's origin, such as `https://api.example.com`, without `/api/v1`. */
  readonly baseUrl: string;
  /** What sends; the runtime's `fetch` unless given. It must not try again by itself. */
  readonly fetch?: typeof globalThis.fetch | undefined;
};

/** The options of {@link Client.call}. */
export interface CallOptions {
  /** Required on `/cards/create` and `/cards/topup`: make it once for an intention, keep it, and call again with the same. */
  readonly idempotencyKey?: string | undefined;
  /** Ends the call at once, between attempts and within one. */
  readonly signal?: AbortSignal | undefined;
}

/** The options of {@link Client.waitForOrder}. */
export interface WaitOptions {
  /** How long to wait, in seconds; 60 unless given. */
  readonly timeoutSeconds?: number | undefined;
  /** Ends the waiting at once. */
  readonly signal?: AbortSignal | undefined;
}

/** An order, as `/orders/check` shows it. */
export interface Order {
  readonly order_id: string;
  /** One of {@link OrderStatus}, or one of the next release. */
  readonly status: OrderStatus | (string & {});
  readonly [name: string]: JsonValue;
}

/**
 * Calls the API: seals, sends, opens, and makes those attempts again that may be made again. Make one and keep it.
 *
 * @example
 * ```ts
 * import { deriveIdempotencyKey } from "cardseal";
 * import { Client, type Order } from "cardseal/client";
 *
 * const client = new Client({ baseUrl: "https://api.example.com", apiKey: "key_1", secret: "your_api_secret_key_here" });
 * export async function topUp(cardId: string, invoice: string): Promise<Order> {
 *   const idempotencyKey = deriveIdempotencyKey("topup", invoice);
 *   const order = await client.call<Order>("/cards/topup", { card_id: cardId, amount: "20.00" }, { idempotencyKey });
 *   return await client.waitForOrder(order.order_id);
 * }
 * ```
 */
export class Client {
  static {
    internals.nameClass(Client, "Client");
  }

  /** The API's origin. */
  readonly baseUrl: string;

  readonly #caller: Caller;
  readonly #send: typeof globalThis.fetch;

  /** @throws EnvelopeError `invalid_key` for the secret; `invalid_option`. */
  constructor(options: ClientOptions) {
    this.#caller = new Caller(options, "baseUrl", "fetch");
    this.baseUrl = originOf(internals.string(options.baseUrl, "baseUrl"));
    this.#send = options.fetch ?? ((...given) => globalThis.fetch(...given));
  }

  /**
   * A client of the environment variables `CARDSEAL_URL`, `CARDSEAL_API_KEY` and `CARDSEAL_SECRET`.
   *
   * @param options - The constructor's others.
   * @throws EnvelopeError `invalid_option` for a variable that is not set, and as the constructor.
   *
   * @example
   * ```ts
   * import { Client } from "cardseal/client";
   *
   * const client = Client.fromEnv({ attempts: 3 });
   * console.log(await client.call("/project/balance")); // { available: '1000.00', currency: 'usdt' }
   * ```
   */
  static fromEnv(options: Partial<Omit<ClientOptions, "baseUrl" | "apiKey" | "secret" | "envelope">> = {}): Client {
    const variables = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env ?? {};
    const [baseUrl, apiKey, secret] = ["CARDSEAL_URL", "CARDSEAL_API_KEY", "CARDSEAL_SECRET"].map((name) => {
      const value = variables[name];
      if (!value) {
        throw new EnvelopeError("invalid_option", `the environment variable ${name} is not set: export it`);
      }
      return value;
    }) as [string, string, string];
    return new Client({ ...options, baseUrl, apiKey, secret });
  }

  /**
   * Makes a call with all its attempts, and gives the payload of its success.
   *
   * @typeParam T - The type you expect; nothing checks it.
   * @param path - A path, such as `/cards/topup`.
   * @param payload - As in `Envelope.sealRequest`; `{}` unless given.
   * @throws ApiError for what the API answers; {@link OutcomeUnknownError} where the call may or may not have been carried
   * out; EnvelopeError for what cannot be sealed, and for a success that does not open; what `fetch` gave for the transport;
   * the signal's reason.
   */
  async call<T = JsonValue>(path: string, payload: JsonObject | JsonText = {}, options: CallOptions = {}): Promise<T> {
    internals.onlyKnown(options, "idempotencyKey", "signal");
    const { idempotencyKey, signal } = options;
    const isSecure = this.baseUrl.startsWith("https:");
    const call = { path: internals.string(path, "path"), isSecure, payload, idempotencyKey, signal };
    const ended = await this.#caller.call(call, fetchExchange(this.#send, this.baseUrl, this.#caller.maxBytes));
    if (ended.error) {
      throw ended.error;
    }
    return JSON.parse(ended.text) as T; // text that the core has accepted
  }

  /**
   * Asks `/orders/check` until an order has ended, well or not, and gives it. The order goes on when nobody waits any more.
   *
   * @throws DOMException `TimeoutError` if it had not ended when the time was over; else as {@link call}.
   */
  async waitForOrder<T = Order>(orderId: string, options: WaitOptions = {}): Promise<T> {
    internals.onlyKnown(options, "timeoutSeconds", "signal");
    const { timeoutSeconds = 60, signal } = options;
    if (!(timeoutSeconds >= 0)) {
      throw new EnvelopeError("invalid_option", "`timeoutSeconds` is out of range: use 0 or more");
    }
    const startedAt = performance.now();
    for (let asked = 1; ; asked++) {
      const order = await this.call<Order>("/orders/check", { order_id: orderId }, { signal });
      if (OrderStatus.isTerminal(order.status)) {
        return order as T;
      }
      const wait = longestBackoffMillis(asked); // nobody else waits for this order: no chance is needed
      if (performance.now() - startedAt + wait >= timeoutSeconds * 1_000) {
        const message = `the order is still \`${order.status}\` after ${timeoutSeconds} s: ask again later`;
        throw new DOMException(message, "TimeoutError");
      }
      await pause(wait, signal);
    }
  }
}
