package cardseal_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"testing"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

// sandbox is the reference server, as a process of its own with an open control plane.
type sandbox struct {
	URL     string `json:"url"`
	APIKey  string `json:"api_key"`
	Secret  string `json:"secret"`
	Control struct {
		URL   string `json:"url"`
		Token string `json:"token"`
	} `json:"control"`
}

// newSandbox starts a server for one test.
func newSandbox(t *testing.T, arguments ...string) *sandbox {
	t.Helper()
	command := exec.Command(tool(t), append([]string{"sandbox", "--json", "--quiet", "--control"}, arguments...)...)
	// It prints a secret of its own making.
	command.Env = append(os.Environ(), "CARDSEAL_SECRET=", "CARDSEAL_API_KEY=")
	command.Stderr = os.Stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	server := &sandbox{}
	if err := json.Unmarshal(line, server); err != nil {
		t.Fatal(err)
	}
	return server
}

// control asks the control plane.
func (s *sandbox) control(t *testing.T, method, route string, body, v any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, s.Control.URL+"/control/"+route, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.Control.Token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s, %v", route, response.StatusCode, answer, err)
	}
	if v != nil {
		if err := json.Unmarshal(answer, v); err != nil {
			t.Fatal(err)
		}
	}
}

// charges is how often money was taken.
func (s *sandbox) charges(t *testing.T) (count int) {
	t.Helper()
	var ledger struct {
		Ledger []struct{ Kind string }
	}
	s.control(t, http.MethodGet, "ledger", nil, &ledger)
	for _, entry := range ledger.Ledger {
		if entry.Kind == "charge" {
			count++
		}
	}
	return count
}

func (s *sandbox) client(t *testing.T, options ...cardseal.TransportOption) *cardseal.Client {
	t.Helper()
	client, err := cardseal.NewClient(s.URL, s.APIKey, s.Secret, options...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// activeCard makes a card that can be topped up.
func (s *sandbox) activeCard(t *testing.T) (cardID string) {
	t.Helper()
	client := s.client(t)
	var order struct {
		OrderID string `json:"order_id"`
		CardID  string `json:"card_id"`
	}
	for _, step := range []struct {
		path    string
		payload string
		options []cardseal.RequestOption
	}{
		{"/users/create", `{"external_user_id": "user-1"}`, nil},
		{"/cardholders/create", `{"external_user_id": "user-1", "subprovider_code": "sandbox", "first_name": "Ada", "last_name": "Lovelace",
			"birth_date": "1990-12-10", "email": "ada@example.com", "phone_number_full": "+4915112345678", "country_iso": "DE"}`, nil},
		{"/cards/create", `{"external_user_id": "user-1", "product_code": "virtual_usd", "amount": "10.00"}`,
			[]cardseal.RequestOption{cardseal.WithIdempotencyKey("card-1")}},
	} {
		if err := client.Call(t.Context(), step.path, step.payload, &order, step.options...); err != nil {
			t.Fatal(err)
		}
	}
	status, err := client.WaitForOrder(t.Context(), order.OrderID, &order)
	if err != nil || status != cardseal.OrderStatusCompleted || order.CardID == "" {
		t.Fatalf("the order of the card is %s: %v", status, err)
	}
	return order.CardID
}

// TestSandboxFaults: whatever the reference server does wrong, a keyed call is charged once and gives its order, and an
// unsafe call that was hit is not sent again and says that its outcome is unknown.
func TestSandboxFaults(t *testing.T) {
	server := newSandbox(t, "--step-ms", "0")
	cardID := server.activeCard(t)
	type fields = map[string]any
	var events recorder
	client := server.client(t, events.option())
	transport := func() *http.Client {
		envelope, err := cardseal.New(server.Secret)
		if err != nil {
			t.Fatal(err)
		}
		transport, err := cardseal.NewTransport(envelope, server.APIKey, events.option())
		if err != nil {
			t.Fatal(err)
		}
		return &http.Client{Transport: transport}
	}()
	call := map[string]func(path string, payload any, v any, key string) error{
		"client": func(path string, payload, v any, key string) error {
			var options []cardseal.RequestOption
			if key != "" {
				options = append(options, cardseal.WithIdempotencyKey(key))
			}
			return client.Call(t.Context(), path, payload, v, options...)
		},
		"transport": func(path string, payload, v any, key string) error {
			text, err := json.Marshal(payload)
			if err != nil {
				return err
			}
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/api/v1"+path, bytes.NewReader(text))
			if err != nil {
				return err
			}
			if key != "" {
				request.Header.Set("Idempotency-Key", key)
			}
			response, err := transport.Do(request)
			if err != nil {
				return err
			}
			defer response.Body.Close()
			if apiError := cardseal.APIErrorOf(response); apiError != nil {
				return apiError
			}
			return json.NewDecoder(response.Body).Decode(v)
		},
	}
	for name, call := range call {
		for index, fault := range []fields{
			{"kind": "status", "status": 503, "when": "before", "count": 2},
			{"kind": "status", "status": 500, "when": "after", "count": 1},
			{"kind": "drop", "when": "before", "count": 1},
			{"kind": "drop", "when": "after", "count": 1},
			{"kind": "html", "count": 1},
			{"kind": "flipped_tag", "count": 1},
			{"kind": "bad_version", "count": 1},
			{"kind": "other_key", "count": 1},
			{"kind": "plain", "code": "duplicate_request", "count": 1},
			{"kind": "plain", "code": "timestamp_outside_window", "count": 1},
			{"kind": "slug", "slug": "provider_error", "count": 1},
		} {
			t.Run(fmt.Sprint(name, " ", fault["kind"], index), func(t *testing.T) {
				before := server.charges(t)
				events.take()
				server.control(t, http.MethodPost, "faults", fault, nil)
				key := fmt.Sprint("topup-", name, index)
				topUp := fields{"card_id": cardID, "amount": "20.00"}
				var order, again struct {
					OrderID string `json:"order_id"`
				}
				if err := call("/cards/topup", topUp, &order, key); err != nil || order.OrderID == "" {
					t.Errorf("keyed: %+v, %v", order, err)
				}
				if told := events.take(); len(told) < 2 {
					t.Errorf("there was no second attempt: %v", told)
				}
				if err := call("/cards/topup", topUp, &again, key); err != nil || again != order {
					t.Errorf("the same intention once more: %+v, not %+v, %v", again, order, err)
				}
				if charged := server.charges(t) - before; charged != 1 {
					t.Errorf("charged %d times", charged)
				}

				events.take()
				server.control(t, http.MethodPost, "faults", fault, nil)
				err := call("/users/create", fields{"external_user_id": "user-of-" + key}, &order, "")
				var unknown *cardseal.OutcomeUnknownError
				if !errors.As(err, &unknown) || unknown.IdempotencyKey != "" || unknown.Attempts != 1 || len(events.take()) != 1 {
					t.Errorf("unsafe: %v", err)
				}
				server.control(t, http.MethodDelete, "faults", nil, nil)

				server.control(t, http.MethodPost, "faults", fault, nil)
				var card map[string]any
				if err := call("/cards/get", fields{"card_id": cardID}, &card, ""); err != nil || card["card_id"] != cardID {
					t.Errorf("read: %v, %v", card, err)
				}
				server.control(t, http.MethodDelete, "faults", nil, nil)
			})
		}
	}
	if err := call["client"]("/cards/topup", fields{"card_id": cardID, "amount": "900.00"}, nil, "rich"); err == nil {
		err = call["client"]("/cards/topup", fields{"card_id": cardID, "amount": "900.00"}, nil, "poor")
		if !errors.Is(err, cardseal.Code("insufficient_funds")) {
			t.Error(err)
		}
	}
}
