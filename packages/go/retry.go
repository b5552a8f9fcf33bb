package cardseal

import (
	"math/bits"
	"slices"
	"time"
)

// EndpointKind says what repeating a call does.
type EndpointKind string

const (
	// EndpointRead reads: it can be repeated at will.
	EndpointRead EndpointKind = "read"
	// EndpointKeyed charges once for each idempotency key: it can be repeated with the same key.
	EndpointKeyed EndpointKind = "keyed"
	// EndpointUnsafe changes something each time: it must not be repeated blindly. Every path that is not documented is.
	EndpointUnsafe EndpointKind = "unsafe"
)

// Endpoint is a documented path, all POST, and how a call may be repeated.
type Endpoint struct {
	Path string
	Kind EndpointKind
}

// Endpoints are the documented paths (SPEC.md, section 24).
func Endpoints() []Endpoint {
	return slices.Clone(endpoints)
}

// EndpointKindOf is the kind of a path or URL: EndpointUnsafe where it is not documented (SPEC.md, PATH-6).
//
// Errors: ErrInvalidPath.
func EndpointKindOf(pathOrURL string) (EndpointKind, error) {
	path, err := NormalizePath(pathOrURL)
	if err != nil {
		return "", err
	}
	return kindOfNormalized(path), nil
}

func kindOfNormalized(path string) EndpointKind {
	for _, endpoint := range endpoints {
		if endpoint.Path == path {
			return endpoint.Kind
		}
	}
	return EndpointUnsafe
}

// FailureClass says whether trying again can help (SPEC.md, section 20). A failure without an answer, such as a lost
// connection or a time-out, is FailureTransient.
type FailureClass string

const (
	// FailureNever will not change: a business or authentication error.
	FailureNever FailureClass = "never"
	// FailureReseal is an envelope that was stale or seen before: seal anew, with the same idempotency key.
	FailureReseal FailureClass = "reseal"
	// FailureTransient is the server or the network, for now.
	FailureTransient FailureClass = "transient"
	// FailureLater may change much later: not in a loop.
	FailureLater FailureClass = "later"
)

// Sent says whether a failed attempt reached the server.
type Sent string

const (
	// SentNo means that not one byte left.
	SentNo Sent = "no"
	// SentYes means that at least one byte left, whether or not an answer came.
	SentYes Sent = "yes"
	// SentUnknown means that nobody can tell, and counts as SentYes.
	SentUnknown Sent = "unknown"
)

// RetryDecision is what to do after a failed attempt.
type RetryDecision string

const (
	// RetryNow means to seal again and send at once.
	RetryNow RetryDecision = "retry_now"
	// RetryAfterBackoff means to wait, seal again, and send.
	RetryAfterBackoff RetryDecision = "retry_after_backoff"
	// RetryStop means to give up: the failure stands.
	RetryStop RetryDecision = "stop"
	// RetryOutcomeUnknown means to give up, and to tell the caller that the call may have been carried out.
	RetryOutcomeUnknown RetryDecision = "outcome_unknown"
)

// Attempt is a failed attempt, as [ShouldRetry] judges it. Kind, Class, Sent and HasKey count as what allows least where
// they are left empty. Number and Code do not: a Number that is not counted up reseals for ever.
type Attempt struct {
	// Kind is the endpoint's, from EndpointKindOf.
	Kind EndpointKind
	// Class is the failure's.
	Class FailureClass
	// Code is the failure's, if it has one: ErrTimestampOutsideWindow is resealed once, all others three times.
	Code string
	// Sent says whether it reached the server.
	Sent Sent
	// HasKey says whether the request had an idempotency key.
	HasKey bool
	// Number is how many attempts there have been, this one included: 1 after the first.
	Number int
}

// ShouldRetry says whether to try again after a failed attempt, and how (SPEC.md, section 21). How often a transient
// failure is worth another attempt is for the caller's deadline to say.
func ShouldRetry(failed Attempt) RetryDecision {
	isRepeatable := failed.Kind == EndpointRead || failed.Kind == EndpointKeyed && failed.HasKey
	switch {
	case failed.Class != FailureTransient && failed.Class != FailureReseal:
		return RetryStop
	case !isRepeatable && failed.Sent != SentNo:
		return RetryOutcomeUnknown
	case failed.Class == FailureTransient:
		return RetryAfterBackoff
	case failed.Number <= resealLimit(failed.Code):
		return RetryNow
	}
	return RetryStop
}

// backoff is how long to wait after a failed attempt: exponential backoff with full jitter. Attempt is how many there have
// been, this one included; random is 32 random bits, which spread the waits of many clients evenly from 0 to the limit.
func backoff(attempt int, random uint32) time.Duration {
	const longest = uint64(backoffLongestMillis)
	limit := longest
	if doublings := max(attempt, 1) - 1; doublings < bits.Len64(longest) {
		limit = min(backoffFirstMillis<<doublings, longest)
	}
	return time.Duration(limit*uint64(random)>>32) * time.Millisecond
}

// resealLimit: a clock that was wrong once is wrong again, a collision of stamps is not.
func resealLimit(code string) int {
	if code == string(ErrTimestampOutsideWindow) {
		return 1
	}
	return 3
}

// classOfPlain is the class of one of the eight errors in plain text.
func classOfPlain(code string) FailureClass {
	if code == string(ErrDuplicateRequest) || code == string(ErrTimestampOutsideWindow) {
		return FailureReseal
	}
	return FailureNever
}

// classOfSlug is the class of a sealed error by its slug, or by the HTTP status where the slug is unknown or missing.
func classOfSlug(slug string, status int) FailureClass {
	index := slices.IndexFunc(errorSlugs, func(known ErrorSlug) bool { return known.Slug == slug })
	switch {
	case index < 0:
		return classOfStatus(status)
	case slug == "topup_attempts_exceeded":
		return FailureLater
	case errorSlugs[index].Status >= 500:
		return FailureTransient
	}
	return FailureNever
}

// classOfStatus is the class of an answer of which only the HTTP status can be believed.
func classOfStatus(status int) FailureClass {
	if status == 408 || status == 425 || status == 429 || status >= 500 && status <= 599 {
		return FailureTransient
	}
	return FailureNever
}
