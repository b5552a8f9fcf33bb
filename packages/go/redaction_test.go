package cardseal_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

// prints is everything that the standard library makes of a value: all verbs of fmt, as itself, behind a pointer and
// inside of structs of other people; encoding/json, encoding/gob, and both handlers of log/slog.
func prints(value any) string {
	type exported struct{ Value any }
	type unexported struct{ value any }
	var all bytes.Buffer
	for _, value := range []any{value, &value, exported{value}, &exported{value}, unexported{value}, &unexported{value}, []any{value}, map[string]any{"a": value}} {
		for _, verb := range "vTtbcdoOqxXUeEfFgGsp" {
			for _, flags := range []string{"", "+", "#", " ", "+#"} {
				fmt.Fprintf(&all, "%"+flags+string(verb)+"\n", value)
			}
		}
		fmt.Fprintln(&all, value)
		if text, err := json.Marshal(value); err == nil {
			all.Write(text)
		}
		_ = gob.NewEncoder(&all).Encode(value)
		for _, handler := range []slog.Handler{slog.NewTextHandler(&all, nil), slog.NewJSONHandler(&all, nil)} {
			slog.New(handler).Info("message", "value", value, slog.Group("group", "value", value))
		}
	}
	return all.String()
}

// traces are the ways in which a secret text or key can show: its first bytes as they are, and as fmt and the encoders
// write bytes.
func traces(secret []byte) []string {
	start := secret[:min(len(secret), 8)]
	decimal := strings.Trim(fmt.Sprint(start), "[]")
	return []string{
		string(start), hex.EncodeToString(start), strings.ToUpper(hex.EncodeToString(start)), decimal, strings.ReplaceAll(decimal, " ", ", "),
		strings.Trim(fmt.Sprintf("%#v", start), "[]byte{}"), strings.Trim(fmt.Sprintf("%b", start), "[]"), strings.Trim(fmt.Sprintf("%o", start), "[]"),
		base64.StdEncoding.EncodeToString(start)[:8], strings.ReplaceAll(decimal, " ", ","),
	}
}

func checkRedacted(t *testing.T, name string, value any, secrets ...[]byte) {
	t.Helper()
	printed := prints(value)
	for _, secret := range secrets {
		for _, trace := range traces(secret) {
			if at := strings.Index(printed, trace); at >= 0 {
				t.Errorf("%s shows %q: …%.60s", name, trace, printed[max(0, at-20):])
			}
		}
	}
}

func TestNothingPrintsKeysOrPlaintext(t *testing.T) {
	const apiKey = "api-key-of-mine"
	rawKey := bytes.Repeat([]byte{0xa7, 0x13}, 16)
	derived, _ := hex.DecodeString("d7a04027daf8bbc6e30bd99d4e137deaa2db55195005f34fddad1e852c9e3c31") // SPEC.md, section 1
	older := []byte("secret_of_last_year")
	payload := []byte(`{"delivery_id":"4929-5566-7788","timestamp":"pin 8274","error":"gone","request_timestamp":1700000000000000}`)
	secrets := [][]byte{[]byte(testSecret), derived, older, rawKey, []byte(apiKey), payload, payload[15:], payload[45:]}

	envelope := newEnvelope(t, cardseal.WithOpenSecrets(string(older)))
	ofKey, err := cardseal.NewFromKey(rawKey)
	if err != nil {
		t.Fatal(err)
	}
	body, err := envelope.SealResponse(payload)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := envelope.SealRequest("/cards/get", payload, apiKey)
	if err != nil {
		t.Fatal(err)
	}
	request, err := envelope.OpenRequest(body, nil, cardseal.WithNowMicros(1_700_000_000_000_000))
	if err != nil {
		t.Fatal(err)
	}
	webhook, err := envelope.OpenWebhook(body)
	if err != nil {
		t.Fatal(err)
	}
	var plaintext cardseal.Plaintext
	if err := envelope.Open(body, &plaintext); err != nil {
		t.Fatal(err)
	}
	var apiError *cardseal.APIError
	if err := envelope.OpenResponse(404, body, nil); !errors.As(err, &apiError) {
		t.Fatal(err)
	}
	store := &cardseal.MemoryReplayStore{}
	if err := cardseal.ClaimRequest(t.Context(), store, cardseal.ReplayKeys{Timestamp: "a", Nonce: "b"}); err != nil {
		t.Fatal(err)
	}
	records := &cardseal.MemoryIdempotencyStore{}
	begun, err := records.Begin(t.Context(), apiKey, "topup-7", "f", cardseal.IdempotencyLease)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := records.Complete(t.Context(), begun.Token, 200, payload); err != nil {
		t.Fatal(err)
	}
	replayed, err := records.Begin(t.Context(), apiKey, "topup-7", "f", cardseal.IdempotencyLease)
	if err != nil || !bytes.Equal(replayed.Answer.Body(), payload) {
		t.Fatal(err)
	}
	transport, err := cardseal.NewTransport(envelope, apiKey)
	if err != nil {
		t.Fatal(err)
	}
	client, err := transport.Client("https://api.example.com")
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]any{
		"a transport":          transport,
		"its copy....,":        *transport,
		"a client":             client,
		"its copy....;":        *client,
		"an envelope":          envelope,
		"a copy of it":         *envelope,
		"an envelope of a key": ofKey,
		"its copy":             *ofKey,
		"an option":            cardseal.WithOpenSecrets(string(older)),
		"an option for keys":   cardseal.WithOpenKeys(rawKey),
		"a sealed request":     sealed,
		"its copy.":            *sealed,
		"a request":            request,
		"its copy..":           *request,
		"a webhook":            webhook,
		"its copy...":          *webhook,
		"a plaintext":          plaintext,
		"its address":          &plaintext,
		"an API error":         apiError,
		"its copy....":         *apiError,
		"a store":              store,
		"a store of records":   records,
		"what was begun":       begun,
		"what was found":       replayed,
		"an answer":            replayed.Answer,
		"its address.":         &replayed.Answer,
	} {
		checkRedacted(t, name, value, secrets...)
		if describing, ok := value.(interface {
			fmt.Stringer
			fmt.Formatter
			slog.LogValuer
		}); ok {
			for _, verb := range []string{"%v", "%+v", "%#v", "%d", "%x", "%q"} {
				if printed := fmt.Sprintf(verb, value); printed != describing.String() {
					t.Errorf("%s of %s is %s", verb, name, printed)
				}
			}
		} else if !strings.Contains(name, "option") && !strings.HasPrefix(name, "a request") && name != "its copy.." {
			t.Errorf("%s prints itself by chance", name)
		}
	}
	// What they do show says what they are.
	for value, shown := range map[any]string{
		envelope:         "cardseal.Envelope(layout versioned, keys redacted)",
		sealed:           "cardseal.SealedRequest(/api/v1/cards/get, body of",
		webhook:          "cardseal.Webhook(type ``, key index 0)",
		apiError:         "gone (http status 404)",
		store:            "cardseal.MemoryReplayStore(2 keys)",
		records:          "cardseal.MemoryIdempotencyStore(1 records)",
		&begun:           "cardseal.Begun(new)",
		&replayed:        "cardseal.Begun(replay)",
		&replayed.Answer: "cardseal.RecordedAnswer(status 200, body of 107 bytes)",
		client:           "cardseal.Client(https://api.example.com, keys redacted)",
		transport:        "cardseal.Transport(attempts 8, deadline 1m0s, keys redacted)",
	} {
		if printed := fmt.Sprintf("%+v", value); !strings.HasPrefix(printed, shown) {
			t.Errorf("%s", printed)
		}
	}
}

// TestTracesAreFound proves that the test above can fail.
func TestTracesAreFound(t *testing.T) {
	secret := []byte{0xd7, 'a', 1, 0x80, '"', '{', 7, 9, 0}
	for name, value := range map[string]any{"bytes": secret, "an array": [9]byte(secret), "a text": string(secret), "a struct": struct{ key []byte }{secret}} {
		printed := prints(value)
		found := 0
		for _, trace := range traces(secret) {
			if strings.Contains(printed, trace) {
				found++
			}
		}
		if found < 3 {
			t.Errorf("%s: only %d ways of printing were recognised", name, found)
		}
	}
}
