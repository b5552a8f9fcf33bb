package main

import (
	"context"

	"github.com/cardseal/cardseal/examples/go/account"
	cardseal "github.com/cardseal/cardseal/packages/go"
)

// balance asks for the balance, once.
func balance(ctx context.Context, url, apiKey, secret string) error {
	client, err := cardseal.NewClient(url, apiKey, secret, cardseal.WithAttempts(1))
	if err != nil {
		return err
	}
	return client.Call(ctx, "/project/balance", nil, nil)
}

// openForeign opens a body that was sealed with another secret.
func openForeign() error {
	foreign, err := cardseal.New("another_secret")
	if err != nil {
		return err
	}
	body, err := foreign.Seal(struct{}{})
	if err != nil {
		return err
	}
	envelope, err := cardseal.New(account.Secret)
	if err != nil {
		return err
	}
	return envelope.Open(body, nil)
}
