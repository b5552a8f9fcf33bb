package cardseal

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
)

// The loops below do what encoding/base64 does, eight characters at a time and about twice as fast (tests/bench/go);
// they leave the last group of a text, where padding and unused bits stand, to that package.

// appendEncoded appends bytes as base64.
func appendEncoded(buffer, decoded []byte) []byte {
	buffer = grow(buffer, base64.StdEncoding.EncodedLen(len(decoded)))
	whole := buffer[len(buffer):cap(buffer)]
	at, end := 0, 0
	for at+8 <= len(decoded) && end+8 <= len(whole) {
		bits := binary.BigEndian.Uint64(decoded[at : at+8])
		binary.LittleEndian.PutUint64(whole[end:end+8], uint64(characterPairs[bits>>52])|
			uint64(characterPairs[bits>>40&0xfff])<<16|
			uint64(characterPairs[bits>>28&0xfff])<<32|
			uint64(characterPairs[bits>>16&0xfff])<<48)
		at += 6
		end += 8
	}
	return base64.StdEncoding.AppendEncode(buffer[:len(buffer)+end], decoded[at:])
}

// appendDecoded appends the bytes of a text, and tells whether it is canonical base64 (SPEC.md, section 4).
func appendDecoded(buffer, text []byte) ([]byte, bool) {
	start := len(buffer)
	if len(text)%4 != 0 {
		return buffer, false
	}
	buffer = grow(buffer, len(text)/4*3)
	at := start
	whole := buffer[:cap(buffer)]
	for len(text) > 8 && len(whole)-at >= 8 {
		var bits uint64
		var all byte
		for _, character := range text[:8] {
			value := characterValues[character]
			all |= value
			bits = bits<<6 | uint64(value)
		}
		if all > 63 {
			return buffer[:start], false
		}
		binary.BigEndian.PutUint64(whole[at:], bits<<16)
		text = text[8:]
		at += 6
	}
	// The decoder skips line breaks, whatever its mode, and then writes less than the length promises.
	padding := len(text) - len(bytes.TrimRight(text, "="))
	want := len(text)/4*3 - padding
	written, err := strictBase64.Decode(whole[at:], text)
	if err != nil || written != want {
		return buffer[:start], false
	}
	return buffer[:at+written], true
}

// strictBase64 refuses bits that no byte uses.
var strictBase64 = base64.StdEncoding.Strict()

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// characterPairs has the two characters of twelve bits, the first one in the lower byte.
var characterPairs = func() (pairs [1 << 12]uint16) {
	for bits := range pairs {
		pairs[bits] = uint16(base64Alphabet[bits>>6]) | uint16(base64Alphabet[bits&63])<<8
	}
	return pairs
}()

// characterValues has the six bits of a character, and 255 for what is none.
var characterValues = func() (values [1 << 8]byte) {
	for character := range values {
		values[character] = 255
	}
	for bits, character := range []byte(base64Alphabet) {
		values[character] = byte(bits)
	}
	return values
}()

// grow makes room for n more bytes without a change of length.
func grow(buffer []byte, n int) []byte {
	if cap(buffer)-len(buffer) >= n {
		return buffer
	}
	grown := make([]byte, len(buffer), len(buffer)+n)
	copy(grown, buffer)
	return grown
}
