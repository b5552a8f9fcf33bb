// Command example seals the payload of the API's documentation and opens it again. It runs in the module's folder:
// `cd packages/go && go run ../../examples/go/main.go`.
package main

import (
	"encoding/json"
	"fmt"
	"log"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

type payload struct {
	RequestTimestamp int64  `json:"request_timestamp"`
	CardID           string `json:"card_id"`
}

func main() {
	envelope, err := cardseal.New("your_api_secret_key_here")
	if err != nil {
		log.Fatal(err)
	}
	body, err := envelope.Seal(payload{1700000000000000, "card_abc123"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("sealed: %s\n", body)

	var text json.RawMessage
	if err := envelope.Open(body, &text); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("opened: %s\n", text)
}
