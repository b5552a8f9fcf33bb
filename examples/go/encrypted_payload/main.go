// Command encrypted_payload encrypts the payload of the API's own example and decrypts it again. It needs the package alone.
//
// Run it with `go run ./encrypted_payload` in examples/go.
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log"
	"os"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

type payload struct {
	RequestTimestamp int64  `json:"request_timestamp,omitempty"` // microseconds since 1970
	CardID           string `json:"card_id"`
}

func main() {
	envelope, err := cardseal.New(cmp.Or(os.Getenv("CARDSEAL_SECRET"), "your_api_secret_key_here"))
	if err != nil {
		log.Fatal(err)
	}

	// As the document does it: text in, the field out, and back.
	text, err := json.Marshal(payload{1700000000000000, "card_abc123"})
	if err != nil {
		log.Fatal(err)
	}
	field, err := envelope.Encrypt(text)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("field  ", field)
	message, err := envelope.Decrypt(field)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("payload %s\n", message)

	// The same in one step each: the whole HTTP body, with a timestamp of now unless there is one.
	body, err := envelope.Seal(payload{CardID: "card_abc123"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("body    %s\n", body)
	var opened payload
	if err := envelope.Open(body, &opened); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("payload %+v\n", opened)
}
