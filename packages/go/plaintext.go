package cardseal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"reflect"
)

// Plaintext is what an envelope held: JSON text that the strict reader accepted, to the letter. Nothing prints it: fmt and
// log/slog show its length, encoding/json and encoding/gob refuse to write it. Bytes and Decode hand it out.
//
// The zero value holds nothing.
type Plaintext struct {
	text hidden[[]byte]
}

// hidden is a value that nothing can print. fmt calls no method on an unexported field of somebody else's struct: it
// prints what reflection shows, and follows pointers for some verbs. Into a function nothing can look.
type hidden[T any] func() T

func hide[T any](value T) hidden[T] {
	return func() T { return value }
}

// reveal is the value, or the zero value where there is none.
func (h hidden[T]) reveal() (value T) {
	if h != nil {
		value = h()
	}
	return value
}

func newPlaintext(text []byte) Plaintext {
	return Plaintext{hide(bytes.Clone(text))}
}

// Bytes is the text. It is not copied: do not change it.
func (p Plaintext) Bytes() []byte {
	return p.text.reveal()
}

// Decode stores the value in v as [Envelope.Open] does.
//
// Errors: ErrInvalidPayload where the value does not fit v, ErrInvalidOption where v is no pointer.
func (p Plaintext) Decode(v any) error {
	if err := checkTarget(v); err != nil {
		return err
	}
	return decode(p.Bytes(), v)
}

// String says how long the text is.
func (p Plaintext) String() string {
	return fmt.Sprintf("cardseal.Plaintext(%d bytes)", len(p.Bytes()))
}

// Format prints String for every verb.
func (p Plaintext) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// LogValue logs String.
func (p Plaintext) LogValue() slog.Value { return slog.StringValue(p.String()) }

// MarshalJSON refuses: as text it would be printed, and as anything else a struct that holds it would be sealed with
// something that nobody meant. Seal Bytes, or the Plaintext by itself.
func (p Plaintext) MarshalJSON() ([]byte, error) {
	return nil, newError(ErrInvalidPayload, "a plaintext does not become JSON by itself: take its bytes")
}

// UnmarshalJSON keeps a copy of the text, so that a part of a payload can be kept as it is: in a field of this type.
//
// Errors: ErrInvalidPayload for what the strict reader refuses.
func (p *Plaintext) UnmarshalJSON(text []byte) error {
	if _, failure := read(text, nil); failure != nil {
		return invalidPayload(failure)
	}
	*p = newPlaintext(text)
	return nil
}

// checkTarget refuses what nothing can be decoded into.
func checkTarget(v any) error {
	if v == nil {
		return nil
	}
	if target := reflect.ValueOf(v); target.Kind() != reflect.Pointer || target.IsNil() {
		return newError(ErrInvalidOption, "the target is no pointer to a value: pass one, or nil to drop the payload")
	}
	return nil
}

// decode stores accepted text in a target that checkTarget let pass.
func decode(text []byte, v any) (err error) {
	switch target := v.(type) {
	case nil:
		return nil
	case *json.RawMessage:
		*target = bytes.Clone(text)
		return nil
	case *[]byte:
		*target = bytes.Clone(text)
		return nil
	case *Plaintext:
		*target = newPlaintext(text)
		return nil
	}
	// The error of encoding/json, or of the type's own method, can quote the value: its text goes no further.
	defer func() {
		if recover() != nil {
			err = newError(ErrInvalidPayload, "the payload does not fit the target: its UnmarshalJSON panicked")
		}
	}()
	if natureOf(reflect.TypeOf(v)) != plainType {
		text = bytes.Clone(text) // not used again: a type's UnmarshalJSON may keep what it is given, or write there
	}
	if err := json.Unmarshal(text, v); err != nil {
		if mismatch, ok := err.(*json.UnmarshalTypeError); ok {
			return newError(ErrInvalidPayload, "the payload does not fit the target (byte %d): open it into one of its form", mismatch.Offset)
		}
		return newError(ErrInvalidPayload, "the payload does not fit the target: open it into one of its form")
	}
	return nil
}
