package cardseal_test

// What README.md shows stands here and runs; TestReadme holds the two together.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

type TopUp struct {
	CardID string `json:"card_id"`
	Amount string `json:"amount"`
}

type Order struct {
	OrderID string               `json:"order_id"`
	Status  cardseal.OrderStatus `json:"status"`
}

func Example() {
	envelope, err := cardseal.New("your_api_secret_key_here")
	if err != nil {
		log.Fatal(err)
	}
	key := cardseal.WithIdempotencyKey("topup-invoice-42")
	request, err := envelope.SealRequest("/cards/topup", TopUp{"card_abc123", "10.00"}, "key_1", key)
	if err != nil {
		log.Fatal(err)
	}
	// POST request.Body to request.Path with request.Headers(), then:
	// err = envelope.OpenResponse(status, body, &order, cardseal.WithRequest(request.Body))
	fmt.Println(request.Path, len(request.Body), "bytes")
	// Output: /api/v1/cards/topup 176 bytes
}

func exampleAPI(envelope *cardseal.Envelope) *httptest.Server {
	orders := &memoryOrders{known: map[[2]string]knownOrder{}}
	return httptest.NewServer(handler(envelope, &cardseal.MemoryReplayStore{}, orders))
}

func ExampleClient() {
	ctx := context.Background()
	envelope, err := cardseal.New("your_api_secret_key_here")
	if err != nil {
		log.Fatal(err)
	}
	api := exampleAPI(envelope)
	defer api.Close()
	baseURL := api.URL

	client, err := cardseal.NewClient(baseURL, "key_1", "your_api_secret_key_here")
	if err != nil {
		log.Fatal(err)
	}
	var order Order
	key := cardseal.WithIdempotencyKey("topup-invoice-42")
	err = client.Call(ctx, "/cards/topup", TopUp{"card_abc123", "10.00"}, &order, key)
	fmt.Println(order.Status, err)
	status, err := client.WaitForOrder(ctx, order.OrderID, &order)
	fmt.Println(status, err)
	// Output:
	// charging card_abc123 10.00
	// new <nil>
	// completed <nil>
}

func ExampleTransport() {
	envelope, err := cardseal.New("your_api_secret_key_here")
	if err != nil {
		log.Fatal(err)
	}
	api := exampleAPI(envelope)
	defer api.Close()
	baseURL := api.URL

	transport, err := cardseal.NewTransport(envelope, "key_1")
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: transport}
	payload := strings.NewReader(`{"order_id": "o-1"}`)
	response, err := client.Post(baseURL+"/api/v1/orders/check", "application/json", payload)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d %s %v\n", response.StatusCode, text, cardseal.APIErrorOf(response))
	// Output: 200 {"order_id":"o-1","status":"completed"} <nil>
}

// topUp charges a card once, however often it has to try.
func topUp(ctx context.Context, envelope *cardseal.Envelope, baseURL, apiKey string, payload TopUp, invoice string) (Order, error) {
	key, err := cardseal.DeriveIdempotencyKey("topup", invoice) // the same for every attempt, and after a restart
	if err != nil {
		return Order{}, err
	}
	for attempt := 1; ; attempt++ {
		order, failed := topUpOnce(ctx, envelope, baseURL, apiKey, payload, key)
		if failed == nil {
			return order, nil
		}
		class, code := cardseal.FailureTransient, "" // no answer at all
		var envelopeError *cardseal.Error
		var apiError *cardseal.APIError
		if errors.As(failed, &apiError) {
			class, code = apiError.FailureClass, apiError.Code
		} else if errors.As(failed, &envelopeError) {
			class, code = envelopeError.FailureClass(), string(envelopeError.Code)
		}
		decision := cardseal.ShouldRetry(cardseal.Attempt{
			Kind: cardseal.EndpointKeyed, Class: class, Code: code, Sent: cardseal.SentUnknown, HasKey: true, Number: attempt,
		})
		switch {
		case decision == cardseal.RetryNow:
		case decision == cardseal.RetryAfterBackoff && attempt < 5:
			select {
			case <-time.After(time.Duration(attempt*attempt) * 100 * time.Millisecond):
			case <-ctx.Done():
				return Order{}, ctx.Err()
			}
		default: // after RetryOutcomeUnknown, ask /orders/check before paying again
			return Order{}, failed
		}
	}
}

// client follows no redirect: net/http would send the API key along, to whatever host it names.
var client = &http.Client{
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func topUpOnce(ctx context.Context, envelope *cardseal.Envelope, baseURL, apiKey string, payload TopUp, key string) (order Order, err error) {
	// Sealed here, for this one attempt: the same bytes sent twice are a duplicate.
	sealed, err := envelope.SealRequest("/cards/topup", payload, apiKey, cardseal.WithIdempotencyKey(key))
	if err != nil {
		return order, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, baseURL+sealed.Path, strings.NewReader(string(sealed.Body)))
	if err != nil {
		return order, err
	}
	request.GetBody = nil // else net/http sends the same bytes again, on its own
	for _, header := range sealed.Headers() {
		request.Header.Set(header.Name, header.Value)
	}
	response, err := client.Do(request)
	if err != nil {
		return order, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, envelope.MaxBytes()+1))
	if err != nil {
		return order, err
	}
	err = envelope.OpenResponse(response.StatusCode, body, &order, cardseal.WithRequest(sealed.Body))
	return order, err
}

// Orders tops cards up, once for each API key and idempotency key: the charge, the order, the key and the fingerprint are
// one transaction. A key that is known gives its order as it is now, or with another fingerprint isSame is false, and
// nothing is charged.
type Orders interface {
	TopUp(ctx context.Context, apiKey, key, fingerprint string, payload TopUp) (order Order, isSame bool, err error)
}

// topUps stands behind cardseal.NewHandler: what it reads and writes is plain JSON, of API keys that are known.
func topUps(orders Orders) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		request := cardseal.RequestOf(r)
		var payload TopUp
		fingerprint, err := cardseal.Fingerprint(r.URL.Path, request.Payload.Bytes())
		if err != nil || request.Payload.Decode(&payload) != nil {
			answer(w, http.StatusBadRequest, failure{Slug: "invalid_request"})
			return
		}
		// Each attempt of a client is a new envelope: only the idempotency key says that it is the same charge.
		apiKey, key := r.Header.Get(cardseal.HeaderAPIKey), r.Header.Get(cardseal.HeaderIdempotencyKey)
		order, isSame, err := orders.TopUp(r.Context(), apiKey, key, fingerprint, payload)
		switch {
		case err != nil:
			answer(w, http.StatusInternalServerError, failure{Slug: "internal_error"})
		case !isSame: // the key of another request
			answer(w, http.StatusBadRequest, failure{Slug: "invalid_request"})
		default:
			answer(w, http.StatusOK, order)
		}
	}
}

// failure is an error as the API has it.
type failure struct {
	Success bool   `json:"success"`
	Slug    string `json:"error_slug"`
}

func answer(w http.ResponseWriter, status int, payload any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(payload)
}

// handler serves top-ups, and says that all orders are completed.
func handler(envelope *cardseal.Envelope, store cardseal.ReplayStore, orders Orders) http.Handler {
	api := http.NewServeMux()
	api.Handle("/api/v1/cards/topup", topUps(orders))
	api.HandleFunc("/api/v1/orders/check", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, Order{"o-1", cardseal.OrderStatusCompleted})
	})

	lookup := func(_ context.Context, apiKey string) (*cardseal.Envelope, error) {
		if apiKey == "key_1" {
			return envelope, nil
		}
		return nil, cardseal.ErrAPIKeyNotFound
	}
	sealed, err := cardseal.NewHandler(api, lookup, store)
	if err != nil {
		log.Fatal(err)
	}
	return sealed
}

// memoryOrders keeps orders as long as the process runs, where a service has a database.
type memoryOrders struct {
	lock  sync.Mutex
	known map[[2]string]knownOrder // by API key and idempotency key
}

type knownOrder struct {
	fingerprint string
	order       Order
}

func (m *memoryOrders) TopUp(_ context.Context, apiKey, key, fingerprint string, payload TopUp) (Order, bool, error) {
	m.lock.Lock()
	defer m.lock.Unlock()
	if known, isKnown := m.known[[2]string{apiKey, key}]; isKnown {
		return known.order, known.fingerprint == fingerprint, nil
	}
	fmt.Println("charging", payload.CardID, payload.Amount)
	order := Order{OrderID: fmt.Sprint("o-", len(m.known)+1), Status: cardseal.OrderStatusNew}
	m.known[[2]string{apiKey, key}] = knownOrder{fingerprint, order}
	return order, true, nil
}

// A client and a server, over HTTP. A top-up that is asked for again charges nothing.
func Example_clientAndServer() {
	envelope, err := cardseal.New("your_api_secret_key_here")
	if err != nil {
		log.Fatal(err)
	}
	orders := &memoryOrders{known: map[[2]string]knownOrder{}}
	server := httptest.NewServer(handler(envelope, &cardseal.MemoryReplayStore{}, orders))
	defer server.Close()

	for range 2 {
		order, err := topUp(context.Background(), envelope, server.URL, "key_1", TopUp{"card_abc123", "10.00"}, "invoice-42")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(order.OrderID, order.Status, order.Status.CanBecome(cardseal.OrderStatusCompleted), order.Status.IsTerminal())
	}
	// Output:
	// charging card_abc123 10.00
	// o-1 new false false
	// o-1 new false false
}

func ExampleIdempotencyStore() {
	ctx, records := context.Background(), &cardseal.MemoryIdempotencyStore{}
	const key = "payout-42"
	payOut := func() []byte {
		fmt.Println("paying out")
		return []byte(`{"payout_id":"p-1"}`)
	}
	for _, amount := range []string{"10.00", "10.00", "99.00"} {
		fingerprint, err := cardseal.Fingerprint("/payouts/create", []byte(`{"amount":"`+amount+`"}`))
		if err != nil {
			log.Fatal(err)
		}

		status, body := http.StatusServiceUnavailable, []byte(`{"success":false,"error_slug":"internal_error"}`)
		begun, err := records.Begin(ctx, "key_1", key, fingerprint, cardseal.IdempotencyLease)
		switch begun.State { // none after an error
		case cardseal.BegunNew:
			status, body = http.StatusOK, payOut()
			_, err = records.Complete(context.WithoutCancel(ctx), begun.Token, status, body)
		case cardseal.BegunReplay:
			status, body = begun.Answer.Status(), begun.Answer.Body()
		case cardseal.BegunConflict: // the key of another request
			status, body = http.StatusBadRequest, []byte(`{"success":false,"error_slug":"invalid_request"}`)
		} // else it is in progress, or its outcome unknown: it comes again

		fmt.Println(status, string(body), err)
	}
	// Output:
	// paying out
	// 200 {"payout_id":"p-1"} <nil>
	// 200 {"payout_id":"p-1"} <nil>
	// 400 {"success":false,"error_slug":"invalid_request"} <nil>
}

func ExampleNewWebhookHandler() {
	envelope, err := cardseal.New("your_api_secret_key_here")
	if err != nil {
		log.Fatal(err)
	}
	seen := &cardseal.MemoryWebhookStore{}

	activated := func(_ context.Context, webhook *cardseal.Webhook) error {
		kind, _ := webhook.Type()
		fmt.Println(kind, webhook.DedupeKey())
		return nil // after an error it comes again
	}
	webhooks, err := cardseal.NewWebhookHandler(envelope, seen, activated)
	if err != nil {
		log.Fatal(err)
	}
	body, err := envelope.SealWebhook(`{"type": "card.activated", "delivery_id": "dlv_1", "card_id": "card_abc123"}`)
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		w := httptest.NewRecorder()
		webhooks.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/webhooks", bytes.NewReader(body)))
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// card.activated id:dlv_1
	// 200 {"success":true}
	// 200 {"success":true}
}

func ExampleWithOpenSecrets() {
	old, err := cardseal.New("secret_of_last_year")
	if err != nil {
		log.Fatal(err)
	}
	body, err := old.Seal(TopUp{"card_abc123", "10.00"})
	if err != nil {
		log.Fatal(err)
	}

	// Seals with the first secret, opens with both.
	envelope, err := cardseal.New("your_api_secret_key_here", cardseal.WithOpenSecrets("secret_of_last_year"))
	if err != nil {
		log.Fatal(err)
	}
	request, err := envelope.OpenRequest(body, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("sealed with secret number", request.KeyIndex)
	// Output: sealed with secret number 1
}

func ExampleError() {
	envelope, err := cardseal.New("your_api_secret_key_here")
	if err != nil {
		log.Fatal(err)
	}
	err = envelope.OpenResponse(400, []byte(`{"error": "Duplicate request detected"}`), nil)
	var apiError *cardseal.APIError
	if errors.As(err, &apiError) { // the API said no
		fmt.Println(apiError.Code, apiError.FailureClass, apiError.Encrypted)
	}
	err = envelope.OpenResponse(200, []byte(`<html>`), nil)
	var envelopeError *cardseal.Error
	if errors.As(err, &envelopeError) { // the answer cannot be believed
		fmt.Println(envelopeError.Code == cardseal.ErrInvalidJSON, envelopeError.FailureClass())
	}
	fmt.Println(errors.Is(err, cardseal.ErrInvalidJSON))
	// Output:
	// duplicate_request reseal false
	// true transient
	// true
}

func ExampleEnvelope_Seal() {
	envelope, err := cardseal.New("your_api_secret_key_here")
	if err != nil {
		log.Fatal(err)
	}
	// A request_timestamp that is there stays; without one it is added. JSON text is sealed as it is written.
	body, err := envelope.Seal(`{"request_timestamp": 1700000000000000, "card_id": "card_abc123"}`)
	if err != nil {
		log.Fatal(err)
	}
	var text json.RawMessage
	if err := envelope.Open(body, &text); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", text)
	// Output: {"request_timestamp": 1700000000000000, "card_id": "card_abc123"}
}

func ExampleShouldRetry() {
	timedOut := cardseal.Attempt{Kind: cardseal.EndpointKeyed, Class: cardseal.FailureTransient, Sent: cardseal.SentUnknown, HasKey: true, Number: 1}
	fmt.Println(cardseal.ShouldRetry(timedOut))
	timedOut.Kind = cardseal.EndpointUnsafe
	fmt.Println(cardseal.ShouldRetry(timedOut))
	// Output:
	// retry_after_backoff
	// outcome_unknown
}

func ExampleFingerprint() {
	fingerprint, err := cardseal.Fingerprint("/cards/topup", []byte(`{"request_timestamp":1700000000000000, "card_id":"card_abc123", "amount":"10.00"}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(fingerprint)
	// Output: 60183478c2f5434cb46989bee0603eb79cce982e2aff6af4bbf81c033aa4d6a7
}

func ExampleNormalizePath() {
	path, err := cardseal.NormalizePath("https://api.example.com/api/v1/cards/get/?page=2")
	fmt.Println(path, err)
	_, err = cardseal.NormalizePath("/cards/../get")
	fmt.Println(err)
	// Output:
	// /api/v1/cards/get <nil>
	// the path `/cards/../get` has a dot segment: use one like `/cards/get` (invalid_path)
}
