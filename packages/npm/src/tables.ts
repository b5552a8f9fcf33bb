/** The protocol's tables. Generated from core/data by `cargo xtask codegen`: do not edit. */

import type { EndpointKind } from "./retry.js";
import { type StatusModel, statusModel, type ValueList, valueList } from "./status.js";

/**
 * Every code that an `EnvelopeError` can carry; the same in every language.
 *
 * - `invalid_key`: the secret has under 8 bytes, or the raw key not exactly 32
 * - `invalid_json`: the HTTP body breaks a rule of strict JSON
 * - `envelope_not_found`: the HTTP body is JSON, but holds no `encrypted` member
 * - `invalid_envelope`: `encrypted` holds something other than canonical base64 of a whole envelope
 * - `unsupported_version`: the envelope starts with a version byte this release cannot read
 * - `decryption_failed`: no secret opens the envelope: another key sealed it, or it was altered
 * - `invalid_payload`: the payload, sealed or to be sealed, breaks a rule of strict JSON
 * - `already_sealed`: the payload to seal is itself a sealed body
 * - `timestamp_not_found`: the payload has no `request_timestamp` member of its own
 * - `invalid_timestamp`: `request_timestamp` is no whole number of microseconds from 0 to 2^63-1
 * - `timestamp_outside_window`: the request's clock and the server's differ by more than the window
 * - `duplicate_request`: this timestamp or this nonce was claimed by an earlier request
 * - `idempotency_key_required`: this path charges money and needs an Idempotency-Key
 * - `invalid_idempotency_key`: an Idempotency-Key is 1 to 255 printable ASCII characters without spaces
 * - `invalid_option`: an option has a value outside its range, or unknown
 * - `invalid_path`: the path has a character or a segment that no endpoint has
 * - `invalid_api_key`: an API key is 1 to 255 printable ASCII characters without spaces
 * - `too_large`: the HTTP body has more bytes than `max_bytes` allows
 * - `reflected_response`: the answer is the request's own envelope sent back
 * - `replay_store_unavailable`: the replay store cannot tell whether the request is fresh, so it is refused
 * - `entropy_unavailable`: the host gave no usable random bytes
 * - `clock_unavailable`: the host's clock gave no usable time
 */
export type ErrorCode =
  | "invalid_key"
  | "invalid_json"
  | "envelope_not_found"
  | "invalid_envelope"
  | "unsupported_version"
  | "decryption_failed"
  | "invalid_payload"
  | "already_sealed"
  | "timestamp_not_found"
  | "invalid_timestamp"
  | "timestamp_outside_window"
  | "duplicate_request"
  | "idempotency_key_required"
  | "invalid_idempotency_key"
  | "invalid_option"
  | "invalid_path"
  | "invalid_api_key"
  | "too_large"
  | "reflected_response"
  | "replay_store_unavailable"
  | "entropy_unavailable"
  | "clock_unavailable";

/** The constants for the errors that the API sends in plain text. */
export type PlainErrorCode =
  | "api_key_not_found"
  | "access_denied"
  | "envelope_not_found"
  | "invalid_envelope"
  | "timestamp_not_found"
  | "invalid_timestamp"
  | "timestamp_outside_window"
  | "duplicate_request";

/** The texts of those errors with their statuses and constants, in the order of the server's checks. */
export const PLAIN_ERRORS: readonly { readonly text: string; readonly status: number; readonly code: PlainErrorCode }[] = [
  { text: "API key not found", status: 404, code: "api_key_not_found" },
  { text: "You do not have access to this API.", status: 403, code: "access_denied" },
  { text: "Encrypted payload not found", status: 400, code: "envelope_not_found" },
  { text: "Invalid encrypted payload format", status: 400, code: "invalid_envelope" },
  { text: "Request timestamp not found in encrypted payload", status: 400, code: "timestamp_not_found" },
  { text: "Invalid timestamp format", status: 400, code: "invalid_timestamp" },
  { text: "Request timestamp outside allowed window", status: 400, code: "timestamp_outside_window" },
  { text: "Duplicate request detected", status: 400, code: "duplicate_request" },
];

/** The documented slugs of sealed errors; an open set. */
export type ErrorSlug =
  | "invalid_request"
  | "invalid_amount"
  | "idempotency_key_required"
  | "insufficient_funds"
  | "user_not_found"
  | "card_not_found"
  | "cardholder_not_found"
  | "order_not_found"
  | "external_user_id_exists"
  | "cardholder_already_exists"
  | "card_not_active"
  | "card_user_mismatch"
  | "internal_error"
  | "provider_error"
  | "topup_attempts_exceeded"
  | "project_not_found"
  | "wallet_not_found"
  | "project_wallet_failed"
  | "project_balance_failed"
  | "external_user_id_required"
  | "product_not_found"
  | "product_not_active"
  | "amount_below_minimum"
  | "amount_above_maximum"
  | "currency_mismatch"
  | "invalid_pricing"
  | "invalid_card_id"
  | "card_issue_not_completed"
  | "invalid_card_status"
  | "provider_invalid_card_status"
  | "invalid_subprovider_id"
  | "decryption_failed"
  | "api_key_not_found"
  | "api_key_invalid"
  | "project_user_id_or_external_user_id_required"
  | "invalid_project_user_id"
  | "project_user_not_found";

/** The HTTP status that each documented slug comes with. */
export const ERROR_SLUGS: Readonly<Record<ErrorSlug, number>> = {
  invalid_request: 400,
  invalid_amount: 400,
  idempotency_key_required: 400,
  insufficient_funds: 403,
  user_not_found: 404,
  card_not_found: 404,
  cardholder_not_found: 404,
  order_not_found: 404,
  external_user_id_exists: 409,
  cardholder_already_exists: 409,
  card_not_active: 422,
  card_user_mismatch: 422,
  internal_error: 500,
  provider_error: 502,
  topup_attempts_exceeded: 503,
  project_not_found: 404,
  wallet_not_found: 404,
  project_wallet_failed: 502,
  project_balance_failed: 502,
  external_user_id_required: 400,
  product_not_found: 404,
  product_not_active: 422,
  amount_below_minimum: 400,
  amount_above_maximum: 400,
  currency_mismatch: 422,
  invalid_pricing: 422,
  invalid_card_id: 400,
  card_issue_not_completed: 422,
  invalid_card_status: 422,
  provider_invalid_card_status: 422,
  invalid_subprovider_id: 400,
  decryption_failed: 400,
  api_key_not_found: 404,
  api_key_invalid: 403,
  project_user_id_or_external_user_id_required: 400,
  invalid_project_user_id: 400,
  project_user_not_found: 404,
};

/** The documented endpoints and how a call to each may be repeated; any other path is unsafe. */
export const ENDPOINTS: Readonly<Record<string, EndpointKind>> = {
  "/api/v1/project/wallet/trc20": "read",
  "/api/v1/project/balance": "read",
  "/api/v1/users/create": "unsafe",
  "/api/v1/cardholders/create": "unsafe",
  "/api/v1/cards/products": "read",
  "/api/v1/cards/create": "keyed",
  "/api/v1/cards/topup": "keyed",
  "/api/v1/cards/get": "read",
  "/api/v1/cards/freeze": "unsafe",
  "/api/v1/cards/unfreeze": "unsafe",
  "/api/v1/orders/check": "read",
  "/api/v1/wh/subscribe": "unsafe",
  "/api/v1/wh/unsubscribe": "unsafe",
  "/api/v1/wh/subscriptions": "read",
};

/** The status of an order, whatever its type. */
export type OrderStatus =
  | "new"
  | "activating"
  | "processing"
  | "completed"
  | "failed"
  | "paid";

/** The status of an order, whatever its type. Values, moves and ends. */
export const OrderStatus: StatusModel<OrderStatus> = /* @__PURE__ */ statusModel<OrderStatus>(
  {
    new: ["activating", "processing", "failed"],
    activating: ["completed", "failed"],
    processing: ["completed", "failed"],
    completed: [],
    failed: [],
    paid: [],
  },
  ["completed", "failed"],
);

/** How far the issue of a card has come, from its creation to the first top-up. */
export type CardIssueStatus =
  | "card_create_pending"
  | "card_create_error"
  | "card_create_done"
  | "initial_topup_skipped"
  | "initial_topup_pending"
  | "initial_topup_error"
  | "initial_topup_in_progress"
  | "initial_topup_done"
  | "initial_topup_verify_error"
  | "completed";

/** How far the issue of a card has come, from its creation to the first top-up. Values, moves and ends. */
export const CardIssueStatus: StatusModel<CardIssueStatus> = /* @__PURE__ */ statusModel<CardIssueStatus>(
  {
    card_create_pending: ["card_create_done", "card_create_error"],
    card_create_error: ["card_create_pending", "card_create_done"],
    card_create_done: ["initial_topup_pending", "initial_topup_skipped"],
    initial_topup_skipped: [],
    initial_topup_pending: ["initial_topup_in_progress", "initial_topup_error"],
    initial_topup_error: ["initial_topup_pending", "initial_topup_in_progress"],
    initial_topup_in_progress: ["initial_topup_done", "initial_topup_error"],
    initial_topup_done: ["completed", "initial_topup_verify_error"],
    initial_topup_verify_error: ["initial_topup_done", "completed"],
    completed: [],
  },
  ["initial_topup_skipped", "completed"],
);

/** How far the top-up of a card has come at the provider. */
export type CardTopupStatus =
  | "new"
  | "new_error"
  | "provider_in_progress"
  | "provider_in_progress_error"
  | "provider_verification"
  | "provider_verification_error"
  | "completed"
  | "failed";

/** How far the top-up of a card has come at the provider. Values, moves and ends. */
export const CardTopupStatus: StatusModel<CardTopupStatus> = /* @__PURE__ */ statusModel<CardTopupStatus>(
  {
    new: ["provider_in_progress", "new_error", "failed"],
    new_error: ["new", "provider_in_progress", "failed"],
    provider_in_progress: ["provider_verification", "provider_in_progress_error", "completed", "failed"],
    provider_in_progress_error: ["provider_in_progress", "provider_verification", "failed"],
    provider_verification: ["completed", "provider_verification_error", "failed"],
    provider_verification_error: ["provider_verification", "completed", "failed"],
    completed: [],
    failed: [],
  },
  ["completed", "failed"],
);

/** The status of a card. */
export type CardStatus =
  | "pending_order"
  | "paid"
  | "pending_activation"
  | "wait_for_topup_activation_by_user"
  | "active"
  | "frozen"
  | "closed";

/** The status of a card. The values known here. */
export const CardStatus: ValueList<CardStatus> = /* @__PURE__ */ valueList<CardStatus>(["pending_order", "paid", "pending_activation", "wait_for_topup_activation_by_user", "active", "frozen", "closed"]);

/** Whether a cardholder is registered with the provider. */
export type CardholderRegistrationStatus =
  | "pending"
  | "active"
  | "suspended"
  | "failed";

/** Whether a cardholder is registered with the provider. The values known here. */
export const CardholderRegistrationStatus: ValueList<CardholderRegistrationStatus> = /* @__PURE__ */ valueList<CardholderRegistrationStatus>(["pending", "active", "suspended", "failed"]);

/** Where the identity check of a cardholder stands. */
export type CardholderKycStatus =
  | "not_started"
  | "pending"
  | "approved"
  | "rejected"
  | "expired";

/** Where the identity check of a cardholder stands. The values known here. */
export const CardholderKycStatus: ValueList<CardholderKycStatus> = /* @__PURE__ */ valueList<CardholderKycStatus>(["not_started", "pending", "approved", "rejected", "expired"]);

/** How thorough the identity check of a cardholder was. */
export type CardholderKycLevel =
  | "none"
  | "basic"
  | "advanced"
  | "full";

/** How thorough the identity check of a cardholder was. The values known here. */
export const CardholderKycLevel: ValueList<CardholderKycLevel> = /* @__PURE__ */ valueList<CardholderKycLevel>(["none", "basic", "advanced", "full"]);

/** How long a replay key stays claimed: twice the window of 30 seconds, and 10 seconds of slack. */
export const REPLAY_TTL_MILLIS = 70_000;

/** How many keys a replay store in memory holds unless it is told otherwise; a request takes two. */
export const REPLAY_MAX_KEYS = 1_048_576;

/** The longest wait before the second attempt; it doubles with each further one. */
export const BACKOFF_FIRST_MILLIS = 250;

/** The longest wait before any attempt, but for what the server itself asks for. */
export const BACKOFF_LONGEST_MILLIS = 8_000;

/** How many attempts a call has unless it is told otherwise. */
export const RETRY_ATTEMPTS = 8;

/** How long a call may take with all its attempts and waits unless it is told otherwise. */
export const RETRY_DEADLINE_MILLIS = 60_000;

/** How long a webhook counts as being handled; after that its handler is given up for dead. */
export const WEBHOOK_LEASE_MILLIS = 60_000;

/** How long a handled webhook is remembered: far longer than a sender goes on sending. */
export const WEBHOOK_TTL_MILLIS = 86_400_000;

/** How long a request counts as being carried out under its idempotency key unless it is told otherwise. */
export const IDEMPOTENCY_LEASE_MILLIS = 60_000;

/** The longest lease of an idempotency record: a day. */
export const IDEMPOTENCY_LEASE_MAX_MILLIS = 86_400_000;

/** How long an idempotency record is kept after its last change: seven days. */
export const IDEMPOTENCY_TTL_MILLIS = 604_800_000;

/** How many idempotency records a store in memory holds unless it is told otherwise. */
export const IDEMPOTENCY_MAX_RECORDS = 65_536;

/** The most by which a client corrects its clock: fifteen minutes. */
export const CLOCK_CORRECTION_MAX_MILLIS = 900_000;

/** How long after a correction of its clock a client makes no other. */
export const CLOCK_CORRECTION_PAUSE_MILLIS = 60_000;
