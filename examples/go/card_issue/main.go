// Command card_issue orders a card, and polls the order by the status models until it has ended; over net/http.
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
	userID, err := account.CreateCardholder(ctx)
	if err != nil {
		log.Fatal(err)
	}
	// The key is made of what is ordered, so that it is the same however often this runs, also after a crash.
	key, err := cardseal.DeriveIdempotencyKey("card-issue", userID)
	if err != nil {
		log.Fatal(err)
	}
	var order account.Order
	header := http.Header{cardseal.HeaderIdempotencyKey: {key}}
	payload := map[string]string{"product_code": "virtual_usd", "external_user_id": userID, "amount": "10.00"}
	if err := account.Post(ctx, client, "/cards/create", header, payload, &order); err != nil {
		log.Fatal(err)
	}
	for !order.Status.IsTerminal() {
		fmt.Println("order", order.Status, "·", order.IssueStatus)
		time.Sleep(100 * time.Millisecond)
		question := map[string]string{"order_id": order.OrderID}
		if err := account.Post(ctx, client, "/orders/check", nil, question, &order); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("order", order.Status, "·", order.IssueStatus)
	if order.Status != cardseal.OrderStatusCompleted {
		log.Fatal("the card was not issued: ", order.LastError)
	}

	var card account.Card
	if err := account.Post(ctx, client, "/cards/get", nil, map[string]string{"card_id": order.CardID}, &card); err != nil {
		log.Fatal(err)
	}
	fmt.Println("card ", card.MaskedNumber, card.Status, card.Balance, card.Currency)
}
