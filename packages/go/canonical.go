package cardseal

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"unicode/utf8"
)

// CanonicalJSON is the canonical form of a payload, an object given as JSON text: members in the order of their names'
// UTF-8 bytes at every level, no white space, one spelling for each string, numbers as written, the root's
// request_timestamp left out (SPEC.md, section 15; not the order of RFC 8785).
//
// Errors: ErrInvalidPayload.
func CanonicalJSON(payload []byte) ([]byte, error) {
	root, failure := read(payload, nil)
	if failure != nil {
		return nil, invalidPayload(failure)
	}
	if !root.isObject() {
		return nil, errNotAnObject()
	}
	c := canonicalizer{text: payload, form: make([]byte, 0, len(payload))}
	c.object(c.skipSpace(0), true)
	return c.form, nil
}

// Fingerprint tells a request that is repeated under an idempotency key from another one: the hexadecimal SHA-256 of the
// path, normalised, and the payload in canonical form (SPEC.md, PRINT-1).
//
// Errors: ErrInvalidPath, ErrInvalidPayload.
func Fingerprint(path string, payload []byte) (string, error) {
	path, err := NormalizePath(path)
	if err != nil {
		return "", err
	}
	canonical, err := CanonicalJSON(payload)
	if err != nil {
		return "", err
	}
	defer clear(canonical)
	return hexDigest([]byte("cardseal fingerprint v1"), []byte(path), canonical), nil
}

// digest is the SHA-256 of all parts, each behind its length in four bytes: no two lists of parts give one text.
func digest(parts ...[]byte) [sha256.Size]byte {
	hash := sha256.New()
	var length [4]byte
	for _, part := range parts {
		binary.BigEndian.PutUint32(length[:], uint32(len(part)))
		hash.Write(length[:])
		hash.Write(part)
	}
	return [sha256.Size]byte(hash.Sum(nil))
}

func hexDigest(parts ...[]byte) string {
	sum := digest(parts...)
	return hex.EncodeToString(sum[:])
}

// canonicalizer walks text that the reader accepted, so that each step has only to find where things end. The form is
// never longer than the text.
type canonicalizer struct {
	text, form []byte
	// written are the members of the objects that are still open, innermost last.
	written []writtenMember
	spare   []byte
}

// writtenMember is a member in the form, without the comma behind it, and where its name's inside begins in the text.
type writtenMember struct {
	name, start, end uint32
}

// value writes the value that begins at an offset of the text, and returns where it ends.
func (c *canonicalizer) value(at int) int {
	switch c.text[at] {
	case '"':
		return c.string(at + 1)
	case '{':
		return c.object(at, false)
	case '[':
		return c.array(at)
	}
	start := at
	for at < len(c.text) && !isSpace(c.text[at]) && c.text[at] != ',' && c.text[at] != ']' && c.text[at] != '}' {
		at++
	}
	c.form = append(c.form, c.text[start:at]...)
	return at
}

func (c *canonicalizer) object(at int, isRoot bool) int {
	c.form = append(c.form, '{')
	first, mark := len(c.form), len(c.written)
	at = c.skipSpace(at + 1)
	for c.text[at] == '"' {
		name, start := at+1, len(c.form)
		end := c.string(name)
		c.form = append(c.form, ':')
		at = c.value(c.skipSpace(c.skipSpace(end) + 1))
		if isRoot && string(unescape(c.text[name:end-1])) == requestTimestamp {
			c.form = c.form[:start]
		} else {
			c.written = append(c.written, writtenMember{uint32(name), uint32(start), uint32(len(c.form))})
			c.form = append(c.form, ',')
		}
		at = c.skipSeparator(at)
	}
	members := c.written[mark:]
	if len(members) > 0 {
		c.sort(members, first)
		c.form = c.form[:len(c.form)-1] // the last comma
	}
	c.written = c.written[:mark]
	c.form = append(c.form, '}')
	return at + 1
}

// sort puts members, which stand in the form from first on, into the order of their names.
func (c *canonicalizer) sort(members []writtenMember, first int) {
	byName := func(a, b writtenMember) int { return compareNames(c.text, int(a.name), int(b.name)) }
	if slices.IsSortedFunc(members, byName) {
		return
	}
	slices.SortFunc(members, byName)
	c.spare = append(c.spare[:0], c.form[first:]...)
	c.form = c.form[:first]
	for _, member := range members {
		c.form = append(c.form, c.spare[int(member.start)-first:int(member.end)-first]...)
		c.form = append(c.form, ',')
	}
	clear(c.spare)
}

func (c *canonicalizer) array(at int) int {
	c.form = append(c.form, '[')
	at = c.skipSpace(at + 1)
	for c.text[at] != ']' {
		at = c.skipSpace(c.value(at))
		if c.text[at] == ',' {
			c.form = append(c.form, ',')
			at = c.skipSpace(at + 1)
		}
	}
	c.form = append(c.form, ']')
	return at + 1
}

// string writes the string whose inside begins at an offset, and returns the offset behind its closing quote.
func (c *canonicalizer) string(at int) int {
	c.form = append(c.form, '"')
	for {
		plain := at
		at = skipPlain(c.text, at)
		c.form = append(c.form, c.text[plain:at]...)
		if c.text[at] == '"' {
			c.form = append(c.form, '"')
			return at + 1
		}
		character, size := decodeEscape(c.text[at:])
		c.form = appendCanonical(c.form, character)
		at += size
	}
}

func (c *canonicalizer) skipSpace(at int) int {
	for isSpace(c.text[at]) {
		at++
	}
	return at
}

// skipSeparator skips the comma between two members and the white space around it, or what stands before the end.
func (c *canonicalizer) skipSeparator(at int) int {
	at = c.skipSpace(at)
	if c.text[at] == ',' {
		at = c.skipSpace(at + 1)
	}
	return at
}

// appendCanonical writes a character that was escaped as the canonical form has it (SPEC.md, CANON-2).
func appendCanonical(form []byte, character rune) []byte {
	switch character {
	case '"', '\\':
		return append(form, '\\', byte(character))
	case '\b':
		return append(form, '\\', 'b')
	case '\t':
		return append(form, '\\', 't')
	case '\n':
		return append(form, '\\', 'n')
	case '\f':
		return append(form, '\\', 'f')
	case '\r':
		return append(form, '\\', 'r')
	}
	if character < ' ' {
		const digits = "0123456789abcdef"
		return append(form, '\\', 'u', '0', '0', digits[character>>4], digits[character&15])
	}
	return utf8.AppendRune(form, character)
}
