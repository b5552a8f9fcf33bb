package cardseal_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

// TestReadme: the Go in README.md is code of the tests, which are compiled and run.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	// Whatever stands inside a function there stands without its indentation here.
	flat := func(text string) string {
		lines := strings.Split(text, "\n")
		for index, line := range lines {
			lines[index] = strings.TrimSpace(line)
		}
		return strings.Join(lines, "\n")
	}
	blocks := strings.Split(string(readme), "```go\n")[1:]
	if len(blocks) < 8 {
		t.Fatalf("only %d blocks of Go", len(blocks))
	}
	for _, block := range blocks {
		code, _, found := strings.Cut(block, "\n```")
		code = strings.TrimPrefix(code, "import ") // in the tests it stands among others
		if !found || !strings.Contains(flat(string(source)), flat(code)) {
			t.Errorf("example_test.go has no such code:\n%s", code)
		}
	}
}

// TestReadmeServer: the server that people will copy charges for a key once, and says no as the protocol has it.
func TestReadmeServer(t *testing.T) {
	envelope := newEnvelope(t)
	orders := &memoryOrders{known: map[[2]string]knownOrder{}}
	serve := handler(envelope, &cardseal.MemoryReplayStore{}, orders)
	send := func(body io.Reader, key string) *httptest.ResponseRecorder {
		request := httptest.NewRequest(http.MethodPost, "/api/v1/cards/topup", body)
		request.Header.Set(cardseal.HeaderAPIKey, "key_1")
		if key != "" {
			request.Header.Set(cardseal.HeaderIdempotencyKey, key)
		}
		request.Header.Set(cardseal.HeaderContentType, "application/json")
		w := httptest.NewRecorder()
		serve.ServeHTTP(w, request)
		return w
	}
	for _, attempt := range []struct{ key, amount, slug string }{
		{"", "10.00", "idempotency_key_required"},
		{"with a space", "10.00", "invalid_request"},
		{"key", "10.00", ""},
		{"key", "10.00", ""},
		{"key", "99.00", "invalid_request"},
		{"other", "99.00", ""},
	} {
		body, err := envelope.Seal(TopUp{"card_abc123", attempt.amount})
		if err != nil {
			t.Fatal(err)
		}
		w := send(bytes.NewReader(body), attempt.key)
		var apiError *cardseal.APIError
		err = envelope.OpenResponse(w.Code, w.Body.Bytes(), nil, cardseal.WithRequest(body))
		if attempt.slug == "" && err != nil || attempt.slug != "" && (!errors.As(err, &apiError) || !apiError.Encrypted || apiError.Slug != attempt.slug) {
			t.Errorf("%v: %v", attempt, err)
		}
	}
	if len(orders.known) != 2 {
		t.Errorf("%d charges", len(orders.known))
	}
	if w := send(iotest.ErrReader(io.ErrUnexpectedEOF), "key"); w.Code != http.StatusBadRequest {
		t.Errorf("a body that breaks off: %d", w.Code)
	}
	if w := send(strings.NewReader(strings.Repeat(" ", cardseal.DefaultMaxBytes+1)), "key"); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a body that is too large: %d", w.Code)
	}
}

// TestReadmeClient: an API key goes to nobody else.
func TestReadmeClient(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the request went elsewhere") }))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer server.Close()
	_, err := topUpOnce(t.Context(), newEnvelope(t), server.URL, "key_1", TopUp{"card_abc123", "10.00"}, "key")
	var apiError *cardseal.APIError
	if !errors.As(err, &apiError) || apiError.Status != http.StatusFound {
		t.Error(err)
	}
}
