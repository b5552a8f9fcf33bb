package cardseal

import (
	"cmp"
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
)

// nature is what a type says of the text that encoding/json makes of its values.
type nature int

const (
	// plainType: encoding/json alone writes and reads it. Whatever the value, the strict reader accepts the text, and finds no
	// member there that sealing looks for, but for a request_timestamp at the very beginning.
	plainType nature = iota
	// shallowType: the text nests no deeper than the type.
	shallowType
	// nestingType: values can hold others to any depth, since an interface or the type itself stands inside of it.
	nestingType
)

func natureOf(t reflect.Type) nature {
	if known, ok := natures.Load(t); ok {
		return known.(nature)
	}
	found := findNature(t, map[reflect.Type]bool{})
	natures.Store(t, found)
	return found
}

var natures sync.Map // from reflect.Type to nature

// findNature judges a type that stands inside of those above. One that writes its own JSON is a leaf, as it is for
// encoding/json, which makes sure that such text is JSON, but lets much pass that the strict reader refuses.
//
// Why no value of a plain type can break a rule of the strict reader (SPEC.md, section 6); in doubt, a type is not plain:
//
//   - JSON-1: encoding/json writes U+FFFD for what is not UTF-8 in a string, and takes no such name from a tag. A byte order
//     mark can only stand inside a string.
//   - JSON-2 to JSON-7: it writes exactly one value, well-formed, and escapes what has to be.
//   - JSON-8: a surrogate in a Go string is not UTF-8, so that U+FFFD is written for it.
//   - JSON-9, JSON-10: it refuses NaN and infinities, and writes every other int or float in at most 25 bytes, as a float64
//     has it. Only a json.Number is written as it stands: it is not plain.
//   - JSON-11: it writes at most one field of a name. Maps are not plain: two keys that are not UTF-8 can become one name.
//   - JSON-12: the type nests less deep than that; pointers count here as well.
func findNature(t reflect.Type, above map[reflect.Type]bool) nature {
	switch {
	case t.Kind() == reflect.Interface || above[t]:
		return nestingType
	case t == timeType:
		return plainType // a string with a date, in ASCII
	case writesItself(t):
		return shallowType
	}
	found := plainType
	if pointer := reflect.PointerTo(t); writesItself(pointer) || readsItself(pointer) || t == numberType || len(above) >= maxDepth {
		found = shallowType
	}
	above[t] = true
	defer delete(above, t)
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return max(found, findNature(t.Elem(), above))
	case reflect.Map:
		return max(shallowType, findNature(t.Elem(), above))
	case reflect.Struct:
		if !hasPlainFields(t) {
			found = shallowType
		}
		for _, path := range encodedFields(t) {
			found = max(found, findNature(t.FieldByIndex(path).Type, above))
		}
	}
	return found
}

// hasPlainFields tells whether a struct is plain if the types of its fields are: whether all of them are its own, with tags
// of the usual kind, and none has a name that sealing looks for, but for a request_timestamp in front of all.
func hasPlainFields(t reflect.Type) bool {
	for index := range t.NumField() {
		field := t.Field(index)
		tag, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		name := nameInTag(field)
		if field.Anonymous || name != tag {
			return false
		}
		for option := range strings.SplitSeq(options, ",") {
			if !slices.Contains(plainOptions, option) {
				return false
			}
		}
		name = cmp.Or(name, field.Name)
		if name == fieldName || name == requestTimestamp && index > 0 {
			return false
		}
	}
	return true
}

var plainOptions = []string{"", "omitempty", "omitzero", "string"}

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

// readsItself tells whether a type has a method that takes JSON.
func readsItself(t reflect.Type) bool {
	return t.Implements(jsonUnmarshaler) || t.Implements(textUnmarshaler)
}

var (
	jsonMarshaler   = reflect.TypeFor[json.Marshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	numberType      = reflect.TypeFor[json.Number]()
	timeType        = reflect.TypeFor[time.Time]()
)
