package cardseal_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

// link can nest to any depth.
type link struct {
	Next *link `json:"next,omitempty"`
}

// parent points upwards as well, which JSON does not see.
type parent struct {
	Name     string    `json:"name"`
	Above    *parent   `json:"-"`
	Children []*parent `json:"children,omitempty"`
	hidden   any
}

type panics struct{}

func (panics) MarshalJSON() ([]byte, error) { panic("4929-5566-7788") }

func (*panics) UnmarshalJSON([]byte) error { panic("4929-5566-7788") }

type raw string

func (r raw) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// sameName is a map key that is always written in one way.
type sameName int

func (sameName) MarshalText() ([]byte, error) { return []byte("name"), nil }

func TestPayloadsWithoutJSONFormAreRefused(t *testing.T) {
	// A stack of 64 MiB: what recursed once for each of the links below would need more, and end the process.
	defer debug.SetMaxStack(debug.SetMaxStack(64 << 20))

	cyclic := &link{}
	cyclic.Next = cyclic
	cyclicMap := map[string]any{}
	cyclicMap["a"] = map[string]any{"b": cyclicMap}
	cyclicSlice := []any{nil}
	cyclicSlice[0] = cyclicSlice
	type pointer *pointer
	var cyclicPointer pointer
	cyclicPointer = &cyclicPointer
	long := &link{}
	for range 3_000_000 {
		long = &link{Next: long}
	}
	var deep any = 1
	for range 1_000_000 {
		deep = []any{deep}
	}
	type named []named
	deepNamed := named{}
	for range 1_000_000 {
		deepNamed = named{deepNamed}
	}
	deepMap := map[string]link{"a": {long}}

	type body []byte
	type text string
	inBytes, inText := []byte(`{"a":1}`), `{"a":1}`
	inAny := any(inBytes)
	for _, payload := range []any{body(inBytes), text(inText), &inBytes, &inText, &inAny} {
		// A nil of the same type first, which is null: that it was fine must not hold for text.
		if kind := reflect.TypeOf(payload); kind.Kind() == reflect.Pointer {
			if _, err := newEnvelope(t).SealResponse(reflect.Zero(kind).Interface()); err != nil {
				t.Fatal(err)
			}
		}
		_, err := newEnvelope(t).SealResponse(payload)
		checkError(t, err, cardseal.ErrInvalidPayload, "convert it to json.RawMessage")
	}

	envelope := newEnvelope(t)
	// Shallow values of the same types first: what was found out about them must not hold for deep ones.
	for _, pair := range [][2]any{
		{&link{}, long}, {map[string]any{}, map[string]any{"a": deep}}, {map[string]link{}, deepMap}, {named{}, deepNamed},
	} {
		if _, err := envelope.SealResponse(pair[0]); err != nil {
			t.Fatal(err)
		}
		_, err := envelope.SealResponse(pair[1])
		checkError(t, err, cardseal.ErrInvalidPayload, "nests too deeply")
	}
	for name, payload := range map[string]any{
		"nil":                       nil,
		"a nil pointer":             (*link)(nil),
		"a nil map":                 map[string]any(nil),
		"a nil text":                json.RawMessage(nil),
		"no bytes":                  []byte{},
		"an empty string":           "",
		"no plaintext":              cardseal.Plaintext{},
		"a plaintext inside":        struct{ A cardseal.Plaintext }{},
		"a channel":                 make(chan int),
		"a channel in a map":        map[string]any{"a": make(chan int)},
		"a function":                func() {},
		"a complex number":          struct{ A complex64 }{},
		"NaN":                       map[string]float64{"a": math.NaN()},
		"infinity":                  struct{ A float64 }{math.Inf(-1)},
		"a map without text names":  map[[1]int]int{{1}: 1},
		"a cyclic pointer":          cyclic,
		"a cyclic map":              cyclicMap,
		"a cyclic slice":            map[string]any{"a": cyclicSlice},
		"a pointer to itself":       cyclicPointer,
		"a long list":               long,
		"a long list in a map":      deepMap,
		"deep slices":               map[string]any{"a": deep},
		"deep named slices":         struct{ A named }{deepNamed},
		"a panic":                   map[string]any{"a": panics{}},
		"no JSON":                   map[string]any{"a": raw("{")},
		"a repeated name":           raw(`{"a":1,"a":2}`),
		"a repeated key":            map[sameName]int{1: 1, 2: 2},
		"a lone surrogate":          map[string]any{"a": raw(`"\ud800"`)},
		"a number without bounds":   map[string]any{"a": json.Number("1e999")},
		"text that is not UTF-8":    "{\"a\":\"\xff\"}",
		"text that nests too deep":  `{"a":` + strings.Repeat("[", 128) + strings.Repeat("]", 128) + `}`,
		"text with something after": []byte(`{} {}`),
		"bytes of their own type":   body(`{"a":1}`),
		"a text of its own type":    text(`{"a":1}`),
		"a pointer to bytes":        &inBytes,
		"a pointer to a text":       &inText,
		"bytes behind an any":       &inAny,
		"a struct for a text":       struct{ A json.RawMessage }{json.RawMessage("{")},
	} {
		_, sealErr := envelope.Seal(payload)
		checkError(t, sealErr, cardseal.ErrInvalidPayload, "")
		_, requestErr := envelope.SealRequest("/cards/get", payload, "key_1")
		_, webhookErr := envelope.SealWebhook(payload)
		for _, err := range []error{sealErr, requestErr, webhookErr} {
			if !errors.Is(err, cardseal.ErrInvalidPayload) || strings.Contains(err.Error(), "4929") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	// The scratch that saw a panic is in use again.
	if _, err := envelope.Seal(struct{ A int }{1}); err != nil {
		t.Error(err)
	}
	var target panics
	sealed, err := envelope.SealResponse(`{"a":1}`)
	if err != nil {
		t.Fatal(err)
	}
	checkError(t, envelope.Open(sealed, &target), cardseal.ErrInvalidPayload, "panicked")
}

func TestPayloadsOfEveryKind(t *testing.T) {
	envelope := newEnvelope(t)
	family := &parent{Name: "a", hidden: make(chan int)}
	family.Children = []*parent{{Name: "b", Above: family}, {Name: "c", Above: family}}
	shared := &link{}
	rawMessage := json.RawMessage(`{"a":1}`)
	replaced, err := json.Marshal("\xff") // GOEXPERIMENT=jsonv2 writes U+FFFD itself, without it an escape
	var character string
	if err := errors.Join(err, json.Unmarshal(replaced, &character)); err != nil || character != "\ufffd" {
		t.Fatalf("%q (%v)", character, err)
	}
	deepest := any("x")
	for range 127 {
		deepest = []any{deepest}
	}
	for name, check := range map[string]struct {
		payload any
		want    string
	}{
		"text":                {json.RawMessage(" {\"a\" : 1e0}\n"), `{"a" : 1e0}`},
		"bytes":               {[]byte(`{"a":"<&>"}`), `{"a":"<&>"}`},
		"a string":            {`{"a":"\u003c"}`, `{"a":"\u003c"}`},
		"a struct":            {struct{ A string }{"<&>\u2028"}, `{"A":"<&>\u2028"}`},
		"a pointer":           {&link{Next: shared}, `{"next":{}}`},
		"a map":               {map[string]any{"b": []any{1, "x", nil, true, 1.5}, "a": map[string]int{}}, `{"a":{},"b":[1,"x",null,true,1.5]}`},
		"pointers upwards":    {family, `{"name":"a","children":[{"name":"b"},{"name":"c"}]}`},
		"a time":              {map[string]time.Time{"a": time.Unix(0, 0).UTC()}, `{"a":"1970-01-01T00:00:00Z"}`},
		"something twice":     {map[string]*link{"a": shared, "b": shared}, `{"a":{},"b":{}}`},
		"128 levels":          {map[string]any{"a": deepest}, `{"a":` + strings.Repeat("[", 127) + `"x"` + strings.Repeat("]", 127) + `}`},
		"its own JSON":        {raw(`{"a":1}`), `{"a":1}`},
		"a pointer to text":   {&rawMessage, `{"a":1}`},
		"bytes inside":        {map[string][]byte{"a": {1, 2, 3}}, `{"a":"AQID"}`},
		"what is not UTF-8":   {map[string]string{"a": "\xff"}, `{"a":` + string(replaced) + `}`},
		"a number as written": {map[string]any{"a": json.Number("10.00")}, `{"a":10.00}`},
	} {
		body, err := envelope.SealWebhook(check.payload)
		var text json.RawMessage
		if err := errors.Join(err, envelope.Open(body, &text)); err != nil || string(text) != check.want {
			t.Errorf("%s: %s (%v)", name, text, err)
		}
	}
	if body, err := envelope.SealResponse(nil); err != nil || envelope.Open(body, nil) != nil {
		t.Errorf("nil is no answer: %v", err)
	}
}

// TestPlaintextCanBeSealedAgain: what one envelope held goes into another.
func TestPlaintextCanBeSealedAgain(t *testing.T) {
	one, other := newEnvelope(t), newEnvelope(t, cardseal.WithLayout(cardseal.LayoutBare))
	body, err := one.SealResponse(` [1, 2] `)
	if err != nil {
		t.Fatal(err)
	}
	var text cardseal.Plaintext
	var numbers []int
	if err := errors.Join(one.Open(body, &text), text.Decode(&numbers)); err != nil || len(numbers) != 2 || string(text.Bytes()) != "[1, 2]" {
		t.Errorf("%v %s %v", numbers, text.Bytes(), err)
	}
	again, err := other.SealResponse(text)
	if err := errors.Join(err, other.Open(again, &numbers)); err != nil {
		t.Error(err)
	}
}

// What encoding/json looks at in a struct, and what it does not.
type (
	hiddenMap   map[string]any
	hiddenAny   any
	hiddenPart  struct{ Shown, unseen any }
	ShownMap    map[string]any
	writesByPtr struct{ Inside any }
	writesByVal struct{ Inside any }
	left        struct{ Twice, Left any }
	right       struct {
		Twice any
		Right any `json:"right"`
	}
	both struct {
		left
		*right
	}
	tagged struct {
		Tagged any `json:"Twice"`
		left
	}
	base    struct{ Base any }
	middle  struct{ base }
	first   struct{ middle }
	second  struct{ middle }
	diamond struct {
		first
		second
	}
	repeated struct {
		base
		Other base
		hiddenPart
	}
	recursive struct {
		*recursive
		Own any
	}
	unexported struct {
		hiddenMap
		hiddenAny
		hiddenPart
		ShownMap
		hidden any
		Dash   any `json:"-"`
	}
)

func (*writesByPtr) MarshalJSON() ([]byte, error) { return []byte(`"itself"`), nil }

func (writesByVal) MarshalJSON() ([]byte, error) { return []byte(`"itself"`), nil }

// oddTags is a struct with tags that linters refuse: a name that counts as none, and one that looks like `-`.
func oddTags(odd, minus any) any {
	field := func(name string, tag reflect.StructTag) reflect.StructField {
		return reflect.StructField{Name: name, Type: reflect.TypeFor[any](), Tag: tag}
	}
	value := reflect.New(reflect.StructOf([]reflect.StructField{field("Odd", `json:"a\"b"`), field("Minus", `json:"-,"`)})).Elem()
	value.Field(0).Set(reflect.ValueOf(odd))
	value.Field(1).Set(reflect.ValueOf(minus))
	return value.Interface()
}

// TestOnlyWhatIsEncodedCounts: a payload is refused for what encoding/json would write, not for what it passes over.
func TestOnlyWhatIsEncodedCounts(t *testing.T) {
	envelope := newEnvelope(t)
	cyclic := []any{nil}
	cyclic[0] = cyclic
	loop := &recursive{Own: 1}
	loop.recursive = loop
	// The encoding that encoding/json itself gives is what has to come out.
	for name, payload := range map[string]any{
		"embedded without a name": unexported{hiddenMap{"a": cyclic}, hiddenAny(cyclic), hiddenPart{1, cyclic}, ShownMap{"a": 1}, cyclic, cyclic},
		"a map in there":          unexported{hiddenPart: hiddenPart{Shown: map[string]any{"a": []int{1}}}},
		"twice on one level":      both{left{cyclic, 1}, &right{cyclic, 2}},
		"a nil pointer inside":    both{left: left{Twice: cyclic, Left: 1}},
		"less deep":               tagged{Tagged: 1, left: left{cyclic, 2}},
		"tags of another kind":    oddTags(1, 2),
		"the same one level down": diamond{},
		"embedded and a field":    repeated{},
		"embedded in itself":      loop,
		"by a pointer's method":   &struct{ A writesByPtr }{writesByPtr{cyclic}},
		"by an element's method":  []writesByPtr{{cyclic}},
		"by the value's method":   map[string]any{"a": writesByVal{cyclic}},
		"a pointer to one":        map[string]any{"a": &writesByPtr{cyclic}},
	} {
		want, err := json.Marshal(payload)
		if err != nil {
			t.Fatalf("%s: encoding/json says %v", name, err)
		}
		var text json.RawMessage
		body, err := envelope.SealResponse(payload)
		if err := errors.Join(err, envelope.Open(body, &text)); err != nil || string(text) != string(want) {
			t.Errorf("%s: %s, want %s (%v)", name, text, want, err)
		}
	}
	// And what it would walk into is found.
	through := diamond{}
	through.first.Base, through.second.Base = cyclic, cyclic
	for name, payload := range map[string]any{
		"through a part":       unexported{hiddenPart: hiddenPart{Shown: cyclic}},
		"in an embedded map":   unexported{ShownMap: ShownMap{"a": cyclic}},
		"named -":              oddTags(1, cyclic),
		"by its own name":      oddTags(cyclic, 1),
		"the tagged one":       tagged{Tagged: cyclic},
		"behind a pointer":     both{right: &right{Right: cyclic}},
		"in a map, not by ptr": map[string]writesByPtr{"a": {cyclic}},
		"through a diamond":    through,
	} {
		_, err := envelope.SealResponse(payload)
		_, failure := json.Marshal(payload)
		if failure == nil {
			t.Fatalf("%s: encoding/json writes it", name)
		}
		if !errors.Is(err, cardseal.ErrInvalidPayload) || !strings.Contains(err.Error(), "holds itself") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSharedValuesAreBounded: values that hold each other many times over are no cycle, but become any amount of text.
func TestSharedValuesAreBounded(t *testing.T) {
	envelope := newEnvelope(t, cardseal.WithMaxBytes(1000))
	type node struct{ Next []*node }
	var shared any = "x"
	nodes, maps := &node{}, any(map[string]any{})
	for range 60 {
		shared, nodes = []any{shared, shared}, &node{[]*node{nodes, nodes}}
		maps = map[string]any{"a": maps, "b": maps}
	}
	long := strings.Repeat("x", 800)
	for name, payload := range map[string]any{
		"slices": shared, "pointers": nodes, "maps": maps, "long texts": []any{long, long},
	} {
		if _, err := envelope.SealResponse(payload); !errors.Is(err, cardseal.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The bound is never tighter than the body's own.
	full := make([]any, 346)
	if body, err := envelope.SealResponse(full[:139]); err != nil || len(body) > 1000 {
		t.Errorf("%d bytes (%v)", len(body), err)
	}
	for index := range full {
		full[index] = 1
	}
	body, err := envelope.SealResponse(full)
	if err != nil || len(body) < 990 {
		t.Errorf("%d bytes (%v)", len(body), err)
	}
}

// clears writes over what it is given.
type clears struct{}

func (*clears) UnmarshalJSON(text []byte) error { clear(text); return nil }

// keeps holds on to what it is given.
type keeps struct{ text []byte }

func (k *keeps) UnmarshalJSON(text []byte) error { k.text = text; return nil }

// TestTargetsCannotReachTheMemory: what a type's UnmarshalJSON gets is its own, from every call that decodes.
func TestTargetsCannotReachTheMemory(t *testing.T) {
	const payload = `{"request_timestamp":1700000000000000,"pan":"1"}`
	envelope := newEnvelope(t)
	now := cardseal.WithNowMicros(1_700_000_000_000_000)
	body, err := envelope.Seal(payload)
	if err != nil {
		t.Fatal(err)
	}
	request, err := envelope.OpenRequest(body, &clears{}, now)
	if err != nil || string(request.Payload.Bytes()) != payload {
		t.Errorf("the payload became %q (%v)", request.Payload.Bytes(), err)
	}
	if err := request.Payload.Decode(&clears{}); err != nil || string(request.Payload.Bytes()) != payload {
		t.Errorf("the payload became %q (%v)", request.Payload.Bytes(), err)
	}
	other, err := envelope.Seal(strings.Replace(payload, `"1"`, `"2"`, 1))
	if err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func(v any) error{
		"Open":         func(v any) error { return envelope.Open(body, v) },
		"OpenResponse": func(v any) error { return envelope.OpenResponse(200, body, v) },
		"OpenRequest":  func(v any) error { _, err := envelope.OpenRequest(body, v, now); return err },
	} {
		kept := make([]keeps, 50)
		for index := range kept {
			if err := open(&kept[index]); err != nil {
				t.Fatal(err)
			}
			if err := envelope.Open(other, nil); err != nil {
				t.Fatal(err)
			}
		}
		for _, k := range kept {
			if string(k.text) != payload {
				t.Fatalf("%s: what was kept became %q", name, k.text)
			}
		}
	}
}

// TestPlaintextInsideATarget: a field of this type keeps its part of the payload.
func TestPlaintextInsideATarget(t *testing.T) {
	envelope := newEnvelope(t)
	body, err := envelope.SealResponse(`{"a":{"b" : 1e0},"c":null}`)
	if err != nil {
		t.Fatal(err)
	}
	var target struct{ A, B, C cardseal.Plaintext }
	if err := envelope.Open(body, &target); err != nil || string(target.A.Bytes()) != `{"b" : 1e0}` || target.B.Bytes() != nil || string(target.C.Bytes()) != "null" {
		t.Errorf("%s %s %s (%v)", target.A.Bytes(), target.B.Bytes(), target.C.Bytes(), err)
	}
	// Not everybody's text has been read before.
	err = new(cardseal.Plaintext).UnmarshalJSON([]byte(`{"a":1,"a":2}`))
	checkError(t, err, cardseal.ErrInvalidPayload, "already has")
}

// TestNamesAreCaseSensitive: encoding/json would take the first one for the second.
func TestNamesAreCaseSensitive(t *testing.T) {
	envelope := newEnvelope(t)
	open := func(payload string) (*cardseal.Request, error) {
		body, err := envelope.SealResponse(payload)
		if err != nil {
			t.Fatal(err)
		}
		return envelope.OpenRequest(body, nil, cardseal.WithNowMicros(1_700_000_000_000_000))
	}
	request, err := open(`{"request_timestamp":1700000000000000,"Request_Timestamp":7}`)
	if err != nil || request.TimestampMicros != 1_700_000_000_000_000 {
		t.Errorf("%v %v", request, err)
	}
	_, err = open(`{"Request_Timestamp":1700000000000000}`)
	checkError(t, err, cardseal.ErrTimestampNotFound, "")
	checkError(t, envelope.Open([]byte(`{"Encrypted":"AAAA"}`), nil), cardseal.ErrEnvelopeNotFound, "")
	if err := envelope.OpenResponse(200, []byte(`{"Success":false}`), nil); !errors.Is(err, cardseal.ErrEnvelopeNotFound) {
		t.Error(err)
	}
}
