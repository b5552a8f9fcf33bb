package cardseal_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"
	"unicode"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

// checkError wants a code, and a message as all have to be.
func checkError(t *testing.T, err error, code cardseal.Code, says string) {
	t.Helper()
	var own *cardseal.Error
	if !errors.As(err, &own) || !errors.Is(err, code) {
		t.Errorf("got %v, want %s", err, string(code))
		return
	}
	message := own.Message
	first := []rune(message)[0]
	if !strings.Contains(message, says) {
		t.Errorf("%q does not say %q", message, says)
	}
	if !unicode.IsLower(first) && first != '`' || strings.HasSuffix(message, ".") || strings.Contains(message, "\n") || len(message) > 160 {
		t.Errorf("%q is not one line in lowercase without a final period", message)
	}
	if !strings.HasSuffix(err.Error(), message+" ("+string(code)+")") {
		t.Errorf("%q does not end with its code", err.Error())
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	envelope := newEnvelope(t)
	sealed := func(payload string) []byte {
		body, err := envelope.SealResponse(payload)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	open := func(body string) error { return envelope.Open([]byte(body), nil) }
	request := func(payload string) error {
		_, err := envelope.OpenRequest(sealed(payload), nil, cardseal.WithNowMicros(1_700_000_000_000_000))
		return err
	}
	seal := func(payload any) error { _, err := envelope.Seal(payload); return err }
	decrypt := func(field string) error { _, err := envelope.Decrypt(field); return err }
	made := func(_ *cardseal.Envelope, err error) error { return err }
	path := func(path string) error { _, err := cardseal.NormalizePath(path); return err }
	field, err := envelope.Encrypt([]byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	small := newEnvelope(t, cardseal.WithMaxBytes(20))
	_, smallErr := small.Seal("{}")
	_, keyErr := cardseal.DeriveIdempotencyKey("topup", "")
	_, requiredErr := envelope.SealRequest("/cards/topup", "{}", "key_1")
	_, apiKeyErr := envelope.SealRequest("/cards/get", "{}", "key 1")
	_, windowErr := envelope.OpenRequest(nil, nil, cardseal.WithWindowSeconds(31))
	_, clockErr := envelope.OpenRequest(nil, nil, cardseal.WithNowMicros(-1))
	var number struct {
		CardID int `json:"card_id"`
	}
	const misfit = `{"card_id":"4929556677"}`
	var mismatch *json.UnmarshalTypeError // says where the value begins with GOEXPERIMENT=jsonv2, where it ends without
	if !errors.As(json.Unmarshal([]byte(misfit), &number), &mismatch) || mismatch.Offset < 11 || mismatch.Offset > 23 {
		t.Fatal(mismatch)
	}

	for _, check := range []struct {
		err  error
		code cardseal.Code
		says string
	}{
		{made(cardseal.New("short")), cardseal.ErrInvalidKey, "has 5 bytes: use at least 8"},
		{made(cardseal.NewFromKey(make([]byte, 31))), cardseal.ErrInvalidKey, "a raw key has 32"},
		{made(cardseal.New(testSecret, cardseal.WithOpenSecrets(testSecret, testSecret, testSecret, testSecret, testSecret))), cardseal.ErrInvalidOption, "more than 4"},
		{made(cardseal.New(testSecret, cardseal.WithOpenKeys(make([]byte, 32)))), cardseal.ErrInvalidOption, "mixed"},
		{made(cardseal.New(testSecret, cardseal.WithMaxBytes(0))), cardseal.ErrInvalidOption, "use 1 to 4294967295"},
		{made(cardseal.New(testSecret, cardseal.WithLayout("Bare"))), cardseal.ErrInvalidOption, "`Bare` is unknown: use `versioned` or `bare`"},
		{open("\xff"), cardseal.ErrInvalidJSON, "not UTF-8 (byte 0)"},
		{open("\ufeff{}"), cardseal.ErrInvalidJSON, "byte order mark"},
		{open("  "), cardseal.ErrInvalidJSON, "nothing to read"},
		{open("[1"), cardseal.ErrInvalidJSON, "the text ends inside a value (byte 2)"},
		{open("\""), cardseal.ErrInvalidJSON, "ends inside a value"},
		{open("\"\\"), cardseal.ErrInvalidJSON, "ends inside a value"},
		{open("\"\\u00"), cardseal.ErrInvalidJSON, "ends inside a value"},
		{open("{\"a\""), cardseal.ErrInvalidJSON, "ends inside a value"},
		{open("{"), cardseal.ErrInvalidJSON, "ends inside a value"},
		{open("[1 2]"), cardseal.ErrInvalidJSON, "does not allow here (byte 3)"},
		{open("[tru]"), cardseal.ErrInvalidJSON, "does not allow here (byte 1)"},
		{open("{\"a\":1 \"b\"}"), cardseal.ErrInvalidJSON, "does not allow here (byte 7)"},
		{open("\"a\tb\""), cardseal.ErrInvalidJSON, "raw control character in a string: escape it (byte 2)"},
		{open("\"a\\x\""), cardseal.ErrInvalidJSON, "an escape that JSON does not know (byte 2)"},
		{open("\"\\ud800\""), cardseal.ErrInvalidJSON, "half of a surrogate pair (byte 1)"},
		{open("[-]"), cardseal.ErrInvalidJSON, "malformed number (byte 2)"},
		{open("[01]"), cardseal.ErrInvalidJSON, "malformed number"},
		{open("[1e999]"), cardseal.ErrInvalidJSON, "too long or too large (byte 1)"},
		{open("{\"a\":1,\"a\":2}"), cardseal.ErrInvalidJSON, "a member name that its object already has (byte 7)"},
		{open("{} {}"), cardseal.ErrInvalidJSON, "something after the value (byte 3)"},
		{open(strings.Repeat("[", 129)), cardseal.ErrInvalidJSON, "128 levels of nesting (byte 128)"},
		{open("{}"), cardseal.ErrEnvelopeNotFound, "no `encrypted` member"},
		{open(`{"encrypted":7}`), cardseal.ErrInvalidEnvelope, "is no string"},
		{decrypt(""), cardseal.ErrInvalidEnvelope, "is empty"},
		{decrypt("-_" + strings.NewReplacer("+", "A", "/", "A").Replace(field[2:])), cardseal.ErrInvalidEnvelope, "url-safe alphabet"},
		{decrypt(field + "\n"), cardseal.ErrInvalidEnvelope, "white space"},
		{decrypt(`\/` + field), cardseal.ErrInvalidEnvelope, "backslash"},
		{decrypt("*" + field[1:]), cardseal.ErrInvalidEnvelope, "outside standard base64"},
		{decrypt(field[1:]), cardseal.ErrInvalidEnvelope, "lacks its `=` padding"},
		{decrypt("AgAA"), cardseal.ErrInvalidEnvelope, "too short"},
		{decrypt(field + "===="), cardseal.ErrInvalidEnvelope, "not canonical"},
		{decrypt("AAAA" + field[4:]), cardseal.ErrUnsupportedVersion, "begins with 0x00, not 0x02"},
		{decrypt(field[:40] + "AAAA" + field[44:]), cardseal.ErrDecryptionFailed, "another secret, or altered"},
		{smallErr, cardseal.ErrTooLarge, "more than 20 bytes"},
		{small.Open(make([]byte, 21), nil), cardseal.ErrTooLarge, "more than 20 bytes"},
		{seal("[]"), cardseal.ErrInvalidPayload, "no JSON object"},
		{seal(`{"a":1,"a":2}`), cardseal.ErrInvalidPayload, "already has (byte 7)"},
		{seal(`{"encrypted":"x"}`), cardseal.ErrAlreadySealed, "seal it once"},
		{seal(math.NaN()), cardseal.ErrInvalidPayload, "no JSON form"},
		{envelope.Open(sealed(misfit), &number), cardseal.ErrInvalidPayload, fmt.Sprintf("does not fit the target (byte %d)", mismatch.Offset)},
		{envelope.Open(sealed(`{}`), number), cardseal.ErrInvalidOption, "no pointer"},
		{envelope.Open(nil, (*int)(nil)), cardseal.ErrInvalidOption, "no pointer"},
		{request("[]"), cardseal.ErrInvalidPayload, "no JSON object"},
		{request(`{"data":{}}`), cardseal.ErrTimestampNotFound, "the fields belong at the root"},
		{request(`{"encrypted":"x","a":1}`), cardseal.ErrTimestampNotFound, "sealed twice"},
		{request(`{}`), cardseal.ErrTimestampNotFound, "seal with a call that adds it"},
		{request(`{"request_timestamp":null}`), cardseal.ErrInvalidTimestamp, "of null"},
		{request(`{"request_timestamp":true}`), cardseal.ErrInvalidTimestamp, "true or false"},
		{request(`{"request_timestamp":-1}`), cardseal.ErrInvalidTimestamp, "a sign"},
		{request(`{"request_timestamp":"2023-11-14"}`), cardseal.ErrInvalidTimestamp, "such a string"},
		{request(`{"request_timestamp":[]}`), cardseal.ErrInvalidTimestamp, "an array"},
		{request(`{"request_timestamp":{}}`), cardseal.ErrInvalidTimestamp, "an object"},
		{request(`{"request_timestamp":1700000000}`), cardseal.ErrTimestampOutsideWindow, "looks like seconds"},
		{request(`{"request_timestamp":1700000000000}`), cardseal.ErrTimestampOutsideWindow, "looks like milliseconds"},
		{request(`{"request_timestamp":1699999968500000}`), cardseal.ErrTimestampOutsideWindow, "31.500 s behind the server's clock, allowed are 30 s"},
		{request(`{"request_timestamp":1700000030000001}`), cardseal.ErrTimestampOutsideWindow, "30.000 s ahead of the server's clock"},
		{windowErr, cardseal.ErrInvalidOption, "use 1 to 30"},
		{clockErr, cardseal.ErrInvalidOption, "before 1970"},
		{keyErr, cardseal.ErrInvalidIdempotencyKey, "empty"},
		{cardseal.CheckIdempotencyKey("a b"), cardseal.ErrInvalidIdempotencyKey, "printable ASCII"},
		{requiredErr, cardseal.ErrIdempotencyKeyRequired, "`/api/v1/cards/topup` needs an idempotency key"},
		{apiKeyErr, cardseal.ErrInvalidAPIKey, "printable ASCII"},
		{path(""), cardseal.ErrInvalidPath, "names no endpoint"},
		{path("/a%20b"), cardseal.ErrInvalidPath, "`%`"},
		{path("/a b\u202e\xff"), cardseal.ErrInvalidPath, "`/a b\\u{202e}\\xff` holds a character that is not printable ASCII"},
		{path("//a"), cardseal.ErrInvalidPath, "empty segment"},
		{path("/a/../b"), cardseal.ErrInvalidPath, "dot segment"},
		{path("/a%20b?token=4929"), cardseal.ErrInvalidPath, "the path `/a%20b` holds"},
		{path("https://user:password@h/a%20b#4929"), cardseal.ErrInvalidPath, "the path `/a%20b` holds"},
		{path("/?token=4929"), cardseal.ErrInvalidPath, "the path `/` names no endpoint"},
		{path("https://user:password@h/" + strings.Repeat("x", 40) + "/%"), cardseal.ErrInvalidPath, "`/" + strings.Repeat("x", 39) + "…`"},
	} {
		checkError(t, check.err, check.code, check.says)
		for _, hidden := range []string{testSecret, "4929556677", "2023-11-14", "password"} {
			if strings.Contains(check.err.Error(), hidden) {
				t.Errorf("%v shows %s", check.err, hidden)
			}
		}
	}
}

func TestErrorsAreFoundByCodeAndByType(t *testing.T) {
	envelope := newEnvelope(t)
	err := fmt.Errorf("while topping up: %w", envelope.OpenResponse(200, []byte("<html>"), nil))
	var own *cardseal.Error
	var code cardseal.Code
	if !errors.As(err, &own) || !errors.As(err, &code) || code != cardseal.ErrInvalidJSON || own.Status != 200 {
		t.Errorf("%v", err)
	}
	if errors.Is(err, cardseal.ErrInvalidEnvelope) || own.FailureClass() != cardseal.FailureTransient {
		t.Errorf("%v is %s", err, own.FailureClass())
	}
	if !strings.HasPrefix(own.Error(), "http status 200: the body is not strict JSON") {
		t.Errorf("%v", own)
	}
	if err := envelope.Open([]byte("{}"), nil); !errors.As(err, &own) || own.FailureClass() != cardseal.FailureNever {
		t.Errorf("%v", err)
	}
	var apiError *cardseal.APIError
	err = fmt.Errorf("wrapped: %w", envelope.OpenResponse(400, []byte(`{"error":"Duplicate request detected"}`), nil))
	if !errors.As(err, &apiError) || apiError.Code != "duplicate_request" || apiError.FailureClass != cardseal.FailureReseal || apiError.Encrypted {
		t.Errorf("%v", err)
	}
	for _, code := range allCodes(t) {
		if text := code.Error(); !strings.HasSuffix(text, " ("+string(code)+")") || len(text) < len(code)+10 {
			t.Errorf("%q says nothing", text)
		}
	}
	if text := cardseal.Code("unheard_of").Error(); text != "unheard_of" {
		t.Errorf("%q", text)
	}
}

// TestSuccessThatDoesNotFit: the answer is believed, so that nothing may be repeated.
func TestSuccessThatDoesNotFit(t *testing.T) {
	envelope := newEnvelope(t)
	body, err := envelope.SealResponse(`{"order_id":"o-1"}`)
	if err != nil {
		t.Fatal(err)
	}
	var order struct {
		OrderID int `json:"order_id"`
	}
	var own *cardseal.Error
	if err := envelope.OpenResponse(200, body, &order); !errors.As(err, &own) || own.Code != cardseal.ErrInvalidPayload || own.FailureClass() != cardseal.FailureNever || own.Status != 200 {
		t.Errorf("%v", err)
	}
}

// brokenReader has no random bytes.
type brokenReader struct{}

var errBroken = errors.New("out of order")

func (brokenReader) Read([]byte) (int, error) { return 0, errBroken }

func TestNoRandomness(t *testing.T) {
	envelope := newEnvelope(t)
	defer cardseal.SetEntropy(brokenReader{})()
	_, sealErr := envelope.Seal("{}")
	_, requestErr := envelope.SealRequest("/cards/get", "{}", "key_1")
	_, encryptErr := envelope.Encrypt(nil)
	_, keyErr := cardseal.GenerateIdempotencyKey()
	for _, err := range []error{sealErr, requestErr, encryptErr, keyErr} {
		checkError(t, err, cardseal.ErrEntropyUnavailable, "no random bytes")
		if !errors.Is(err, errBroken) {
			t.Errorf("%v hides its cause", err)
		}
	}
}

// TestNoncesComeFromTheSystem: not from what somebody put in the place of rand.Reader.
func TestNoncesComeFromTheSystem(t *testing.T) {
	defer func(reader io.Reader) { rand.Reader = reader }(rand.Reader)
	rand.Reader = brokenReader{}
	if _, err := newEnvelope(t).Seal("{}"); err != nil {
		t.Error(err)
	}
}

// brokenStore fails on the key that it is told.
type brokenStore struct {
	memory cardseal.MemoryReplayStore
	broken string
	asked  []string
}

func (b *brokenStore) Claim(ctx context.Context, key string, ttl time.Duration) (bool, error) {
	b.asked = append(b.asked, key)
	if ttl != 70*time.Second {
		return false, errors.New("another time to live")
	}
	if key == b.broken {
		return true, errBroken
	}
	return b.memory.Claim(ctx, key, ttl)
}

func TestClaimFailsClosedAndClaimsBoth(t *testing.T) {
	keys := cardseal.ReplayKeys{Timestamp: "timestamp", Nonce: "nonce"}
	for _, broken := range []string{keys.Timestamp, keys.Nonce} {
		store := &brokenStore{broken: broken}
		for range 2 { // the second time the other key is a duplicate
			err := cardseal.ClaimRequest(t.Context(), store, keys)
			checkError(t, err, cardseal.ErrReplayStoreUnavailable, "answer 503")
			if !errors.Is(err, errBroken) {
				t.Errorf("%v hides its cause", err)
			}
		}
		if got := strings.Join(store.asked, " "); got != "timestamp nonce timestamp nonce" {
			t.Errorf("asked for %s", got)
		}
	}
	store := &brokenStore{}
	if err := cardseal.ClaimRequest(t.Context(), store, keys); err != nil {
		t.Error(err)
	}
	checkError(t, cardseal.ClaimRequest(t.Context(), store, keys), cardseal.ErrDuplicateRequest, "with the same idempotency key")
	full := &cardseal.MemoryReplayStore{MaxKeys: 1}
	checkError(t, cardseal.ClaimRequest(t.Context(), full, keys), cardseal.ErrReplayStoreUnavailable, "answer 503")
}

func TestEnvelopeThatNothingMade(t *testing.T) {
	for _, envelope := range []*cardseal.Envelope{nil, {}} {
		_, sealErr := envelope.Seal("{}")
		_, responseErr := envelope.SealResponse("{}")
		_, webhookErr := envelope.SealWebhook("{}")
		_, sealRequestErr := envelope.SealRequest("/cards/get", "{}", "key_1")
		_, encryptErr := envelope.Encrypt(nil)
		_, decryptErr := envelope.Decrypt("AAAA")
		_, requestErr := envelope.OpenRequest([]byte("{}"), nil)
		_, openWebhookErr := envelope.OpenWebhook([]byte("{}"))
		for _, err := range []error{
			sealErr, responseErr, webhookErr, sealRequestErr, encryptErr, decryptErr, requestErr, openWebhookErr,
			envelope.Open([]byte("{}"), nil), envelope.OpenResponse(200, []byte("{}"), nil), envelope.OpenResponse(400, nil, nil),
		} {
			checkError(t, err, cardseal.ErrInvalidKey, "make it with New")
		}
		_ = fmt.Sprintf("%v %+v", envelope, envelope)
	}
	var nothing cardseal.Plaintext
	var number int
	checkError(t, nothing.Decode(&number), cardseal.ErrInvalidPayload, "does not fit")
	if text, err := json.Marshal(nothing); nothing.Bytes() != nil || !errors.Is(err, cardseal.ErrInvalidPayload) {
		t.Errorf("%s %v", text, err)
	}
	var empty cardseal.SealedRequest
	if empty.Headers() != nil {
		t.Error("headers out of nothing")
	}
	if envelope, err := cardseal.New(testSecret, nil); err != nil || envelope.Layout() != cardseal.LayoutVersioned || envelope.MaxBytes() != 10<<20 {
		t.Errorf("%v %v", envelope, err)
	}
}

// TestNothingPanicsOnNil: what a caller forgot to make is no reason to end the process.
func TestNothingPanicsOnNil(t *testing.T) {
	keys := cardseal.ReplayKeys{Timestamp: "timestamp", Nonce: "nonce"}
	checkError(t, cardseal.ClaimRequest(t.Context(), nil, keys), cardseal.ErrReplayStoreUnavailable, "no replay store")
	var store *cardseal.MemoryReplayStore
	checkError(t, cardseal.ClaimRequest(t.Context(), store, keys), cardseal.ErrReplayStoreUnavailable, "answer 503")
	_, err := store.Claim(t.Context(), "key", time.Second)
	checkError(t, err, cardseal.ErrReplayStoreUnavailable, "no replay store")

	var request *cardseal.Request
	_, err = request.ReplayKeys("key_1", "/cards/get")
	checkError(t, err, cardseal.ErrInvalidOption, "open one first")

	var envelope *cardseal.Envelope
	var sealed *cardseal.SealedRequest
	var webhook *cardseal.Webhook
	var plaintext cardseal.Plaintext
	var own *cardseal.Error
	var apiError *cardseal.APIError
	name, hasName := webhook.Type()
	if envelope.Layout() != "" || envelope.MaxBytes() != 0 || sealed.Headers() != nil || store.Len() != 0 || plaintext.Bytes() != nil ||
		name != "" || hasName || webhook.Timestamp() != nil || webhook.DeliveryID() != "" || webhook.DedupeKey() != "" ||
		own.FailureClass() != cardseal.FailureNever || own.Unwrap() != nil {
		t.Error("something out of nothing")
	}
	for _, printed := range []string{
		own.Error(), apiError.Error(), fmt.Sprint(envelope), fmt.Sprint(sealed), fmt.Sprint(webhook), fmt.Sprint(own), fmt.Sprint(apiError),
	} {
		if printed != "<nil>" {
			t.Errorf("nothing prints as %s", printed)
		}
	}
	if printed := fmt.Sprint(store); printed != "cardseal.MemoryReplayStore(0 keys)" {
		t.Error(printed)
	}
}

// TestAPIErrorsAreFoundByCode: whoever says that a request is a duplicate.
func TestAPIErrorsAreFoundByCode(t *testing.T) {
	envelope := newEnvelope(t)
	sealed, err := envelope.SealResponse(`{"error_slug":"decryption_failed"}`)
	if err != nil {
		t.Fatal(err)
	}
	duplicate := envelope.OpenResponse(400, []byte(`{"error":"Duplicate request detected"}`), nil)
	failed := envelope.OpenResponse(400, sealed, nil)
	unnamed := envelope.OpenResponse(502, nil, nil)
	for _, code := range append(allCodes(t), "") {
		if errors.Is(duplicate, code) != (code == cardseal.ErrDuplicateRequest) || errors.Is(failed, code) != (code == cardseal.ErrDecryptionFailed) || errors.Is(unnamed, code) {
			t.Errorf("%s: %v, %v, %v", string(code), errors.Is(duplicate, code), errors.Is(failed, code), errors.Is(unnamed, code))
		}
	}
	if !errors.Is(fmt.Errorf("top-up: %w", duplicate), cardseal.ErrDuplicateRequest) || errors.Is(duplicate, failed) {
		t.Error("one API error is another")
	}
}

// TestForeignSlugsAreQuoted: a slug is whatever the server sealed.
func TestForeignSlugsAreQuoted(t *testing.T) {
	envelope := newEnvelope(t)
	for slug, shown := range map[string]string{
		"card_not_found":          "card_not_found",
		strings.Repeat("a9_", 21): strings.Repeat("a9_", 21),
		strings.Repeat("a", 65):   "`" + strings.Repeat("a", 40) + "…`",
		"Card":                    "`Card`",
		"a\nb\x1b[2J\u202e":       "`a\\u{a}b\\u{1b}[2J\\u{202e}`",
	} {
		body, err := envelope.SealResponse(map[string]string{"error_slug": slug, "error": "no"})
		if err != nil {
			t.Fatal(err)
		}
		var apiError *cardseal.APIError
		if err := envelope.OpenResponse(404, body, nil); !errors.As(err, &apiError) || apiError.Slug != slug || apiError.Code != slug {
			t.Fatal(err)
		}
		if printed := apiError.Error(); printed != "no (http status 404, "+shown+")" {
			t.Errorf("%q prints as %s", slug, printed)
		}
	}
}

func TestAnswers(t *testing.T) {
	texts := map[string]bool{}
	for _, plain := range cardseal.PlainErrors() {
		texts[plain.Text] = true
	}
	for _, code := range allCodes(t) {
		switch status, text := code.Answer(); status {
		case 0, 413, 503:
			if text != "" {
				t.Errorf("%s is answered with %d %s", string(code), status, text)
			}
		case 400:
			if !texts[text] {
				t.Errorf("%s is answered with %s", string(code), text)
			}
		default:
			t.Errorf("%s is answered with %d", string(code), status)
		}
	}
	for code, want := range map[cardseal.Code]string{
		cardseal.ErrDecryptionFailed:       "400 Invalid encrypted payload format",
		cardseal.ErrDuplicateRequest:       "400 Duplicate request detected",
		cardseal.ErrTooLarge:               "413 ",
		cardseal.ErrReplayStoreUnavailable: "503 ",
		cardseal.ErrInvalidKey:             "0 ",
		"unheard_of":                       "0 ",
	} {
		status, text := code.Answer()
		if got := fmt.Sprint(status, " ", text); got != want {
			t.Errorf("%s is answered with %s", string(code), got)
		}
	}
}
