/**
 * The encrypted envelope of a card-issuing API: sealing, opening, and every rule around them.
 *
 * Start with {@link Envelope}. A client seals with {@link Envelope.sealRequest} and reads answers with
 * {@link Envelope.openResponse}; a server reads with {@link Envelope.openRequest}, claims {@link replayKeys} with
 * {@link claimRequest}, and answers with {@link Envelope.sealResponse}. Failures are {@link EnvelopeError}s with a
 * stable `code`, or the {@link ApiError} that the API answered with.
 *
 * @packageDocumentation
 */

export { type EngineName, engineName } from "./engine.js";
export {
  type Body,
  Envelope,
  type EnvelopeOptions,
  type KeyOptions,
  type Layout,
  type OpenedRequest,
  type OpenOptions,
  type OpenRequestOptions,
  type OpenResponseOptions,
  type SealedRequest,
  type SealRequestOptions,
  type Webhook,
} from "./envelope.js";
export { ApiError, EnvelopeError, type FailureClass } from "./errors.js";
export {
  canonicalJson,
  deriveIdempotencyKey,
  fingerprint,
  generateIdempotencyKey,
  timestampMicros,
  validatePayload,
} from "./functions.js";
/** @internal */
export { internals } from "./internals.js";
export type { JsonObject, JsonText, JsonValue, JsonValueWithBigInts } from "./payload.js";
export {
  claimRequest,
  MemoryReplayStore,
  type ReplayKeys,
  type ReplayStore,
  replayKeys,
} from "./replay.js";
export {
  type Attempt,
  type EndpointKind,
  endpointKind,
  normalizePath,
  type RetryDecision,
  requiredHeaders,
  shouldRetry,
} from "./retry.js";
export type { StatusModel, ValueList } from "./status.js";
export * from "./tables.js";
