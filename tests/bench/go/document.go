package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/cardseal/cardseal/tests/bench/go/payloads"
	"golang.org/x/crypto/nacl/secretbox"
)

// document does the whole job as one writes it by hand after the API's document: x/crypto's secretbox, encoding/json and
// encoding/base64. It checks what has to be checked for a value to come out, and no rule beyond that.
type document struct {
	key [32]byte
}

// body is the HTTP body.
type body struct {
	Encrypted string `json:"encrypted"`
}

func newDocument(secret string) *document {
	return &document{key: sha256.Sum256([]byte(secret))}
}

// seal makes the HTTP body of any value. The stamp is the caller's business.
func (d *document) seal(payload any) ([]byte, error) {
	text, err := json.Marshal(payload)
	if err != nil {
		return nil, err
	}
	return d.sealText(text)
}

func (d *document) sealText(text []byte) ([]byte, error) {
	var nonce [24]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return nil, err
	}
	envelope := secretbox.Seal(append([]byte{versionByte}, nonce[:]...), text, &nonce, &d.key)
	return json.Marshal(body{Encrypted: base64.StdEncoding.EncodeToString(envelope)})
}

// open reads an HTTP body into v.
func (d *document) open(sealed []byte, v any) error {
	text, err := d.openText(sealed)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}

// openRequest is open with the check of the timestamp.
func (d *document) openRequest(sealed []byte, v *payloads.Payload, nowMicros int64) error {
	if err := d.open(sealed, v); err != nil {
		return err
	}
	if skew := v.RequestTimestamp - nowMicros; skew < -30_000_000 || skew > 30_000_000 {
		return errors.New("outside the window")
	}
	return nil
}

func (d *document) openText(sealed []byte) ([]byte, error) {
	var envelope body
	if err := json.Unmarshal(sealed, &envelope); err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.DecodeString(envelope.Encrypted)
	if err != nil {
		return nil, err
	}
	if len(raw) < 1+24 || raw[0] != versionByte {
		return nil, errors.New("unsupported format")
	}
	text, ok := secretbox.Open(nil, raw[25:], (*[24]byte)(raw[1:25]), &d.key)
	if !ok {
		return nil, errors.New("decryption failed")
	}
	return text, nil
}

const versionByte = 0x02
