package cardseal

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// What TestUnreadTextIsWhatTheReaderWouldFind promises.
const (
	natureCases  = 10_000
	leastUnread  = natureCases / 10
	leastRefused = natureCases / 200 // by the reader, not by encoding/json
)

// Types that write or take JSON by themselves, with what the strict reader refuses and encoding/json does not.
type (
	byValue   string
	byPointer struct{ Text string }
	asText    string
	takesJSON struct{ Text string }
	takesText struct{ Text string }
)

func (b byValue) MarshalJSON() ([]byte, error)    { return []byte(b), nil }
func (b *byPointer) MarshalJSON() ([]byte, error) { return []byte(b.Text), nil }
func (a asText) MarshalText() ([]byte, error)     { return []byte(a), nil }
func (*takesJSON) UnmarshalJSON([]byte) error     { return nil }
func (*takesText) UnmarshalText([]byte) error     { return nil }

// Structs that reflect.StructOf cannot make.
type (
	inner struct {
		Encrypted string `json:"encrypted"`
		Stamp     int    `json:"request_timestamp,omitempty"`
	}
	outer struct {
		Encrypted int `json:",omitempty"`
		inner
	}
	pointing struct {
		A string `json:",omitempty"`
		*inner
	}
	nesting struct{ More []nesting }
	number  json.Number
	float   float64
	bytesOf []byte
)

var (
	plainLeaves = []reflect.Type{
		reflect.TypeFor[bool](), reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int64](), reflect.TypeFor[uint64](),
		reflect.TypeFor[uintptr](), reflect.TypeFor[float32](), reflect.TypeFor[float64](), reflect.TypeFor[float](), reflect.TypeFor[string](),
		reflect.TypeFor[number](), reflect.TypeFor[[]byte](), reflect.TypeFor[bytesOf](), reflect.TypeFor[[3]byte](), reflect.TypeFor[time.Time](),
	}
	otherLeaves = []reflect.Type{
		reflect.TypeFor[json.Number](), reflect.TypeFor[json.RawMessage](), reflect.TypeFor[byValue](), reflect.TypeFor[byPointer](),
		reflect.TypeFor[asText](), reflect.TypeFor[takesJSON](), reflect.TypeFor[takesText](), reflect.TypeFor[map[string]int](),
		reflect.TypeFor[map[asText]bool](), reflect.TypeFor[any](), reflect.TypeFor[chan int](), reflect.TypeFor[complex64](),
		reflect.TypeFor[inner](), reflect.TypeFor[outer](), reflect.TypeFor[pointing](), reflect.TypeFor[nesting](), reflect.TypeFor[Plaintext](),
	}
	plainTags = []string{
		"", "", "", `json:"a"`, `json:"b"`, `json:"é,omitempty"`, `json:"<&>"`, `json:"-"`, `json:"-,"`, `json:",omitempty"`, `json:",omitzero"`,
		`json:"c,omitempty,string"`, `json:"request_timestamp,omitempty"`,
	}
	otherTags = []string{
		`json:"encrypted"`, `json:"request_timestamp"`, `json:"request_timestamp,string"`, `json:"a\"b"`, "json:\"a\u2028\"", "json:\"\xff\"",
		`json:"'encrypted'"`, `json:",inline"`, `json:"a,format:x"`, `json:"Encrypted"`,
	}
	strangeTexts = []string{
		"", "x", "\xff", "\xfe", "\xed\xa0\x80", "\xf0\x9f\x98", "\x00\x1f\x7f", `"\/`, "<&>\u2028\u2029", "\ufeff", "\U0001f600", "1", "01", "1e999", "-0",
		"null", `{"a":1,"a":2}`, `"\ud800"`, `{"encrypted":"x"}`, strings.Repeat("1", 1025), strings.Repeat("[", 128) + strings.Repeat("]", 128),
	}
	floats = []float64{0, math.Copysign(0, -1), 1, 0.1, 1e21, 1e-7, 1e308, math.MaxFloat64, math.SmallestNonzeroFloat64, math.MaxFloat32, 1 << 53}
)

// typeGenerator makes types and values of them. All it does follows from its seed.
type typeGenerator struct {
	*rand.Rand
	isOdd bool // now and then something that no plain type has
	more  int  // how much longer texts and slices may be
}

func one[T any](g *typeGenerator, choices []T) T { return choices[g.IntN(len(choices))] }

func (g *typeGenerator) oneOrOdd(plain, other []reflect.Type) reflect.Type {
	if g.isOdd && g.IntN(8) == 0 {
		return one(g, other)
	}
	return one(g, plain)
}

func (g *typeGenerator) typ(levels int) reflect.Type {
	if levels == 0 {
		return g.oneOrOdd(plainLeaves, otherLeaves)
	}
	switch g.IntN(8) {
	case 0:
		return reflect.PointerTo(g.typ(levels - 1))
	case 1:
		return reflect.SliceOf(g.typ(levels - 1))
	case 2:
		return reflect.ArrayOf(g.IntN(3), g.typ(levels-1))
	case 3:
		return g.oneOrOdd(plainLeaves, []reflect.Type{reflect.MapOf(reflect.TypeFor[string](), g.typ(levels-1))})
	}
	fields := make([]reflect.StructField, g.IntN(4))
	for index := range fields {
		tag := one(g, plainTags)
		if g.isOdd && g.IntN(8) == 0 {
			tag = one(g, otherTags)
		}
		fields[index] = reflect.StructField{Name: string(rune('A' + index)), Type: g.typ(levels - 1), Tag: reflect.StructTag(tag)}
	}
	return reflect.StructOf(fields)
}

func (g *typeGenerator) fill(value reflect.Value, levels int) {
	if !value.CanSet() || levels == 0 {
		return
	}
	if date, isTime := value.Addr().Interface().(*time.Time); isTime {
		*date = time.Unix(g.Int64N(1<<38)-1<<36, g.Int64N(1e9)).In(time.FixedZone("", g.IntN(86_400)-43_200))
		return
	}
	switch value.Kind() {
	case reflect.Bool:
		value.SetBool(g.IntN(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int64:
		value.SetInt(one(g, []int64{0, 1, math.MinInt64, math.MaxInt64, g.Int64()}))
	case reflect.Uint8, reflect.Uint64, reflect.Uintptr:
		value.SetUint(one(g, []uint64{0, 1, math.MaxUint64, g.Uint64()}))
	case reflect.Float32, reflect.Float64:
		number := one(g, floats)
		if g.IntN(4) == 0 {
			number = math.Float64frombits(g.Uint64()) // NaN and infinity among them
		}
		value.SetFloat(number)
	case reflect.String:
		text := one(g, strangeTexts)
		for range g.more {
			text += one(g, strangeTexts)
		}
		value.SetString(text)
	case reflect.Interface:
		value.Set(reflect.ValueOf(one(g, strangeTexts)))
	case reflect.Pointer:
		if g.IntN(3) > 0 {
			value.Set(reflect.New(value.Type().Elem()))
			g.fill(value.Elem(), levels-1)
		}
	case reflect.Slice:
		length := g.IntN(3 + g.more)
		value.Set(reflect.MakeSlice(value.Type(), length, length+1))
		if value.Type() == reflect.TypeFor[json.RawMessage]() {
			value.SetBytes([]byte(one(g, strangeTexts)))
			return
		}
		fallthrough
	case reflect.Array:
		for index := range value.Len() {
			g.fill(value.Index(index), levels-1)
		}
	case reflect.Map:
		value.Set(reflect.MakeMap(value.Type()))
		for range g.IntN(4) {
			key, element := reflect.New(value.Type().Key()).Elem(), reflect.New(value.Type().Elem()).Elem()
			g.fill(key, levels-1)
			g.fill(element, levels-1)
			value.SetMapIndex(key, element)
		}
	case reflect.Struct:
		for index := range value.NumField() {
			g.fill(value.Field(index), levels-1)
		}
	}
}

// TestUnreadTextIsWhatTheReaderWouldFind: whatever is sealed without being read is what the reader would have let pass, and
// found to be the same. CARDSEAL_SEED repeats a run.
func TestUnreadTextIsWhatTheReaderWouldFind(t *testing.T) {
	g := &typeGenerator{Rand: rand.New(rand.NewPCG(Seed(t), 2))}
	var s scratch // one for all, since it remembers types
	unread, refused := 0, 0
	for index := range natureCases {
		g.isOdd = index%2 == 1
		value := reflect.New(g.typ(1 + g.IntN(4))).Elem()
		g.fill(value, 12)
		payload := value.Interface()
		if g.IntN(2) == 0 {
			payload = value.Addr().Interface()
		}
		isUnread, isRefused := compareWithReader(t, &s, payload)
		if isUnread {
			unread++
		}
		if isRefused {
			refused++
		}
		if t.Failed() {
			t.Fatalf("%T", payload)
		}
	}
	t.Logf("%d cases, %d objects unread, %d texts refused by the reader", natureCases, unread, refused)
	if unread < leastUnread || refused < leastRefused {
		t.Error("that is too few to prove anything")
	}
}

// compareWithReader makes text of a payload as sealing does, and once more with the reader in any case. It tells whether it
// was an object that went unread, and whether it was the reader that refused.
func compareWithReader(t *testing.T, s *scratch, payload any) (isUnread, isRefused bool) {
	t.Helper()
	var again scratch
	text, root, err := s.unsealed(payload, DefaultMaxBytes)
	readText, readErr := again.jsonText(payload, DefaultMaxBytes)
	var readRoot members
	hasText := readErr == nil
	if hasText {
		readText, readRoot, readErr = readUnsealed(readText)
	}
	if !reflect.DeepEqual(err, readErr) || !bytes.Equal(text, readText) {
		t.Errorf("%q (%v), but the reader says %q (%v)", text, err, readText, readErr)
	}
	if err != nil {
		return false, hasText
	}
	if root.first != readRoot.first || root.found[0] != readRoot.found[0] {
		t.Errorf("%q: %v, but the reader finds %v", text, root, readRoot)
	}
	return root.isObject() && root.count != readRoot.count, false
}

// TestNatures: what is plain, and what is kept from it by one thing.
func TestNatures(t *testing.T) {
	for index, value := range []any{
		struct {
			Stamp int64 `json:"request_timestamp,omitempty"`
			Name  *string
			Parts []struct {
				Amount float64 `json:",string"`
				At     time.Time
			} `json:"parts,omitzero"`
			hidden any
		}{},
		&struct{ A [2]bool }{}, []string{}, "", number(""), []byte{}, [0]int{},
	} {
		if found := natureOf(reflect.TypeOf(value)); found != plainType {
			t.Errorf("%d: %T is %d", index, value, found)
		}
	}
	for _, leaf := range plainLeaves {
		if natureOf(leaf) != plainType {
			t.Errorf("%v is not plain", leaf)
		}
	}
	for _, leaf := range otherLeaves {
		if hasNoText := []reflect.Kind{reflect.Chan, reflect.Complex64}; slices.Contains(hasNoText, leaf.Kind()) {
			continue
		}
		field := reflect.StructOf([]reflect.StructField{{Name: "A", Type: leaf}})
		for _, around := range []reflect.Type{leaf, field, reflect.SliceOf(leaf), reflect.ArrayOf(1, leaf), reflect.PointerTo(leaf)} {
			if natureOf(around) == plainType {
				t.Errorf("%v is plain", around)
			}
		}
	}
	for _, tag := range otherTags {
		first := reflect.StructField{Name: "A", Type: reflect.TypeFor[int]()}
		odd := reflect.StructField{Name: "B", Type: reflect.TypeFor[int](), Tag: reflect.StructTag(tag)}
		if natureOf(reflect.StructOf([]reflect.StructField{first, odd})) == plainType && tag != `json:"Encrypted"` {
			t.Errorf("a field tagged %s is plain", tag)
		}
	}
}

// TestDeepTypes: no type lets text pass that nests deeper than the reader allows.
func TestDeepTypes(t *testing.T) {
	for levels, isRefused := range map[int]bool{maxDepth - 1: false, maxDepth: false, maxDepth + 1: true, maxDepth + 2: true} {
		deep := reflect.TypeFor[int]()
		for range levels {
			deep = reflect.ArrayOf(1, deep)
		}
		value := reflect.New(deep).Elem().Interface()
		var s scratch
		if _, wasRefused := compareWithReader(t, &s, value); wasRefused != isRefused {
			t.Errorf("%d levels: refused %t", levels, wasRefused)
		}
	}
}
