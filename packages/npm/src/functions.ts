/** What needs no key: time, idempotency keys, payload checks. */

import { perform } from "./engine.js";
import { string } from "./options.js";
import { type Data, type JsonObject, type JsonText, jsonText, wellFormed } from "./payload.js";

/**
 * The next timestamp, in microseconds since 1970: strictly increasing in this realm, over all envelopes and all copies of
 * this package, even on a clock that stands still. Exact until the year 2255.
 *
 * @throws EnvelopeError `clock_unavailable`.
 *
 * @example
 * ```ts
 * import { timestampMicros } from "cardseal";
 *
 * console.log(timestampMicros() < timestampMicros()); // true
 * ```
 */
export function timestampMicros(): number {
  return Number(perform("timestamp")[0]);
}

/**
 * A random idempotency key, a UUID of version 4. Keep it with the event it stands for, and send it with every retry.
 *
 * @throws EnvelopeError `entropy_unavailable`.
 *
 * @example
 * ```ts
 * import { generateIdempotencyKey } from "cardseal";
 *
 * console.log(generateIdempotencyKey().length); // 36
 * ```
 */
export function generateIdempotencyKey(): string {
  return perform("generateKey")[0] as string;
}

/**
 * The idempotency key that belongs to an event: the same for the same `namespace` and `id`, on every machine and in every
 * language.
 *
 * @throws EnvelopeError `invalid_idempotency_key` when a part is empty or cut inside a surrogate pair.
 *
 * @example
 * ```ts
 * import { deriveIdempotencyKey } from "cardseal";
 *
 * console.log(deriveIdempotencyKey("topup", "invoice-42")); // 0d070fd6-04af-8724-b89c-f24408c2ec71
 * ```
 */
export function deriveIdempotencyKey(namespace: string, id: string): string {
  const parts = [string(namespace, "namespace"), string(id, "id")];
  return perform("deriveKey", ...parts.map((part) => wellFormed(part, "invalid_idempotency_key")))[0] as string;
}

/**
 * Checks a request payload: a strict JSON object, not sealed yet, its `request_timestamp` well formed if there is one.
 *
 * @returns The timestamp in microseconds (beyond the year 2255 the nearest number), or `undefined` where there is none.
 * @throws EnvelopeError `invalid_payload`, `already_sealed`, `invalid_timestamp`, in this order.
 *
 * @example
 * ```ts
 * import { validatePayload } from "cardseal";
 *
 * console.log(validatePayload('{"request_timestamp": "1700000000000000"}')); // 1700000000000000
 * console.log(validatePayload({ card_id: "card_abc123" })); // undefined
 * ```
 */
export function validatePayload<P extends JsonObject | JsonText>(payload: P & Data<P>): number | undefined {
  const [timestamp] = perform("validate", jsonText(payload));
  return timestamp === undefined ? undefined : Number(timestamp);
}

/**
 * What a server compares when an idempotency key comes again: the SHA-256 of path and canonical payload, in hexadecimal.
 * The root's `request_timestamp` is left out, so that a retry has the fingerprint of the first try.
 *
 * @throws EnvelopeError `invalid_path`, `invalid_payload`.
 *
 * @example
 * ```ts
 * import { fingerprint } from "cardseal";
 *
 * const first = fingerprint("/cards/topup", { request_timestamp: 1, card_id: "card_abc123", amount: "10.00" });
 * console.log(first === fingerprint("/api/v1/cards/topup", { amount: "10.00", card_id: "card_abc123" })); // true
 * ```
 */
export function fingerprint<P extends JsonObject | JsonText>(path: string, payload: P & Data<P>): string {
  return perform("fingerprint", string(path, "path"), jsonText(payload))[0] as string;
}

/**
 * The canonical form of a payload: members in the byte order of their names, one spelling for every escape, number tokens
 * as written, no white space, the root's `request_timestamp` left out.
 *
 * @throws EnvelopeError `invalid_payload`.
 *
 * @example
 * ```ts
 * import { canonicalJson } from "cardseal";
 *
 * console.log(canonicalJson('{ "b": 1.0, "a": "x", "request_timestamp": 5 }')); // {"a":"x","b":1.0}
 * ```
 */
export function canonicalJson<P extends JsonObject | JsonText>(payload: P & Data<P>): string {
  return perform("canonical", jsonText(payload))[0] as string;
}
