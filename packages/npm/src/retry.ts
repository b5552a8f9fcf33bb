/** Paths, endpoint kinds, and what a failure means for the next attempt. */

import { perform } from "./engine.js";
import type { FailureClass } from "./errors.js";
import { digits, optional, string } from "./options.js";

/**
 * What repeating a call does: `read` (nothing), `keyed` (charges once for each idempotency key), `unsafe` (something each
 * time).
 */
export type EndpointKind = "read" | "keyed" | "unsafe";

/**
 * What to do after a failed attempt: seal again and send at once, wait and do so, give up, or give up and tell the caller
 * that the call may have been carried out.
 */
export type RetryDecision = "retry_now" | "retry_after_backoff" | "stop" | "outcome_unknown";

/** A failed attempt, as {@link shouldRetry} judges it. */
export interface Attempt {
  /** The endpoint's kind: {@link endpointKind}. */
  readonly kind: EndpointKind;
  /** The failure's class: that of an `ApiError` or an `EnvelopeError`; `"transient"` where the connection failed. */
  readonly failureClass: FailureClass;
  /** The failure's code, if it has one. */
  readonly code?: string | undefined;
  /** Whether a byte of the request left: `"unknown"` counts as yes. */
  readonly sent: "no" | "yes" | "unknown";
  /** Whether the request carried an idempotency key. */
  readonly hasKey: boolean;
  /** How many attempts there have been, this one included. */
  readonly attempt: number;
}

/**
 * Whether to try again after a failed attempt, and how. How often a transient failure is worth another try is for the
 * caller's deadline to say.
 *
 * @throws EnvelopeError `invalid_option` for a name that is none of those listed.
 *
 * @example
 * ```ts
 * import { endpointKind, shouldRetry } from "cardseal";
 *
 * const timedOut = { failureClass: "transient", sent: "unknown", hasKey: true, attempt: 1 } as const;
 * console.log(shouldRetry({ kind: endpointKind("/cards/topup"), ...timedOut })); // retry_after_backoff
 * console.log(shouldRetry({ kind: endpointKind("/cards/freeze"), ...timedOut })); // outcome_unknown
 * ```
 */
export function shouldRetry({ kind, failureClass, code, sent, hasKey, attempt }: Attempt): RetryDecision {
  const [decision] = perform(
    "retry",
    string(kind, "kind"),
    string(failureClass, "failureClass"),
    optional(code, string, "code"),
    string(sent, "sent"),
    hasKey ? "true" : undefined,
    digits(attempt, "attempt"),
  );
  return decision as RetryDecision;
}

/**
 * A path or URL as the protocol counts it: from `/api/v1` on, without query, fragment and trailing slash.
 *
 * @throws EnvelopeError `invalid_path`.
 *
 * @example
 * ```ts
 * import { normalizePath } from "cardseal";
 *
 * console.log(normalizePath("https://api.example.com/api/v1/cards/get/?page=2")); // /api/v1/cards/get
 * ```
 */
export function normalizePath(pathOrUrl: string): string {
  return pathFields(pathOrUrl)[0];
}

/**
 * The kind of the endpoint behind a path or URL; `"unsafe"` for one that is not listed.
 *
 * @throws EnvelopeError `invalid_path`.
 *
 * @example
 * ```ts
 * import { endpointKind } from "cardseal";
 *
 * console.log(endpointKind("/cards/topup")); // keyed
 * ```
 */
export function endpointKind(pathOrUrl: string): EndpointKind {
  return pathFields(pathOrUrl)[1];
}

/**
 * The names of the headers that a request to a path must have.
 *
 * @throws EnvelopeError `invalid_path`.
 *
 * @example
 * ```ts
 * import { requiredHeaders } from "cardseal";
 *
 * console.log(requiredHeaders("/cards/topup")); // [ 'API-KEY', 'Content-Type', 'Idempotency-Key' ]
 * ```
 */
export function requiredHeaders(pathOrUrl: string): readonly string[] {
  const [, , ...names] = pathFields(pathOrUrl);
  return names;
}

function pathFields(pathOrUrl: string): readonly [path: string, kind: EndpointKind, ...headers: string[]] {
  return perform("path", string(pathOrUrl, "path")) as [string, EndpointKind, ...string[]];
}
