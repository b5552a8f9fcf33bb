package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"time"

	cardseal "github.com/cardseal/cardseal/packages/go"
	"golang.org/x/crypto/nacl/secretbox"
)

// job is one thing to do, by both candidates.
type job struct {
	name               string
	cardseal, document func() error
	// cipher is the share of the job that both leave to secretbox.
	cipher func()
}

const secret = "your_api_secret_key_here"

// jobs are all of them, after a proof that the candidates agree: each opens what each has sealed, to equal values.
func jobs() ([]job, error) {
	ours, err := cardseal.New(secret)
	if err != nil {
		return nil, err
	}
	theirs := newDocument(secret)
	var all []job
	var failures []error
	add := func(more []job, err error) { all, failures = append(all, more...), append(failures, err) }
	add(jobsOf(ours, theirs, "256 B form", form(256)))
	add(jobsOf(ours, theirs, "256 B fields", fields(256)))
	add(jobsOf(ours, theirs, "1 KiB fields", fields(1<<10)))
	add(jobsOf(ours, theirs, "16 KiB fields", fields(16<<10)))
	add(jobsOf(ours, theirs, "1 MiB blob", blob(1<<20)))
	add(jobsOf(ours, theirs, "1 MiB fields", fields(1<<20)))
	return all, errors.Join(failures...)
}

func jobsOf[P payload[P]](ours *cardseal.Envelope, theirs *document, size string, payload P) ([]job, error) {
	text, unstamped := mustMarshal(payload), payload.at(0)
	sealedByUs, err := ours.Seal(payload)
	if err != nil {
		return nil, err
	}
	sealedByThem, err := theirs.seal(payload)
	if err != nil {
		return nil, err
	}
	fresh, err := ours.Seal(unstamped)
	if err != nil {
		return nil, err
	}
	if len(fresh) != len(sealedByThem) {
		return nil, errors.New("a stamp of ours makes another length")
	}
	for _, body := range [][]byte{sealedByUs, sealedByThem} {
		if err := agree(ours, theirs, body, payload); err != nil {
			return nil, err
		}
	}

	message, nonce := bytes.Clone(text), [24]byte{1}
	box := secretbox.Seal(nil, message, &nonce, &theirs.key)
	room := make([]byte, 0, len(box))
	cipherSeal := func() { secretbox.Seal(room, message, &nonce, &theirs.key) }
	cipherOpen := func() { secretbox.Open(room, box, &nonce, &theirs.key) }
	now := cardseal.WithNowMicros(stampMicros)
	return []job{
		{"seal a struct, " + size,
			func() error { _, err := ours.Seal(unstamped); return err },
			func() error { _, err := theirs.seal(unstamped.at(time.Now().UnixMicro())); return err },
			cipherSeal},
		{"seal JSON text, " + size,
			func() error { _, err := ours.Seal(json.RawMessage(text)); return err },
			func() error { _, err := theirs.sealText(text); return err },
			cipherSeal},
		{"open to a struct, " + size,
			func() error { var v P; return ours.Open(sealedByUs, &v) },
			func() error { var v P; return theirs.open(sealedByUs, &v) },
			cipherOpen},
		{"open a request, " + size,
			func() error { var v P; _, err := ours.OpenRequest(sealedByUs, &v, now); return err },
			func() error { var v P; return openRequest(theirs, sealedByUs, &v, stampMicros) },
			cipherOpen},
		{"open to JSON text, " + size,
			func() error { var v json.RawMessage; return ours.Open(sealedByUs, &v) },
			func() error { _, err := theirs.openText(sealedByUs); return err },
			cipherOpen},
	}, nil
}

// agree checks that both candidates find a payload in a body.
func agree[P payload[P]](ours *cardseal.Envelope, theirs *document, body []byte, payload P) error {
	if !strings.HasPrefix(string(body), `{"encrypted":"`) {
		return errors.New("this is no sealed body")
	}
	var one, other, third, fourth P
	var text json.RawMessage
	_, requestErr := ours.OpenRequest(body, &third, cardseal.WithNowMicros(stampMicros))
	err := errors.Join(ours.Open(body, &one), theirs.open(body, &other), requestErr,
		openRequest(theirs, body, &fourth, stampMicros), ours.Open(body, &text))
	if err != nil {
		return err
	}
	for _, opened := range []P{one, other, third, fourth} {
		if !reflect.DeepEqual(opened, payload) {
			return errors.New("another payload came out")
		}
	}
	if theirText, err := theirs.openText(body); err != nil || !bytes.Equal(text, theirText) {
		return errors.New("another text came out")
	}
	return nil
}
