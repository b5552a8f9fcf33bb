package cardseal

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// requestTimestamp is the member that every request payload carries (overview).
const requestTimestamp = "request_timestamp"

// ValidatePayload checks a request payload, given as JSON text: a strict JSON object, not sealed yet, and its
// request_timestamp well formed if there is one (SPEC.md, CHECK-1). It returns that stamp in microseconds since 1970,
// and whether there is one.
//
// Errors: ErrInvalidPayload, ErrAlreadySealed, ErrInvalidTimestamp, in this order.
func ValidatePayload(payload []byte) (timestampMicros int64, stamped bool, err error) {
	object, err := readObject(payload)
	if err != nil {
		return 0, false, err
	}
	return object.timestamp()
}

// object is a request payload about to be sealed: its text without outer white space, and where its stamp stands.
type object struct {
	text  []byte
	stamp member
}

func readObject(payload []byte) (object, error) {
	return objectOf(readUnsealed(payload))
}

func objectOf(text []byte, root members, err error) (object, error) {
	if err == nil && !root.isObject() {
		err = errNotAnObject()
	}
	return object{text: text, stamp: root.found[0]}, err
}

var payloadMembers = []string{requestTimestamp, fieldName}

// readUnsealed reads any JSON value that is not itself a sealed body.
func readUnsealed(payload []byte) ([]byte, members, error) {
	text := trimSpace(payload)
	root, failure := read(text, payloadMembers)
	if failure != nil {
		return nil, root, invalidPayload(failure)
	}
	if root.count == 1 && root.found[1].isString(text) {
		return nil, root, newError(ErrAlreadySealed, "the payload is a sealed body already: hand in the plain object, and seal it once")
	}
	return text, root, nil
}

// timestamp is the value of the stamp, if there is one.
func (o object) timestamp() (micros int64, stamped bool, err error) {
	if !o.stamp.exists() {
		return 0, false, nil
	}
	micros, err = parseTimestamp(o.stamp, o.text)
	return micros, err == nil, err
}

// stampStart is what stands before a stamp that is the first member.
const stampStart = `{"` + requestTimestamp + `":`

// maxStampDigits are those of 2⁶³ − 1.
const maxStampDigits = 19

// stampRoom is what a stamp takes that is the first member, and no value at hand is longer than that one.
const stampRoom = len(stampStart) + maxStampDigits + len(",")

// stamped is the text of an object with a stamp: as its first member, in front of which nothing may stand, or in the place
// of the one that was there, whatever that was.
func (s *scratch) stamped(o object, micros int64) []byte {
	var stack [stampRoom]byte
	stamp := stack[:0]
	replaced := o.stamp
	if !replaced.exists() {
		replaced = member{0, len("{")}
		stamp = append(stamp, stampStart...)
	}
	stamp = strconv.AppendInt(stamp, micros, 10)
	if isEmpty := trimSpace(o.text[1:])[0] == '}'; !isEmpty && !o.stamp.exists() {
		stamp = append(stamp, ',')
	}
	// What stands in front of the stamp moves, what stands behind it stays.
	text := s.own(o.text)
	start := stampRoom + replaced.end - len(stamp) - replaced.start
	copy(s.json.bytes[start:], text[:replaced.start])
	copy(s.json.bytes[start+replaced.start:], stamp)
	return s.json.bytes[start : stampRoom+len(text)]
}

// own is a text that stands in the scratch, right behind the room for a stamp.
func (s *scratch) own(text []byte) []byte {
	own := s.json.written()
	if isWithin := cap(own) > 0 && &own[:cap(own)][cap(own)-1] == &text[:cap(text)][cap(text)-1]; isWithin {
		copy(own, text)
	} else {
		s.json.wipe()
		s.json.add(text...)
		own = s.json.written()
	}
	return own[:len(text)]
}

// parseTimestamp reads a stamp after its grammar: an integer token or a string of digits (SPEC.md, TIME-1 to TIME-4).
func parseTimestamp(stamp member, text []byte) (int64, error) {
	digits, isString := stamp.string(text)
	if !isString {
		digits = stamp.raw(text)
	}
	// ParseUint takes digits alone in base 10; bit size 63 is the protocol's bound.
	isCanonical := len(digits) == 1 || len(digits) > 1 && digits[0] != '0'
	if micros, err := strconv.ParseUint(string(digits), 10, 63); err == nil && isCanonical {
		return int64(micros), nil
	}
	what := map[byte]string{
		'n': "of null", 't': "that is true or false", 'f': "that is true or false", '"': "that is such a string",
		'[': "that is an array", '{': "that is an object",
	}[text[stamp.start]]
	if what == "" {
		what = "with a sign, a fraction, an exponent or too many digits"
	}
	return 0, newError(ErrInvalidTimestamp, "a `request_timestamp` %s is no timestamp: use microseconds since 1970, in digits alone", what)
}

func invalidPayload(failure *fault) *Error {
	return newError(ErrInvalidPayload, "the payload is not strict JSON: %v", failure)
}

func errNotAnObject() *Error {
	return newError(ErrInvalidPayload, "the payload is no JSON object: put its fields into one, at the root")
}

// object is a payload as an object that can be sealed.
func (s *scratch) object(payload any, maxBytes int64) (object, error) {
	return objectOf(s.unsealed(payload, maxBytes))
}

// unsealed is what readUnsealed finds in the text of a payload. The text of a plain type is not read: what the reader would
// say of it is known, and reading takes about as long as writing (tests/bench/go).
func (s *scratch) unsealed(payload any, maxBytes int64) ([]byte, members, error) {
	text, err := s.jsonText(payload, maxBytes)
	if err != nil {
		return nil, members{}, err
	}
	isPlain := s.plain != nil && reflect.TypeOf(payload) == s.flat
	if !isPlain || bytes.HasPrefix(text, []byte(stampStart)) || uint64(len(text)) > maxTextBytes {
		return readUnsealed(text)
	}
	text = trimSpace(text)
	return text, members{first: text[0]}, nil
}

// jsonText is a payload as JSON text: itself where it is text, else as encoding/json writes it, without its escapes for
// HTML. The text belongs to the caller or to the scratch. What cannot fit into a body of maxBytes need not be written.
func (s *scratch) jsonText(payload any, maxBytes int64) ([]byte, error) {
	switch payload := payload.(type) {
	case json.RawMessage:
		return payload, nil
	case []byte:
		return payload, nil
	case string:
		s.json.wipe()
		s.json.addString(strings.Trim(payload, whiteSpace))
		return s.json.written(), nil
	case Plaintext:
		return payload.Bytes(), nil
	}
	if kind := reflect.TypeOf(payload); kind != s.flat {
		if isForeignText(reflect.ValueOf(payload)) {
			return nil, newError(ErrInvalidPayload, "the payload is text of a type of its own, or behind a pointer: convert it to json.RawMessage")
		}
		w := walker{left: maxBytes}
		w.any(payload, 0)
		switch w.failure {
		case ErrTooLarge:
			return nil, errTooLarge(maxBytes)
		case ErrInvalidPayload:
			return nil, newError(ErrInvalidPayload, "the payload holds itself, or nests too deeply: give it at most %d levels", maxDepth)
		}
		if kind != nil && natureOf(kind) != nestingType && !isText(pointedTo(kind)) {
			s.flat, s.plain = kind, nil
			if natureOf(kind) == plainType {
				s.plain = formOf(kind)
			}
		}
	}
	return s.encode(payload, maxBytes)
}

// isForeignText tells whether a payload is text, and of none of the types that are JSON text. encoding/json would make a
// string of it, in base64 if it is bytes: a sealed body that holds nothing that anybody meant.
func isForeignText(value reflect.Value) bool {
	for range maxHops {
		if !value.IsValid() || writesItself(value.Type()) || value.CanAddr() && writesItself(reflect.PointerTo(value.Type())) {
			return false
		}
		switch value.Kind() {
		case reflect.Pointer, reflect.Interface:
			value = value.Elem()
		default:
			return isText(value.Type())
		}
	}
	return false
}

// isText tells whether encoding/json makes a string of a type that does not write itself.
func isText(t reflect.Type) bool {
	return t.Kind() == reflect.String || t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

// pointedTo is the type behind any number of pointers.
func pointedTo(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

func (s *scratch) encode(payload any, maxBytes int64) (text []byte, err error) {
	defer func() {
		if recover() != nil {
			err = newError(ErrInvalidPayload, "the payload has no JSON form: its MarshalJSON or MarshalText panicked")
		}
	}()
	if s.encoder == nil {
		s.encoder = json.NewEncoder(&s.json)
		s.encoder.SetEscapeHTML(false)
	}
	s.json.wipe()
	plain := s.plain
	if plain != nil && reflect.TypeOf(payload) != s.flat {
		plain = nil
	}
	if value := reflect.ValueOf(payload); plain != nil && plain.isLong(value) {
		c := cutter{scratch: s, longBytes: longBytes, partBytes: partBytes, most: int(min(maxBytes, math.MaxInt))}
		err = c.value(plain, value)
	} else if err = s.encoder.Encode(payload); plain != nil {
		plain.note(len(s.json.bytes), longBytes)
	}
	if err != nil { // it can quote the value
		return nil, newError(ErrInvalidPayload, "the payload has no JSON form: use a struct, a map with text as names, or JSON text")
	}
	return s.json.written(), nil
}

// maxHops is how many pointers, interfaces and containers may stand inside each other in a payload. The deepest one that
// can be sealed has maxDepth levels, and few of them need more than three hops. encoding/json itself has no limit: a list
// of some million links overflows its stack, which ends the process.
const maxHops = 1000

// walker goes through a payload as encoding/json would, as far as the types allow any depth at all, and stops where it
// is too deep, or where it has seen more than a body can hold: a few values that hold each other many times over become
// any amount of text.
type walker struct {
	left    int64 // bytes
	failure Code
}

// minElement is what an element of an array or object takes: its value, and what stands before or behind it.
const minElement = 2

// take counts bytes that the text will have at least, and tells whether to go on.
func (w *walker) take(bytes int) bool {
	if w.left -= int64(bytes); w.left < 0 && w.failure == "" {
		w.failure = ErrTooLarge
	}
	return w.failure == ""
}

// any walks a value without reflection if it is of one of the usual types. Like the methods below it tells whether to
// go on.
func (w *walker) any(payload any, hops int) bool {
	switch payload := payload.(type) {
	case nil, bool, int, int64, float64, json.Number:
		return true
	case string:
		return w.take(len(payload))
	case []any:
		if !w.enter(hops) {
			return false
		}
		for _, element := range payload {
			if !w.take(minElement) || !w.any(element, hops+1) {
				return false
			}
		}
		return true
	case map[string]any:
		if !w.enter(hops) {
			return false
		}
		for _, element := range payload {
			if !w.take(minElement) || !w.any(element, hops+1) {
				return false
			}
		}
		return true
	}
	return w.value(reflect.ValueOf(payload), hops)
}

func (w *walker) enter(hops int) bool {
	if hops > maxHops {
		w.failure = ErrInvalidPayload
	}
	return w.failure == ""
}

func (w *walker) value(value reflect.Value, hops int) bool {
	if !value.IsValid() || natureOf(value.Type()) != nestingType {
		return true
	}
	if value.CanAddr() && writesItself(reflect.PointerTo(value.Type())) { // by methods of the pointer
		return true
	}
	if !w.enter(hops) {
		return false
	}
	switch value.Kind() {
	case reflect.Interface, reflect.Pointer:
		return w.value(value.Elem(), hops+1)
	case reflect.Slice, reflect.Array:
		for index := range value.Len() {
			if !w.take(minElement) || !w.value(value.Index(index), hops+1) {
				return false
			}
		}
	case reflect.Map:
		for entries := value.MapRange(); entries.Next(); {
			if !w.take(minElement) || !w.value(entries.Value(), hops+1) {
				return false
			}
		}
	case reflect.Struct:
		for _, path := range encodedFields(value.Type()) {
			if field := fieldAt(value, path); !w.value(field, hops+1) {
				return false
			}
		}
	}
	return true
}

// fieldAt is a field, or no value where a pointer on the way is nil.
func fieldAt(value reflect.Value, path []int) reflect.Value {
	for _, index := range path {
		if value.Kind() == reflect.Pointer {
			if value = value.Elem(); !value.IsValid() {
				break
			}
		}
		value = value.Field(index)
	}
	return value
}

// scratch is the memory of one seal or open, kept for the next. What it held of plaintext is wiped.
type scratch struct {
	message []byte     // plaintext of what is opened
	json    textBuffer // plaintext of what is sealed
	encoder *json.Encoder
	flat    reflect.Type // the last type whose values can neither nest at will nor be text: most often it comes again
	plain   *form        // of that type, if it is plain
	sealed  []byte       // the bytes of an envelope that is opened
	nonce   Nonce
}

// maxKept is how much memory a scratch may keep: rare large bodies must not hold theirs.
const maxKept = 4 << 20

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func (s *scratch) release() {
	clear(s.message)
	s.message = s.message[:0] // so that the next release has no more to wipe than its own
	s.json.wipe()
	if cap(s.message)+cap(s.json.bytes)+cap(s.sealed) <= maxKept {
		scratches.Put(s)
	}
}
