package cardseal

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestSpecialsAreExact: every byte in every place of a word, among bytes that differ by one from a special one.
func TestSpecialsAreExact(t *testing.T) {
	for _, around := range []byte{'a', ' ', '!', '#', '[', ']', 0x7f, 0x80, 0xa2, 0xdc, 0xff, 0x9f} {
		for character := range 256 {
			for place := range 8 {
				text := bytes.Repeat([]byte{around}, 24)
				text[place] = byte(character)
				want := len(text)
				if character == '"' || character == '\\' || character < ' ' {
					want = place
				}
				if got := skipPlain(text, 0); got != want {
					t.Fatalf("%#x among %#x: %d, want %d", character, around, got, want)
				}
				// In the tail, where no whole word is left.
				if got := skipPlain(text[:place+1], 0); got != min(want, place+1) {
					t.Fatalf("%#x behind %d of %#x: %d", character, place, around, got)
				}
			}
		}
	}
}

// TestStringsEndWhereTheyShould: closing quotes and escapes in every place around the edges of words.
func TestStringsEndWhereTheyShould(t *testing.T) {
	for length := range 70 {
		for _, inside := range []string{strings.Repeat("x", length), strings.Repeat("x", length) + `\"`, strings.Repeat(`\u00e9`, length/6), strings.Repeat("é", length/2)} {
			for tail := range 20 {
				text := `"` + inside + `"` + strings.Repeat(" ", tail)
				if _, failure := read([]byte(text), nil); failure != nil {
					t.Fatalf("%s: %v", text, failure)
				}
				for _, wrong := range []string{`"` + inside + strings.Repeat(" ", tail), `"` + inside + "\n" + `"`, `"` + inside + `\"`} {
					if _, failure := read([]byte(wrong), nil); failure == nil {
						t.Fatalf("%q was accepted", wrong)
					}
				}
			}
		}
	}
}

func TestTextsAtTheLimits(t *testing.T) {
	digits := strings.Repeat("0", 308)
	for text, isAccepted := range map[string]bool{
		"1" + digits:            true,
		"-1" + digits + ".5e0":  true,
		"2" + digits:            false,
		"-2" + digits:           false,
		"0." + digits + "1e617": true, // 1e308
		"0." + digits + "2e617": false,
		`"\ud800\udfff"`:        true,
		`"\udfff\ud800"`:        false,
		`"\udc00\udc00"`:        false,
		`"\ud800\ud800"`:        false,
		`"\ud800\\udc00"`:       false,
		`"\ud800x\udc00"`:       false,
	} {
		if _, failure := read([]byte(text), nil); (failure == nil) != isAccepted {
			t.Errorf("%s: %v", text, failure)
		}
	}
}

// TestFiniteNumbers: the digits decide as exact arithmetic does, above all where strconv.ParseFloat is slow or wrong.
func TestFiniteNumbers(t *testing.T) {
	half := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 1024), new(big.Int).Lsh(big.NewInt(1), 970))
	if half.String() != roundsToInfinity {
		t.Fatalf("the edge of binary64 is %v", half)
	}
	edge := half.String()
	tokens := []string{
		edge, "-" + edge, edge + ".0", edge + "." + strings.Repeat("0", 50) + "1", "0." + edge + "e309", "0.000" + edge + "E+312", edge + "000e-3",
		"1" + strings.Repeat("0", 1011) + "e-700", "1" + strings.Repeat("0", 1011) + "e-704", "0." + strings.Repeat("0", 900) + "1e1209", "0." + strings.Repeat("0", 900) + "1e1210",
		"0e99999", "0.0e-0", "-0E+7", "1e-330", "4.9e-324", "2.2250738585072011e-308",
	}
	for at := range len(edge) {
		for _, digit := range "0159" {
			near := edge[:at] + string(digit) + edge[at+1:]
			tokens = append(tokens, near, near[:1]+"."+near[1:]+"e308", near[:max(at, 1)]+"e"+strconv.Itoa(309-max(at, 1)))
		}
	}
	for exponent := -330; exponent < 330; exponent++ {
		for _, mantissa := range []string{"1", "9.99", "0.001", "17976931348623157", "17976931348623159"} {
			tokens = append(tokens, mantissa+"e"+strconv.Itoa(exponent))
		}
	}
	for _, token := range tokens {
		exact, ok := new(big.Rat).SetString(token)
		if !ok {
			t.Fatal(token)
		}
		want := exact.Abs(exact).Cmp(new(big.Rat).SetInt(half)) < 0
		if isFinite([]byte(token)) != want {
			t.Errorf("%s: finite is %v", token, !want)
		}
	}
	for token, want := range map[string]bool{"1e99999999999999999999": false, "1e-99999999999999999999": true, "0e99999999999999999999": true} {
		if isFinite([]byte(token)) != want {
			t.Errorf("%s: finite is %v", token, !want)
		}
	}
}

// TestTinyNumbersAreFast: a list of numbers that strconv.ParseFloat needs its slow path for. It took three seconds a MiB.
func TestTinyNumbersAreFast(t *testing.T) {
	text := []byte("[" + strings.Repeat("1e-330,", 1<<17) + "0]")
	start := time.Now()
	if _, failure := read(text, nil); failure != nil {
		t.Fatal(failure)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("%d bytes took %v", len(text), took)
	}
}

// TestMemoryIsWiped: what a call had of plaintext is gone when it ends, and the next call has no more to wipe.
func TestMemoryIsWiped(t *testing.T) {
	s := new(scratch)
	s.message = append(s.message, "4929-5566-7788"...)
	s.json.addString("4929-5566-7788")
	message, text := s.message, s.json.written()
	s.json.room(cap(s.json.bytes), 0)
	grown := s.json.written()
	if !isZero(text) || string(grown) != "4929-5566-7788" {
		t.Errorf("%q was left behind, %q went along", text, grown)
	}
	s.release()
	if !isZero(message) || !isZero(grown) || len(s.message) != 0 || len(s.json.bytes) != 0 {
		t.Errorf("%q %q", message, grown)
	}
	c := canonicalizer{text: []byte(`{"b":{"d":1,"c":2},"a":3}`)}
	if c.object(0, true); string(c.form) != `{"a":3,"b":{"c":2,"d":1}}` || len(c.spare) == 0 || !isZero(c.spare) {
		t.Errorf("%s %q", c.form, c.spare)
	}
}

// TestStamping: a stamp comes first or in the place of another, in a text of the caller's and in one that the scratch wrote.
// The latter needs no other memory, and the former a buffer that grows once: one that is left behind had plaintext in it.
func TestStamping(t *testing.T) {
	for _, check := range [][2]string{
		{`{}`, `{"request_timestamp":9223372036854775807}`},
		{`{ }`, `{"request_timestamp":9223372036854775807 }`},
		{`{"a":"4929"}`, `{"request_timestamp":9223372036854775807,"a":"4929"}`},
		{`{ "a":"4929"}`, `{"request_timestamp":9223372036854775807, "a":"4929"}`},
		{`{"request_timestamp":1}`, `{"request_timestamp":9223372036854775807}`},
		{`{"a":"4929","request_timestamp":1,"b":2}`, `{"a":"4929","request_timestamp":9223372036854775807,"b":2}`},
		{`{"a":"4929","request_timestamp":["` + strings.Repeat("x", 99) + `"],"b":2}`, `{"a":"4929","request_timestamp":9223372036854775807,"b":2}`},
	} {
		given := []byte(check[0])
		object, err := readObject(given)
		if err != nil {
			t.Fatal(err)
		}
		var s scratch
		if text := s.stamped(object, math.MaxInt64); string(text) != check[1] || string(given) != check[0] {
			t.Errorf("%s became %s, and what was given %s", check[0], text, given)
		}
		line := check[0] + "\n"
		own := func() []byte {
			s.json.wipe()
			s.json.addString(line)
			object.text = trimSpace(s.json.written())
			return s.stamped(object, math.MaxInt64)
		}
		if text := own(); string(text) != check[1] {
			t.Errorf("%s became %s", check[0], text)
		}
		count := testing.AllocsPerRun(10, func() { own() })
		object.text = given
		grown := testing.AllocsPerRun(10, func() { s.json = textBuffer{}; s.stamped(object, math.MaxInt64) })
		if count != 0 || grown != 1 {
			t.Errorf("%s: %v and %v allocations", check[0], count, grown)
		}
	}
}

// TestEncodingInPlace: the bytes may stand at the very end of the memory that their base64 fills.
func TestEncodingInPlace(t *testing.T) {
	for length := range 300 {
		decoded := make([]byte, length)
		for index := range decoded {
			decoded[index] = byte(7*index + length)
		}
		want := base64.StdEncoding.EncodeToString(decoded)
		room := make([]byte, len(want))
		place := room[len(room)-length:]
		copy(place, decoded)
		if got := string(appendEncoded(room[:0], place)); got != want {
			t.Fatalf("%d bytes: %s, not %s", length, got, want)
		}
	}
}

func isZero(memory []byte) bool {
	return len(bytes.Trim(memory, "\x00")) == 0
}

// TestLenientReading: what only reads leniently is no envelope, whatever it holds.
func TestLenientReading(t *testing.T) {
	envelope, err := New("a secret of mine")
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range []struct {
		body       string
		isAPIError bool
	}{
		{"{\"encrypted\":\"AAAA\",\"success\":false}", false},
		{"\ufeff{\"encrypted\":\"AAAA\",\"success\":false}", true},
		{"{\"encrypted\":\"\xff\",\"success\":false}", true},
		{"\ufeff{\"encrypted\":\"AAAA\"}", false},
	} {
		err := envelope.OpenResponse(200, []byte(check.body), nil)
		if apiError, isAPIError := err.(*APIError); isAPIError != check.isAPIError || isAPIError && apiError.Message != "http status 200" {
			t.Errorf("%q: %v", check.body, err)
		}
	}
}

// TestNamesThatCollide: the hash leaves out the middle of a long name, so that these all have one hash.
func TestNamesThatCollide(t *testing.T) {
	object := func(names []string) []byte {
		var members []string
		for _, name := range names {
			members = append(members, `"`+name+`":0`)
		}
		return []byte("{" + strings.Join(members, ",") + "}")
	}
	var names []string
	for index := range 50_000 {
		names = append(names, fmt.Sprintf("the_same%08xthe_same", uint32(index)*2654435761))
	}
	text := object(names[:2])
	end := bytes.Index(text[2:], []byte(`"`)) + 2
	other := bytes.LastIndex(text, []byte(`the_same`)) - 16
	if hashName(text, 2, end) != hashName(text, other, other+len(names[0])) {
		t.Fatal("the names do not collide")
	}
	for _, count := range []int{2, pairwise, pairwise + 1, 33, 300, len(names)} {
		some := slices.Clone(names[:count])
		if _, failure := read(object(some), nil); failure != nil {
			t.Errorf("%d different names: %v", count, failure)
		}
		for _, repeated := range []int{0, count / 2, count - 1} {
			if _, failure := read(object(append(some, some[repeated])), nil); failure == nil {
				t.Errorf("%d names, number %d twice: accepted", count, repeated)
			}
			escaped := `\u0074` + some[repeated][1:]
			if _, failure := read(object(append(some, escaped)), nil); failure == nil {
				t.Errorf("%d names, number %d again in escapes: accepted", count, repeated)
			}
		}
	}
}

// TestNamesBetweenObjects: an object's names count for it alone, however many there are around and inside it.
func TestNamesBetweenObjects(t *testing.T) {
	var inner, outer []string
	for index := range 40 {
		inner = append(inner, fmt.Sprintf(`"n%d":{}`, index))
	}
	object := "{" + strings.Join(inner, ",") + "}"
	for index := range 40 {
		outer = append(outer, fmt.Sprintf(`"n%d":%s`, index, object))
	}
	if _, failure := read([]byte("{"+strings.Join(outer, ",")+"}"), nil); failure != nil {
		t.Error(failure)
	}
	for _, place := range []int{0, 20, 40} {
		twice := slices.Insert(slices.Clone(outer), place, `"n7":0`)
		if _, failure := read([]byte("{"+strings.Join(twice, ",")+"}"), nil); failure == nil {
			t.Errorf("n7 again at %d: accepted", place)
		}
	}
}

func TestCompareNames(t *testing.T) {
	spellings := []string{``, `a`, `ab`, `a\u0062`, `\u0061b`, `aé`, `a\u00e9`, `\"`, `#`, `!`, `\\`, `]`, `[`, `\ud83d\ude00`, `😀`, `\ufb33`, `דּ`, `a\n`, `a `, `\/`, `/`, `é\u0000`, `é`}
	for _, a := range spellings {
		for _, b := range spellings {
			text := []byte(a + `"` + b + `"`)
			var first, second string
			if json.Unmarshal([]byte(`"`+a+`"`), &first) != nil || json.Unmarshal([]byte(`"`+b+`"`), &second) != nil {
				t.Fatal(a, b)
			}
			if got, want := compareNames(text, 0, len(a)+1), strings.Compare(first, second); got != want {
				t.Errorf("%s and %s: %d, want %d", a, b, got, want)
			}
		}
	}
}

// TestCanonicalFormOfDeepText sorts at every level of a deep text, and takes what it took apart together again.
func TestCanonicalFormOfDeepText(t *testing.T) {
	text, want := `1`, `1`
	for level := range 127 {
		text = fmt.Sprintf(`{ "z" : %s, "a" : [ %d ] }`, text, level)
		want = fmt.Sprintf(`{"a":[%d],"z":%s}`, level, want)
	}
	if canonical, err := CanonicalJSON([]byte(text)); err != nil || string(canonical) != want {
		t.Errorf("%s (%v)", canonical, err)
	}
}

// TestBase64AgainstTheStandardLibrary: all lengths around the edges of words, and every change of one character.
func TestBase64AgainstTheStandardLibrary(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for length := range 80 {
		decoded := make([]byte, length)
		for index := range decoded {
			decoded[index] = byte(random.Uint32())
		}
		want := base64.StdEncoding.EncodeToString(decoded)
		for _, prefix := range []string{"", "before"} {
			if got := string(appendEncoded([]byte(prefix), decoded)); got != prefix+want {
				t.Fatalf("%d bytes: %s", length, got)
			}
			back, ok := appendDecoded([]byte(prefix), []byte(want))
			if !ok || string(back) != prefix+string(decoded) {
				t.Fatalf("%d bytes: %x", length, back)
			}
		}
		for place := range want {
			for character := range 256 {
				changed := []byte(want)
				changed[place] = byte(character)
				checkBase64(t, changed)
			}
		}
		for place := range len(want) + 1 {
			for _, inserted := range []string{"\n", "\r\n\r\n", "=", "====", "AAAA"} {
				checkBase64(t, slices.Concat([]byte(want[:place]), []byte(inserted), []byte(want[place:])))
			}
		}
	}
}

// checkBase64: canonical is exactly what decodes to bytes that encode to the same text again.
func checkBase64(t *testing.T, text []byte) {
	want, err := base64.StdEncoding.DecodeString(string(text))
	isCanonical := err == nil && base64.StdEncoding.EncodeToString(want) == string(text)
	got, ok := appendDecoded(nil, text)
	if ok != isCanonical || ok && !bytes.Equal(got, want) {
		t.Fatalf("%q: %x %t, want %x %t", text, got, ok, want, isCanonical)
	}
}

// TestLossyText compares with the examples of the Unicode Standard, section 3.9, and whole well-formed texts.
func TestLossyText(t *testing.T) {
	for given, want := range map[string]string{
		"\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41": "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdA",
		"\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41": "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdA",
		"\xf4\x91\x92\x93\xff\x41\x80\xbf\x42": "\ufffd\ufffd\ufffd\ufffd\ufffdA\ufffd\ufffdB",
		"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41": "\ufffd\ufffd\ufffd\ufffdA",
		"\xf0\x9f\x98\xf0\x9f\x98\x80\xc3":     "\ufffd😀\ufffd",
		"é\u0000😀":                             "é\u0000😀",
		"":                                     "",
	} {
		if got := string(decodeLossily([]byte(given))); got != want {
			t.Errorf("%x: %q, want %q", given, got, want)
		}
	}
}

// The seeds of the fuzz targets are the texts of the vectors.
func addSeeds(f *testing.F, file string, names ...string) {
	text, err := os.ReadFile(filepath.Join(vectorFolder, file))
	if err != nil {
		f.Fatal(err)
	}
	var content struct{ Cases []map[string]any }
	if err := json.Unmarshal(text, &content); err != nil {
		f.Fatal(err)
	}
	seeds := 0
	for _, inputs := range content.Cases {
		for _, name := range names {
			if seed, ok := inputs[name].(string); ok {
				f.Add([]byte(seed))
				seeds++
			}
		}
	}
	if seeds < 40 {
		f.Fatalf("only %d seeds in %s", seeds, file)
	}
}

// FuzzReader: what the reader accepts is JSON for encoding/json too, and has one canonical form; what it refuses is no
// JSON, or breaks a rule that encoding/json does not have.
func FuzzReader(f *testing.F) {
	addSeeds(f, "json.json", "text")
	f.Add([]byte("[1e-330]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		root, failure := read(text, []string{"a", "request_timestamp"})
		if failure != nil {
			if failure.at > len(text) {
				t.Errorf("fault at %d of %d: %s", failure.at, len(text), failure.what)
			}
			stricter := []string{"UTF-8", "already has", "surrogate", "too large", "levels"}
			if json.Valid(text) && !slices.ContainsFunc(stricter, func(rule string) bool { return strings.Contains(failure.what, rule) }) {
				t.Errorf("encoding/json accepts what breaks no rule: %v", failure)
			}
			return
		}
		if !json.Valid(text) || !utf8.Valid(text) {
			t.Error("encoding/json does not accept this")
		}
		for _, found := range root.found {
			if _, failure := read(text[found.start:found.end], nil); found.exists() && failure != nil {
				t.Errorf("a member's value does not stand alone: %v", failure)
			}
		}
		if !root.isObject() {
			return
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(text, &members); err != nil || len(members) != root.count {
			t.Errorf("%d members, encoding/json has %d (%v)", root.count, len(members), err)
		}
		canonical, err := CanonicalJSON(text)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := CanonicalJSON(canonical); err != nil || !bytes.Equal(again, canonical) || len(canonical) > len(text) {
			t.Errorf("%s became %s (%v)", canonical, again, err)
		}
	})
}

// FuzzOpen: as a body, the input gives a known code at most; sealed, it opens exactly if the reader accepts it.
func FuzzOpen(f *testing.F) {
	addSeeds(f, "response.json", "body", "payload")
	envelope, err := New("a secret of mine")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var plaintext Plaintext
		if err := envelope.Open(text, &plaintext); err != nil {
			checkKnown(t, err)
		}
		for _, status := range []int{200, 400} {
			if err := envelope.OpenResponse(status, text, nil, WithRequest(text)); err != nil {
				checkKnown(t, err)
			}
		}
		field, err := envelope.Encrypt(text)
		if err != nil {
			t.Fatal(err)
		}
		message, err := envelope.Decrypt(field)
		if err != nil || !bytes.Equal(message, text) {
			t.Fatalf("%q came back as %q (%v)", text, message, err)
		}
		body := FieldBody(field)
		_, failure := read(text, nil)
		err = envelope.Open(body, &plaintext)
		if (err == nil) != (failure == nil) || err == nil && !bytes.Equal(plaintext.Bytes(), text) {
			t.Errorf("%v, but the reader says %v", err, failure)
		}
		if _, err := envelope.OpenRequest(body, nil, WithNowMicros(1_700_000_000_000_000)); err != nil {
			checkKnown(t, err)
		}
		webhook, err := envelope.OpenWebhook(body)
		if err != nil {
			checkKnown(t, err)
		} else if webhook.DedupeKey() == "" {
			t.Error("no dedupe key")
		}
		// What was sealed as JSON text can be sealed again, and what cannot be has a known code.
		for _, seal := range []func(any) ([]byte, error){envelope.Seal, envelope.SealResponse, envelope.SealWebhook} {
			if body, err := seal(text); err != nil {
				checkKnown(t, err)
			} else if err := envelope.Open(body, nil); err != nil {
				t.Error(err)
			}
		}
	})
}

func checkKnown(t *testing.T, err error) {
	switch err := err.(type) {
	case *Error:
		if !strings.Contains(err.Code.Error(), " (") {
			t.Errorf("the code %s is unknown", string(err.Code))
		}
	case *APIError:
		if err.Message == "" || !utf8.ValidString(err.Message) || utf8.RuneCountInString(err.Message) > 200 {
			t.Errorf("the message %q is not fit to be shown", err.Message)
		}
	default:
		t.Errorf("%T is none of ours", err)
	}
}

// FuzzBase64: canonical is exactly what decodes to bytes that encode to the same text again.
func FuzzBase64(f *testing.F) {
	addSeeds(f, "base64.json", "field")
	f.Fuzz(func(t *testing.T, text []byte) {
		checkBase64(t, text)
		if back, ok := appendDecoded(nil, appendEncoded(nil, text)); !ok || !bytes.Equal(back, text) {
			t.Errorf("%x came back as %x", text, back)
		}
	})
}
