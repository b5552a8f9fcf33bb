// Command key_rotation replaces a secret without an interruption: old bodies open as long as the old secret is there, new
// ones are sealed anew.
package main

import (
	"errors"
	"fmt"
	"log"

	"github.com/cardseal/cardseal/examples/go/account"
	cardseal "github.com/cardseal/cardseal/packages/go"
)

const newSecret = "the_secret_that_comes_next"

type payload struct {
	CardID string `json:"card_id"`
}

func main() {
	before, failedBefore := cardseal.New(account.Secret)
	after, failedAfter := cardseal.New(newSecret)
	// 1. Wherever bodies are opened, the new secret comes first, and the old one stays for opening.
	rotating, failedRotating := cardseal.New(newSecret, cardseal.WithOpenSecrets(account.Secret))
	if err := errors.Join(failedBefore, failedAfter, failedRotating); err != nil {
		log.Fatal(err)
	}
	oldBody, err := before.Seal(payload{"card_abc123"})
	if err != nil {
		log.Fatal(err)
	}
	newBody, err := rotating.Seal(payload{"card_abc123"})
	if err != nil {
		log.Fatal(err)
	}

	// 2. Both kinds of bodies open. KeyIndex says which secret a body has: 0 is the new one.
	var opened payload
	for _, body := range [][]byte{oldBody, newBody} {
		request, err := rotating.OpenRequest(body, &opened)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("opened with secret", request.KeyIndex, "·", opened.CardID)
	}
	if err := after.Open(newBody, &opened); err != nil {
		log.Fatal(err)
	}
	fmt.Println("what it seals opens with the new secret alone:", opened.CardID)

	// 3. When no old body has come for long enough, the old secret goes.
	if err := after.Open(oldBody, &opened); !errors.Is(err, cardseal.ErrDecryptionFailed) {
		log.Fatal("the old body should not open any more: ", err)
	}
	fmt.Println("the old secret is gone:", string(cardseal.ErrDecryptionFailed))
}
