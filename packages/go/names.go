package cardseal

import (
	"cmp"
	"hash/maphash"
	"slices"
	"unicode/utf8"
)

// names holds the member names of all objects that are still open, innermost last, to find one that stands twice.
//
// An entry is the name's hash above the offset of its inside: eight bytes, no copy. Where hashes differ the names do;
// where they agree the names themselves are compared. The hash has a seed of its own in each process, so that nobody can
// choose names that collide, and sorting bounds the time for any number of them.
type names struct {
	open []uint64
	few  [32]uint64 // room for open, until it is full
}

var nameSeed = maphash.MakeSeed()

func (n *names) push(text []byte, start, end int) {
	name := unescape(text[start:end])
	n.open = append(n.open, maphash.Bytes(nameSeed, name)&^offsetBits|uint64(start))
}

// repeated finds a name that stands twice among those from mark on, and changes their order.
func (n *names) repeated(text []byte, mark int) (offset int, found bool) {
	entries := n.open[mark:]
	if len(entries) > pairwise {
		slices.Sort(entries)
		for first := 0; first < len(entries); {
			end := first + 1
			for end < len(entries) && sameHash(entries[first], entries[end]) {
				end++
			}
			if offset, found = repeatedAmong(text, entries[first:end]); found {
				return offset, true
			}
			first = end
		}
		return 0, false
	}
	return repeatedAmong(text, entries)
}

// pairwise is the number of names up to which comparing every pair is quicker than sorting.
const pairwise = 16

func repeatedAmong(text []byte, entries []uint64) (offset int, found bool) {
	for index, entry := range entries {
		for _, earlier := range entries[:index] {
			if sameHash(entry, earlier) && compareNames(text, int(entry&offsetBits), int(earlier&offsetBits)) == 0 {
				return int(entry & offsetBits), true
			}
		}
	}
	return 0, false
}

func sameHash(a, b uint64) bool {
	return (a^b)&^offsetBits == 0
}

const offsetBits = 1<<32 - 1

// compareNames orders two accepted names, given by the offsets of their insides, by the UTF-8 bytes of their values. It
// looks no further than the first difference: one huge name must not make every comparison slow.
func compareNames(text []byte, a, b int) int {
	for {
		x, y := text[a], text[b]
		switch {
		case x == '\\' || y == '\\':
			// The order of code points is the order of their UTF-8.
			first, firstSize := decodeCharacter(text[a:])
			second, secondSize := decodeCharacter(text[b:])
			if first != second {
				return cmp.Compare(first, second)
			}
			a, b = a+firstSize, b+secondSize
		case x == '"' || y == '"':
			return cmp.Compare(boolToInt(x != '"'), boolToInt(y != '"'))
		case x != y:
			return cmp.Compare(x, y)
		default:
			a, b = a+1, b+1
		}
	}
}

func boolToInt(condition bool) int {
	if condition {
		return 1
	}
	return 0
}

// decodeCharacter reads one character of an accepted name, escaped or not; the closing quote is below all of them.
func decodeCharacter(text []byte) (rune, int) {
	switch text[0] {
	case '"':
		return -1, 0
	case '\\':
		return decodeEscape(text)
	}
	return utf8.DecodeRune(text)
}

// nameEnd is the offset of the quote that closes the accepted string whose inside begins at start.
func nameEnd(text []byte, start int) int {
	at := skipPlain(text, start)
	for text[at] == '\\' {
		at = skipPlain(text, at+2)
	}
	return at
}
