package main

import (
	"cmp"
	"errors"
	"fmt"
	"log"
	"net"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

// show has every error of the package in one place: the order of these cases serves an integration as well.
func show(title string, err error) {
	var unknown *cardseal.OutcomeUnknownError
	var apiError *cardseal.APIError
	var refusal *cardseal.Error
	var unsent *net.OpError
	switch {
	case err == nil:
		log.Fatalf("%s: no error", title)
	case errors.As(err, &unknown): // it may have been done: ask the API, or call again with the same key
		fmt.Printf("%-24s outcome unknown · key %q, attempts %d\n", title, unknown.IdempotencyKey, unknown.Attempts)
	case errors.As(err, &apiError): // the API has said no: sealed with a slug, or plain before it opened the request
		code := cmp.Or(apiError.Code, "no code")
		fmt.Printf("%-24s %s · status %d, %s\n", title, code, apiError.Status, apiError.FailureClass)
	case errors.As(err, &refusal): // refused before it was sent, or an answer that cannot be believed
		fmt.Printf("%-24s %s · %s\n", title, string(refusal.Code), refusal.Message)
	case errors.As(err, &unsent) && unsent.Op == "dial": // nobody answered, and nothing was sent
		fmt.Printf("%-24s %v · nothing was sent\n", title, unsent.Err)
	default: // a call that only reads broke off: it can be made again
		log.Fatalf("%s: %v", title, err)
	}
}
