package cardseal_test

// What README.md shows stands here and runs; TestReadme holds the two together.

import (
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

// exampleAPI serves top-ups, and says that all orders are completed.
func exampleAPI(envelope *cardseal.Envelope) *httptest.Server {
	api := http.NewServeMux()
	orders := &memoryOrders{known: map[[2]string]knownOrder{}}
	api.Handle("/api/v1/cards/topup", handler(envelope, &cardseal.MemoryReplayStore{}, orders))
	api.HandleFunc("/api/v1/orders/check", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, envelope, http.StatusOK, Order{"o-1", cardseal.OrderStatusCompleted})
	})
	return httptest.NewServer(api)
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

// handler answers sealed top-ups of API keys that were authenticated before.
func handler(envelope *cardseal.Envelope, store cardseal.ReplayStore, orders Orders) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, envelope.MaxBytes()))
		if err != nil {
			status := http.StatusBadRequest // it broke off
			var tooLarge *http.MaxBytesError
			if errors.As(err, &tooLarge) {
				status = http.StatusRequestEntityTooLarge
			}
			http.Error(w, http.StatusText(status), status)
			return
		}
		var payload TopUp
		request, err := envelope.OpenRequest(body, &payload)
		if err != nil {
			refuse(w, err)
			return
		}
		apiKey, key := r.Header.Get(cardseal.HeaderAPIKey), r.Header.Get(cardseal.HeaderIdempotencyKey)
		keys, err := request.ReplayKeys(apiKey, r.URL.Path)
		if err == nil {
			err = cardseal.ClaimRequest(r.Context(), store, keys)
		}
		if err != nil {
			refuse(w, err)
			return
		}
		// Each attempt of a client is a new envelope: only the idempotency key says that it is the same charge.
		if key == "" {
			answer(w, envelope, http.StatusBadRequest, failure{Slug: "idempotency_key_required"})
			return
		}
		fingerprint, err := cardseal.Fingerprint(r.URL.Path, request.Payload.Bytes())
		if err != nil || cardseal.CheckIdempotencyKey(key) != nil {
			answer(w, envelope, http.StatusBadRequest, failure{Slug: "invalid_request"})
			return
		}
		order, isSame, err := orders.TopUp(r.Context(), apiKey, key, fingerprint, payload)
		switch {
		case err != nil:
			answer(w, envelope, http.StatusInternalServerError, failure{Slug: "internal_error"})
		case !isSame: // the key of another request
			answer(w, envelope, http.StatusBadRequest, failure{Slug: "invalid_request"})
		default:
			answer(w, envelope, http.StatusOK, order)
		}
	}
}

// failure is an error that is sealed, so that the client can believe it.
type failure struct {
	Success bool   `json:"success"`
	Slug    string `json:"error_slug"`
}

func answer(w http.ResponseWriter, envelope *cardseal.Envelope, status int, payload any) {
	body, err := envelope.SealResponse(payload)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// refuse answers in plain text, as the protocol has it.
func refuse(w http.ResponseWriter, err error) {
	status, text := http.StatusInternalServerError, ""
	var code cardseal.Code
	if errors.As(err, &code) {
		if known, answer := code.Answer(); known != 0 {
			status, text = known, answer // 400, and 503 for a store that cannot answer
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": text})
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

// receive takes a webhook. It answers repeats too, or they would come again.
func receive(envelope *cardseal.Envelope, isNew func(dedupeKey string) bool, w http.ResponseWriter, body []byte) error {
	webhook, err := envelope.OpenWebhook(body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return err
	}
	if kind, _ := webhook.Type(); isNew(webhook.DedupeKey()) && kind == "card.activated" {
		var event struct {
			CardID string `json:"card_id"`
		}
		if err := webhook.Payload.Decode(&event); err != nil {
			return err
		}
		fmt.Println("activated:", event.CardID) // what matters is confirmed with /cards/get: nothing binds a webhook
	}
	_, err = io.WriteString(w, `{"success": true}`)
	return err
}

func ExampleEnvelope_OpenWebhook() {
	envelope, err := cardseal.New("your_api_secret_key_here")
	if err != nil {
		log.Fatal(err)
	}
	body, err := envelope.SealWebhook(`{"type": "card.activated", "delivery_id": "dlv_1", "card_id": "card_abc123"}`)
	if err != nil {
		log.Fatal(err)
	}
	seen := map[string]bool{}
	isNew := func(key string) bool { isNew := !seen[key]; seen[key] = true; return isNew }
	for range 2 {
		w := httptest.NewRecorder()
		if err := receive(envelope, isNew, w, body); err != nil {
			log.Fatal(err)
		}
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// activated: card_abc123
	// 200 {"success": true}
	// 200 {"success": true}
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
