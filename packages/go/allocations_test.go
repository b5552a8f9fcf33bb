//go:build !race

package cardseal_test

import (
	"bytes"
	"encoding/json"
	"io"
	"runtime"
	"strings"
	"testing"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

// TestAllocations: the race detector drops pooled memory at random, so that this runs without it.
func TestAllocations(t *testing.T) {
	envelope := newEnvelope(t)
	type topup struct {
		CardID string `json:"card_id"`
		Amount string `json:"amount"`
		Note   string `json:"note"`
	}
	payload := topup{"card_abc123", "10.00", "for the trip"}
	text, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	body, err := envelope.Seal(payload)
	if err != nil {
		t.Fatal(err)
	}
	var opened json.RawMessage
	if err := envelope.Open(body, &opened); err != nil {
		t.Fatal(err)
	}
	// What encoding/json allocates by itself depends on its version: GOEXPERIMENT=jsonv2 has another one.
	encoder := json.NewEncoder(io.Discard)
	encoder.SetEscapeHTML(false)
	encoding := testing.AllocsPerRun(200, func() { _ = encoder.Encode(payload) })
	decoding := testing.AllocsPerRun(200, func() { var target topup; _ = json.Unmarshal(opened, &target) })
	for name, check := range map[string]struct {
		most float64
		run  func() error
	}{
		"seal a struct":    {encoding + 1, func() error { _, err := envelope.Seal(payload); return err }},
		"seal a pointer":   {1, func() error { _, err := envelope.Seal(&payload); return err }},
		"seal text":        {2, func() error { _, err := envelope.Seal(json.RawMessage(text)); return err }},
		"seal bytes":       {2, func() error { _, err := envelope.Seal(text); return err }},
		"seal an answer":   {encoding + 1, func() error { _, err := envelope.SealResponse(payload); return err }},
		"open to nothing":  {0, func() error { return envelope.Open(body, nil) }},
		"open to text":     {2, func() error { var text json.RawMessage; return envelope.Open(body, &text) }},
		"open to a struct": {decoding, func() error { var target topup; return envelope.Open(body, &target) }},
	} {
		var err error
		if count := testing.AllocsPerRun(200, func() { err = check.run() }); count > check.most || err != nil {
			t.Errorf("%s: %.0f allocations, at most %.0f (%v)", name, count, check.most, err)
		}
	}
}

// TestAllocationsOfLongPayloads: whatever sealing a mebibyte allocates with nothing in any pool, garbage and all, is at
// most three times the text. encoding/json alone takes that for writing it whole.
func TestAllocationsOfLongPayloads(t *testing.T) {
	type part struct {
		ID    int      `json:"id"`
		Note  string   `json:"note,omitempty"`
		Words []string `json:"words"`
	}
	type payload struct {
		Stamp int64  `json:"request_timestamp,omitempty"`
		Note  string `json:"note,omitempty"`
		Scan  []byte `json:"scan,omitempty"`
		Parts []part `json:"parts,omitempty"`
	}
	words := strings.Fields(strings.Repeat("word ", 20))
	small := make([]part, 6000)
	for index := range small {
		small[index] = part{index, "a note", words}
	}
	text, err := json.Marshal(small)
	if err != nil {
		t.Fatal(err)
	}
	blob := strings.Repeat("é<&>\u2028\n", 1<<16)
	envelope := newEnvelope(t)
	for name, value := range map[string]any{
		"many small":     payload{Parts: small},
		"a pointer":      &payload{Parts: small},
		"stamped":        payload{Stamp: 1_700_000_000_000_000, Parts: small},
		"one string":     payload{Note: blob},
		"bytes":          payload{Scan: []byte(blob)},
		"JSON text":      json.RawMessage(`{"parts":` + string(text) + `}`),
		"deep":           payload{Parts: []part{{Words: []string{"a", blob}}, {Note: "b"}}},
		"deep, a string": struct{ A, B struct{ C *string } }{A: struct{ C *string }{&blob}},
	} {
		var body []byte
		var before, after runtime.MemStats
		for range 3 { // what is found out about a type stays, which is no memory of a call
			runtime.GC()
			runtime.GC() // pools are empty after the second one
			runtime.ReadMemStats(&before)
			body, err = envelope.Seal(value)
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatal(err)
			}
		}
		var opened json.RawMessage
		if err := envelope.Open(body, &opened); err != nil {
			t.Fatal(err)
		}
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 3*uint64(len(opened)) {
			t.Errorf("%s: %d bytes for %d of text", name, allocated, len(opened))
		}
		var want bytes.Buffer
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err != nil {
			t.Fatal(err)
		}
		if _, stamped := value.(payload); !stamped || value.(payload).Stamp == 0 {
			opened = append([]byte("{"), opened[bytes.IndexByte(opened, ',')+1:]...)
		}
		if !bytes.Equal(opened, bytes.TrimSpace(want.Bytes())) {
			t.Errorf("%s: another text came out", name)
		}
		request, err := envelope.SealRequest("/cards/get", value, "key_1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := envelope.OpenRequest(request.Body, nil, cardseal.WithNowMicros(request.TimestampMicros)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
