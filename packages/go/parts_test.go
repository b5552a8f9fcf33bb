package cardseal

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// What TestPartsAreTheWhole promises.
const (
	partsCases = 5_000
	leastCut   = partsCases / 10
)

// whole is a value as encoding/json writes it at once.
func whole(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), err
}

// inParts is a value as it is written in parts, and in how many.
func inParts(value any, longBytes, partBytes int) (text []byte, parts int, err error) {
	var s scratch
	counted := &counter{to: &s.json}
	s.encoder = json.NewEncoder(counted)
	s.encoder.SetEscapeHTML(false)
	c := cutter{scratch: &s, longBytes: longBytes, partBytes: partBytes, most: math.MaxInt}
	err = c.value(formOf(reflect.TypeOf(value)), reflect.ValueOf(value))
	return bytes.TrimSuffix(s.json.written(), []byte("\n")), counted.writes, err
}

type counter struct {
	to     *textBuffer
	writes int
}

func (c *counter) Write(text []byte) (int, error) {
	c.writes++
	return c.to.Write(text)
}

// TestPartsAreTheWhole: a value that is written in parts, of any plain type, becomes the text that encoding/json makes of it
// at once, or an error where that is one. CARDSEAL_SEED repeats a run.
func TestPartsAreTheWhole(t *testing.T) {
	g := &typeGenerator{Rand: rand.New(rand.NewPCG(Seed(t), 3))}
	cut, failed := 0, 0
	for range partsCases {
		g.more = g.IntN(3) * 3
		value := reflect.New(g.typ(1 + g.IntN(4))).Elem()
		g.fill(value, 12)
		payload := value.Interface()
		if g.IntN(2) == 0 {
			payload = value.Addr().Interface()
		}
		if natureOf(reflect.TypeOf(payload)) != plainType {
			continue
		}
		want, wantErr := whole(payload)
		text, parts, err := inParts(payload, 5+g.IntN(40), 6+3*g.IntN(9))
		if err == nil && wantErr == nil && !bytes.Equal(text, want) || (err == nil) != (wantErr == nil) {
			t.Fatalf("%T: %q (%v), not %q (%v)", payload, text, err, want, wantErr)
		}
		if parts > 1 {
			cut++
		}
		if err != nil {
			failed++
		}
	}
	t.Logf("%d cases, %d written in parts, %d without a JSON form", partsCases, cut, failed)
	if cut < leastCut || failed < leastCut/20 {
		t.Error("that is too few to prove anything")
	}
}

// zero says itself what omitzero leaves out.
type zero []int

func (z zero) IsZero() bool { return len(z) == 2 }

// TestPartsOfFields: what options leave out or quote, and what is long although it is zero.
func TestPartsOfFields(t *testing.T) {
	long := strings.Repeat("x", 50)
	type wide struct {
		Places [20]int
		Note   string
	}
	for index, value := range []any{
		struct {
			A zero `json:",omitzero"`
			B zero
		}{zero{1, 2}, zero{1, 2}},
		struct {
			A wide `json:",omitzero"`
			B string
		}{B: long},
		struct {
			A string `json:",string"`
			B string `json:"b"`
			C string `json:"<&>"`
			D string `json:"é,omitempty"`
			E string `json:"-"`
			F string `json:",omitempty"`
		}{A: long, B: long, C: long, D: long, E: long},
		struct{ A, B *string }{A: &long},
		struct{ A, B []byte }{A: []byte(long)},
		struct{ A []struct{ B []string } }{make([]struct{ B []string }, 9)},
		[][]string{{long, "", long}, nil, {}, {"a", "b", "c"}},
		[]time.Time{time.Unix(0, 0), time.Unix(1, 1)}, make([]struct{}, 99), []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
	} {
		want, err := whole(value)
		if err != nil {
			t.Fatal(err)
		}
		if text, parts, err := inParts(value, 20, 9); err != nil || !bytes.Equal(text, want) || parts == 1 {
			t.Errorf("%d: %q (%v) in %d parts, not %q", index, text, err, parts, want)
		}
	}
}

// TestNoCharacterIsCut: wherever a text is cut, both pieces have the characters that the whole has, well-formed or not.
func TestNoCharacterIsCut(t *testing.T) {
	r := rand.New(rand.NewPCG(Seed(t), 4))
	bytesOfAll := []byte("a\x80\x80\x80\x80\x98\x9f\xa0\xbf\xc3\xe2\xed\xf0\xf0\xf4\xff")
	for range 100_000 {
		text := make([]byte, 5+r.IntN(9))
		for index := range text {
			text[index] = bytesOfAll[r.IntN(len(bytesOfAll))]
		}
		at := 3 + r.IntN(len(text)-2)
		cut := runeStart(string(text), at)
		if cut > at || cut < at-3 {
			t.Fatalf("%q at %d: %d", text, at, cut)
		}
		if pieces := append([]rune(string(text[:cut])), []rune(string(text[cut:]))...); string(pieces) != string([]rune(string(text))) {
			t.Fatalf("%q at %d", text, cut)
		}
	}
	if !utf8.ValidString("é"[:runeStart("é", 1)]) {
		t.Error("é is cut")
	}
}
