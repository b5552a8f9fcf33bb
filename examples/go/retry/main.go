// Command retry repeats a top-up whose answer is lost: same idempotency key, new timestamp and nonce, charged once.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math/big"

	"github.com/cardseal/cardseal/examples/go/account"
	cardseal "github.com/cardseal/cardseal/packages/go"
)

func main() {
	ctx := context.Background()
	client, err := cardseal.ClientFromEnv(cardseal.WithOnAttempt(onAttempt))
	if err != nil {
		log.Fatal(err)
	}
	impatient, err := cardseal.ClientFromEnv(cardseal.WithOnAttempt(onAttempt), cardseal.WithAttempts(1))
	if err != nil {
		log.Fatal(err)
	}
	cardID, _, err := account.IssueCard(ctx)
	if err != nil {
		log.Fatal(err)
	}
	var order, again account.Order
	topup, key := map[string]string{"card_id": cardID, "amount": "20.00"}, cardseal.WithIdempotencyKey("retry-"+cardID)
	// By itself: the client seals again and sends again, since the call has a key.
	account.LoseAnswer(ctx, "/cards/topup")
	if err := client.Call(ctx, "/cards/topup", topup, &order, key); err != nil {
		log.Fatal(err)
	}

	// By hand, as after a crash: whoever finds the key in their data base calls again with it.
	account.LoseAnswer(ctx, "/cards/topup")
	err = impatient.Call(ctx, "/cards/topup", topup, &again, key)
	var unknown *cardseal.OutcomeUnknownError
	if errors.As(err, &unknown) {
		err = client.Call(ctx, unknown.Path, topup, &again, cardseal.WithIdempotencyKey(unknown.IdempotencyKey))
	}
	if err != nil {
		log.Fatal(err)
	}
	charged := new(big.Rat).Sub(&order.BalanceBefore, &order.BalanceAfter)
	if again.OrderID != order.OrderID || charged.Cmp(big.NewRat(40, 1)) >= 0 {
		log.Fatal("it was charged twice")
	}
	fmt.Println("one order", order.OrderID, "· charged", charged.FloatString(2), "once")
}

func onAttempt(event cardseal.AttemptEvent) {
	status := "no answer"
	if event.Status != 0 {
		status = fmt.Sprint(event.Status)
	}
	fmt.Printf("attempt %d of %s: %s\n", event.Attempt, event.Path, status)
}
