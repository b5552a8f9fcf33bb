package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"

	"github.com/cardseal/cardseal/examples/go/account"
	cardseal "github.com/cardseal/cardseal/packages/go"
)

// event is what is read of a webhook: one of the two, the other stays empty.
type event struct {
	Order account.Order `json:"order"`
	Card  struct {
		CardID string `json:"card_id"`
	} `json:"card"`
}

// newReceiver opens webhooks, drops repeats and answers. It calls onCompleted when an order has ended well.
func newReceiver(onCompleted func()) (http.Handler, error) {
	envelope, err := cardseal.New(account.Secret)
	if err != nil {
		return nil, err
	}
	// Called once for each event, though the sender may deliver it more often. If it fails, the sender comes again.
	onWebhook := func(_ context.Context, webhook *cardseal.Webhook) error {
		var event event
		if err := webhook.Payload.Decode(&event); err != nil {
			return err
		}
		name, _ := webhook.Type()
		fmt.Println("webhook", name, "·", cmp.Or(event.Order.CardID, event.Card.CardID))
		if name == "order.status_changed" && event.Order.Status == cardseal.OrderStatusCompleted {
			onCompleted()
		}
		return nil
	}
	return cardseal.NewWebhookHandler(envelope, &cardseal.MemoryWebhookStore{}, onWebhook)
}
