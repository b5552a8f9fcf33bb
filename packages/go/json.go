package cardseal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// The limits of the strict reader (SPEC.md, JSON-10 and JSON-12).
const (
	maxDepth       = 128
	maxNumberBytes = 1024
	// maxTextBytes is how far the offsets of the name table reach.
	maxTextBytes = 1<<32 - 1
)

// read accepts exactly one value of strict JSON (SPEC.md, section 6), and finds the members of a root object that are
// asked for by name. It allocates only for objects of more than a few names.
//
// encoding/json sees only text that this reader accepted, and no rule depends on what it finds there: it takes repeated
// names, lone surrogates and ill-formed UTF-8, and matches names without regard to case.
func read(text []byte, wanted []string) (members, *fault) {
	if uint64(len(text)) > maxTextBytes {
		return members{}, &fault{"more than 4 GiB of text", 0}
	}
	if !utf8.Valid(text) {
		return members{}, &fault{"bytes that are not UTF-8", validPrefix(text)}
	}
	if bytes.HasPrefix(text, byteOrderMark) {
		return members{}, &fault{"a byte order mark: send plain UTF-8", 0}
	}
	r := reader{text: text, wanted: wanted}
	at := r.skipSpace(0)
	if at == len(text) {
		return members{}, &fault{"nothing to read: expected a JSON value", at}
	}
	r.root.first = text[at]
	at = r.value(at, 0)
	if at >= 0 {
		if at = r.skipSpace(at); at < len(text) {
			r.fail("something after the value", at)
		}
	}
	if r.fault.what != "" {
		failure := r.fault // a copy, so that the reader itself stays on the stack
		return members{}, &failure
	}
	return r.root, nil
}

// A fault is the first thing wrong with a text, and its byte offset. It shows nothing of the text.
type fault struct {
	what string
	at   int
}

func (f *fault) String() string {
	return fmt.Sprintf("%s (byte %d)", f.what, f.at)
}

// members is what read found at the root.
type members struct {
	// first is the first byte of the value, which tells its kind.
	first byte
	// count is the number of members of a root object.
	count int
	// found has a place for each name asked for, in their order.
	found [maxWanted]member
}

// maxWanted is how many members can be asked for at once.
const maxWanted = 6

func (m *members) isObject() bool {
	return m.first == '{'
}

// member is where the value of a root member stands in the text; no value begins at 0.
type member struct {
	start, end int
}

func (m member) exists() bool {
	return m.start > 0
}

func (m member) raw(text []byte) []byte {
	return text[m.start:m.end]
}

func (m member) isString(text []byte) bool {
	return m.exists() && text[m.start] == '"'
}

func (m member) isFalse(text []byte) bool {
	return m.exists() && text[m.start] == 'f'
}

// string is the value of a string, unescaped, and whether it is one. The bytes may be a part of the text.
func (m member) string(text []byte) ([]byte, bool) {
	if !m.isString(text) {
		return nil, false
	}
	return unescape(text[m.start+1 : m.end-1]), true
}

// reader walks the text once, one method a construct. Each takes the offset where the construct begins and returns the
// one behind it, or -1 after a fault.
type reader struct {
	text   []byte
	wanted []string
	names  names
	// escaped says that an escape stood in a string since it was last set to false.
	escaped bool
	root    members
	fault   fault
}

func (r *reader) fail(what string, at int) int {
	r.fault = fault{what, at}
	return -1
}

func (r *reader) failEnd() int {
	return r.fail("the text ends inside a value", len(r.text))
}

func (r *reader) failUnexpected(at int) int {
	if at >= len(r.text) {
		return r.failEnd()
	}
	return r.fail("a character that JSON does not allow here", at)
}

// value reads any value inside of depth arrays and objects.
func (r *reader) value(at, depth int) int {
	if at >= len(r.text) {
		return r.failEnd()
	}
	switch r.text[at] {
	case '"':
		return r.string(at + 1)
	case '{':
		return r.object(at, depth+1)
	case '[':
		return r.array(at, depth+1)
	case 't':
		return r.literal(at, "true")
	case 'f':
		return r.literal(at, "false")
	case 'n':
		return r.literal(at, "null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return r.number(at)
	}
	return r.failUnexpected(at)
}

func (r *reader) object(at, depth int) int {
	if depth > maxDepth {
		return r.failDepth(at)
	}
	text, mark := r.text, r.names.count
	if at = r.skipSpace(at + 1); at < len(text) && text[at] == '}' {
		return at + 1
	}
	var seen uint64 // six bits of each name's hash: only where two names have the same can one be repeated
	var mayRepeat bool
	for {
		if at >= len(text) || text[at] != '"' {
			return r.failUnexpected(at)
		}
		name := at + 1
		r.escaped = false
		if at = r.string(name); at < 0 {
			return -1
		}
		nameEnd, escaped := at-1, r.escaped
		hash := r.names.push(text, name, nameEnd, escaped)
		bit := uint64(1) << (hash >> 58)
		mayRepeat = mayRepeat || seen&bit != 0 && r.names.mayRepeat(hash, mark)
		seen |= bit
		if at < len(text) && text[at] != ':' {
			at = r.skipSpace(at)
		}
		if at >= len(text) || text[at] != ':' {
			return r.failUnexpected(at)
		}
		start := r.skipSpace(at + 1)
		if start < len(text) && text[start] == '"' { // the most frequent kind, without a call in between
			at = r.string(start + 1)
		} else {
			at = r.value(start, depth)
		}
		if at < 0 {
			return -1
		}
		if depth == 1 {
			r.root.count++
			if len(r.wanted) > 0 {
				r.member(text[name:nameEnd], escaped, start, at)
			}
		}
		if at < len(text) && text[at] != ',' {
			at = r.skipSpace(at)
		}
		if at >= len(text) {
			return r.failEnd()
		}
		if text[at] == ',' {
			at = r.skipSpace(at + 1)
			continue
		}
		if text[at] != '}' {
			return r.failUnexpected(at)
		}
		if mayRepeat {
			if repeated, found := r.names.repeated(text, mark); found {
				return r.fail("a member name that its object already has", repeated-1)
			}
		}
		r.names.count = mark
		return at + 1
	}
}

func (r *reader) array(at, depth int) int {
	if depth > maxDepth {
		return r.failDepth(at)
	}
	text := r.text
	if at = r.skipSpace(at + 1); at < len(text) && text[at] == ']' {
		return at + 1
	}
	for {
		if at = r.value(at, depth); at < 0 {
			return -1
		}
		if at = r.skipSpace(at); at >= len(text) {
			return r.failEnd()
		}
		if text[at] == ',' {
			at = r.skipSpace(at + 1)
			continue
		}
		if text[at] != ']' {
			return r.failUnexpected(at)
		}
		return at + 1
	}
}

func (r *reader) failDepth(at int) int {
	return r.fail("more than 128 levels of nesting", at)
}

// member notes a member of the root object.
func (r *reader) member(name []byte, escaped bool, start, end int) {
	if escaped {
		name = unescape(name)
	}
	for index, wanted := range r.wanted {
		if string(name) == wanted {
			r.root.found[index] = member{start, end}
			return
		}
	}
}

// string reads what follows an opening quote.
func (r *reader) string(at int) int {
	text := r.text
	for {
		if at < len(text)-16 {
			// Two words, and one branch for both: most strings end within them, each at another place.
			words := text[at : at+16]
			special, next := specials(binary.LittleEndian.Uint64(words)), specials(binary.LittleEndian.Uint64(words[8:]))
			if special|next == 0 {
				at += 16
				continue
			}
			if special == 0 {
				special, at = next, at+8
			}
			at += bits.TrailingZeros64(special) / 8
		} else if at = skipPlain(text, at); at >= len(text) {
			return r.failEnd()
		}
		switch text[at] {
		case '"':
			return at + 1
		case '\\':
			if at = r.escape(at); at < 0 {
				return -1
			}
		default:
			return r.fail("a raw control character in a string: escape it", at)
		}
	}
}

func (r *reader) escape(at int) int {
	r.escaped = true
	if at+1 >= len(r.text) {
		return r.failEnd()
	}
	switch r.text[at+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return at + 2
	case 'u':
		unit, ok := hexUnit(r.text, at+2)
		switch {
		case !ok:
			return r.failEscape(at)
		case unit < 0xd800 || unit > 0xdfff:
			return at + 6
		case unit < 0xdc00 && bytes.HasPrefix(r.text[at+6:], []byte(`\u`)):
			low, ok := hexUnit(r.text, at+8)
			if !ok {
				return r.failEscape(at + 6)
			}
			if low >= 0xdc00 && low <= 0xdfff {
				return at + 12
			}
		}
		return r.fail("half of a surrogate pair", at)
	}
	return r.failEscape(at)
}

func (r *reader) failEscape(at int) int {
	if len(r.text)-at < len(`\u0000`) && bytes.IndexByte(r.text[at:], '"') < 0 {
		return r.failEnd()
	}
	return r.fail("an escape that JSON does not know", at)
}

func (r *reader) literal(at int, literal string) int {
	if rest := r.text[at:]; len(rest) >= len(literal) && string(rest[:len(literal)]) == literal {
		return at + len(literal)
	}
	return r.failUnexpected(at)
}

func (r *reader) number(start int) int {
	at := start
	if r.text[at] == '-' {
		at++
	}
	integer := at
	if at < len(r.text) && r.text[at] == '0' {
		at++
	} else if at = r.digits(at); at < 0 {
		return -1
	}
	integerDigits := at - integer
	if at < len(r.text) && r.text[at] >= '0' && r.text[at] <= '9' {
		return r.failNumber(at) // a leading zero
	}
	if at < len(r.text) && r.text[at] == '.' {
		if at = r.digits(at + 1); at < 0 {
			return -1
		}
	}
	hasExponent := at < len(r.text) && (r.text[at] == 'e' || r.text[at] == 'E')
	if hasExponent {
		at++
		if at < len(r.text) && (r.text[at] == '+' || r.text[at] == '-') {
			at++
		}
		if at = r.digits(at); at < 0 {
			return -1
		}
	}
	if at-start > maxNumberBytes {
		return r.failRange(start)
	}
	// Without an exponent, up to 308 digits before the point cannot reach binary64's limit of about 1.8e308.
	if (hasExponent || integerDigits > 308) && !isFinite(r.text[start:at]) {
		return r.failRange(start)
	}
	return at
}

// isFinite tells whether a number token of at most maxNumberBytes rounds to a finite binary64. It compares digits:
// strconv.ParseFloat takes a thousand times as long for tokens made to be slow, and does not get all of them right.
func isFinite(token []byte) bool {
	mantissa, exponent := token, 0
	if mark := bytes.IndexAny(token, "eE"); mark >= 0 {
		mantissa, exponent = token[:mark], parseExponent(token[mark+1:])
	}
	// The number is 0.d₁d₂d₃… times ten to the power, d₁ not being 0, and order says how the digits compare so far.
	power, digits, order := exponent, 0, 0
	isFraction := false
	for _, character := range mantissa {
		switch {
		case character == '-':
			continue
		case character == '.':
			isFraction = true
			continue
		case character == '0' && digits == 0:
			if isFraction {
				power--
			}
			continue
		case !isFraction:
			power++
		}
		if order == 0 && digits < len(roundsToInfinity) {
			order = int(character) - int(roundsToInfinity[digits])
		}
		digits++
	}
	switch {
	case digits == 0:
		return true // zero, whatever its exponent
	case power != len(roundsToInfinity):
		return power < len(roundsToInfinity)
	}
	return order < 0 || order == 0 && digits < len(roundsToInfinity)
}

// parseExponent reads an exponent with its sign. No mantissa of a token makes up for one as large as its bound.
func parseExponent(text []byte) int {
	const bound = 1 << 20
	exponent := 0
	for _, character := range bytes.TrimLeft(text, "+-") {
		exponent = min(exponent*10+int(character-'0'), bound)
	}
	if text[0] == '-' {
		return -exponent
	}
	return exponent
}

// roundsToInfinity is 2¹⁰²⁴ − 2⁹⁷⁰, halfway between the largest binary64 and the next power of two: the least number that
// rounds to infinity.
const roundsToInfinity = "1797693134862315807937289714053034150799341327100378269361737789804449682927647509466490179775872070963" +
	"3028641669288791094655554785194040263065748867150582068190890200070838367627385484581771153176447573027" +
	"0069855571366959622842914819860834936475292719074168444365510704342711559699508093042880177904174497792"

// digits reads one digit at least.
func (r *reader) digits(at int) int {
	start := at
	for at < len(r.text) && r.text[at] >= '0' && r.text[at] <= '9' {
		at++
	}
	if at == start {
		return r.failNumber(at)
	}
	return at
}

func (r *reader) failNumber(at int) int {
	if at >= len(r.text) {
		return r.failEnd()
	}
	return r.fail("a malformed number", at)
}

func (r *reader) failRange(at int) int {
	return r.fail("a number that is too long or too large", at)
}

func (r *reader) skipSpace(at int) int {
	if at < len(r.text) && r.text[at] > ' ' {
		return at
	}
	return r.skipSpaces(at)
}

func (r *reader) skipSpaces(at int) int {
	for at < len(r.text) && isSpace(r.text[at]) {
		at++
	}
	return at
}

func isSpace(character byte) bool {
	return character == ' ' || character == '\n' || character == '\r' || character == '\t'
}

// whiteSpace is what isSpace says of.
const whiteSpace = " \n\r\t"

// trimSpace drops the white space of JSON around a text.
func trimSpace(text []byte) []byte {
	for len(text) > 0 && isSpace(text[0]) {
		text = text[1:]
	}
	for len(text) > 0 && isSpace(text[len(text)-1]) {
		text = text[:len(text)-1]
	}
	return text
}

// skipPlain returns the offset of the first quote, backslash or control character from at on, or the text's length.
// It looks at eight bytes at a time, so that long strings cost little.
func skipPlain(text []byte, at int) int {
	for ; len(text)-at >= 8; at += 8 {
		word := binary.LittleEndian.Uint64(text[at:])
		if special := specials(word); special != 0 {
			return at + bits.TrailingZeros64(special)/8
		}
	}
	for ; at < len(text); at++ {
		if character := text[at]; character == '"' || character == '\\' || character < ' ' {
			break
		}
	}
	return at
}

// specials sets the upper bit of each byte that is a quote, a backslash or below a space, and clears all other bits. The
// sums stay within their bytes, since their summands have seven bits.
func specials(word uint64) uint64 {
	const ones = 0x0101010101010101
	low := word &^ upperBits
	// The upper bit of each summand's sum says: no control character, no quote, no backslash.
	plain := (low + ones*(0x80-' ')) & (low ^ ones*'"' + ones*0x7f) & (low ^ ones*'\\' + ones*0x7f)
	return ^(plain | word) & upperBits
}

// upperBits are the upper bits of eight bytes.
const upperBits = 0x8080808080808080

// unescape is the value of the inside of an accepted string: the bytes themselves where nothing is escaped.
func unescape(inside []byte) []byte {
	escape := bytes.IndexByte(inside, '\\')
	if escape < 0 {
		return inside
	}
	value := make([]byte, 0, len(inside))
	for escape >= 0 {
		value = append(value, inside[:escape]...)
		character, size := decodeEscape(inside[escape:])
		value = utf8.AppendRune(value, character)
		inside = inside[escape+size:]
		escape = bytes.IndexByte(inside, '\\')
	}
	return append(value, inside...)
}

// decodeEscape reads the escape at the start of accepted text: its character and how many bytes it takes.
func decodeEscape(text []byte) (rune, int) {
	switch text[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		unit, _ := hexUnit(text, 2)
		if unit < 0xd800 || unit > 0xdfff {
			return rune(unit), 6
		}
		low, _ := hexUnit(text, 8)
		return 0x10000 + rune(unit-0xd800)<<10 + rune(low-0xdc00), 12
	}
	return rune(text[1]), 2
}

// hexUnit reads four hexadecimal digits.
func hexUnit(text []byte, at int) (uint32, bool) {
	if len(text)-at < 4 {
		return 0, false
	}
	unit := uint32(0)
	for _, digit := range text[at : at+4] {
		switch {
		case digit >= '0' && digit <= '9':
			digit -= '0'
		case digit >= 'a' && digit <= 'f':
			digit -= 'a' - 10
		case digit >= 'A' && digit <= 'F':
			digit -= 'A' - 10
		default:
			return 0, false
		}
		unit = unit<<4 | uint32(digit)
	}
	return unit, true
}

// validPrefix is the length of the well-formed UTF-8 that ill-formed text begins with.
func validPrefix(text []byte) int {
	at := 0
	for at < len(text) {
		character, size := utf8.DecodeRune(text[at:])
		if character == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at
}

var byteOrderMark = []byte("\ufeff")
