package cardseal

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
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

// maxStampDigits are those of 2⁶³ − 1. A buffer grows once for all that comes, so that none is left with plaintext in it.
const maxStampDigits = 19

// appendStamped appends the text with the stamp as its first member, in front of which nothing may stand.
func (o object) appendStamped(buffer []byte, micros int64) []byte {
	const start = `{"` + requestTimestamp + `":`
	buffer = grow(buffer, len(start)+maxStampDigits+len(",")+len(o.text))
	buffer = append(buffer, start...)
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
	buffer = grow(buffer, len(o.text)+maxStampDigits)
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
func (s *scratch) object(payload any, maxBytes int64) (object, error) {
	text, err := s.jsonText(payload, maxBytes)
	if err != nil {
		return object{}, err
	}
	return readObject(text)
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
		s.json.Reset()
		s.json.WriteString(payload)
		return s.json.Bytes(), nil
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
		if kind != nil && !nestsAtWill(kind) && !isText(pointedTo(kind)) {
			s.flat = kind
		}
	}
	return s.encode(payload)
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

func (s *scratch) encode(payload any) (text []byte, err error) {
	defer func() {
		if recover() != nil {
			err = newError(ErrInvalidPayload, "the payload has no JSON form: its MarshalJSON or MarshalText panicked")
		}
	}()
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
	if !value.IsValid() || !nestsAtWill(value.Type()) {
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
	if writesItself(t) {
		return false
	}
	above[t] = true
	defer delete(above, t)
	if t.Kind() != reflect.Struct {
		return findsNesting(t.Elem(), above)
	}
	return slices.ContainsFunc(encodedFields(t), func(path []int) bool {
		return findsNesting(t.FieldByIndex(path).Type, above)
	})
}

// encodedFields are the fields that encoding/json writes for a struct, as paths of indices. Those of embedded structs are
// among them. Of several with one name in JSON the one that is embedded least counts, among those the one with a tag;
// where two are left, none counts.
func encodedFields(t reflect.Type) [][]int {
	if known, ok := fieldsOfTypes.Load(t); ok {
		return known.([][]int)
	}
	type embedded struct {
		t          reflect.Type
		path       []int
		isRepeated bool // on its level
	}
	type candidate struct {
		path     []int
		isTagged bool
		others   bool // of the same rank
	}
	chosen, seen := map[string]*candidate{}, map[reflect.Type]bool{t: true}
	for level := []embedded{{t: t}}; len(level) > 0; {
		var next []embedded
		found := map[string]*candidate{}
		for _, outer := range level {
			for index := range outer.t.NumField() {
				field := outer.t.Field(index)
				if !isEncoded(field) {
					continue
				}
				path := append(slices.Clone(outer.path), index)
				name := nameInTag(field)
				if inner, isStruct := structOf(field.Type); name == "" && field.Anonymous && isStruct {
					isSame := func(other embedded) bool { return other.t == inner }
					if at := slices.IndexFunc(next, isSame); at >= 0 {
						next[at].isRepeated = true
					} else if !seen[inner] { // further out it counts alone
						next = append(next, embedded{t: inner, path: path})
					}
					continue
				}
				isTagged := name != ""
				if !isTagged {
					name = field.Name
				}
				if other := found[name]; other == nil || isTagged && !other.isTagged {
					found[name] = &candidate{path, isTagged, outer.isRepeated}
				} else if isTagged == other.isTagged {
					other.others = true
				}
			}
		}
		for name, field := range found {
			if chosen[name] == nil {
				chosen[name] = field
			}
		}
		level = next
		for _, inner := range level {
			seen[inner.t] = true
		}
	}
	paths := [][]int{}
	for _, field := range chosen {
		if !field.others {
			paths = append(paths, field.path)
		}
	}
	slices.SortFunc(paths, slices.Compare)
	fieldsOfTypes.Store(t, paths)
	return paths
}

var fieldsOfTypes sync.Map // from reflect.Type to [][]int

// isEncoded tells whether encoding/json looks at a field: at exported ones, and at embedded structs of any name.
func isEncoded(field reflect.StructField) bool {
	if field.Tag.Get("json") == "-" {
		return false
	}
	_, isStruct := structOf(field.Type)
	return field.IsExported() || field.Anonymous && isStruct
}

// structOf is a struct or what a pointer to a struct points to.
func structOf(t reflect.Type) (reflect.Type, bool) {
	if t.Kind() == reflect.Pointer && t.Name() == "" {
		t = t.Elem()
	}
	return t, t.Kind() == reflect.Struct
}

// nameInTag is the name that a field's tag gives it, or empty: encoding/json passes over names with other characters.
func nameInTag(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	isForeign := func(character rune) bool {
		isASCII := ' ' <= character && character <= '~' && !strings.ContainsRune("\"'`\\", character)
		return !isASCII && !unicode.IsLetter(character) && !unicode.IsDigit(character)
	}
	if strings.ContainsFunc(name, isForeign) {
		return ""
	}
	return name
}

// writesItself tells whether a type has a method that writes its JSON.
func writesItself(t reflect.Type) bool {
	return t.Implements(jsonMarshaler) || t.Implements(textMarshaler)
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
	flat    reflect.Type // the last type whose values can neither nest at will nor be text: most often it comes again
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
