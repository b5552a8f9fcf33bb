// Command card_status_change freezes a card, and unfreezes it again; over net/http.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/cardseal/cardseal/examples/go/account"
	cardseal "github.com/cardseal/cardseal/packages/go"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	envelope, err := cardseal.New(account.Secret)
	if err != nil {
		log.Fatal(err)
	}
	transport, err := cardseal.NewTransport(envelope, account.APIKey)
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: transport}
	cardID, userID, err := account.IssueCard(ctx)
	if err != nil {
		log.Fatal(err)
	}

	for _, change := range []struct {
		path   string
		wanted cardseal.CardStatus
	}{{"/cards/freeze", cardseal.CardStatusFrozen}, {"/cards/unfreeze", cardseal.CardStatusActive}} {
		var order account.Order
		payload := map[string]string{"card_id": cardID, "external_user_id": userID}
		if err := account.Post(ctx, client, change.path, nil, payload, &order); err != nil {
			log.Fatal(err)
		}
		for !order.Status.IsTerminal() {
			time.Sleep(100 * time.Millisecond)
			question := map[string]string{"order_id": order.OrderID}
			if err := account.Post(ctx, client, "/orders/check", nil, question, &order); err != nil {
				log.Fatal(err)
			}
		}
		var card account.Card
		if err := account.Post(ctx, client, "/cards/get", nil, map[string]string{"card_id": cardID}, &card); err != nil {
			log.Fatal(err)
		}
		fmt.Println(change.path, "→", card.Status)
		if card.Status != change.wanted {
			log.Fatalf("the card is %s: %s", card.Status, order.LastError)
		}
	}
}
