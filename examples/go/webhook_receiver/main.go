// Command webhook_receiver is a real HTTP server that receives webhooks: subscribed, called, unsubscribed. What opens them,
// drops repeats and answers is in receiver.go.
package main

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/cardseal/cardseal/examples/go/account"
	cardseal "github.com/cardseal/cardseal/packages/go"
)

func main() {
	ctx := context.Background()
	ended, end := context.WithTimeout(ctx, 30*time.Second)
	defer end()
	client, err := cardseal.ClientFromEnv()
	if err != nil {
		log.Fatal(err)
	}
	receiver, err := newReceiver(end)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/webhooks", receiver)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }() // until it is shut down

	var subscription struct {
		ID string `json:"id"`
	}
	url := map[string]string{"url": "http://" + listener.Addr().String() + "/webhooks"}
	if err := client.Call(ctx, "/wh/subscribe", url, &subscription); err != nil {
		log.Fatal(err)
	}
	_, _, failure := account.IssueCard(ctx)
	<-ended.Done() // the card's order has ended, as a webhook says, or the time is up
	if errors.Is(ended.Err(), context.DeadlineExceeded) {
		failure = errors.Join(failure, errors.New("no webhook said that the order has ended"))
	}
	failure = errors.Join(failure, client.Call(ctx, "/wh/unsubscribe", subscription, nil), server.Shutdown(ctx))
	if failure != nil {
		log.Fatal(failure)
	}
}
