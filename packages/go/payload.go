package cardseal

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
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
	text    []byte
	isEmpty bool
	stamp   member
}

func readObject(payload []byte) (object, error) {
	text, root, err := readUnsealed(payload)
	if err != nil {
		return object{}, err
	}
	if !root.isObject() {
		return object{}, errNotAnObject()
	}
	return object{text: text, isEmpty: root.count == 0, stamp: root.found[0]}, nil
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

// appendStamped appends the text with the stamp as its first member, in front of which nothing may stand.
func (o object) appendStamped(buffer []byte, micros int64) []byte {
	buffer = append(buffer, `{"`+requestTimestamp+`":`...)
	buffer = strconv.AppendInt(buffer, micros, 10)
	if !o.isEmpty {
		buffer = append(buffer, ',')
	}
	return append(buffer, o.text[1:]...)
}

// appendRestamped appends the text with the stamp in the place of the one that was there, whatever that was.
func (o object) appendRestamped(buffer []byte, micros int64) []byte {
	if !o.stamp.exists() {
		return o.appendStamped(buffer, micros)
	}
	buffer = append(buffer, o.text[:o.stamp.start]...)
	buffer = strconv.AppendInt(buffer, micros, 10)
	return append(buffer, o.text[o.stamp.end:]...)
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
func (s *scratch) object(payload any) (object, error) {
	text, err := s.jsonText(payload)
	if err != nil {
		return object{}, err
	}
	return readObject(text)
}

// jsonText is a payload as JSON text: itself where it is text, else as encoding/json writes it, without its escapes for
// HTML. The text belongs to the caller or to the scratch.
func (s *scratch) jsonText(payload any) (text []byte, err error) {
	switch payload := payload.(type) {
	case json.RawMessage:
		return payload, nil
	case []byte:
		return payload, nil
	case string:
		s.json.Reset()
		s.json.WriteString(payload)
		return s.json.Bytes(), nil
	case Plaintext:
		return payload.Bytes(), nil
	}
	defer func() {
		if recover() != nil {
			err = newError(ErrInvalidPayload, "the payload has no JSON form: its MarshalJSON or MarshalText panicked")
		}
	}()
	if kind := reflect.TypeOf(payload); kind != s.flat {
		if nestsTooDeep(payload, 0) {
			return nil, newError(ErrInvalidPayload, "the payload holds itself, or nests too deeply: give it at most %d levels", maxDepth)
		}
		if kind != nil && !nestsAtWill(kind) {
			s.flat = kind
		}
	}
	if s.encoder == nil {
		s.encoder = json.NewEncoder(&s.json)
		s.encoder.SetEscapeHTML(false)
	}
	s.json.Reset()
	if s.encoder.Encode(payload) != nil { // its error can quote the value
		return nil, newError(ErrInvalidPayload, "the payload has no JSON form: use a struct, a map with text as names, or JSON text")
	}
	return s.json.Bytes(), nil
}

// maxHops is how many pointers, interfaces and containers may stand inside each other in a payload. The deepest one that
// can be sealed has maxDepth levels, and few of them need more than three hops. encoding/json itself has no limit: a list
// of some million links overflows its stack, which ends the process.
const maxHops = 1000

// nestsTooDeep walks what encoding/json would walk, as far as the types allow any depth at all.
func nestsTooDeep(payload any, hops int) bool {
	if hops > maxHops {
		return true
	}
	elementNestsTooDeep := func(element any) bool { return nestsTooDeep(element, hops+1) }
	switch payload := payload.(type) { // the usual types without reflection
	case nil, string, bool, int, int64, float64, json.Number:
		return false
	case []any:
		return slices.ContainsFunc(payload, elementNestsTooDeep)
	case map[string]any:
		for _, element := range payload {
			if elementNestsTooDeep(element) {
				return true
			}
		}
		return false
	}
	return valueNestsTooDeep(reflect.ValueOf(payload), hops)
}

func valueNestsTooDeep(value reflect.Value, hops int) bool {
	if !value.IsValid() || !nestsAtWill(value.Type()) {
		return false
	}
	if hops > maxHops {
		return true
	}
	switch value.Kind() {
	case reflect.Interface, reflect.Pointer:
		return valueNestsTooDeep(value.Elem(), hops+1)
	case reflect.Slice, reflect.Array:
		for index := range value.Len() {
			if valueNestsTooDeep(value.Index(index), hops+1) {
				return true
			}
		}
	case reflect.Map:
		element := reflect.New(value.Type().Elem()).Elem()
		for entries := value.MapRange(); entries.Next(); {
			element.SetIterValue(entries)
			if valueNestsTooDeep(element, hops+1) {
				return true
			}
		}
	case reflect.Struct:
		for index := range value.NumField() {
			if isEncoded(value.Type().Field(index)) && valueNestsTooDeep(value.Field(index), hops+1) {
				return true
			}
		}
	}
	return false
}

// nestsAtWill tells whether values of a type can hold others to any depth: whether an interface or the type itself
// stands somewhere inside it. A type that writes its own JSON is a leaf here, as it is for encoding/json.
func nestsAtWill(t reflect.Type) bool {
	if known, ok := nestingTypes.Load(t); ok {
		return known.(bool)
	}
	found := findsNesting(t, map[reflect.Type]bool{})
	nestingTypes.Store(t, found)
	return found
}

var nestingTypes sync.Map // from reflect.Type to bool

func findsNesting(t reflect.Type, above map[reflect.Type]bool) bool {
	switch t.Kind() {
	case reflect.Interface, reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map, reflect.Struct:
	default:
		return false
	}
	if t.Kind() == reflect.Interface || above[t] {
		return true
	}
	if t.Implements(jsonMarshaler) || t.Implements(textMarshaler) {
		return false
	}
	above[t] = true
	defer delete(above, t)
	if t.Kind() != reflect.Struct {
		return findsNesting(t.Elem(), above)
	}
	for index := range t.NumField() {
		if field := t.Field(index); isEncoded(field) && findsNesting(field.Type, above) {
			return true
		}
	}
	return false
}

// isEncoded tells whether encoding/json looks at a field.
func isEncoded(field reflect.StructField) bool {
	return (field.IsExported() || field.Anonymous) && field.Tag.Get("json") != "-"
}

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[interface{ MarshalText() ([]byte, error) }]()
)

// scratch is the memory of one seal or open, kept for the next. What it held of plaintext is wiped.
type scratch struct {
	message []byte       // plaintext
	json    bytes.Buffer // plaintext
	encoder *json.Encoder
	flat    reflect.Type // the last type whose values cannot nest at will: most often it comes again
	sealed  []byte       // the bytes of an envelope
	nonce   Nonce
}

// maxKept is how much memory a scratch may keep: rare large bodies must not hold theirs.
const maxKept = 4 << 20

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func (s *scratch) release() {
	clear(s.message)
	clear(s.json.Bytes())
	s.message = s.message[:0] // so that the next release has no more to wipe than its own
	s.json.Reset()
	if cap(s.message)+s.json.Cap()+cap(s.sealed) <= maxKept {
		scratches.Put(s)
	}
}
