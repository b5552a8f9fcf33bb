package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"

	cardseal "github.com/cardseal/cardseal/packages/go"
	"github.com/cardseal/cardseal/packages/go/redisstore"
)

// serve runs the middleware with a handler behind it, until the input ends.
func serve() error {
	envelope, err := cardseal.New(os.Getenv("CARDSEAL_SECRET"))
	if err != nil {
		return err
	}
	var claims cardseal.ReplayStore = &cardseal.MemoryReplayStore{}
	var seen cardseal.WebhookStore = &cardseal.MemoryWebhookStore{}
	if address := os.Getenv("CARDSEAL_REDIS"); address != "" {
		store, err := redisstore.Open(context.Background(), address)
		if err != nil {
			return err
		}
		claims, seen = store, store
	}
	lookup := func(_ context.Context, apiKey string) (*cardseal.Envelope, error) {
		if apiKey == os.Getenv("CARDSEAL_API_KEY") {
			return envelope, nil
		}
		return nil, cardseal.ErrAPIKeyNotFound
	}
	var runs atomic.Int64
	counted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		runs.Add(1)
		handle(w, r)
	})
	sealed, err := cardseal.NewHandler(counted, lookup, claims)
	if err != nil {
		return err
	}
	var events events
	webhooks, err := cardseal.NewWebhookHandler(envelope, seen, events.take)
	if err != nil {
		return err
	}

	routes := http.NewServeMux()
	routes.Handle("/api/", sealed)
	routes.Handle("/webhooks", webhooks)
	routes.HandleFunc("GET /events", events.list)
	routes.HandleFunc("GET /count", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, runs.Load()) })
	routes.HandleFunc("POST /count", func(w http.ResponseWriter, _ *http.Request) { runs.Store(0) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: routes}
	served := make(chan error)
	go func() { served <- server.Serve(listener) }()
	fmt.Printf("{\"url\": \"http://%s\"}\n", listener.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	err = errors.Join(err, server.Close())
	if failure := <-served; !errors.Is(failure, http.ErrServerClosed) {
		err = errors.Join(err, failure)
	}
	return err
}

// handle does what the payload asks for.
func handle(w http.ResponseWriter, r *http.Request) {
	var payload map[string]json.RawMessage
	if err := json.NewDecoder(r.Body).Decode(&payload); err != nil {
		panic(err)
	}
	if payload["raise"] != nil {
		panic("as it was asked to")
	}
	if payload["answer"] != nil {
		var asked struct {
			Status int             `json:"status"`
			Body   json.RawMessage `json:"body"`
		}
		if err := json.Unmarshal(payload["answer"], &asked); err != nil {
			panic(err)
		}
		answer(w, asked.Status, asked.Body)
		return
	}
	delete(payload, "request_timestamp")
	answer(w, http.StatusOK, map[string]any{"seen": payload})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(err)
	}
}

// events are the dedupe keys of the webhooks that were handled.
type events struct {
	lock sync.Mutex
	keys []string
}

func (e *events) take(_ context.Context, webhook *cardseal.Webhook) error {
	var payload struct {
		Refuse bool `json:"refuse"`
	}
	if err := webhook.Payload.Decode(&payload); err != nil {
		return err
	}
	if payload.Refuse {
		return errors.New("refused, as it was asked to")
	}
	e.lock.Lock()
	defer e.lock.Unlock()
	e.keys = append(e.keys, webhook.DedupeKey())
	return nil
}

func (e *events) list(w http.ResponseWriter, _ *http.Request) {
	e.lock.Lock()
	defer e.lock.Unlock()
	answer(w, http.StatusOK, e.keys)
}
