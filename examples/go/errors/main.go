// Command errors meets each kind of error: what the code says, and whether it is worth trying again.
package main

import (
	"context"
	"log"

	"github.com/cardseal/cardseal/examples/go/account"
	cardseal "github.com/cardseal/cardseal/packages/go"
)

func main() {
	ctx := context.Background()
	cardID, userID, err := account.IssueCard(ctx)
	if err != nil {
		log.Fatal(err)
	}
	client, err := cardseal.NewClient(account.URL, account.APIKey, account.Secret, cardseal.WithAttempts(1))
	if err != nil {
		log.Fatal(err)
	}
	unknown, topup := map[string]string{"card_id": "card_0"}, map[string]string{"card_id": cardID, "amount": "9999999.00"}
	card := map[string]string{"card_id": cardID, "external_user_id": userID}

	show("an unknown card", client.Call(ctx, "/cards/get", unknown, nil))
	show("too much", client.Call(ctx, "/cards/topup", topup, nil, cardseal.WithIdempotencyKey("much-"+cardID)))
	show("no idempotency key", client.Call(ctx, "/cards/topup", topup, nil))
	show("an unknown API key", balance(ctx, account.URL, "key_of_nobody", account.Secret))
	show("another secret", balance(ctx, account.URL, account.APIKey, "the_secret_of_another_key"))
	show("a body of somebody else", openForeign())
	show("nobody listens", balance(ctx, "http://127.0.0.1:1", account.APIKey, account.Secret))

	busy := map[string]any{"kind": "status", "status": 503, "when": "before", "path": "/cards/get", "count": 1}
	if account.AskSandbox(ctx, "/control/faults", busy) {
		show("a busy server", client.Call(ctx, "/cards/get", card, nil))
	}
	if account.LoseAnswer(ctx, "/cards/freeze") {
		show("an answer that is lost", client.Call(ctx, "/cards/freeze", card, nil))
	}
}
