package main

import (
	"encoding/json"
	"strings"
)

// card is a payload with every kind of value, some text beyond ASCII and some that needs escapes.
type card struct {
	RequestTimestamp int64         `json:"request_timestamp,omitempty"`
	CardID           string        `json:"card_id"`
	Holder           string        `json:"holder"`
	Amount           string        `json:"amount"`
	IsActive         bool          `json:"is_active"`
	Limit            *int64        `json:"limit"`
	Note             string        `json:"note"`
	Transactions     []transaction `json:"transactions"`
}

type transaction struct {
	ID       string  `json:"id"`
	Merchant string  `json:"merchant"`
	Amount   string  `json:"amount"`
	Fee      float64 `json:"fee"`
	Settled  bool    `json:"settled"`
}

// application is a documented request, the creation of a cardholder: a flat object of short strings.
type application struct {
	RequestTimestamp int64  `json:"request_timestamp,omitempty"`
	ExternalUserID   string `json:"external_user_id"`
	SubproviderCode  string `json:"subprovider_code"`
	FirstName        string `json:"first_name"`
	LastName         string `json:"last_name"`
	BirthDate        string `json:"birth_date"`
	Email            string `json:"email"`
	Phone            string `json:"phone_number_full"`
	Country          string `json:"country_iso"`
}

// form is an application whose JSON text has exactly size bytes.
func form(size int) application {
	payload := application{
		RequestTimestamp: stampMicros,
		SubproviderCode:  "visa_eu",
		FirstName:        "Zoë",
		LastName:         "Kühn",
		BirthDate:        "1990-04-17",
		Email:            "zoe.kuehn@example.com",
		Phone:            "+4915112345678",
		Country:          "DE",
	}
	payload.ExternalUserID = strings.Repeat("u", size-length(payload))
	return payload
}

// payload is what both candidates seal, and open into.
type payload[P any] interface {
	// stamp is its timestamp in microseconds, 0 for none.
	stamp() int64
	// at is the same payload with another one.
	at(micros int64) P
}

func (a application) stamp() int64 { return a.RequestTimestamp }
func (c card) stamp() int64        { return c.RequestTimestamp }

func (a application) at(micros int64) application { a.RequestTimestamp = micros; return a }
func (c card) at(micros int64) card               { c.RequestTimestamp = micros; return c }

// fields is a card with as many small objects as fit into a JSON text of exactly size bytes.
func fields(size int) card {
	payload := emptyCard()
	one := transaction{ID: "txn_000001", Merchant: `Café "Zur Post"`, Amount: "12.50", Fee: 0.25, Settled: true}
	for count := (size - length(payload)) / (length(one) + len(",")); count > 0; count-- {
		payload.Transactions = append(payload.Transactions, one)
	}
	return padded(payload, size)
}

// blob is a card that is nearly all one long string.
func blob(size int) card {
	return padded(emptyCard(), size)
}

func emptyCard() card {
	return card{
		RequestTimestamp: stampMicros,
		CardID:           "card_abc123",
		Holder:           "Zoë Kühn",
		Amount:           "10.00",
		IsActive:         true,
		Transactions:     []transaction{},
	}
}

func padded(payload card, size int) card {
	payload.Note = strings.Repeat("n", size-length(payload))
	return payload
}

func length(value any) int {
	return len(mustMarshal(value))
}

func mustMarshal(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // the types above have a JSON form
	}
	return text
}

// stampMicros is the stamp of all payloads, and the server's clock for those that open them.
const stampMicros = 1_700_000_000_000_000
