// Command cardholder_creation creates a user and a cardholder, so that cards can be issued; over net/http.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log"
	"net/http"
	"slices"

	"github.com/cardseal/cardseal/examples/go/account"
	cardseal "github.com/cardseal/cardseal/packages/go"
)

func main() {
	ctx := context.Background()
	envelope, err := cardseal.New(account.Secret)
	if err != nil {
		log.Fatal(err)
	}
	transport, err := cardseal.NewTransport(envelope, account.APIKey)
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: transport}

	var user account.User
	name := map[string]string{"external_user_id": "user-" + rand.Text()}
	if err := account.Post(ctx, client, "/users/create", nil, name, &user); err != nil {
		log.Fatal(err)
	}
	fmt.Println("user       ", user.ExternalUserID)

	var list account.Products
	if err := account.Post(ctx, client, "/cards/products", nil, struct{}{}, &list); err != nil {
		log.Fatal(err)
	}
	active := slices.IndexFunc(list.Products, func(product account.Product) bool { return product.IsActive })
	if active < 0 {
		log.Fatal("no product is active")
	}
	product := list.Products[active]
	fmt.Println("product    ", product.Code, "issued by", product.SubproviderCode)

	var cardholder account.Cardholder
	if err := account.Post(ctx, client, "/cardholders/create", nil, map[string]string{
		"external_user_id": user.ExternalUserID, "subprovider_code": product.SubproviderCode, "first_name": "Ada",
		"last_name": "Lovelace", "birth_date": "1990-12-10", "email": "ada@example.com",
		"phone_number_full": "+4915112345678", "country_iso": "DE",
	}, &cardholder); err != nil {
		log.Fatal(err)
	}
	fmt.Println("cardholder ", cardholder.ID, cardholder.RegistrationStatus)
	fmt.Println("KYC        ", cardholder.KycStatus, "at level", cardholder.KycLevel)
	if cardholder.KycStatus != cardseal.CardholderKycStatusApproved {
		log.Fatal("no card can be issued before the KYC is approved: ask again later")
	}
}
