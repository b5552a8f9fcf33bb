package cardseal

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"golang.org/x/crypto/nacl/secretbox"
)

const (
	// DefaultMaxBytes is how large an HTTP body may be unless WithMaxBytes says otherwise: 10 MiB.
	DefaultMaxBytes = 10 << 20
	// MaxOpenSecrets is how many older secrets, or keys, an Envelope takes.
	MaxOpenSecrets = 4

	keyBytes       = sha256.Size
	minSecretBytes = 8
	maxMaxBytes    = 1<<32 - 1
)

// Envelope holds a key, and seals and opens with it. Make one with [New] or [NewFromKey] and keep it: it is safe for
// concurrent use. Nothing prints its keys.
type Envelope struct {
	keys     hidden[*keys]
	layout   Layout
	maxBytes int64
}

type keys struct {
	sealing [keyBytes]byte
	older   [][keyBytes]byte
}

// Option changes how an Envelope is made.
type Option func(*settings)

type settings struct {
	layout      Layout
	maxBytes    int64
	openSecrets []string
	openKeys    [][]byte
}

// WithLayout chooses the byte layout of envelopes, [LayoutVersioned] by default.
func WithLayout(layout Layout) Option {
	return func(s *settings) { s.layout = layout }
}

// WithOpenSecrets adds older secrets, at most [MaxOpenSecrets], that only open. They are tried in their order after the
// secret that seals. For a key that is being replaced: seal with the new one, open with both.
func WithOpenSecrets(secrets ...string) Option {
	return func(s *settings) { s.openSecrets = append(s.openSecrets, secrets...) }
}

// WithOpenKeys is WithOpenSecrets for [NewFromKey]: raw keys of 32 bytes.
func WithOpenKeys(keys ...[]byte) Option {
	return func(s *settings) { s.openKeys = append(s.openKeys, keys...) }
}

// WithMaxBytes limits the bytes of a whole HTTP body, in both directions: 1 to 4,294,967,295, by default
// [DefaultMaxBytes]. A body of exactly that many bytes passes.
func WithMaxBytes(maxBytes int64) Option {
	return func(s *settings) { s.maxBytes = maxBytes }
}

// New makes an Envelope for an API secret, which is used exactly as it is given (SPEC.md, KEY-1).
//
// Errors: ErrInvalidKey for a secret of fewer than 8 bytes, ErrInvalidOption.
func New(secret string, options ...Option) (*Envelope, error) {
	s := settingsOf(options)
	if len(s.openKeys) != 0 {
		return nil, errMixedKeys()
	}
	sealing, err := keyOfSecret(secret)
	if err != nil {
		return nil, err
	}
	older := make([][keyBytes]byte, len(s.openSecrets))
	for index, secret := range s.openSecrets {
		if older[index], err = keyOfSecret(secret); err != nil {
			return nil, err
		}
	}
	return s.envelope(sealing, older)
}

// NewFromKey makes an Envelope for a raw key of 32 bytes, which is used without hashing (SPEC.md, KEY-3).
//
// Errors: ErrInvalidKey for any other length, ErrInvalidOption.
func NewFromKey(key []byte, options ...Option) (*Envelope, error) {
	s := settingsOf(options)
	if len(s.openSecrets) != 0 {
		return nil, errMixedKeys()
	}
	sealing, err := keyOfBytes(key)
	if err != nil {
		return nil, err
	}
	older := make([][keyBytes]byte, len(s.openKeys))
	for index, key := range s.openKeys {
		if older[index], err = keyOfBytes(key); err != nil {
			return nil, err
		}
	}
	return s.envelope(sealing, older)
}

func settingsOf(options []Option) settings {
	s := settings{layout: LayoutVersioned, maxBytes: DefaultMaxBytes}
	for _, option := range options {
		if option != nil {
			option(&s)
		}
	}
	return s
}

func (s settings) envelope(sealing [keyBytes]byte, older [][keyBytes]byte) (*Envelope, error) {
	if len(older) > MaxOpenSecrets {
		return nil, newError(ErrInvalidOption, "there are more than %d open secrets: drop the oldest", MaxOpenSecrets)
	}
	if s.layout != LayoutVersioned && s.layout != LayoutBare {
		return nil, newError(ErrInvalidOption, "the layout %s is unknown: use `versioned` or `bare`", quoted(string(s.layout)))
	}
	if s.maxBytes < 1 || s.maxBytes > maxMaxBytes {
		return nil, newError(ErrInvalidOption, "max_bytes cannot be %d: use 1 to %d", s.maxBytes, int64(maxMaxBytes))
	}
	return &Envelope{keys: hide(&keys{sealing: sealing, older: older}), layout: s.layout, maxBytes: s.maxBytes}, nil
}

func keyOfSecret(secret string) ([keyBytes]byte, error) {
	if len(secret) < minSecretBytes {
		return [keyBytes]byte{}, newError(ErrInvalidKey, "the secret has %d bytes: use at least %d", len(secret), minSecretBytes)
	}
	return sha256.Sum256([]byte(secret)), nil
}

func keyOfBytes(key []byte) ([keyBytes]byte, error) {
	if len(key) != keyBytes {
		return [keyBytes]byte{}, newError(ErrInvalidKey, "the key has %d bytes: a raw key has %d", len(key), keyBytes)
	}
	return [keyBytes]byte(key), nil
}

func errMixedKeys() *Error {
	return newError(ErrInvalidOption, "secrets and raw keys are mixed: give open secrets beside a secret, open keys beside a key")
}

// Layout is the byte layout that this Envelope writes and reads.
func (e *Envelope) Layout() Layout {
	if e == nil {
		return ""
	}
	return e.layout
}

// MaxBytes is the largest HTTP body, in bytes, that this Envelope writes and reads.
func (e *Envelope) MaxBytes() int64 {
	if e == nil {
		return 0
	}
	return e.maxBytes
}

// Seal returns the HTTP body of a request: the payload with a request_timestamp, sealed. A request_timestamp that is
// there stays, if it is well formed (SPEC.md, section 8). [Envelope.SealRequest] makes headers as well.
//
// A json.RawMessage, []byte, string or Plaintext is JSON text and is sealed as written; any other payload is sealed as
// encoding/json writes it, without escapes for HTML and with U+FFFD for what is not UTF-8 inside of strings. It must be an
// object. Text of any other type, such as `type body []byte`, is refused: encoding/json would make a string of it.
//
// Errors: ErrInvalidPayload, ErrAlreadySealed, ErrInvalidTimestamp, ErrTooLarge, in this order; ErrClockUnavailable,
// ErrEntropyUnavailable; ErrInvalidKey for an Envelope that New did not make.
func (e *Envelope) Seal(payload any) ([]byte, error) {
	return e.sealStamped(payload, system)
}

func (e *Envelope) sealStamped(payload any, from host) ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	s := scratches.Get().(*scratch)
	defer s.release()
	object, err := s.object(payload, e.maxBytes)
	if err != nil {
		return nil, err
	}
	_, stamped, err := object.timestamp()
	if err != nil {
		return nil, err
	}
	if stamped {
		return e.sealBody(s, object.text, from)
	}
	stamp, err := from.stamp()
	if err != nil {
		return nil, err
	}
	return e.sealBody(s, s.stamped(object, stamp), from)
}

// SealResponse returns the HTTP body of a server's answer: any JSON value, sealed, with nothing added. Payloads are taken
// as in [Envelope.Seal]; nil is null.
//
// Errors: ErrInvalidPayload, ErrAlreadySealed, ErrTooLarge, in this order; ErrEntropyUnavailable.
func (e *Envelope) SealResponse(payload any) ([]byte, error) {
	return e.sealVerbatim(payload, false, system)
}

func (e *Envelope) sealVerbatim(payload any, needsObject bool, from host) ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	s := scratches.Get().(*scratch)
	defer s.release()
	text, root, err := s.unsealed(payload, e.maxBytes)
	if err != nil {
		return nil, err
	}
	if needsObject && !root.isObject() {
		return nil, errNotAnObject()
	}
	return e.sealBody(s, text, from)
}

// Encrypt returns the text of an `encrypted` field alone, for any bytes (SPEC.md, LAYOUT-7).
//
// Errors: ErrTooLarge, ErrEntropyUnavailable.
func (e *Envelope) Encrypt(message []byte) (string, error) {
	return e.encrypt(message, system)
}

func (e *Envelope) encrypt(message []byte, from host) (string, error) {
	s := scratches.Get().(*scratch)
	defer s.release()
	field, err := e.seal("", message, "", &s.nonce, from)
	return string(field), err
}

// sealBody seals text that the caller has made sure of, under a nonce that is left in the scratch.
func (e *Envelope) sealBody(s *scratch, text []byte, from host) ([]byte, error) {
	return e.seal(bodyStart, text, bodyEnd, &s.nonce, from)
}

// seal returns a field between two texts. It is the one buffer that sealing needs beside the message: the bytes of the envelope
// stand at its end, and become base64 from its start on.
func (e *Envelope) seal(before string, message []byte, after string, nonce *Nonce, from host) ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	if e.layout.bodyBytes(len(message)) > uint64(e.maxBytes) {
		return nil, errTooLarge(e.maxBytes)
	}
	if err := from.nonce(nonce); err != nil {
		return nil, err
	}
	sealedBytes := e.layout.headerBytes() + len(message)
	field := make([]byte, len(before)+base64.StdEncoding.EncodedLen(sealedBytes)+len(after))
	start := len(field) - sealedBytes
	sealed := field[start:start]
	if e.layout.versionBytes() == 1 {
		sealed = append(sealed, versionByte)
	}
	sealed = append(sealed, nonce[:]...)
	sealed = secretbox.Seal(sealed, message, (*[nonceBytes]byte)(nonce), &e.keys.reveal().sealing)
	field = append(field[:0], before...)
	field = appendEncoded(field, sealed)
	return append(field, after...), nil
}

// Open opens a sealed HTTP body and stores its payload, any JSON value, in v. No timestamp rule applies: a server uses
// [Envelope.OpenRequest].
//
// A *json.RawMessage, *[]byte or *Plaintext takes the JSON text itself, unchanged; with nil the payload is only checked;
// for any other pointer encoding/json decodes it. Mind that encoding/json matches member names without regard to case:
// where that matters, take the text. Into an `any` it decodes numbers as float64, which rounds them: for amounts and ids
// have fields of type json.Number or string.
//
// Errors: ErrTooLarge, ErrInvalidJSON, ErrEnvelopeNotFound, ErrInvalidEnvelope, ErrUnsupportedVersion,
// ErrDecryptionFailed, ErrInvalidPayload (also for a payload that does not fit v), in this order; ErrInvalidOption for a
// v that is no pointer.
func (e *Envelope) Open(body []byte, v any) error {
	if err := checkTarget(v); err != nil {
		return err
	}
	s := scratches.Get().(*scratch)
	defer s.release()
	opened, err := e.open(s, body, nil)
	if err != nil {
		return err
	}
	return decode(opened.text, v)
}

// Decrypt opens the text of an `encrypted` field alone: whatever bytes were encrypted (SPEC.md, LAYOUT-7).
//
// Errors: ErrTooLarge, ErrInvalidEnvelope, ErrUnsupportedVersion, ErrDecryptionFailed.
func (e *Envelope) Decrypt(field string) ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	if uint64(len(field)+len(bodyStart)+len(bodyEnd)) > uint64(e.maxBytes) {
		return nil, errTooLarge(e.maxBytes)
	}
	s := scratches.Get().(*scratch)
	defer s.release()
	sealed, ok := appendDecoded(s.sealed[:0], []byte(field))
	s.sealed = sealed
	if !ok {
		return nil, malformed([]byte(field))
	}
	if _, err := e.decrypt(s); err != nil {
		return nil, err
	}
	return bytes.Clone(s.message), nil
}

// FieldBody is the HTTP body around the text of an `encrypted` field, for a web framework that has parsed the body
// already (SPEC.md, BODY-4). It is the text and 16 bytes, which is what max_bytes counts (BODY-5). A text that no field
// can hold makes a body that does not open.
func FieldBody(field string) []byte {
	body := make([]byte, 0, len(bodyStart)+len(field)+len(bodyEnd))
	body = append(body, bodyStart...)
	for _, character := range []byte(field) {
		if character < ' ' || character > '~' || character == '"' || character == '\\' {
			character = '?' // as little base64 as what it stands for, and no longer in JSON
		}
		body = append(body, character)
	}
	return append(body, bodyEnd...)
}

// opened is what an envelope gave. The text lies in the scratch.
type opened struct {
	text     []byte
	root     members
	nonce    Nonce
	keyIndex int
}

// open opens a body to text that the reader accepted, and finds the root members asked for.
func (e *Envelope) open(s *scratch, body []byte, wanted []string) (opened, error) {
	if err := e.unwrap(s, body); err != nil {
		return opened{}, err
	}
	return e.openSealed(s, wanted)
}

// openSealed opens the envelope in the scratch.
func (e *Envelope) openSealed(s *scratch, wanted []string) (opened, error) {
	index, err := e.decrypt(s)
	if err != nil {
		return opened{}, err
	}
	root, failure := read(s.message, wanted)
	if failure != nil {
		return opened{}, newError(ErrInvalidPayload, "the opened payload is not strict JSON: %v", failure)
	}
	return opened{text: s.message, root: root, nonce: s.nonce, keyIndex: index}, nil
}

// unwrap leaves the bytes of a body's envelope in the scratch, whatever their version.
func (e *Envelope) unwrap(s *scratch, body []byte) error {
	if err := e.check(); err != nil {
		return err
	}
	if uint64(len(body)) > uint64(e.maxBytes) {
		return errTooLarge(e.maxBytes)
	}
	return s.decodeBody(body)
}

// decodeBody reads a body of any size and leaves the bytes of its field in the scratch.
func (s *scratch) decodeBody(body []byte) error {
	// The body as sealing writes it needs no reader: whatever is canonical base64 is also a JSON string.
	if field, ok := cutBody(body); ok {
		if s.sealed, ok = appendDecoded(s.sealed[:0], field); ok {
			return nil
		}
	}
	root, failure := read(body, bodyMembers)
	if failure != nil {
		return newError(ErrInvalidJSON, "the body is not strict JSON: %v", failure)
	}
	if !root.isObject() || !root.found[0].exists() {
		return newError(ErrEnvelopeNotFound, "the body has no `encrypted` member: it was not sealed, or it is an error in plain text")
	}
	field, ok := root.found[0].string(body)
	if !ok {
		return newError(ErrInvalidEnvelope, "the `encrypted` member is no string: put the base64 there")
	}
	if s.sealed, ok = appendDecoded(s.sealed[:0], field); !ok {
		return malformed(field)
	}
	return nil
}

var bodyMembers = []string{fieldName}

func cutBody(body []byte) (field []byte, ok bool) {
	field, ok = bytes.CutPrefix(body, []byte(bodyStart))
	if !ok {
		return nil, false
	}
	return bytes.CutSuffix(field, []byte(bodyEnd))
}

// decrypt opens the envelope in the scratch, leaves the message there, and tells which key opened it.
func (e *Envelope) decrypt(s *scratch) (keyIndex int, err error) {
	nonce, box, err := e.layout.open(s.sealed)
	if err != nil {
		return 0, err
	}
	s.nonce = nonce
	s.message = grow(s.message[:0], len(box))
	keys := e.keys.reveal()
	message, ok := secretbox.Open(s.message, box, (*[nonceBytes]byte)(&s.nonce), &keys.sealing)
	for index := 0; !ok && index < len(keys.older); index++ {
		keyIndex = index + 1
		message, ok = secretbox.Open(s.message, box, (*[nonceBytes]byte)(&s.nonce), &keys.older[index])
	}
	if !ok {
		return 0, newError(ErrDecryptionFailed, "the envelope does not open: it was sealed with another secret, or altered on its way")
	}
	s.message = message
	return keyIndex, nil
}

// check refuses an Envelope that no function of this package made.
func (e *Envelope) check() error {
	if e == nil || e.keys == nil {
		return newError(ErrInvalidKey, "the envelope has no key: make it with New or NewFromKey")
	}
	return nil
}

func errTooLarge(maxBytes int64) *Error {
	return newError(ErrTooLarge, "the body has more than %d bytes: send less, or raise max_bytes on both sides", maxBytes)
}

// host is where stamps and nonces come from.
type host struct {
	stamp func() (int64, error)
	nonce func(*Nonce) error
}

// system is the host of every exported function. Only tests have another: a nonce that a caller can choose will be
// chosen twice.
var system = host{stamp: TimestampMicros, nonce: func(nonce *Nonce) error { return randomBytes(nonce[:]) }}

// entropy is the operating system's generator as crypto/rand had it when the process began. Whoever replaces rand.Reader
// later, as some test helpers do, must not choose nonces.
var entropy = rand.Reader

// randomBytes fills a buffer from the operating system's generator.
func randomBytes(buffer []byte) error {
	if _, err := io.ReadFull(entropy, buffer); err != nil {
		return &Error{Code: ErrEntropyUnavailable, Message: "the host gives no random bytes: nothing can be sealed without them", cause: err}
	}
	return nil
}

// String says what the Envelope is, without its keys.
//
// This and the methods below have a value as receiver, so that they hold for copies too.
func (e Envelope) String() string {
	return fmt.Sprintf("cardseal.Envelope(layout %s, keys redacted)", e.layout)
}

// Format prints String for every verb.
func (e Envelope) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.String()) }

// LogValue logs String.
func (e Envelope) LogValue() slog.Value { return slog.StringValue(e.String()) }

// MarshalJSON writes String: a struct that holds an Envelope can be logged as JSON.
func (e Envelope) MarshalJSON() ([]byte, error) { return json.Marshal(e.String()) }
