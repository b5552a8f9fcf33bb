package cardseal

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Code says why a call failed. It is the contract: the same text in every language, never changed (SPEC.md, section
// 12). A code is an error itself, so that errors.Is compares with it:
//
//	if errors.Is(err, cardseal.ErrDecryptionFailed) { … }
type Code string

// Error says what the code means, in one line.
func (c Code) Error() string {
	if known := c.row(); known.meaning != "" {
		return known.meaning + " (" + string(c) + ")"
	}
	return string(c)
}

// Answer is how a server answers a request that it refuses with this code: the HTTP status and the text of the plain
// error, which the reference server sends as {"error": "<text>"} (SPEC.md, section 12). The text is empty where the
// protocol has none (413, 503), and the status 0 for a code that no request causes.
func (c Code) Answer() (status int, text string) {
	known := c.row()
	return known.status, known.answer
}

func (c Code) row() codeRow {
	for _, known := range codes {
		if known.code == c {
			return known
		}
	}
	return codeRow{}
}

// codeRow is a row of the generated table of codes.
type codeRow struct {
	code    Code
	meaning string
	status  int
	answer  string
}

// Error is every error that this package makes of its own. Its message is one line that says what to do next; it holds
// no key and no plaintext, and may change in any release.
type Error struct {
	// Code is the stable code; errors.Is(err, code) holds.
	Code Code
	// Message says what went wrong and what to do, without the code.
	Message string
	// SkewMicros is the request's clock minus the server's in microseconds, for ErrTimestampOutsideWindow alone.
	SkewMicros int64
	// Status is the HTTP status of the answer, for errors of OpenResponse alone; 0 for all others.
	Status int

	class FailureClass
	cause error
}

// Error returns the message with the code, and the HTTP status of a response.
func (e *Error) Error() string {
	if e == nil {
		return "<nil>"
	}
	text := e.Message + " (" + string(e.Code) + ")"
	if e.Status != 0 {
		return fmt.Sprintf("http status %d: %s", e.Status, text)
	}
	return text
}

// Unwrap returns the code and, where a replay store failed, its error.
func (e *Error) Unwrap() []error {
	if e == nil {
		return nil
	}
	if e.cause == nil {
		return []error{e.Code}
	}
	return []error{e.Code, e.cause}
}

// FailureClass says whether trying again can help (SPEC.md, section 20). For an error of OpenResponse it is
// FailureTransient where the answer could not be read, since the call may have been carried out. All other errors are
// FailureNever: the same arguments fail again.
func (e *Error) FailureClass() FailureClass {
	if e == nil || e.class == "" {
		return FailureNever
	}
	return e.class
}

func newError(code Code, format string, arguments ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, arguments...)}
}

// quoted is user input as it stands in a message: in backticks, cut at 40 characters, what cannot be seen escaped.
func quoted(input string) string {
	const limit = 40
	var text strings.Builder
	text.WriteByte('`')
	for count := 0; input != ""; count++ {
		if count == limit {
			text.WriteRune('…')
			break
		}
		character, size := utf8.DecodeRuneInString(input)
		switch {
		case character == utf8.RuneError && size == 1:
			fmt.Fprintf(&text, "\\x%02x", input[0])
		case character == ' ' || unicode.In(character, unicode.L, unicode.N, unicode.P, unicode.S):
			text.WriteRune(character)
		default:
			fmt.Fprintf(&text, "\\u{%x}", character)
		}
		input = input[size:]
	}
	text.WriteByte('`')
	return text.String()
}

// causeOf is the error of somebody else's that caused one of this package's, or nil.
func causeOf(err error) error {
	var ours *Error
	if errors.As(err, &ours) {
		return ours.cause
	}
	return nil
}
