package cardseal

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// names holds the member names of all objects that are still open, innermost last, to find one that stands twice.
//
// An entry is a hash of the name above the offset of its inside: eight bytes, no copy. Where hashes differ the names do;
// where they agree the names themselves are compared. So the hash needs no secret, and may leave out the middle of a long
// name: names made to collide cost one sort by their bytes.
type names struct {
	few   [16]uint64 // as long as they have room, which spares an allocation
	many  []uint64   // then all of them
	count int
}

// push adds a name by its inside text[start:end], and returns its hash.
func (n *names) push(text []byte, start, end int, escaped bool) (hash uint64) {
	if escaped {
		value := unescape(text[start:end])
		hash = hashName(value, 0, len(value))
	} else {
		hash = hashName(text, start, end)
	}
	entry := hash&^offsetBits | uint64(start)
	if n.many == nil && n.count < len(n.few) {
		n.few[n.count] = entry
	} else {
		n.pushMany(entry)
	}
	n.count++
	return hash
}

// hashName hashes the first and the last eight bytes of the name text[start:end], and its length.
func hashName(text []byte, start, end int) uint64 {
	// An odd number with bits all over: 2^64 divided by the golden ratio.
	const factor = 0x9e3779b97f4a7c15
	var first, last uint64
	if length := end - start; length >= 8 {
		first, last = binary.LittleEndian.Uint64(text[start:]), binary.LittleEndian.Uint64(text[end-8:])
	} else if len(text)-start >= 8 {
		first = binary.LittleEndian.Uint64(text[start:]) << (64 - 8*length) // 0 for the empty name
	} else {
		for _, character := range text[start:end] {
			first = first>>8 | uint64(character)<<56 // as the load above has it
		}
	}
	return (first ^ bits.RotateLeft64(last, 32) ^ uint64(end-start)) * factor
}

func (n *names) pushMany(entry uint64) {
	if n.many == nil {
		n.many = append(make([]uint64, 0, 8*len(n.few)), n.few[:]...)
	}
	n.many = append(n.many[:n.count], entry)
}

// since are the names from mark on.
func (n *names) since(mark int) []uint64 {
	if n.many == nil {
		return n.few[mark:n.count]
	}
	return n.many[mark:n.count]
}

// mayRepeat tells whether the hash of the last name is that of an earlier one from mark on. Where they are many it does
// not look, since looking each time would take time by their square.
func (n *names) mayRepeat(hash uint64, mark int) bool {
	earlier := n.since(mark)
	earlier = earlier[:len(earlier)-1]
	return len(earlier) > pairwise || slices.ContainsFunc(earlier, func(entry uint64) bool { return sameHash(entry, hash) })
}

// repeated finds a name that stands twice among those from mark on, and changes their order.
func (n *names) repeated(text []byte, mark int) (offset int, found bool) {
	entries := n.since(mark)
	if len(entries) <= pairwise {
		return repeatedAmong(text, entries)
	}
	slices.Sort(entries)
	for first := 0; first < len(entries); {
		end := first + 1
		for end < len(entries) && sameHash(entries[first], entries[end]) {
			end++
		}
		if offset, found = repeatedInRun(text, entries[first:end]); found {
			return offset, true
		}
		first = end
	}
	return 0, false
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

// repeatedInRun finds a name that stands twice among names of one hash.
func repeatedInRun(text []byte, entries []uint64) (offset int, found bool) {
	if len(entries) <= pairwise {
		return repeatedAmong(text, entries)
	}
	slices.SortFunc(entries, func(a, b uint64) int {
		return compareNames(text, int(a&offsetBits), int(b&offsetBits))
	})
	for index := range entries[1:] {
		if offset, found = repeatedAmong(text, entries[index:index+2]); found {
			return offset, true
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
