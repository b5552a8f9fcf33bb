package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	cardseal "github.com/cardseal/cardseal/packages/go"
	"github.com/cardseal/cardseal/tests/bench/go/payloads"
	"golang.org/x/crypto/nacl/secretbox"
)

// job is one thing to do with one payload, by both candidates.
type job struct {
	payloads.Combination
	task               string
	cardseal, document func() error
	// cipher is the share of the job that both leave to secretbox.
	cipher func()
}

// name says what a job is.
func (j job) name() string {
	return j.task + ", " + j.Combination.Name()
}

const secret = "your_api_secret_key_here"

// jobs are all of them, after a proof that the candidates agree: each opens what each has sealed, to equal values.
func jobs() ([]job, error) {
	ours, err := cardseal.New(secret)
	if err != nil {
		return nil, err
	}
	combinations, err := payloads.All()
	if err != nil {
		return nil, err
	}
	var all []job
	for _, combination := range combinations {
		jobs, err := jobsOf(ours, newDocument(secret), combination)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", combination.Name(), err)
		}
		all = append(all, jobs...)
	}
	return all, nil
}

func jobsOf(ours *cardseal.Envelope, theirs *document, combination payloads.Combination) ([]job, error) {
	unstamped := combination.Payload
	stamped := unstamped.At(stampMicros)
	text, err := json.Marshal(stamped)
	if err != nil {
		return nil, err
	}
	sealedByUs, err := ours.Seal(stamped)
	if err != nil {
		return nil, err
	}
	sealedByThem, err := theirs.seal(stamped)
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
		if err := agree(ours, theirs, body, stamped); err != nil {
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
		{combination, "seal a struct",
			func() error { _, err := ours.Seal(unstamped); return err },
			func() error { _, err := theirs.seal(unstamped.At(time.Now().UnixMicro())); return err },
			cipherSeal},
		{combination, "seal JSON text",
			func() error { _, err := ours.Seal(json.RawMessage(text)); return err },
			func() error { _, err := theirs.sealText(text); return err },
			cipherSeal},
		{combination, "open to a struct",
			func() error { var v payloads.Payload; return ours.Open(sealedByUs, &v) },
			func() error { var v payloads.Payload; return theirs.open(sealedByUs, &v) },
			cipherOpen},
		{combination, "open a request",
			func() error { var v payloads.Payload; _, err := ours.OpenRequest(sealedByUs, &v, now); return err },
			func() error { var v payloads.Payload; return theirs.openRequest(sealedByUs, &v, stampMicros) },
			cipherOpen},
		{combination, "open to JSON text",
			func() error { var v json.RawMessage; return ours.Open(sealedByUs, &v) },
			func() error { _, err := theirs.openText(sealedByUs); return err },
			cipherOpen},
	}, nil
}

// agree checks that both candidates find a payload in a body.
func agree(ours *cardseal.Envelope, theirs *document, body []byte, expected payloads.Payload) error {
	if !strings.HasPrefix(string(body), `{"encrypted":"`) {
		return errors.New("this is no sealed body")
	}
	var one, other, third, fourth payloads.Payload
	var text json.RawMessage
	_, requestErr := ours.OpenRequest(body, &third, cardseal.WithNowMicros(stampMicros))
	err := errors.Join(ours.Open(body, &one), theirs.open(body, &other), requestErr,
		theirs.openRequest(body, &fourth, stampMicros), ours.Open(body, &text))
	if err != nil {
		return err
	}
	for _, opened := range []payloads.Payload{one, other, third, fourth} {
		if !reflect.DeepEqual(opened, expected) {
			return errors.New("another payload came out")
		}
	}
	if theirText, err := theirs.openText(body); err != nil || !bytes.Equal(text, theirText) {
		return errors.New("another text came out")
	}
	return nil
}

// stampMicros is the stamp of all sealed bodies, and the server's clock for those that open them.
const stampMicros = 1_700_000_000_000_000
