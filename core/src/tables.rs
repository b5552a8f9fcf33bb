//! The protocol's tables. Generated from core/data by `cargo xtask codegen`: do not edit.

use crate::error::error_codes;
use crate::response::{ErrorSlug, PlainError};
use crate::retry::{Endpoint, EndpointKind};
use crate::status::{status_model, value_list};

error_codes! {
    InvalidKey = "invalid_key", "the secret has under 8 bytes, or the raw key not exactly 32", answer: None, None;
    InvalidJson = "invalid_json", "the HTTP body breaks a rule of strict JSON", answer: Some("envelope_not_found"), Some(400);
    EnvelopeNotFound = "envelope_not_found", "the HTTP body is JSON, but holds no `encrypted` member", answer: Some("envelope_not_found"), Some(400);
    InvalidEnvelope = "invalid_envelope", "`encrypted` holds something other than canonical base64 of a whole envelope", answer: Some("invalid_envelope"), Some(400);
    UnsupportedVersion = "unsupported_version", "the envelope starts with a version byte this release cannot read", answer: Some("invalid_envelope"), Some(400);
    DecryptionFailed = "decryption_failed", "no secret opens the envelope: another key sealed it, or it was altered", answer: Some("invalid_envelope"), Some(400);
    InvalidPayload = "invalid_payload", "the payload, sealed or to be sealed, breaks a rule of strict JSON", answer: Some("invalid_envelope"), Some(400);
    AlreadySealed = "already_sealed", "the payload to seal is itself a sealed body", answer: None, None;
    TimestampNotFound = "timestamp_not_found", "the payload has no `request_timestamp` member of its own", answer: Some("timestamp_not_found"), Some(400);
    InvalidTimestamp = "invalid_timestamp", "`request_timestamp` is no whole number of microseconds from 0 to 2^63-1", answer: Some("invalid_timestamp"), Some(400);
    TimestampOutsideWindow = "timestamp_outside_window", "the request's clock and the server's differ by more than the window", answer: Some("timestamp_outside_window"), Some(400);
    DuplicateRequest = "duplicate_request", "this timestamp or this nonce was claimed by an earlier request", answer: Some("duplicate_request"), Some(400);
    IdempotencyKeyRequired = "idempotency_key_required", "this path charges money and needs an Idempotency-Key", answer: None, None;
    InvalidIdempotencyKey = "invalid_idempotency_key", "an Idempotency-Key is 1 to 255 printable ASCII characters without spaces", answer: None, None;
    InvalidOption = "invalid_option", "an option has a value outside its range, or unknown", answer: None, None;
    InvalidPath = "invalid_path", "the path has a character or a segment that no endpoint has", answer: None, None;
    InvalidApiKey = "invalid_api_key", "an API key is 1 to 255 printable ASCII characters without spaces", answer: None, None;
    TooLarge = "too_large", "the HTTP body has more bytes than `max_bytes` allows", answer: None, Some(413);
    ReflectedResponse = "reflected_response", "the answer is the request's own envelope sent back", answer: None, None;
    ReplayStoreUnavailable = "replay_store_unavailable", "the replay store cannot tell whether the request is fresh, so it is refused", answer: None, Some(503);
    EntropyUnavailable = "entropy_unavailable", "the host gave no usable random bytes", answer: None, None;
    ClockUnavailable = "clock_unavailable", "the host's clock gave no usable time", answer: None, None;
}

/// The texts of plain errors with their statuses and our codes, in the order of the server's checks.
pub static PLAIN_ERRORS: &[PlainError] = &[
    PlainError { text: "API key not found", status: 404, code: "api_key_not_found" },
    PlainError { text: "You do not have access to this API.", status: 403, code: "access_denied" },
    PlainError { text: "Encrypted payload not found", status: 400, code: "envelope_not_found" },
    PlainError { text: "Invalid encrypted payload format", status: 400, code: "invalid_envelope" },
    PlainError { text: "Request timestamp not found in encrypted payload", status: 400, code: "timestamp_not_found" },
    PlainError { text: "Invalid timestamp format", status: 400, code: "invalid_timestamp" },
    PlainError { text: "Request timestamp outside allowed window", status: 400, code: "timestamp_outside_window" },
    PlainError { text: "Duplicate request detected", status: 400, code: "duplicate_request" },
];

/// The documented slugs of sealed errors with their statuses; an open set.
pub static ERROR_SLUGS: &[ErrorSlug] = &[
    ErrorSlug { slug: "invalid_request", status: 400 },
    ErrorSlug { slug: "invalid_amount", status: 400 },
    ErrorSlug { slug: "idempotency_key_required", status: 400 },
    ErrorSlug { slug: "insufficient_funds", status: 403 },
    ErrorSlug { slug: "user_not_found", status: 404 },
    ErrorSlug { slug: "card_not_found", status: 404 },
    ErrorSlug { slug: "cardholder_not_found", status: 404 },
    ErrorSlug { slug: "order_not_found", status: 404 },
    ErrorSlug { slug: "external_user_id_exists", status: 409 },
    ErrorSlug { slug: "cardholder_already_exists", status: 409 },
    ErrorSlug { slug: "card_not_active", status: 422 },
    ErrorSlug { slug: "card_user_mismatch", status: 422 },
    ErrorSlug { slug: "internal_error", status: 500 },
    ErrorSlug { slug: "provider_error", status: 502 },
    ErrorSlug { slug: "topup_attempts_exceeded", status: 503 },
    ErrorSlug { slug: "project_not_found", status: 404 },
    ErrorSlug { slug: "wallet_not_found", status: 404 },
    ErrorSlug { slug: "project_wallet_failed", status: 502 },
    ErrorSlug { slug: "project_balance_failed", status: 502 },
    ErrorSlug { slug: "external_user_id_required", status: 400 },
    ErrorSlug { slug: "product_not_found", status: 404 },
    ErrorSlug { slug: "product_not_active", status: 422 },
    ErrorSlug { slug: "amount_below_minimum", status: 400 },
    ErrorSlug { slug: "amount_above_maximum", status: 400 },
    ErrorSlug { slug: "currency_mismatch", status: 422 },
    ErrorSlug { slug: "invalid_pricing", status: 422 },
    ErrorSlug { slug: "invalid_card_id", status: 400 },
    ErrorSlug { slug: "card_issue_not_completed", status: 422 },
    ErrorSlug { slug: "invalid_card_status", status: 422 },
    ErrorSlug { slug: "provider_invalid_card_status", status: 422 },
    ErrorSlug { slug: "invalid_subprovider_id", status: 400 },
    ErrorSlug { slug: "decryption_failed", status: 400 },
    ErrorSlug { slug: "api_key_not_found", status: 404 },
    ErrorSlug { slug: "api_key_invalid", status: 403 },
    ErrorSlug { slug: "project_user_id_or_external_user_id_required", status: 400 },
    ErrorSlug { slug: "invalid_project_user_id", status: 400 },
    ErrorSlug { slug: "project_user_not_found", status: 404 },
];

/// The documented endpoints and how a call to each may be repeated; any other path is unsafe.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint { path: "/api/v1/project/wallet/trc20", kind: EndpointKind::Read },
    Endpoint { path: "/api/v1/project/balance", kind: EndpointKind::Read },
    Endpoint { path: "/api/v1/users/create", kind: EndpointKind::Unsafe },
    Endpoint { path: "/api/v1/cardholders/create", kind: EndpointKind::Unsafe },
    Endpoint { path: "/api/v1/cards/products", kind: EndpointKind::Read },
    Endpoint { path: "/api/v1/cards/create", kind: EndpointKind::Keyed },
    Endpoint { path: "/api/v1/cards/topup", kind: EndpointKind::Keyed },
    Endpoint { path: "/api/v1/cards/get", kind: EndpointKind::Read },
    Endpoint { path: "/api/v1/cards/freeze", kind: EndpointKind::Unsafe },
    Endpoint { path: "/api/v1/cards/unfreeze", kind: EndpointKind::Unsafe },
    Endpoint { path: "/api/v1/orders/check", kind: EndpointKind::Read },
    Endpoint { path: "/api/v1/wh/subscribe", kind: EndpointKind::Unsafe },
    Endpoint { path: "/api/v1/wh/unsubscribe", kind: EndpointKind::Unsafe },
    Endpoint { path: "/api/v1/wh/subscriptions", kind: EndpointKind::Read },
];

status_model! {
    OrderStatus, "The status of an order, whatever its type.";
    New = "new", terminal: false, to: [Activating, Processing, Failed];
    Activating = "activating", terminal: false, to: [Completed, Failed];
    Processing = "processing", terminal: false, to: [Completed, Failed];
    Completed = "completed", terminal: true, to: [];
    Failed = "failed", terminal: true, to: [];
    Paid = "paid", terminal: false, to: [];
}

status_model! {
    CardIssueStatus, "How far the issue of a card has come, from its creation to the first top-up.";
    CardCreatePending = "card_create_pending", terminal: false, to: [CardCreateDone, CardCreateError];
    CardCreateError = "card_create_error", terminal: false, to: [CardCreatePending, CardCreateDone];
    CardCreateDone = "card_create_done", terminal: false, to: [InitialTopupPending, InitialTopupSkipped];
    InitialTopupSkipped = "initial_topup_skipped", terminal: true, to: [];
    InitialTopupPending = "initial_topup_pending", terminal: false, to: [InitialTopupInProgress, InitialTopupError];
    InitialTopupError = "initial_topup_error", terminal: false, to: [InitialTopupPending, InitialTopupInProgress];
    InitialTopupInProgress = "initial_topup_in_progress", terminal: false, to: [InitialTopupDone, InitialTopupError];
    InitialTopupDone = "initial_topup_done", terminal: false, to: [Completed, InitialTopupVerifyError];
    InitialTopupVerifyError = "initial_topup_verify_error", terminal: false, to: [InitialTopupDone, Completed];
    Completed = "completed", terminal: true, to: [];
}

status_model! {
    CardTopupStatus, "How far the top-up of a card has come at the provider.";
    New = "new", terminal: false, to: [ProviderInProgress, NewError, Failed];
    NewError = "new_error", terminal: false, to: [New, ProviderInProgress, Failed];
    ProviderInProgress = "provider_in_progress", terminal: false, to: [ProviderVerification, ProviderInProgressError, Completed, Failed];
    ProviderInProgressError = "provider_in_progress_error", terminal: false, to: [ProviderInProgress, ProviderVerification, Failed];
    ProviderVerification = "provider_verification", terminal: false, to: [Completed, ProviderVerificationError, Failed];
    ProviderVerificationError = "provider_verification_error", terminal: false, to: [ProviderVerification, Completed, Failed];
    Completed = "completed", terminal: true, to: [];
    Failed = "failed", terminal: true, to: [];
}

value_list! {
    CardStatus, "The status of a card.";
    PendingOrder = "pending_order";
    Paid = "paid";
    PendingActivation = "pending_activation";
    WaitForTopupActivationByUser = "wait_for_topup_activation_by_user";
    Active = "active";
    Frozen = "frozen";
    Closed = "closed";
}

value_list! {
    CardholderRegistrationStatus, "Whether a cardholder is registered with the provider.";
    Pending = "pending";
    Active = "active";
    Suspended = "suspended";
    Failed = "failed";
}

value_list! {
    CardholderKycStatus, "Where the identity check of a cardholder stands.";
    NotStarted = "not_started";
    Pending = "pending";
    Approved = "approved";
    Rejected = "rejected";
    Expired = "expired";
}

value_list! {
    CardholderKycLevel, "How thorough the identity check of a cardholder was.";
    None = "none";
    Basic = "basic";
    Advanced = "advanced";
    Full = "full";
}

/// How long a replay key stays claimed: twice the window of 30 seconds, and 10 seconds of slack.
pub const REPLAY_TTL_MILLIS: u64 = 70_000;

/// How many keys a replay store in memory holds unless it is told otherwise; a request takes two.
pub const REPLAY_MAX_KEYS: u64 = 1_048_576;

/// The longest wait before the second attempt; it doubles with each further one.
pub const BACKOFF_FIRST_MILLIS: u64 = 250;

/// The longest wait before any attempt, but for what the server itself asks for.
pub const BACKOFF_LONGEST_MILLIS: u64 = 8_000;

/// How many attempts a call has unless it is told otherwise.
pub const RETRY_ATTEMPTS: u64 = 8;

/// How long a call may take with all its attempts and waits unless it is told otherwise.
pub const RETRY_DEADLINE_MILLIS: u64 = 60_000;

/// How long a webhook counts as being handled; after that its handler is given up for dead.
pub const WEBHOOK_LEASE_MILLIS: u64 = 60_000;

/// How long a handled webhook is remembered: far longer than a sender goes on sending.
pub const WEBHOOK_TTL_MILLIS: u64 = 86_400_000;

/// How long a request counts as being carried out under its idempotency key unless it is told otherwise.
pub const IDEMPOTENCY_LEASE_MILLIS: u64 = 60_000;

/// The longest lease of an idempotency record: a day.
pub const IDEMPOTENCY_LEASE_MAX_MILLIS: u64 = 86_400_000;

/// How long an idempotency record is kept after its last change: seven days.
pub const IDEMPOTENCY_TTL_MILLIS: u64 = 604_800_000;

/// How many idempotency records a store in memory holds unless it is told otherwise.
pub const IDEMPOTENCY_MAX_RECORDS: u64 = 65_536;

/// The most by which a client corrects its clock: fifteen minutes.
pub const CLOCK_CORRECTION_MAX_MILLIS: u64 = 900_000;

/// How long after a correction of its clock a client makes no other.
pub const CLOCK_CORRECTION_PAUSE_MILLIS: u64 = 60_000;
