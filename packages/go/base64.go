package cardseal

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
)

// The loops below do what encoding/base64 does, whole words at a time and in less than half the time (tests/bench/go);
// they leave the last group of a text, where padding and unused bits stand, to that package.

// appendEncoded appends bytes as base64. They may stand at the end of the buffer's memory: what is written comes no nearer to
// what is not yet read than a third of that.
func appendEncoded(buffer, decoded []byte) []byte {
	buffer = grow(buffer, base64.StdEncoding.EncodedLen(len(decoded)))
	room := buffer[len(buffer):cap(buffer)]
	written := len(buffer)
	for len(decoded) >= 16 && len(room) >= 16 { // the second load looks four bytes further than it uses
		first, second := binary.BigEndian.Uint64(decoded), binary.BigEndian.Uint64(decoded[6:])
		binary.LittleEndian.PutUint64(room, eightCharacters(first))
		binary.LittleEndian.PutUint64(room[8:], eightCharacters(second))
		decoded, room = decoded[12:], room[16:]
		written += 16
	}
	var rest [16]byte
	return base64.StdEncoding.AppendEncode(buffer[:written], rest[:copy(rest[:], decoded)])
}

// eightCharacters encodes the upper six bytes of a word, the first character in the lowest byte.
func eightCharacters(bits uint64) uint64 {
	return uint64(characterPairs[bits>>52]) |
		uint64(characterPairs[bits>>40&0xfff])<<16 |
		uint64(characterPairs[bits>>28&0xfff])<<32 |
		uint64(characterPairs[bits>>16&0xfff])<<48
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
		upper, lower := fourValues(text[:4]), fourValues(text[4:8])
		if upper|lower > 1<<24-1 {
			return buffer[:start], false
		}
		binary.BigEndian.PutUint64(whole[at:], uint64(upper)<<40|uint64(lower)<<16)
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

// fourValues are the 24 bits of four characters, or more where one of them is none of base64.
func fourValues(text []byte) uint32 {
	_ = text[3]
	return placedValues[0][text[0]] | placedValues[1][text[1]] | placedValues[2][text[2]] | placedValues[3][text[3]]
}

// placedValues has the six bits of a character at each of the places in a group, and 255<<24 for what is none.
var placedValues = func() (values [4][1 << 8]uint32) {
	for place := range values {
		for character := range values[place] {
			values[place][character] = 255 << 24
		}
		for bits, character := range []byte(base64Alphabet) {
			values[place][character] = uint32(bits) << (18 - 6*place)
		}
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
