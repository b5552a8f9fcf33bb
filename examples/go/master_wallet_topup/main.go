// Command master_wallet_topup shows the master wallet: where to send USDT to, and waiting until it has arrived.
package main

import (
	"context"
	"fmt"
	"log"
	"math/big"
	"time"

	"github.com/cardseal/cardseal/examples/go/account"
	cardseal "github.com/cardseal/cardseal/packages/go"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	client, err := cardseal.ClientFromEnv()
	if err != nil {
		log.Fatal(err)
	}
	var wallet struct {
		Address string `json:"usdt_trc20"`
	}
	if err := client.Call(ctx, "/project/wallet/trc20", nil, &wallet); err != nil {
		log.Fatal(err)
	}
	before, err := available(ctx, client)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("balance", before.FloatString(2), "· send USDT (TRC-20) to", wallet.Address)

	// Here somebody sends it. The sandbox has no chain to wait for, and is told instead.
	if !account.AskSandbox(ctx, "/control/fund", map[string]any{"amount": "250.00"}) {
		fmt.Println("waiting for a transfer …")
	}

	balance := before
	for balance.Cmp(before) <= 0 {
		time.Sleep(time.Second)
		if balance, err = available(ctx, client); err != nil {
			log.Fatal("nothing has arrived: ", err)
		}
	}
	fmt.Println("arrived", new(big.Rat).Sub(balance, before).FloatString(2), "· balance", balance.FloatString(2))
}

// available is the balance: a decimal string, which float64 would round.
func available(ctx context.Context, client *cardseal.Client) (*big.Rat, error) {
	var answer struct {
		Available big.Rat `json:"available"`
	}
	if err := client.Call(ctx, "/project/balance", nil, &answer); err != nil {
		return nil, err
	}
	return &answer.Available, nil
}
