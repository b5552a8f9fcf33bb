// Command card_topup tops up a card once, whatever happens on the way; over net/http.
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
	cardID, _, err := account.IssueCard(ctx)
	if err != nil {
		log.Fatal(err)
	}
	key, err := cardseal.DeriveIdempotencyKey("card-topup", "invoice 42 of "+cardID)
	if err != nil {
		log.Fatal(err)
	}
	var order account.Order
	header := http.Header{cardseal.HeaderIdempotencyKey: {key}}
	payload := map[string]string{"card_id": cardID, "amount": "20.00"}
	if err := account.Post(ctx, client, "/cards/topup", header, payload, &order); err != nil {
		log.Fatal(err)
	}
	for !order.Status.IsTerminal() {
		time.Sleep(100 * time.Millisecond)
		question := map[string]string{"order_id": order.OrderID}
		if err := account.Post(ctx, client, "/orders/check", nil, question, &order); err != nil {
			log.Fatal(err)
		}
	}
	if order.Status != cardseal.OrderStatusCompleted {
		log.Fatal("the top-up failed, and what it cost is given back: ", order.LastError)
	}

	var card account.Card
	if err := account.Post(ctx, client, "/cards/get", nil, map[string]string{"card_id": cardID}, &card); err != nil {
		log.Fatal(err)
	}
	fmt.Println("wallet", order.BalanceBefore.FloatString(2), "→", order.BalanceAfter.FloatString(2))
	fmt.Println("card  ", card.Balance, card.Currency)
}
