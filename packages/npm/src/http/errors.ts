/** What became of a call, where that is neither an answer nor an error of the transport. */

import { ApiError, internals } from "cardseal";

/**
 * Nobody can tell whether a call was carried out: an attempt may have arrived, and no answer settles it.
 *
 * It is no failure: money may have moved. Ask `/orders/check`, or make the call again with the same idempotency key. `cause`
 * is the last failure.
 *
 * @example
 * ```ts
 * import { Client, OutcomeUnknownError } from "cardseal/client";
 *
 * // Something that takes requests and never answers.
 * const fetch = async () => Promise.reject(new Error("the connection broke off"));
 * const client = new Client({ baseUrl: "https://api.example.com", apiKey: "key_1", secret: "your_api_secret_key_here", fetch });
 * const failure: unknown = await client.call("/cards/freeze", { card_id: "card_abc123" }).catch((error) => error);
 * if (failure instanceof OutcomeUnknownError) console.log(failure.path, failure.attempts); // /api/v1/cards/freeze 1
 * ```
 */
export class OutcomeUnknownError extends Error {
  static {
    internals.brandClass(OutcomeUnknownError, "OutcomeUnknownError");
    internals.nameClass(OutcomeUnknownError, "OutcomeUnknownError");
    internals.nameClass(OutcomeUnknownError.prototype, "OutcomeUnknownError");
  }

  /** Always `outcome_unknown`. */
  readonly code = "outcome_unknown";

  /** The normalised path, such as `/api/v1/cards/topup`. */
  readonly path: string;

  /** The idempotency key that every attempt had: call again with the same, or not at all. */
  readonly idempotencyKey: string | undefined;

  /** How many attempts there were. */
  readonly attempts: number;

  /** @internal */
  constructor(path: string, idempotencyKey: string | undefined, attempts: number, cause: unknown) {
    const advice =
      idempotencyKey === undefined
        ? "ask `/orders/check` before it is called again"
        : "ask `/orders/check`, or call again with the same idempotency key";
    super(`\`${path}\` may or may not have been carried out: ${advice} (outcome_unknown)`, { cause });
    this.path = path;
    this.idempotencyKey = idempotencyKey;
    this.attempts = attempts;
  }
}

/**
 * The error that the API answered with, of a response that a sealed adapter gave, or of the error that a client such as ky
 * or axios made of one; nothing where there is none. An unknown outcome is none, whatever the last answer was.
 *
 * @example
 * ```ts
 * import { apiErrorOf } from "cardseal/fetch";
 *
 * console.log(apiErrorOf(new Response("{}"))); // undefined
 * ```
 */
export function apiErrorOf(responseOrError: unknown): ApiError | undefined {
  if (responseOrError instanceof OutcomeUnknownError) {
    return undefined;
  }
  const { response, context, cause } = (responseOrError ?? {}) as Partial<Record<string, unknown>>;
  const candidates = [responseOrError, ...[responseOrError, response, context].map(carried), cause];
  return candidates.find((candidate) => candidate instanceof ApiError);
}

/** Puts an error at hand beside what a client gives: where no printer looks. */
export function withApiError<T extends object>(carrier: T, error: ApiError | undefined): T {
  return error ? Object.defineProperty(carrier, API_ERROR, { value: error, configurable: true }) : carrier;
}

function carried(carrier: unknown): unknown {
  return (carrier as { readonly [API_ERROR]?: unknown } | undefined)?.[API_ERROR];
}

const API_ERROR: unique symbol = Symbol.for("cardseal.apiError") as never;
