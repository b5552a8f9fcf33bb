package cardseal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

func TestClientBaseURL(t *testing.T) {
	var asked string
	base := cardseal.WithBase(roundTrips(func(request *http.Request) (*http.Response, error) {
		asked = request.URL.String()
		return nil, io.EOF
	}))
	for baseURL, want := range map[string]string{
		"https://api.example.com":       "https://api.example.com/api/v1/cards/get",
		"https://api.example.com/":      "https://api.example.com/api/v1/cards/get",
		"http://[::1]:8080":             "http://[::1]:8080/api/v1/cards/get",
		"HTTPS://api.example.com":       "https://api.example.com/api/v1/cards/get",
		"":                              "",
		"api.example.com":               "",
		"ftp://api.example.com":         "",
		"https://":                      "",
		"https:///cards":                "",
		"https://me:pin@api.com":        "",
		"https://api.example.com/v1":    "",
		"https://api.example.com?a=b":   "",
		"https://api.example.com#a":     "",
		"https://api.example.com/%zz":   "",
		"https://api.example.com:port/": "",
	} {
		client, err := cardseal.NewClient(baseURL, testAPIKey, testSecret, base, cardseal.WithAttempts(1))
		if want == "" {
			if !errors.Is(err, cardseal.ErrInvalidOption) || strings.Contains(err.Error(), "pin") {
				t.Errorf("%q: %v", baseURL, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		// A URL gives its path alone: a client calls one host.
		for _, path := range []string{"/cards/get", "cards/get/", "/api/v1/cards/get?a=b", "https://elsewhere.example.com/api/v1/cards/get"} {
			err = client.Call(t.Context(), path, nil, nil)
			if !errors.Is(err, io.EOF) || asked != want || !strings.Contains(err.Error(), "/api/v1/cards/get") {
				t.Errorf("%q: %s was asked: %v", baseURL, asked, err)
			}
		}
	}
}

func TestClientFromEnv(t *testing.T) {
	variables := map[string]string{"CARDSEAL_URL": "https://api.example.com", "CARDSEAL_API_KEY": testAPIKey, "CARDSEAL_SECRET": testSecret}
	for missing := range variables {
		for name, value := range variables {
			t.Setenv(name, value)
		}
		if _, err := cardseal.ClientFromEnv(); err != nil {
			t.Error(err)
		}
		t.Setenv(missing, "")
		if _, err := cardseal.ClientFromEnv(); !errors.Is(err, cardseal.ErrInvalidOption) || !strings.Contains(err.Error(), missing) {
			t.Errorf("without %s: %v", missing, err)
		}
	}
}

// TestClientPayloads: all that Seal takes, sealed alike by every attempt, and all that Open stores in.
func TestClientPayloads(t *testing.T) {
	var payloads []string
	server := newWire(t, func(attempt int, w http.ResponseWriter, payload string) {
		_, rest, _ := strings.Cut(payload, "request_timestamp")
		payloads = append(payloads, rest[strings.IndexAny(rest, ",}"):])
		if attempt%2 == 1 {
			drop(w)
			return
		}
		sealed(t, w, 200, `{"order_id": "o-1", "status": "new"}`)
	})
	client, err := cardseal.NewClient(server.URL, testAPIKey, testSecret)
	if err != nil {
		t.Fatal(err)
	}
	// One that changes each time it is asked.
	counted := &counting{}
	for _, test := range []struct {
		payload any
		want    string
	}{
		{nil, "}"},
		{TopUp{"card_1", "10.00"}, `,"card_id":"card_1","amount":"10.00"}`},
		{`{ "a": 1 }`, `, "a": 1 }`},
		{[]byte(`{"b": 2}`), `,"b": 2}`},
		{counted, `,"count":1}`},
	} {
		payloads = nil
		var order Order
		if err := client.Call(t.Context(), "/cards/get", test.payload, &order); err != nil || order != (Order{"o-1", "new"}) {
			t.Errorf("%v: %v, %v", test.payload, order, err)
		}
		if len(payloads) != 2 || payloads[0] != test.want || payloads[1] != test.want {
			t.Errorf("%v was sent as %q", test.payload, payloads)
		}
	}
	var wrong struct {
		OrderID int `json:"order_id"`
	}
	err = client.Call(t.Context(), "/cards/get", nil, &wrong)
	var ours *cardseal.Error
	if !errors.As(err, &ours) || ours.Code != cardseal.ErrInvalidPayload || ours.Status != 200 || ours.FailureClass() != cardseal.FailureNever {
		t.Errorf("an answer that does not fit: %v", err)
	}
	if bodies, _ := server.seen(); len(bodies) != 12 {
		t.Errorf("%d requests", len(bodies))
	}
	if err := client.Call(t.Context(), "/cards/get", nil, wrong); !errors.Is(err, cardseal.ErrInvalidOption) {
		t.Errorf("a target that is no pointer: %v", err)
	}
	if err := client.Call(t.Context(), "/cards/get", func() {}, nil); !errors.Is(err, cardseal.ErrInvalidPayload) {
		t.Errorf("a payload that is no JSON: %v", err)
	}
	if bodies, _ := server.seen(); len(bodies) != 12 {
		t.Errorf("%d requests: what is refused was sent", len(bodies))
	}
}

type counting struct{ count int }

func (c *counting) MarshalJSON() ([]byte, error) {
	c.count++
	return fmt.Appendf(nil, `{"count":%d}`, c.count), nil
}

// TestWaitForOrder asks a real server until the order has ended, and gives up with its context.
func TestWaitForOrder(t *testing.T) {
	server := newSandbox(t, "--step-ms", "20")
	cardID := server.activeCard(t)
	client := server.client(t)
	for cents, want := range map[string]cardseal.OrderStatus{"20.00": cardseal.OrderStatusCompleted, "20.44": cardseal.OrderStatusFailed} {
		var made, order Order
		err := client.Call(t.Context(), "/cards/topup", TopUp{cardID, cents}, &made, cardseal.WithIdempotencyKey("wait-"+cents))
		if err != nil {
			t.Fatal(err)
		}
		status, err := client.WaitForOrder(t.Context(), made.OrderID, &order)
		if err != nil || status != want || order != (Order{made.OrderID, want}) {
			t.Errorf("%s: %s, %+v, %v", cents, status, order, err)
		}
	}
	if _, err := client.WaitForOrder(t.Context(), "o-none", nil); !errors.Is(err, cardseal.Code("order_not_found")) {
		t.Error(err)
	}

	server.control(t, http.MethodPost, "clock", map[string]bool{"freeze": true}, nil) // orders do not move any more
	var made, order Order
	if err := client.Call(t.Context(), "/cards/topup", TopUp{cardID, "20.00"}, &made, cardseal.WithIdempotencyKey("frozen")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	asked := 0
	impatient := server.client(t, cardseal.WithOnAttempt(func(cardseal.AttemptEvent) {
		if asked++; asked == 2 {
			cancel()
		}
	}))
	status, err := impatient.WaitForOrder(ctx, made.OrderID, &order)
	if !errors.Is(err, cardseal.ErrOrderPending) || !errors.Is(err, context.Canceled) || status == "" || status.IsTerminal() || order != (Order{made.OrderID, status}) {
		t.Errorf("%s, %+v, %v", status, order, err)
	}
}

// TestWaitForOrderPauses: the pauses double, up to five seconds, and an answer without a status ends them.
func TestWaitForOrderPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pauses []time.Duration
		last := time.Now()
		answers := []string{"new", "unheard_of", "processing", "processing", "processing", "processing", "processing", "completed"}
		client, err := cardseal.NewClient("http://api.example.com", testAPIKey, testSecret, cardseal.WithBase(roundTrips(func(*http.Request) (*http.Response, error) {
			pauses = append(pauses, time.Since(last))
			last = time.Now()
			payload := `{}`
			if len(pauses) <= len(answers) {
				payload = fmt.Sprintf(`{"status": %q}`, answers[len(pauses)-1])
			}
			body, err := newEnvelope(t).SealResponse(payload)
			return &http.Response{StatusCode: 200, Body: io.NopCloser(bytes.NewReader(body))}, err
		})))
		if err != nil {
			t.Fatal(err)
		}
		status, err := client.WaitForOrder(t.Context(), "o-1", nil)
		if err != nil || status != cardseal.OrderStatusCompleted {
			t.Errorf("%s: %v", status, err)
		}
		if fmt.Sprint(pauses) != "[0s 200ms 400ms 800ms 1.6s 3.2s 5s 5s]" {
			t.Error(pauses)
		}
		if _, err := client.WaitForOrder(t.Context(), "o-1", nil); !errors.Is(err, cardseal.ErrInvalidPayload) {
			t.Error(err)
		}
	})
}
