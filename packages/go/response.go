package cardseal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// APIError is an error that the API answered with (SPEC.md, section 18). errors.As finds it, and errors.Is compares its Code
// with that of a sentinel: errors.Is(err, ErrDuplicateRequest) holds for the API's own answer too. Nothing prints its
// payload.
type APIError struct {
	// Status is the HTTP status.
	Status int
	// Slug is the error_slug of a sealed error, empty if it has none.
	Slug string
	// Code is the slug, or the constant of one of the eight plain texts, or empty.
	Code string
	// Message is the API's text, at most 200 characters, without control characters; `http status N` where it has none.
	Message string
	// FailureClass says whether trying again can help.
	FailureClass FailureClass
	// Encrypted says whether the error came sealed. A plain one is nobody's word: never proof that no money moved.
	Encrypted bool
	// Payload is what a sealed error holds, to the letter.
	Payload Plaintext
}

// Error returns the API's text with the status and the code, quoted where it is not made as codes are.
func (e *APIError) Error() string {
	if e == nil {
		return "<nil>"
	}
	if e.Code == "" {
		return fmt.Sprintf("%s (http status %d)", e.Message, e.Status)
	}
	return fmt.Sprintf("%s (http status %d, %s)", e.Message, e.Status, shownCode(e.Code))
}

// Is tells whether the target is the [Code] that the API answered with, for errors.Is.
func (e *APIError) Is(target error) bool {
	code, isCode := target.(Code)
	return isCode && e != nil && e.Code != "" && e.Code == string(code)
}

// shownCode is a code as it stands in a message. A sealed slug is any text at all, as long as a body.
func shownCode(code string) string {
	isForeign := func(character rune) bool {
		return (character < 'a' || character > 'z') && (character < '0' || character > '9') && character != '_'
	}
	if len(code) > 64 || strings.ContainsFunc(code, isForeign) {
		return quoted(code)
	}
	return code
}

// String is Error, for copies too.
func (e APIError) String() string { return e.Error() }

// Format prints Error for every verb.
func (e APIError) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.Error()) }

// LogValue logs Error.
func (e APIError) LogValue() slog.Value { return slog.StringValue(e.Error()) }

// PlainError is one of the eight errors that a server sends in plain text, before or instead of an envelope.
type PlainError struct {
	// Text is what it sends, to the letter.
	Text string
	// Status is the HTTP status it comes with.
	Status int
	// Code is our constant for it.
	Code string
}

// PlainErrors are the eight plain errors in the order of a server's checks (SPEC.md, section 19).
func PlainErrors() []PlainError {
	return slices.Clone(plainErrors)
}

// ErrorSlug is a stable code that the API puts under error_slug.
type ErrorSlug struct {
	Slug string
	// Status is the HTTP status it comes with.
	Status int
}

// ErrorSlugs are the documented slugs of sealed errors (SPEC.md, section 25). The set is open: a slug that is missing here
// is no fault.
func ErrorSlugs() []ErrorSlug {
	return slices.Clone(errorSlugs)
}

// OpenResponseOption adds to the opening of a response.
type OpenResponseOption func(*openResponseSettings)

type openResponseSettings struct {
	request []byte
}

// WithRequest hands in the body of the sealed request that the response answers, which clients always do: a response that
// is that same envelope is ErrReflectedResponse.
func WithRequest(body []byte) OpenResponseOption {
	return func(s *openResponseSettings) { s.request = body }
}

// The members that decide about a response. Where an error's text stands, the first string of the last four counts.
var (
	sealedMembers = []string{"success", "error_slug", "error", "detail", "message", "msg"}
	plainMembers  = []string{"success", fieldName, "error", "detail", "message", "msg"}
)

// OpenResponse opens the answer to a request and stores the payload of a success in v, as [Envelope.Open] does.
//
// The error is an *APIError for whatever the API answers outside of 200 to 299, sealed or not, and for a sealed object
// whose `success` is false. It is an *Error with the HTTP status where the answer cannot be believed: a success that is
// not sealed as it should be, with the codes of Open, or ErrReflectedResponse at any status. Its FailureClass says whether
// to try again. ErrInvalidPayload with FailureNever is a success that does not fit v. ErrInvalidOption, for a v that is
// no pointer, comes before anything is read.
func (e *Envelope) OpenResponse(status int, body []byte, v any, options ...OpenResponseOption) error {
	var settings openResponseSettings
	for _, option := range options {
		if option != nil {
			option(&settings)
		}
	}
	if err := checkTarget(v); err != nil {
		return err
	}
	if err := e.check(); err != nil {
		return err
	}
	s := scratches.Get().(*scratch)
	defer s.release()

	isSuccess := status >= 200 && status <= 299
	err := e.unwrap(s, body)
	if err == nil && settings.request != nil && e.isReflection(s.sealed, settings.request) {
		err := newError(ErrReflectedResponse, "the response is the request's own envelope: something sends requests back, nothing answered")
		return ofResponse(err, status, FailureNever)
	}
	var opened opened
	if err == nil {
		opened, err = e.openSealed(s, sealedMembers)
	}
	if err != nil {
		if uint64(len(body)) > uint64(e.maxBytes) {
			body = nil
		}
		plain := readPlain(body)
		if isSuccess && !plain.isError() {
			return ofResponse(err, status, FailureTransient)
		}
		return plain.apiError(status)
	}
	if success := opened.root.found[0]; !isSuccess || opened.root.isObject() && success.isFalse(opened.text) {
		return sealedError(status, opened)
	}
	if err := decode(opened.text, v); err != nil {
		return ofResponse(err, status, FailureNever)
	}
	return nil
}

// isReflection tells whether a response's envelope has the nonce of the request's. Only nonces are compared, so that an
// altered tag does not hide it; what has no nonce to read is not compared (SPEC.md, RESP-8).
func (e *Envelope) isReflection(sealed, request []byte) bool {
	s := scratches.Get().(*scratch)
	defer s.release()
	if s.decodeBody(request) != nil {
		return false
	}
	header := e.layout.headerBytes()
	return len(sealed) >= header && len(s.sealed) >= header && e.layout.nonce(sealed) == e.layout.nonce(s.sealed)
}

// ofResponse is an error of this package as one that an answer caused.
func ofResponse(err error, status int, class FailureClass) error {
	if own, ok := err.(*Error); ok {
		own.Status, own.class = status, class
	}
	return err
}

func sealedError(status int, opened opened) *APIError {
	slug, _ := opened.root.found[1].string(opened.text)
	message, _ := firstString(opened.root.found[2:], opened.text)
	return &APIError{
		Status:       status,
		Slug:         string(slug),
		Code:         string(slug),
		Message:      shownOrStatus(clean(string(message)), status),
		FailureClass: classOfSlug(string(slug), status),
		Encrypted:    true,
		Payload:      newPlaintext(opened.text),
	}
}

// plainText is a body that did not open, read leniently: nobody vouches for it, but people have to see what it says.
type plainText struct {
	code           string // of one of the eight texts
	message        string // fit to be shown; empty where there is nothing to show
	successIsFalse bool
}

// readPlain follows the steps of SPEC.md, section 19.
func readPlain(body []byte) plainText {
	text := bytes.TrimPrefix(decodeLossily(body), byteOrderMark)
	root, failure := read(text, plainMembers)
	isJSON := failure == nil
	success, field := root.found[0], root.found[1]
	holdsField := isJSON && field.isString(text)

	var message string
	switch found, isString := firstString(root.found[2:], text); {
	case holdsField: // ciphertext is shown to nobody
	case isJSON && isString:
		message = string(found)
	case isJSON && root.first == '"':
		inside := trimSpace(text)
		message = string(unescape(inside[1 : len(inside)-1]))
	case !bytes.Contains(text, []byte(`"`+fieldName+`"`)):
		message = string(bytes.TrimSpace(text))
	}
	plain := plainText{message: clean(message)}
	for _, known := range plainErrors {
		if known.Text == message {
			plain.code = known.Code
		}
	}
	// A body that is an envelope is not judged by what stands beside it; behind a byte order mark it is none.
	isEnvelope := holdsField && len(text) == len(body) && bytes.Equal(text, body)
	plain.successIsFalse = isJSON && !isEnvelope && success.isFalse(text)
	return plain
}

func (p plainText) isError() bool {
	return p.successIsFalse || p.code != ""
}

func (p plainText) apiError(status int) *APIError {
	class := classOfStatus(status)
	if p.code != "" {
		class = classOfPlain(p.code)
	}
	return &APIError{Status: status, Code: p.code, Message: shownOrStatus(p.message, status), FailureClass: class}
}

// firstString is the first of some members that is a string.
func firstString(found []member, text []byte) (value []byte, isString bool) {
	for _, member := range found {
		if value, isString = member.string(text); isString {
			return value, true
		}
	}
	return nil, false
}

func shownOrStatus(message string, status int) string {
	if message == "" {
		return fmt.Sprintf("http status %d", status)
	}
	return message
}

// clean makes a text fit to be shown (SPEC.md, PLAIN-4).
func clean(text string) string {
	const limit = 200
	text = strings.TrimSpace(strings.Map(func(character rune) rune {
		if unicode.IsControl(character) {
			return -1
		}
		return character
	}, text))
	count := 0
	for at := range text {
		if count == limit {
			return text[:at]
		}
		count++
	}
	return text
}

// decodeLossily replaces what is not UTF-8: each maximal subpart of an ill-formed sequence by one U+FFFD.
func decodeLossily(body []byte) []byte {
	if utf8.Valid(body) {
		return body
	}
	text := make([]byte, 0, len(body)+len(body)/2)
	for len(body) > 0 {
		character, size := utf8.DecodeRune(body)
		if character == utf8.RuneError && size == 1 {
			size = maximalSubpart(body)
		}
		text = utf8.AppendRune(text, character)
		body = body[size:]
	}
	return text
}

// maximalSubpart is the length of the longest start of ill-formed text that some character begins with too, or 1.
func maximalSubpart(text []byte) int {
	// The bounds of the second byte, which alone depend on the first one (the Unicode Standard, table 3-7).
	var low, high byte = 0x80, 0xbf
	length := 0
	switch first := text[0]; {
	case first >= 0xc2 && first <= 0xdf:
		length = 2
	case first >= 0xe0 && first <= 0xef:
		length = 3
		if first == 0xe0 {
			low = 0xa0
		} else if first == 0xed {
			high = 0x9f
		}
	case first >= 0xf0 && first <= 0xf4:
		length = 4
		if first == 0xf0 {
			low = 0x90
		} else if first == 0xf4 {
			high = 0x8f
		}
	}
	size := 1
	for size < length && size < len(text) && text[size] >= low && text[size] <= high {
		size++
		low, high = 0x80, 0xbf
	}
	return size
}

// MarshalJSON writes Error as a string: a struct that holds an APIError can be logged as JSON.
func (e APIError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }
