package cardseal

import "bytes"

// A Layout says what stands before the nonce inside an envelope (SPEC.md, section 3). The caller chooses it; it is never
// guessed from the bytes, for a guess would be an oracle and a downgrade.
//
//	versioned    0x02 │ nonce (24) │ tag (16) │ ciphertext (as long as the message)
//	bare                nonce (24) │ tag (16) │ ciphertext
type Layout string

const (
	// LayoutVersioned begins with a version byte, 0x02: the default.
	LayoutVersioned Layout = "versioned"
	// LayoutBare is the output of NaCl's secretbox behind its nonce, and nothing else.
	LayoutBare Layout = "bare"
)

// Nonce is the number used once in front of a ciphertext.
type Nonce [nonceBytes]byte

const (
	versionByte = 0x02
	nonceBytes  = 24
	tagBytes    = 16

	// What a body holds around its field, and nothing else (SPEC.md, BODY-6).
	bodyStart = `{"encrypted":"`
	bodyEnd   = `"}`
	fieldName = "encrypted"
)

// versionBytes is how many bytes stand before the nonce.
func (l Layout) versionBytes() int {
	if l == LayoutBare {
		return 0
	}
	return 1
}

func (l Layout) headerBytes() int {
	return l.versionBytes() + nonceBytes + tagBytes
}

// bodyBytes is the length of the body around a message. Its type holds the sum for any length that memory holds.
func (l Layout) bodyBytes(messageBytes int) uint64 {
	sealed := uint64(l.headerBytes()) + uint64(messageBytes)
	return uint64(len(bodyStart)+len(bodyEnd)) + (sealed+2)/3*4
}

// open takes the bytes of an envelope apart: the nonce, and secretbox's own bytes.
func (l Layout) open(sealed []byte) (nonce Nonce, box []byte, err error) {
	if len(sealed) == 0 {
		return nonce, nil, newError(ErrInvalidEnvelope, "the `encrypted` field is empty")
	}
	if len(sealed) < l.headerBytes() {
		return nonce, nil, newError(ErrInvalidEnvelope, "the `encrypted` field is too short to hold a nonce and a tag")
	}
	if l.versionBytes() == 1 && sealed[0] != versionByte {
		return nonce, nil, newError(ErrUnsupportedVersion,
			"the envelope begins with 0x%02x, not 0x%02x: it is another version or the layout `bare`, which the caller has to choose",
			sealed[0], versionByte)
	}
	return l.nonce(sealed), sealed[l.versionBytes()+nonceBytes:], nil
}

// nonce is the nonce of an envelope that is long enough, whatever its version.
func (l Layout) nonce(sealed []byte) Nonce {
	return Nonce(sealed[l.versionBytes() : l.versionBytes()+nonceBytes])
}

// malformed says what is wrong with a field that does not decode, as precisely as can be told cheaply.
func malformed(field []byte) *Error {
	foreign := bytes.Trim(field, "=")
	foreign = bytes.TrimLeft(foreign, base64Alphabet)
	var message string
	switch {
	case bytes.ContainsAny(field, "-_") && !bytes.ContainsAny(field, "+/"):
		message = "the `encrypted` field uses the url-safe alphabet: use standard base64 with `+` and `/`"
	case bytes.ContainsAny(field, " \t\r\n"):
		message = "white space stands in the `encrypted` field: send the base64 in one piece"
	case bytes.ContainsRune(field, '\\'):
		message = "a backslash stands in the `encrypted` field: decode the JSON string first"
	case len(foreign) != 0:
		message = "the `encrypted` field holds a character outside standard base64"
	case len(field)%4 != 0:
		message = "the `encrypted` field is cut or lacks its `=` padding: base64 comes in groups of four characters"
	default:
		message = "the `encrypted` field is not canonical base64: wrong padding, or bits set that no byte uses"
	}
	return newError(ErrInvalidEnvelope, "%s", message)
}
