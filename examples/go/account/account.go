// Package account is what the other examples start from: the account in the environment, and a card of it.
package account

import (
	"context"
	"crypto/rand"
	"errors"
	"log"
	"os"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

// Where the API is, and who calls it.
var URL, APIKey, Secret = variable("CARDSEAL_URL"), variable("CARDSEAL_API_KEY"), variable("CARDSEAL_SECRET")

func variable(name string) string {
	value := os.Getenv(name)
	if value == "" {
		log.Fatalf("the environment variable %s is not set: `cardseal sandbox` prints those that the examples need", name)
	}
	return value
}

// CreateCardholder creates a user with a cardholder, and gives the user's id.
func CreateCardholder(ctx context.Context) (userID string, err error) {
	client, err := cardseal.ClientFromEnv()
	if err != nil {
		return "", err
	}
	userID = "user-" + rand.Text()
	if err := client.Call(ctx, "/users/create", map[string]string{"external_user_id": userID}, nil); err != nil {
		return "", err
	}
	return userID, client.Call(ctx, "/cardholders/create", map[string]string{
		"external_user_id": userID, "subprovider_code": "sandbox", "first_name": "Ada", "last_name": "Lovelace",
		"birth_date": "1990-12-10", "country_iso": "DE", "email": "ada@example.com", "phone_number_full": "+4915112345678",
	}, nil)
}

// IssueCard issues an active card, and gives its id and its user's.
func IssueCard(ctx context.Context) (cardID, userID string, err error) {
	client, err := cardseal.ClientFromEnv()
	if err != nil {
		return "", "", err
	}
	if userID, err = CreateCardholder(ctx); err != nil {
		return "", "", err
	}
	var order Order
	payload := map[string]string{"product_code": "virtual_usd", "external_user_id": userID, "amount": "10.00"}
	if err := client.Call(ctx, "/cards/create", payload, &order, cardseal.WithIdempotencyKey("issue-"+userID)); err != nil {
		return "", "", err
	}
	status, err := client.WaitForOrder(ctx, order.OrderID, &order)
	if err == nil && status != cardseal.OrderStatusCompleted {
		err = errors.New("the card was not issued: " + order.LastError)
	}
	return order.CardID, userID, err
}
