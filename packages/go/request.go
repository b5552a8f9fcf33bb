package cardseal

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"
)

// The headers of a request (SPEC.md, REQ-1).
const (
	HeaderAPIKey         = "API-KEY"
	HeaderContentType    = "Content-Type"
	HeaderIdempotencyKey = "Idempotency-Key"

	contentType = "application/json"
)

// Header is one header of a request.
type Header struct {
	Name, Value string
}

// SealedRequest is a request ready to be sent once. A retry is another one: the same idempotency key, everything else
// anew. Nothing prints its headers.
type SealedRequest struct {
	// Path is the normalised path to POST to.
	Path string
	// Body is the HTTP body.
	Body []byte
	// TimestampMicros is the stamp inside, in microseconds since 1970.
	TimestampMicros int64
	// Nonce stands in front of the ciphertext.
	Nonce Nonce
	// IdempotencyKey is the one in the headers, empty if there is none.
	IdempotencyKey string

	headers hidden[[]Header] // one of them is the API key
}

// Headers are API-KEY, Content-Type and, where there is one, Idempotency-Key. For a request of net/http:
//
//	for _, header := range sealed.Headers() {
//		request.Header.Set(header.Name, header.Value)
//	}
//
// Take care with the idempotency key in a net/http client: where a request's GetBody is set, Transport sends the same
// bytes again on its own, which the server refuses as a duplicate. Set GetBody to nil.
func (r *SealedRequest) Headers() []Header {
	if r == nil {
		return nil
	}
	return slices.Clone(r.headers.reveal())
}

// RequestOption adds to a request.
type RequestOption func(*requestSettings)

type requestSettings struct {
	idempotencyKey *string
}

// WithIdempotencyKey sets the Idempotency-Key: required on /cards/create and /cards/topup, sent wherever it is given. An
// empty key is an error, never the same as none.
func WithIdempotencyKey(key string) RequestOption {
	return func(s *requestSettings) { s.idempotencyKey = &key }
}

// RequiredHeaders are the names of the headers that a request to a path or URL must have.
//
// Errors: ErrInvalidPath.
func RequiredHeaders(path string) ([]string, error) {
	kind, err := EndpointKindOf(path)
	if err != nil {
		return nil, err
	}
	if kind == EndpointKeyed {
		return []string{HeaderAPIKey, HeaderContentType, HeaderIdempotencyKey}, nil
	}
	return []string{HeaderAPIKey, HeaderContentType}, nil
}

// SealRequest seals a payload for a path or URL: headers and body, ready to be sent once. Payloads are taken as in
// [Envelope.Seal], but always stamped anew, in the place of a request_timestamp that is there (SPEC.md, section 9).
//
// Errors: ErrInvalidPath, ErrInvalidAPIKey, ErrIdempotencyKeyRequired, ErrInvalidIdempotencyKey, ErrInvalidPayload,
// ErrAlreadySealed, ErrTooLarge, in this order; ErrClockUnavailable, ErrEntropyUnavailable.
func (e *Envelope) SealRequest(path string, payload any, apiKey string, options ...RequestOption) (*SealedRequest, error) {
	return e.sealRequest(path, payload, apiKey, options, system)
}

func (e *Envelope) sealRequest(path string, payload any, apiKey string, options []RequestOption, from host) (*SealedRequest, error) {
	var settings requestSettings
	for _, option := range options {
		if option != nil {
			option(&settings)
		}
	}
	path, err := NormalizePath(path)
	if err != nil {
		return nil, err
	}
	if err := checkAPIKey(apiKey); err != nil {
		return nil, err
	}
	request := &SealedRequest{Path: path}
	headers := []Header{{HeaderAPIKey, apiKey}, {HeaderContentType, contentType}}
	if key := settings.idempotencyKey; key != nil {
		if err := CheckIdempotencyKey(*key); err != nil {
			return nil, err
		}
		request.IdempotencyKey = *key
		headers = append(headers, Header{HeaderIdempotencyKey, *key})
	} else if kindOfNormalized(path) == EndpointKeyed {
		return nil, newError(ErrIdempotencyKeyRequired, "`%s` needs an idempotency key: make one for the event and keep it for retries", path)
	}
	request.headers = hide(headers)

	if err := e.check(); err != nil {
		return nil, err
	}
	s := scratches.Get().(*scratch)
	defer s.release()
	object, err := s.object(payload, e.maxBytes)
	if err != nil {
		return nil, err
	}
	if request.TimestampMicros, err = from.stamp(); err != nil {
		return nil, err
	}
	if request.Body, err = e.sealBody(s, s.stamped(object, request.TimestampMicros), from); err != nil {
		return nil, err
	}
	request.Nonce = s.nonce
	return request, nil
}

// String says where the request goes, and nothing of its headers.
func (r SealedRequest) String() string {
	return fmt.Sprintf("cardseal.SealedRequest(%s, body of %d bytes, timestamp %d)", r.Path, len(r.Body), r.TimestampMicros)
}

// Format prints String for every verb.
func (r SealedRequest) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// LogValue logs String.
func (r SealedRequest) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalJSON writes String: a struct that holds a SealedRequest can be logged as JSON.
func (r SealedRequest) MarshalJSON() ([]byte, error) { return json.Marshal(r.String()) }

// Request is a request that a server has opened and whose timestamp is within the window. Nobody has claimed it yet:
// [ClaimRequest] does.
type Request struct {
	// Payload is the JSON object, to the letter.
	Payload Plaintext
	// TimestampMicros is its request_timestamp, in microseconds since 1970.
	TimestampMicros int64
	// Nonce is the one it was sealed with.
	Nonce Nonce
	// KeyIndex says which secret opened it: 0 for the one that seals, 1 and up for the older ones.
	KeyIndex int
}

// OpenRequestOption changes how a server opens a request.
type OpenRequestOption func(*openRequestSettings)

type openRequestSettings struct {
	nowMicros     *int64
	windowSeconds int
}

// WithNowMicros sets the server's clock, in microseconds since 1970, in the place of the system's.
func WithNowMicros(nowMicros int64) OpenRequestOption {
	return func(s *openRequestSettings) { s.nowMicros = &nowMicros }
}

// WithWindowSeconds narrows the window around the server's clock: 1 to 30 whole seconds, 30 by default.
func WithWindowSeconds(seconds int) OpenRequestOption {
	return func(s *openRequestSettings) { s.windowSeconds = seconds }
}

var requestMembers = []string{requestTimestamp, fieldName, "data"}

// OpenRequest opens a request as a server does, by every rule but the replay claims, which are [ClaimRequest]'s, and
// stores its payload in v, as [Envelope.Open] does; nil is fine, since the result has the payload as well.
//
// Errors: ErrInvalidOption; then ErrTooLarge, ErrInvalidJSON, ErrEnvelopeNotFound, ErrInvalidEnvelope,
// ErrUnsupportedVersion, ErrDecryptionFailed, ErrInvalidPayload, ErrTimestampNotFound, ErrInvalidTimestamp,
// ErrTimestampOutsideWindow, in this order; ErrInvalidPayload at the end for a payload that does not fit v;
// ErrClockUnavailable.
func (e *Envelope) OpenRequest(body []byte, v any, options ...OpenRequestOption) (*Request, error) {
	settings := openRequestSettings{windowSeconds: maxWindowSeconds}
	for _, option := range options {
		if option != nil {
			option(&settings)
		}
	}
	if seconds := settings.windowSeconds; seconds < 1 || seconds > maxWindowSeconds {
		return nil, newError(ErrInvalidOption, "a window of %d seconds is not possible: use 1 to %d", seconds, maxWindowSeconds)
	}
	if now := settings.nowMicros; now != nil && *now < 0 {
		return nil, newError(ErrInvalidOption, "the server's clock cannot stand before 1970: use microseconds since then")
	}
	if err := checkTarget(v); err != nil {
		return nil, err
	}
	s := scratches.Get().(*scratch)
	defer s.release()
	opened, err := e.open(s, body, requestMembers)
	if err != nil {
		return nil, err
	}
	timestamp, err := opened.timestamp()
	if err != nil {
		return nil, err
	}
	now, err := settings.now()
	if err != nil {
		return nil, err
	}
	if err := checkWindow(timestamp, now, settings.windowSeconds); err != nil {
		return nil, err
	}
	payload := newPlaintext(opened.text)
	if err := decode(payload.Bytes(), v); err != nil {
		return nil, err
	}
	return &Request{
		Payload:         payload,
		TimestampMicros: timestamp,
		Nonce:           opened.nonce,
		KeyIndex:        opened.keyIndex,
	}, nil
}

// now is the wall clock, never the strictly increasing one: a burst of seals must not move the window.
func (s *openRequestSettings) now() (int64, error) {
	if s.nowMicros != nil {
		return *s.nowMicros, nil
	}
	return wallMicros(time.Now().UnixMicro())
}

// timestamp is the stamp of an opened request.
func (o opened) timestamp() (int64, error) {
	if !o.root.isObject() {
		return 0, errNotAnObject()
	}
	stamp, sealed, data := o.root.found[0], o.root.found[1], o.root.found[2]
	if !stamp.exists() {
		hint := "seal with a call that adds it"
		if sealed.exists() {
			hint = "it holds a sealed body, so it was sealed twice"
		} else if data.exists() {
			hint = "it has a `data` member, but the fields belong at the root"
		}
		return 0, newError(ErrTimestampNotFound, "the payload has no `request_timestamp` at its root: %s", hint)
	}
	return parseTimestamp(stamp, o.text)
}
