//go:build !race

package cardseal_test

import (
	"encoding/json"
	"testing"
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
	decoding := testing.AllocsPerRun(200, func() { var target topup; _ = json.Unmarshal(opened, &target) })
	for name, check := range map[string]struct {
		most float64
		run  func() error
	}{
		"seal a struct":    {2, func() error { _, err := envelope.Seal(payload); return err }},
		"seal a pointer":   {1, func() error { _, err := envelope.Seal(&payload); return err }},
		"seal text":        {2, func() error { _, err := envelope.Seal(json.RawMessage(text)); return err }},
		"seal bytes":       {2, func() error { _, err := envelope.Seal(text); return err }},
		"seal an answer":   {2, func() error { _, err := envelope.SealResponse(payload); return err }},
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
