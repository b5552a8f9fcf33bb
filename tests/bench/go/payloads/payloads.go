// Package payloads has what is sealed: the payloads of tests/bench/payloads.json, of exactly the size in their names as JSON
// text.
package payloads

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// Combination is a payload with its size and variant.
type Combination struct {
	Size    Size
	Variant string
	Payload Payload
}

// Name says what a combination is.
func (c Combination) Name() string {
	return fmt.Sprintf("%s %s, %s", c.Size.Name, c.Size.Shape, c.Variant)
}

// Size is a size and a shape.
type Size struct {
	Name  string
	Bytes int
	Shape string
}

// Payload is what is sealed, and opened into: a card with many small objects, or one long string.
type Payload struct {
	RequestTimestamp int64         `json:"request_timestamp,omitempty"`
	CardID           string        `json:"card_id,omitempty"`
	Amount           string        `json:"amount,omitempty"`
	Transactions     []Transaction `json:"transactions,omitempty"`
	Note             string        `json:"note,omitempty"`
	Document         string        `json:"document,omitempty"`
}

// Transaction has every kind of value.
type Transaction struct {
	ID       string  `json:"id"`
	Amount   string  `json:"amount"`
	Currency string  `json:"currency"`
	Merchant string  `json:"merchant"`
	MCC      int     `json:"mcc"`
	Settled  bool    `json:"settled"`
	Fee      float64 `json:"fee"`
	Memo     string  `json:"memo"`
	Reversal *string `json:"reversal"`
}

// At is the same payload with a timestamp.
func (p Payload) At(micros int64) Payload {
	p.RequestTimestamp = micros
	return p
}

// All are all payloads, after a proof that they are those of the other languages, to the byte.
func All() ([]Combination, error) {
	plan, err := readPlan()
	if err != nil {
		return nil, err
	}
	var all []Combination
	digest := sha256.New()
	for _, size := range plan.Sizes {
		for _, variant := range variants {
			payload := plan.payload(size.Shape, size.Bytes, variant)
			all = append(all, Combination{size, variant, payload})
			fmt.Fprintf(digest, "%s\n", text(payload))
		}
	}
	if found := hex.EncodeToString(digest.Sum(nil)); found != plan.SHA256 {
		return nil, fmt.Errorf("the payloads are not those of payloads.json: their digest is %s", found)
	}
	return all, nil
}

// Of is the payload of a shape, a size and a variant.
func Of(shape string, bytes int, variant string) (Payload, error) {
	plan, err := readPlan()
	return plan.payload(shape, bytes, variant), err
}

// plan is tests/bench/payloads.json.
type plan struct {
	Sizes    []Size
	Variants map[string]texts
	SHA256   string
}

// texts are what a variant's payloads are written with.
type texts struct {
	Merchant, Memo, Filler string
}

// variants are in the order of the file, which a map does not keep.
var variants = []string{"ascii", "unicode", "escapes"}

// readPlan reads the file from the module's folder, in which all its programs run.
func readPlan() (plan plan, err error) {
	text, err := os.ReadFile("../payloads.json")
	if err != nil {
		return plan, err
	}
	return plan, json.Unmarshal(text, &plan)
}

func (p plan) payload(shape string, bytes int, variant string) Payload {
	if shape == "blob" {
		return blob(bytes, p.Variants[variant])
	}
	return fields(bytes, p.Variants[variant])
}

// fields is a card and its transactions: as many small objects as fit, with every kind of value.
func fields(bytes int, texts texts) Payload {
	made := Payload{CardID: "card_abc123", Amount: "10.00"}
	room := bytes - length(made) - len(`,"transactions":[],"note":""`)
	for number := 0; ; number++ {
		one := Transaction{
			ID:       fmt.Sprintf("txn_%06d", number),
			Amount:   fmt.Sprintf("%d.%02d", number%997, number%100),
			Currency: "USD",
			Merchant: fmt.Sprintf("%s %d", texts.Merchant, number),
			MCC:      4000 + number%2000,
			Settled:  true,
			Fee:      -0.25,
			Memo:     texts.Memo,
		}
		if room -= length(one) + len(","); room < 0 {
			break
		}
		made.Transactions = append(made.Transactions, one)
	}
	made.Note = filled(bytes-length(made)-len(`,"note":""`), texts)
	return made
}

// blob is one long string.
func blob(bytes int, texts texts) Payload {
	return Payload{Document: filled(bytes-len(`{"document":""}`), texts)}
}

// filled is a text again and again until it takes so many bytes of JSON; what is left over is filled with less.
func filled(bytes int, texts texts) string {
	var value strings.Builder
	for _, part := range []string{texts.Memo, texts.Filler, "x"} {
		one := length(part) - len(`""`)
		value.WriteString(strings.Repeat(part, bytes/one))
		bytes %= one
	}
	return value.String()
}

func length(value any) int {
	return len(text(value))
}

func text(value any) []byte {
	marshalled, err := json.Marshal(value)
	if err != nil {
		panic(err) // the types above have a JSON form
	}
	return marshalled
}
