/** The two errors: one for envelopes, one for answers of the API. */

import type { Field } from "./engine.js";
import { brandClass, nameClass } from "./names.js";
import { type JsonValue, parseJson } from "./payload.js";
import type { ErrorCode, ErrorSlug, PlainErrorCode } from "./tables.js";

/**
 * What a failure says about trying again: `never` (the answer will not change), `reseal` (seal anew, same idempotency
 * key), `transient` (the server or the network failed for now), `later` (another time, not in a loop).
 */
export type FailureClass = "never" | "reseal" | "transient" | "later";

/**
 * Something is wrong with an envelope, a payload or an option.
 *
 * `code` is the contract: the same string in every language. The message says what to do and may change in any release;
 * it holds no secret and no plaintext.
 *
 * @example
 * ```ts
 * import { Envelope, EnvelopeError } from "cardseal";
 *
 * try {
 *   new Envelope("short");
 * } catch (error) {
 *   if (!(error instanceof EnvelopeError)) throw error;
 *   console.log(error.code); // invalid_key
 *   console.log(error.message); // the secret has 5 bytes: use at least 8 (invalid_key)
 * }
 * ```
 */
export class EnvelopeError extends Error {
  static {
    brandClass(EnvelopeError, "EnvelopeError");
    // Not the class's name: a minifier shortens that.
    Object.defineProperty(EnvelopeError.prototype, "name", {
      value: "EnvelopeError",
      configurable: true,
      writable: true,
    });
  }

  /** Why, as a stable code. */
  readonly code: ErrorCode;

  /** For `timestamp_outside_window`: the request's clock minus the server's, in microseconds. */
  readonly skewMicros?: number;

  /** The HTTP status of the response that cannot be believed; only from `openResponse`. */
  readonly status?: number;

  /** What the failure says about trying again; only from `openResponse`. */
  readonly failureClass?: FailureClass;

  /**
   * @param code - The stable code, such as `replay_store_unavailable` from a store of your own.
   * @param message - One line in lower case that says what to do, without a secret or plaintext.
   */
  constructor(code: ErrorCode, message: string) {
    super(`${message} (${code})`);
    this.code = code;
  }

  /** @internal The error in the fields of a refusal. */
  static of([code, message, skew, failureClass]: readonly (Field | number)[], status?: number): EnvelopeError {
    const error = new EnvelopeError(code as ErrorCode, message as string);
    // An answer that is too large for the engine to hand over has no class from the core: it was lost.
    const classOf = failureClass ?? (status !== undefined && code === "too_large" ? "transient" : undefined);
    const details = {
      ...(skew !== undefined && { skewMicros: Number(skew) }),
      ...(classOf !== undefined && { failureClass: classOf, status }),
    };
    return Object.assign(error, details);
  }
}

/**
 * The API answered with an error.
 *
 * @example
 * ```ts
 * import { ApiError, Envelope } from "cardseal";
 *
 * const envelope = new Envelope("your_api_secret_key_here");
 * try {
 *   envelope.openResponse(400, '{"error": "Duplicate request detected"}');
 * } catch (error) {
 *   if (!(error instanceof ApiError)) throw error;
 *   console.log(error.code, error.failureClass, error.encrypted); // duplicate_request reseal false
 * }
 * ```
 */
export class ApiError extends Error {
  static {
    brandClass(ApiError, "ApiError");
    nameClass(ApiError, "ApiError");
    nameClass(ApiError.prototype, "ApiError");
  }

  /** The HTTP status. */
  readonly status: number;

  /** `error_slug` of a sealed error: one of the documented ones, or any other. */
  readonly slug: ErrorSlug | (string & {}) | undefined;

  /** The slug, or the constant of one of the eight errors in plain text. */
  readonly code: ErrorSlug | PlainErrorCode | (string & {}) | undefined;

  /** What it says about trying again. */
  readonly failureClass: FailureClass;

  /** Whether it came sealed. A plain error is nobody's word: never proof that no money moved. */
  readonly encrypted: boolean;

  readonly #payload: string | undefined;
  readonly #bigints: boolean;

  /** Only `openResponse` makes one. */
  private constructor(status: number, given: readonly (Field | number)[], bigints: boolean) {
    const [slug, code, message, failureClass, encrypted, payload] = given as readonly (string | undefined)[];
    super(message);
    this.status = status;
    this.slug = slug;
    this.code = code;
    this.failureClass = failureClass as FailureClass;
    this.encrypted = encrypted !== undefined;
    this.#payload = payload;
    this.#bigints = bigints;
  }

  /** @internal The error in the fields of an answer. */
  static of(given: readonly (Field | number)[], status: number, bigints = false): ApiError {
    return new ApiError(status, given, bigints);
  }

  /**
   * What a sealed error holds; with `BigInt`s if {@link OpenOptions.bigints} asked for them. A getter, so that nothing that
   * prints the error prints it.
   */
  get payload(): JsonValue | undefined {
    return this.#payload === undefined ? undefined : parseJson(this.#payload, this.#bigints);
  }

  /** @internal What a sealed error holds, as the text that was sealed. A function, for the same reason. */
  payloadText(): string | undefined {
    return this.#payload;
  }
}
