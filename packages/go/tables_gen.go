// Code generated from core/data by `cargo xtask codegen`. DO NOT EDIT.

package cardseal

// Version is the version of every package of the toolkit.
const Version = "0.1.0"

// The codes of this package's errors, each the same in every language.
const (
	// ErrInvalidKey: the secret has under 8 bytes, or the raw key not exactly 32.
	ErrInvalidKey = Code("invalid_key")
	// ErrInvalidJSON: the HTTP body breaks a rule of strict JSON.
	ErrInvalidJSON = Code("invalid_json")
	// ErrEnvelopeNotFound: the HTTP body is JSON, but holds no `encrypted` member.
	ErrEnvelopeNotFound = Code("envelope_not_found")
	// ErrInvalidEnvelope: `encrypted` holds something other than canonical base64 of a whole envelope.
	ErrInvalidEnvelope = Code("invalid_envelope")
	// ErrUnsupportedVersion: the envelope starts with a version byte this release cannot read.
	ErrUnsupportedVersion = Code("unsupported_version")
	// ErrDecryptionFailed: no secret opens the envelope: another key sealed it, or it was altered.
	ErrDecryptionFailed = Code("decryption_failed")
	// ErrInvalidPayload: the payload, sealed or to be sealed, breaks a rule of strict JSON.
	ErrInvalidPayload = Code("invalid_payload")
	// ErrAlreadySealed: the payload to seal is itself a sealed body.
	ErrAlreadySealed = Code("already_sealed")
	// ErrTimestampNotFound: the payload has no `request_timestamp` member of its own.
	ErrTimestampNotFound = Code("timestamp_not_found")
	// ErrInvalidTimestamp: `request_timestamp` is no whole number of microseconds from 0 to 2^63-1.
	ErrInvalidTimestamp = Code("invalid_timestamp")
	// ErrTimestampOutsideWindow: the request's clock and the server's differ by more than the window.
	ErrTimestampOutsideWindow = Code("timestamp_outside_window")
	// ErrDuplicateRequest: this timestamp or this nonce was claimed by an earlier request.
	ErrDuplicateRequest = Code("duplicate_request")
	// ErrIdempotencyKeyRequired: this path charges money and needs an Idempotency-Key.
	ErrIdempotencyKeyRequired = Code("idempotency_key_required")
	// ErrInvalidIdempotencyKey: an Idempotency-Key is 1 to 255 printable ASCII characters without spaces.
	ErrInvalidIdempotencyKey = Code("invalid_idempotency_key")
	// ErrInvalidOption: an option has a value outside its range, or unknown.
	ErrInvalidOption = Code("invalid_option")
	// ErrInvalidPath: the path has a character or a segment that no endpoint has.
	ErrInvalidPath = Code("invalid_path")
	// ErrInvalidAPIKey: an API key is 1 to 255 printable ASCII characters without spaces.
	ErrInvalidAPIKey = Code("invalid_api_key")
	// ErrTooLarge: the HTTP body has more bytes than `max_bytes` allows.
	ErrTooLarge = Code("too_large")
	// ErrReflectedResponse: the answer is the request's own envelope sent back.
	ErrReflectedResponse = Code("reflected_response")
	// ErrReplayStoreUnavailable: the replay store cannot tell whether the request is fresh, so it is refused.
	ErrReplayStoreUnavailable = Code("replay_store_unavailable")
	// ErrEntropyUnavailable: the host gave no usable random bytes.
	ErrEntropyUnavailable = Code("entropy_unavailable")
	// ErrClockUnavailable: the host's clock gave no usable time.
	ErrClockUnavailable = Code("clock_unavailable")
)

var codes = []codeRow{
	{ErrInvalidKey, "the secret has under 8 bytes, or the raw key not exactly 32", 0, ""},
	{ErrInvalidJSON, "the HTTP body breaks a rule of strict JSON", 400, "Encrypted payload not found"},
	{ErrEnvelopeNotFound, "the HTTP body is JSON, but holds no `encrypted` member", 400, "Encrypted payload not found"},
	{ErrInvalidEnvelope, "`encrypted` holds something other than canonical base64 of a whole envelope", 400, "Invalid encrypted payload format"},
	{ErrUnsupportedVersion, "the envelope starts with a version byte this release cannot read", 400, "Invalid encrypted payload format"},
	{ErrDecryptionFailed, "no secret opens the envelope: another key sealed it, or it was altered", 400, "Invalid encrypted payload format"},
	{ErrInvalidPayload, "the payload, sealed or to be sealed, breaks a rule of strict JSON", 400, "Invalid encrypted payload format"},
	{ErrAlreadySealed, "the payload to seal is itself a sealed body", 0, ""},
	{ErrTimestampNotFound, "the payload has no `request_timestamp` member of its own", 400, "Request timestamp not found in encrypted payload"},
	{ErrInvalidTimestamp, "`request_timestamp` is no whole number of microseconds from 0 to 2^63-1", 400, "Invalid timestamp format"},
	{ErrTimestampOutsideWindow, "the request's clock and the server's differ by more than the window", 400, "Request timestamp outside allowed window"},
	{ErrDuplicateRequest, "this timestamp or this nonce was claimed by an earlier request", 400, "Duplicate request detected"},
	{ErrIdempotencyKeyRequired, "this path charges money and needs an Idempotency-Key", 0, ""},
	{ErrInvalidIdempotencyKey, "an Idempotency-Key is 1 to 255 printable ASCII characters without spaces", 0, ""},
	{ErrInvalidOption, "an option has a value outside its range, or unknown", 0, ""},
	{ErrInvalidPath, "the path has a character or a segment that no endpoint has", 0, ""},
	{ErrInvalidAPIKey, "an API key is 1 to 255 printable ASCII characters without spaces", 0, ""},
	{ErrTooLarge, "the HTTP body has more bytes than `max_bytes` allows", 413, ""},
	{ErrReflectedResponse, "the answer is the request's own envelope sent back", 0, ""},
	{ErrReplayStoreUnavailable, "the replay store cannot tell whether the request is fresh, so it is refused", 503, ""},
	{ErrEntropyUnavailable, "the host gave no usable random bytes", 0, ""},
	{ErrClockUnavailable, "the host's clock gave no usable time", 0, ""},
}

var plainErrors = []PlainError{
	{"API key not found", 404, "api_key_not_found"},
	{"You do not have access to this API.", 403, "access_denied"},
	{"Encrypted payload not found", 400, "envelope_not_found"},
	{"Invalid encrypted payload format", 400, "invalid_envelope"},
	{"Request timestamp not found in encrypted payload", 400, "timestamp_not_found"},
	{"Invalid timestamp format", 400, "invalid_timestamp"},
	{"Request timestamp outside allowed window", 400, "timestamp_outside_window"},
	{"Duplicate request detected", 400, "duplicate_request"},
}

var errorSlugs = []ErrorSlug{
	{"invalid_request", 400},
	{"invalid_amount", 400},
	{"idempotency_key_required", 400},
	{"insufficient_funds", 403},
	{"user_not_found", 404},
	{"card_not_found", 404},
	{"cardholder_not_found", 404},
	{"order_not_found", 404},
	{"external_user_id_exists", 409},
	{"cardholder_already_exists", 409},
	{"card_not_active", 422},
	{"card_user_mismatch", 422},
	{"internal_error", 500},
	{"provider_error", 502},
	{"topup_attempts_exceeded", 503},
	{"project_not_found", 404},
	{"wallet_not_found", 404},
	{"project_wallet_failed", 502},
	{"project_balance_failed", 502},
	{"external_user_id_required", 400},
	{"product_not_found", 404},
	{"product_not_active", 422},
	{"amount_below_minimum", 400},
	{"amount_above_maximum", 400},
	{"currency_mismatch", 422},
	{"invalid_pricing", 422},
	{"invalid_card_id", 400},
	{"card_issue_not_completed", 422},
	{"invalid_card_status", 422},
	{"provider_invalid_card_status", 422},
	{"invalid_subprovider_id", 400},
	{"decryption_failed", 400},
	{"api_key_not_found", 404},
	{"api_key_invalid", 403},
	{"project_user_id_or_external_user_id_required", 400},
	{"invalid_project_user_id", 400},
	{"project_user_not_found", 404},
}

var endpoints = []Endpoint{
	{"/api/v1/project/wallet/trc20", EndpointRead},
	{"/api/v1/project/balance", EndpointRead},
	{"/api/v1/users/create", EndpointUnsafe},
	{"/api/v1/cardholders/create", EndpointUnsafe},
	{"/api/v1/cards/products", EndpointRead},
	{"/api/v1/cards/create", EndpointKeyed},
	{"/api/v1/cards/topup", EndpointKeyed},
	{"/api/v1/cards/get", EndpointRead},
	{"/api/v1/cards/freeze", EndpointUnsafe},
	{"/api/v1/cards/unfreeze", EndpointUnsafe},
	{"/api/v1/orders/check", EndpointRead},
	{"/api/v1/wh/subscribe", EndpointUnsafe},
	{"/api/v1/wh/unsubscribe", EndpointUnsafe},
	{"/api/v1/wh/subscriptions", EndpointRead},
}

// OrderStatus: the status of an order, whatever its type.
type OrderStatus string

// The documented values of OrderStatus.
const (
	OrderStatusNew        = OrderStatus("new")
	OrderStatusActivating = OrderStatus("activating")
	OrderStatusProcessing = OrderStatus("processing")
	OrderStatusCompleted  = OrderStatus("completed")
	OrderStatusFailed     = OrderStatus("failed")
	OrderStatusPaid       = OrderStatus("paid")
)

var orderStatusMoves = []move[OrderStatus]{
	{OrderStatusNew, []OrderStatus{OrderStatusActivating, OrderStatusProcessing, OrderStatusFailed}, false},
	{OrderStatusActivating, []OrderStatus{OrderStatusCompleted, OrderStatusFailed}, false},
	{OrderStatusProcessing, []OrderStatus{OrderStatusCompleted, OrderStatusFailed}, false},
	{OrderStatusCompleted, nil, true},
	{OrderStatusFailed, nil, true},
	{OrderStatusPaid, nil, false},
}

// CanBecome says whether the value may change to another (SPEC.md, STATUS-1); staying is no change.
func (s OrderStatus) CanBecome(to OrderStatus) bool {
	return canBecome(orderStatusMoves, s, to)
}

// IsTerminal says whether the value is documented as one that never changes (SPEC.md, STATUS-2).
func (s OrderStatus) IsTerminal() bool {
	return isTerminal(orderStatusMoves, s)
}

// IsKnown says whether the value is documented; others pass through (SPEC.md, STATUS-3).
func (s OrderStatus) IsKnown() bool {
	return isKnown(orderStatusMoves, s)
}

// CardIssueStatus: how far the issue of a card has come, from its creation to the first top-up.
type CardIssueStatus string

// The documented values of CardIssueStatus.
const (
	CardIssueStatusCardCreatePending       = CardIssueStatus("card_create_pending")
	CardIssueStatusCardCreateError         = CardIssueStatus("card_create_error")
	CardIssueStatusCardCreateDone          = CardIssueStatus("card_create_done")
	CardIssueStatusInitialTopupSkipped     = CardIssueStatus("initial_topup_skipped")
	CardIssueStatusInitialTopupPending     = CardIssueStatus("initial_topup_pending")
	CardIssueStatusInitialTopupError       = CardIssueStatus("initial_topup_error")
	CardIssueStatusInitialTopupInProgress  = CardIssueStatus("initial_topup_in_progress")
	CardIssueStatusInitialTopupDone        = CardIssueStatus("initial_topup_done")
	CardIssueStatusInitialTopupVerifyError = CardIssueStatus("initial_topup_verify_error")
	CardIssueStatusCompleted               = CardIssueStatus("completed")
)

var cardIssueStatusMoves = []move[CardIssueStatus]{
	{CardIssueStatusCardCreatePending, []CardIssueStatus{CardIssueStatusCardCreateDone, CardIssueStatusCardCreateError}, false},
	{CardIssueStatusCardCreateError, []CardIssueStatus{CardIssueStatusCardCreatePending, CardIssueStatusCardCreateDone}, false},
	{CardIssueStatusCardCreateDone, []CardIssueStatus{CardIssueStatusInitialTopupPending, CardIssueStatusInitialTopupSkipped}, false},
	{CardIssueStatusInitialTopupSkipped, nil, true},
	{CardIssueStatusInitialTopupPending, []CardIssueStatus{CardIssueStatusInitialTopupInProgress, CardIssueStatusInitialTopupError}, false},
	{CardIssueStatusInitialTopupError, []CardIssueStatus{CardIssueStatusInitialTopupPending, CardIssueStatusInitialTopupInProgress}, false},
	{CardIssueStatusInitialTopupInProgress, []CardIssueStatus{CardIssueStatusInitialTopupDone, CardIssueStatusInitialTopupError}, false},
	{CardIssueStatusInitialTopupDone, []CardIssueStatus{CardIssueStatusCompleted, CardIssueStatusInitialTopupVerifyError}, false},
	{CardIssueStatusInitialTopupVerifyError, []CardIssueStatus{CardIssueStatusInitialTopupDone, CardIssueStatusCompleted}, false},
	{CardIssueStatusCompleted, nil, true},
}

// CanBecome says whether the value may change to another (SPEC.md, STATUS-1); staying is no change.
func (s CardIssueStatus) CanBecome(to CardIssueStatus) bool {
	return canBecome(cardIssueStatusMoves, s, to)
}

// IsTerminal says whether the value is documented as one that never changes (SPEC.md, STATUS-2).
func (s CardIssueStatus) IsTerminal() bool {
	return isTerminal(cardIssueStatusMoves, s)
}

// IsKnown says whether the value is documented; others pass through (SPEC.md, STATUS-3).
func (s CardIssueStatus) IsKnown() bool {
	return isKnown(cardIssueStatusMoves, s)
}

// CardTopupStatus: how far the top-up of a card has come at the provider.
type CardTopupStatus string

// The documented values of CardTopupStatus.
const (
	CardTopupStatusNew                       = CardTopupStatus("new")
	CardTopupStatusNewError                  = CardTopupStatus("new_error")
	CardTopupStatusProviderInProgress        = CardTopupStatus("provider_in_progress")
	CardTopupStatusProviderInProgressError   = CardTopupStatus("provider_in_progress_error")
	CardTopupStatusProviderVerification      = CardTopupStatus("provider_verification")
	CardTopupStatusProviderVerificationError = CardTopupStatus("provider_verification_error")
	CardTopupStatusCompleted                 = CardTopupStatus("completed")
	CardTopupStatusFailed                    = CardTopupStatus("failed")
)

var cardTopupStatusMoves = []move[CardTopupStatus]{
	{CardTopupStatusNew, []CardTopupStatus{CardTopupStatusProviderInProgress, CardTopupStatusNewError, CardTopupStatusFailed}, false},
	{CardTopupStatusNewError, []CardTopupStatus{CardTopupStatusNew, CardTopupStatusProviderInProgress, CardTopupStatusFailed}, false},
	{CardTopupStatusProviderInProgress, []CardTopupStatus{CardTopupStatusProviderVerification, CardTopupStatusProviderInProgressError, CardTopupStatusCompleted, CardTopupStatusFailed}, false},
	{CardTopupStatusProviderInProgressError, []CardTopupStatus{CardTopupStatusProviderInProgress, CardTopupStatusProviderVerification, CardTopupStatusFailed}, false},
	{CardTopupStatusProviderVerification, []CardTopupStatus{CardTopupStatusCompleted, CardTopupStatusProviderVerificationError, CardTopupStatusFailed}, false},
	{CardTopupStatusProviderVerificationError, []CardTopupStatus{CardTopupStatusProviderVerification, CardTopupStatusCompleted, CardTopupStatusFailed}, false},
	{CardTopupStatusCompleted, nil, true},
	{CardTopupStatusFailed, nil, true},
}

// CanBecome says whether the value may change to another (SPEC.md, STATUS-1); staying is no change.
func (s CardTopupStatus) CanBecome(to CardTopupStatus) bool {
	return canBecome(cardTopupStatusMoves, s, to)
}

// IsTerminal says whether the value is documented as one that never changes (SPEC.md, STATUS-2).
func (s CardTopupStatus) IsTerminal() bool {
	return isTerminal(cardTopupStatusMoves, s)
}

// IsKnown says whether the value is documented; others pass through (SPEC.md, STATUS-3).
func (s CardTopupStatus) IsKnown() bool {
	return isKnown(cardTopupStatusMoves, s)
}

// CardStatus: the status of a card.
type CardStatus string

// The documented values of CardStatus.
const (
	CardStatusPendingOrder                 = CardStatus("pending_order")
	CardStatusPaid                         = CardStatus("paid")
	CardStatusPendingActivation            = CardStatus("pending_activation")
	CardStatusWaitForTopupActivationByUser = CardStatus("wait_for_topup_activation_by_user")
	CardStatusActive                       = CardStatus("active")
	CardStatusFrozen                       = CardStatus("frozen")
	CardStatusClosed                       = CardStatus("closed")
)

var cardStatusValues = []move[CardStatus]{
	{CardStatusPendingOrder, nil, false},
	{CardStatusPaid, nil, false},
	{CardStatusPendingActivation, nil, false},
	{CardStatusWaitForTopupActivationByUser, nil, false},
	{CardStatusActive, nil, false},
	{CardStatusFrozen, nil, false},
	{CardStatusClosed, nil, false},
}

// IsKnown says whether the value is documented; others pass through (SPEC.md, STATUS-3).
func (s CardStatus) IsKnown() bool {
	return isKnown(cardStatusValues, s)
}

// CardholderRegistrationStatus: whether a cardholder is registered with the provider.
type CardholderRegistrationStatus string

// The documented values of CardholderRegistrationStatus.
const (
	CardholderRegistrationStatusPending   = CardholderRegistrationStatus("pending")
	CardholderRegistrationStatusActive    = CardholderRegistrationStatus("active")
	CardholderRegistrationStatusSuspended = CardholderRegistrationStatus("suspended")
	CardholderRegistrationStatusFailed    = CardholderRegistrationStatus("failed")
)

var cardholderRegistrationStatusValues = []move[CardholderRegistrationStatus]{
	{CardholderRegistrationStatusPending, nil, false},
	{CardholderRegistrationStatusActive, nil, false},
	{CardholderRegistrationStatusSuspended, nil, false},
	{CardholderRegistrationStatusFailed, nil, false},
}

// IsKnown says whether the value is documented; others pass through (SPEC.md, STATUS-3).
func (s CardholderRegistrationStatus) IsKnown() bool {
	return isKnown(cardholderRegistrationStatusValues, s)
}

// CardholderKycStatus: where the identity check of a cardholder stands.
type CardholderKycStatus string

// The documented values of CardholderKycStatus.
const (
	CardholderKycStatusNotStarted = CardholderKycStatus("not_started")
	CardholderKycStatusPending    = CardholderKycStatus("pending")
	CardholderKycStatusApproved   = CardholderKycStatus("approved")
	CardholderKycStatusRejected   = CardholderKycStatus("rejected")
	CardholderKycStatusExpired    = CardholderKycStatus("expired")
)

var cardholderKycStatusValues = []move[CardholderKycStatus]{
	{CardholderKycStatusNotStarted, nil, false},
	{CardholderKycStatusPending, nil, false},
	{CardholderKycStatusApproved, nil, false},
	{CardholderKycStatusRejected, nil, false},
	{CardholderKycStatusExpired, nil, false},
}

// IsKnown says whether the value is documented; others pass through (SPEC.md, STATUS-3).
func (s CardholderKycStatus) IsKnown() bool {
	return isKnown(cardholderKycStatusValues, s)
}

// CardholderKycLevel: how thorough the identity check of a cardholder was.
type CardholderKycLevel string

// The documented values of CardholderKycLevel.
const (
	CardholderKycLevelNone     = CardholderKycLevel("none")
	CardholderKycLevelBasic    = CardholderKycLevel("basic")
	CardholderKycLevelAdvanced = CardholderKycLevel("advanced")
	CardholderKycLevelFull     = CardholderKycLevel("full")
)

var cardholderKycLevelValues = []move[CardholderKycLevel]{
	{CardholderKycLevelNone, nil, false},
	{CardholderKycLevelBasic, nil, false},
	{CardholderKycLevelAdvanced, nil, false},
	{CardholderKycLevelFull, nil, false},
}

// IsKnown says whether the value is documented; others pass through (SPEC.md, STATUS-3).
func (s CardholderKycLevel) IsKnown() bool {
	return isKnown(cardholderKycLevelValues, s)
}

// The numbers that every language shares.
const (
	// replayTTLMillis: how long a replay key stays claimed: twice the window of 30 seconds, and 10 seconds of slack.
	replayTTLMillis = 70000
	// replayMaxKeys: how many keys a replay store in memory holds unless it is told otherwise; a request takes two.
	replayMaxKeys = 1048576
	// backoffFirstMillis: the longest wait before the second attempt; it doubles with each further one.
	backoffFirstMillis = 250
	// backoffLongestMillis: the longest wait before any attempt, but for what the server itself asks for.
	backoffLongestMillis = 8000
	// retryAttempts: how many attempts a call has unless it is told otherwise.
	retryAttempts = 8
	// retryDeadlineMillis: how long a call may take with all its attempts and waits unless it is told otherwise.
	retryDeadlineMillis = 60000
	// webhookLeaseMillis: how long a webhook counts as being handled; after that its handler is given up for dead.
	webhookLeaseMillis = 60000
	// webhookTTLMillis: how long a handled webhook is remembered: far longer than a sender goes on sending.
	webhookTTLMillis = 86400000
	// idempotencyLeaseMillis: how long a request counts as being carried out under its idempotency key unless it is told otherwise.
	idempotencyLeaseMillis = 60000
	// idempotencyLeaseMaxMillis: the longest lease of an idempotency record: a day.
	idempotencyLeaseMaxMillis = 86400000
	// idempotencyTTLMillis: how long an idempotency record is kept after its last change: seven days.
	idempotencyTTLMillis = 604800000
	// idempotencyMaxRecords: how many idempotency records a store in memory holds unless it is told otherwise.
	idempotencyMaxRecords = 65536
	// clockCorrectionMaxMillis: the most by which a client corrects its clock: fifteen minutes.
	clockCorrectionMaxMillis = 900000
	// clockCorrectionPauseMillis: how long after a correction of its clock a client makes no other.
	clockCorrectionPauseMillis = 60000
)
