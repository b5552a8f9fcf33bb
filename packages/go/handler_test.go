package cardseal_test

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
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

// lookup knows one project, one that has no access, and a key for which its database is down.
func lookup(t *testing.T) cardseal.Lookup {
	envelope := newEnvelope(t, cardseal.WithMaxBytes(10_000))
	return func(_ context.Context, apiKey string) (*cardseal.Envelope, error) {
		switch apiKey {
		case testAPIKey:
			return envelope, nil
		case "key_denied":
			return nil, fmt.Errorf("not yet: %w", cardseal.ErrAccessDenied)
		case "key_broken":
			return nil, io.ErrUnexpectedEOF
		case "key_nothing":
			return nil, nil
		}
		return nil, cardseal.ErrAPIKeyNotFound
	}
}

// served is a server behind NewHandler whose own handler does what a payload asks for.
type served struct {
	*httptest.Server
	runs atomic.Int64
	log  safeBuffer
}

type safeBuffer struct {
	lock   sync.Mutex
	buffer bytes.Buffer
}

func (b *safeBuffer) Write(part []byte) (int, error) {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.buffer.Write(part)
}

func (b *safeBuffer) String() string {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.buffer.String()
}

func serve(t *testing.T, store cardseal.ReplayStore, next http.HandlerFunc, options ...cardseal.HandlerOption) *served {
	t.Helper()
	server := &served{}
	counted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		server.runs.Add(1)
		next(w, r)
	})
	options = append(options, cardseal.WithErrorLog(log.New(&server.log, "", 0)))
	handler, err := cardseal.NewHandler(counted, lookup(t), store, options...)
	if err != nil {
		t.Fatal(err)
	}
	server.Server = httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// request is a good one, to be made worse.
func (s *served) request(t *testing.T, path string, body io.Reader, headers ...string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("API-KEY", testAPIKey)
	request.Header.Set("Content-Type", "application/json")
	for index := 0; index < len(headers); index += 2 {
		request.Header.Set(headers[index], headers[index+1])
	}
	return request
}

func (s *served) send(t *testing.T, request *http.Request) (response *http.Response, body string) {
	t.Helper()
	response, err := http.DefaultTransport.RoundTrip(request) // which follows no redirect
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("X-Trace", "t-1")
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Content-Encoding", "identity")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(body)
}

// TestHandlerChecks: each is answered as SPEC.md has it, the earliest of several first, and nothing of it reaches the
// handler behind.
func TestHandlerChecks(t *testing.T) {
	server := serve(t, &cardseal.MemoryReplayStore{}, echo)
	good := func() io.Reader { return bytes.NewReader(seal(t, "{}")) }
	large := func() io.Reader { return strings.NewReader(strings.Repeat(" ", 10_001)) }
	stale := func() io.Reader { return bytes.NewReader(seal(t, `{"request_timestamp": 1700000000000000}`)) }
	const path = "/api/v1/cards/get"
	for name, test := range map[string]struct {
		request *http.Request
		status  int
		text    string
	}{
		"no endpoint":                  {server.request(t, "/api/v1/nothing", large(), "API-KEY", "nobody"), 404, "There is no such endpoint"},
		"without its version":          {server.request(t, "/api/cards/get", good()), 404, "There is no such endpoint"},
		"encoded":                      {server.request(t, "/api/v1/c%61rds/get", good()), 404, "There is no such endpoint"},
		"encoded before it":            {server.request(t, "/%61pi/v1/cards/get", good()), 404, "There is no such endpoint"},
		"around a corner":              {server.request(t, "/x/../api/v1/cards/get", good()), 404, "There is no such endpoint"},
		"with two slashes":             {server.request(t, "//api/v1/cards/get", good()), 404, "There is no such endpoint"},
		"in capitals":                  {server.request(t, "/API/v1/cards/get", good()), 404, "There is no such endpoint"},
		"nobody, and large":            {server.request(t, path, large(), "API-KEY", "nobody"), 404, "API key not found"},
		"no key":                       {server.request(t, path, large(), "API-KEY", ""), 404, "API key not found"},
		"nothing found":                {server.request(t, path, good(), "API-KEY", "key_nothing"), 503, ""},
		"no access, and large":         {server.request(t, path, large(), "API-KEY", "key_denied"), 403, "You do not have access to this API."},
		"no answer":                    {server.request(t, path, good(), "API-KEY", "key_broken"), 503, ""},
		"large, and text":              {server.request(t, path, large(), "Content-Type", "text/plain"), 413, ""},
		"large, of unknown length":     {server.request(t, path, struct{ io.Reader }{large()}), 413, ""},
		"text, and no envelope":        {server.request(t, path, strings.NewReader("{}"), "Content-Type", "text/plain"), 415, "The body has to be application/json without a content encoding"},
		"no type":                      {server.request(t, path, good(), "Content-Type", ""), 415, "The body has to be application/json without a content encoding"},
		"encoded body":                 {server.request(t, path, good(), "Content-Encoding", "gzip"), 415, "The body has to be application/json without a content encoding"},
		"no envelope":                  {server.request(t, path, strings.NewReader("{}")), 400, "Encrypted payload not found"},
		"no JSON":                      {server.request(t, path, strings.NewReader("{")), 400, "Encrypted payload not found"},
		"of another":                   {server.request(t, path, bytes.NewReader(sealWith(t, "another_secret"))), 400, "Invalid encrypted payload format"},
		"without a stamp":              {server.request(t, path, bytes.NewReader(sealWith(t, testSecret))), 400, "Request timestamp not found in encrypted payload"},
		"stale, and without its key":   {server.request(t, "/api/v1/cards/topup", stale()), 400, "Request timestamp outside allowed window"},
		"stale, with a type in detail": {server.request(t, path, stale(), "Content-Type", "Application/JSON; charset=x; charset=y", "Content-Encoding", "identity"), 400, "Request timestamp outside allowed window"},
	} {
		response, body := server.send(t, test.request)
		want, _ := json.Marshal(map[string]string{"error": test.text})
		if response.StatusCode != test.status || body != string(want) || response.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", name, response.StatusCode, body)
		}
	}
	get := server.request(t, path, nil)
	get.Method = http.MethodGet
	if response, _ := server.send(t, get); response.StatusCode != 405 || response.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %d", response.StatusCode)
	}
	half := httptest.NewRequest(http.MethodPost, path, iotest.ErrReader(io.ErrUnexpectedEOF))
	half.Header.Set("API-KEY", testAPIKey)
	w := httptest.NewRecorder()
	server.Config.Handler.ServeHTTP(w, half)
	if w.Code != 400 {
		t.Errorf("half a body: %d", w.Code)
	}
	endless := &endlessBody{}
	flood := httptest.NewRequest(http.MethodPost, path, endless)
	flood.Header.Set("API-KEY", testAPIKey)
	w = httptest.NewRecorder()
	server.Config.Handler.ServeHTTP(w, flood)
	if w.Code != 413 || endless.read > 100_000 {
		t.Errorf("a body without end: %d after %d bytes", w.Code, endless.read)
	}
	if runs := server.runs.Load(); runs != 0 {
		t.Errorf("the handler ran %d times", runs)
	}
	if log := server.log.String(); !strings.Contains(log, io.ErrUnexpectedEOF.Error()) || strings.Contains(log, "key_") {
		t.Errorf("the log says %s", log)
	}
	// What is no path of the API is none of its business.
	for _, path := range []string{"/", "/health%20y", "/apis/v1/cards/get", "/x/api/v1/cards/get"} {
		plain := server.request(t, path, strings.NewReader("as it is"), "Content-Type", "text/plain", "API-KEY", "")
		if response, body := server.send(t, plain); response.StatusCode != 201 || body != "as it is" || response.Header.Get("Content-Type") != "text/plain" {
			t.Errorf("%s: %d %s", path, response.StatusCode, body)
		}
	}
}

// endlessBody would go on for a hundred megabytes.
type endlessBody struct{ read int }

func (e *endlessBody) Read(buffer []byte) (int, error) {
	if e.read > 100_000_000 {
		return 0, io.EOF
	}
	e.read += len(buffer)
	return len(buffer), nil
}

// TestHandler: the handler behind sees plain JSON and answers in it; a Transport, the other side, is content.
func TestHandler(t *testing.T) {
	server := serve(t, &cardseal.MemoryReplayStore{}, func(w http.ResponseWriter, r *http.Request) {
		request := cardseal.RequestOf(r)
		body, _ := io.ReadAll(r.Body)
		if request == nil || !bytes.Equal(body, request.Payload.Bytes()) || r.ContentLength != int64(len(body)) ||
			r.Header.Get("Content-Length") != fmt.Sprint(len(body)) || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("X-Own") != "x" {
			t.Errorf("%v %s", r.Header, body)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		echo(w, r)
	})
	envelope := newEnvelope(t)
	sent := seal(t, `{"a": "ü"}`)
	response, body := server.send(t, server.request(t, "/api/v1/cards/get/", bytes.NewReader(sent), "X-Own", "x"))
	var payload json.RawMessage
	err := envelope.OpenResponse(response.StatusCode, []byte(body), &payload, cardseal.WithRequest(sent))
	if err != nil || response.StatusCode != 201 || !strings.HasSuffix(string(payload), `,"a": "ü"}`) || !strings.Contains(string(payload), "request_timestamp") {
		t.Errorf("%d %s, %v", response.StatusCode, payload, err)
	}
	if header := response.Header; header.Get("X-Trace") != "t-1" || header.Get("Content-Type") != "application/json" || header.Get("Content-Encoding") != "" {
		t.Errorf("%v", header)
	}
	old := seal(t, fmt.Sprintf(`{"request_timestamp": %d}`, time.Now().Add(-25*time.Second).UnixMicro()))
	if response, body := server.send(t, server.request(t, "/api/v1/cards/get", bytes.NewReader(old), "X-Own", "x")); response.StatusCode != 201 {
		t.Errorf("25 seconds old: %d %s", response.StatusCode, body)
	}
	// The same body, here and on another path.
	for _, path := range []string{"/api/v1/cards/get", "/api/v1/orders/check"} {
		if response, body := server.send(t, server.request(t, path, bytes.NewReader(sent))); response.StatusCode != 400 || body != `{"error":"Duplicate request detected"}` {
			t.Errorf("%s again: %d %s", path, response.StatusCode, body)
		}
	}
	for key, slug := range map[string]string{"": "idempotency_key_required", "a b": "invalid_request"} {
		var headers []string
		if key != "" {
			headers = []string{"Idempotency-Key", key}
		}
		response, body := server.send(t, server.request(t, "/api/v1/cards/topup", bytes.NewReader(seal(t, "{}")), headers...))
		var apiError *cardseal.APIError
		if err := envelope.OpenResponse(response.StatusCode, []byte(body), nil); !errors.As(err, &apiError) || !apiError.Encrypted || apiError.Slug != slug || apiError.Status != 400 {
			t.Errorf("%q: %v", key, err)
		}
	}
	if runs := server.runs.Load(); runs != 2 {
		t.Errorf("the handler ran %d times", runs)
	}
	if cardseal.RequestOf(nil) != nil || cardseal.RequestOf(httptest.NewRequest("GET", "/", nil)) != nil {
		t.Error("a request out of nothing")
	}
}

// TestHandlerFailures: what goes wrong behind is a sealed internal_error, and its cause is for the log alone.
func TestHandlerFailures(t *testing.T) {
	for name, fail := range map[string]func(w http.ResponseWriter){
		"a panic":           func(http.ResponseWriter) { panic("the cause") },
		"a strange panic":   func(http.ResponseWriter) { panic(map[string]string{"the cause": ""}) },
		"no answer":         func(http.ResponseWriter) {},
		"no JSON":           func(w http.ResponseWriter) { _, _ = io.WriteString(w, "<html>the cause</html>") },
		"repeated names":    func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"a": 1, "a": 2}`) },
		"sealed already":    func(w http.ResponseWriter) { _, _ = w.Write(seal(t, "{}")) },
		"no content":        func(w http.ResponseWriter) { w.WriteHeader(204) },
		"no status at all":  func(w http.ResponseWriter) { w.WriteHeader(99); _, _ = io.WriteString(w, "{}") },
		"half, and a panic": func(w http.ResponseWriter) { _, _ = io.WriteString(w, "{}"); panic("the cause") },
		"too much":          func(w http.ResponseWriter) { _, _ = io.WriteString(w, `"`+strings.Repeat("a", 10_000)+`"`) },
	} {
		server := serve(t, &cardseal.MemoryReplayStore{}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Cause", "the cause")
			fail(w)
		})
		response, body := server.send(t, server.request(t, "/api/v1/cards/get", bytes.NewReader(seal(t, "{}"))))
		var apiError *cardseal.APIError
		err := newEnvelope(t).OpenResponse(response.StatusCode, []byte(body), nil)
		if !errors.As(err, &apiError) || apiError.Slug != "internal_error" || apiError.Status != 500 || strings.Contains(apiError.Message, "cause") || response.Header.Get("X-Cause") != "" {
			t.Errorf("%s: %v, %v", name, err, response.Header)
		}
		if log := server.log.String(); !strings.Contains(log, "cards/get") || strings.Contains(name, "panic") != strings.Contains(log, "the cause") {
			t.Errorf("%s: the log says %q", name, log)
		}
	}
	server := serve(t, &cardseal.MemoryReplayStore{}, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if _, err := http.DefaultTransport.RoundTrip(server.request(t, "/api/v1/cards/get", bytes.NewReader(seal(t, "{}")))); err == nil {
		t.Error("a connection that is to be dropped was answered")
	}
	for name, store := range map[string]cardseal.ReplayStore{"none": nil, "full": &cardseal.MemoryReplayStore{MaxKeys: 1}} {
		server := serve(t, store, echo)
		response, _ := server.send(t, server.request(t, "/api/v1/cards/get", bytes.NewReader(seal(t, "{}"))))
		if response.StatusCode != 503 || server.runs.Load() != 0 || !strings.Contains(server.log.String(), "replay store") {
			t.Errorf("a store that is %s: %d, %s", name, response.StatusCode, server.log.String())
		}
	}
}

// TestHandlerRace: of a hundred copies that come at once, one is taken.
func TestHandlerRace(t *testing.T) {
	server := serve(t, &cardseal.MemoryReplayStore{}, echo)
	body := seal(t, "{}")
	var copies sync.WaitGroup
	for range 100 {
		copies.Go(func() { server.send(t, server.request(t, "/api/v1/cards/get", bytes.NewReader(body))) })
	}
	copies.Wait()
	if runs := server.runs.Load(); runs != 1 {
		t.Errorf("the handler ran %d times", runs)
	}
}

// TestClaimIsOneStep: of copies that come at once one is fresh, every time. With two single claims it could be none: the
// first key would be one copy's, the second another's.
func TestClaimIsOneStep(t *testing.T) {
	store := &cardseal.MemoryReplayStore{}
	for round := range 5_000 {
		keys := cardseal.ReplayKeys{Timestamp: fmt.Sprint("timestamp", round), Nonce: fmt.Sprint("nonce", round)}
		var fresh atomic.Int64
		var copies sync.WaitGroup
		for range 4 {
			copies.Go(func() {
				if cardseal.ClaimRequest(t.Context(), store, keys) == nil {
					fresh.Add(1)
				}
			})
		}
		copies.Wait()
		if fresh.Load() != 1 {
			t.Fatalf("round %d: %d were fresh", round, fresh.Load())
		}
	}
}

func TestHandlerOptions(t *testing.T) {
	store := &cardseal.MemoryReplayStore{}
	next := http.HandlerFunc(echo)
	if _, err := cardseal.NewHandler(nil, lookup(t), store); !errors.Is(err, cardseal.ErrInvalidOption) {
		t.Error(err)
	}
	if _, err := cardseal.NewHandler(next, nil, store); !errors.Is(err, cardseal.ErrInvalidOption) {
		t.Error(err)
	}
	if _, err := cardseal.NewHandler(next, lookup(t), store, cardseal.WithEndpoints("/cards//get")); !errors.Is(err, cardseal.ErrInvalidPath) {
		t.Error(err)
	}
	server := serve(t, store, echo, nil, cardseal.WithEndpoints("/api/v2/wh/subscribe", "gifts"))
	for path, want := range map[string]int{"/api/v2/wh/subscribe": 201, "/api/v1/gifts": 201, "/api/v1/cards/get": 404} {
		if response, body := server.send(t, server.request(t, path, bytes.NewReader(seal(t, "{}")))); response.StatusCode != want {
			t.Errorf("%s: %d %s", path, response.StatusCode, body)
		}
	}
}

// faultyStore answers nothing, or notes nothing.
type faultyStore struct {
	memory     cardseal.MemoryWebhookStore
	failsBegin bool
}

func (f *faultyStore) Begin(ctx context.Context, key string) (cardseal.WebhookState, error) {
	if f.failsBegin {
		return "", io.ErrUnexpectedEOF
	}
	return f.memory.Begin(ctx, key)
}

func (f *faultyStore) Finish(context.Context, string) error { return io.ErrShortWrite }

func (f *faultyStore) GiveBack(context.Context, string) error { return io.ErrClosedPipe }

// patientStore does only what is asked for in a context that has not ended.
type patientStore struct {
	cardseal.MemoryWebhookStore
}

func (p *patientStore) Finish(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return p.MemoryWebhookStore.Finish(ctx, key)
}

func (p *patientStore) GiveBack(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return p.MemoryWebhookStore.GiveBack(ctx, key)
}

func TestWebhookHandler(t *testing.T) {
	envelope := newEnvelope(t, cardseal.WithMaxBytes(10_000))
	event := func(id string) []byte {
		body, err := envelope.SealWebhook(fmt.Sprintf(`{"type": "card.activated", "delivery_id": %q}`, id))
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	var handled []string
	failing := error(nil)
	handle := func(_ context.Context, webhook *cardseal.Webhook) error {
		handled = append(handled, webhook.DedupeKey())
		if webhook.DeliveryID() == "panics" && failing != nil {
			panic(failing)
		}
		return failing
	}
	var written safeBuffer
	logged := cardseal.WithErrorLog(log.New(&written, "", 0))
	receive := func(store cardseal.WebhookStore) http.Handler {
		handler, err := cardseal.NewWebhookHandler(envelope, store, handle, logged)
		if err != nil {
			t.Fatal(err)
		}
		return handler
	}
	receiver := receive(&patientStore{})
	send := func(handler http.Handler, body []byte) (int, string) {
		ctx, cancel := context.WithCancel(t.Context())
		request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/webhooks", bytes.NewReader(body))
		cancel() // as if the sender had gone: a claim is given back all the same
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, request)
		return w.Code, w.Body.String()
	}
	expect := func(what string, handler http.Handler, body []byte, status int, runs ...string) {
		t.Helper()
		handled = nil
		code, text := send(handler, body)
		if code != status || (code == 200) != (text == `{"success":true}`) || fmt.Sprint(handled) != fmt.Sprint(runs) {
			t.Errorf("%s: %d %s, handled: %v", what, code, text, handled)
		}
	}
	expect("a webhook", receiver, event("d-1"), 200, "id:d-1")
	expect("its repeat", receiver, event("d-1"), 200)
	failing = errors.New("no disk")
	for _, id := range []string{"d-2", "panics"} {
		expect("a failure", receiver, event(id), 500, "id:"+id)
		expect("a failure, again", receiver, event(id), 500, "id:"+id)
	}
	failing = nil
	expect("after it", receiver, event("d-2"), 200, "id:d-2")
	expect("and its repeat", receiver, event("d-2"), 200)
	expect("of another", receiver, sealWith(t, "another_secret"), 400)
	expect("no envelope", receiver, []byte("{}"), 400)
	expect("too large", receiver, bytes.Repeat([]byte(" "), 10_001), 413)
	expect("a store that does not answer", receive(&faultyStore{failsBegin: true}), event("d-3"), 503)
	expect("a store that notes nothing", receive(&faultyStore{}), event("d-3"), 200, "id:d-3")
	failing = errors.New("no disk")
	expect("a store that takes nothing back", receive(&faultyStore{}), event("d-3"), 500, "id:d-3")
	for _, said := range []string{"no disk", "it panicked", io.ErrShortWrite.Error(), io.ErrUnexpectedEOF.Error(), io.ErrClosedPipe.Error()} {
		if !strings.Contains(written.String(), said) {
			t.Errorf("the log does not say %q: %s", said, written.String())
		}
	}
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/webhooks", nil))
	if w.Code != 405 {
		t.Errorf("GET: %d", w.Code)
	}
	for _, err := range []error{
		func() error { _, err := cardseal.NewWebhookHandler(nil, &faultyStore{}, handle); return err }(),
		func() error { _, err := cardseal.NewWebhookHandler(envelope, nil, handle); return err }(),
		func() error { _, err := cardseal.NewWebhookHandler(envelope, &faultyStore{}, nil); return err }(),
	} {
		if !errors.Is(err, cardseal.ErrInvalidOption) && !errors.Is(err, cardseal.ErrInvalidKey) {
			t.Error(err)
		}
	}
}

// TestWebhookBusy: while one delivery is being handled another is told to come again, and handled only if the first fails.
func TestWebhookBusy(t *testing.T) {
	envelope := newEnvelope(t)
	body, err := envelope.SealWebhook(`{"delivery_id": "d-1"}`)
	if err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func() error{
		"it is handled":      func() error { return nil },
		"it fails":           func() error { return io.EOF },
		"its sender is gone": func() error { panic(http.ErrAbortHandler) },
	} {
		begun, goOn := make(chan struct{}), make(chan struct{})
		runs := 0
		receiver, err := cardseal.NewWebhookHandler(envelope, &cardseal.MemoryWebhookStore{}, func(context.Context, *cardseal.Webhook) error {
			if runs++; runs > 1 {
				return nil
			}
			close(begun)
			<-goOn
			return end()
		}, cardseal.WithErrorLog(quiet()))
		if err != nil {
			t.Fatal(err)
		}
		send := func() int {
			w := httptest.NewRecorder()
			receiver.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body)))
			return w.Code
		}
		first := make(chan struct{})
		go func() {
			defer close(first)
			defer func() { _ = recover() }()
			send()
		}()
		<-begun
		if code := send(); code != 503 {
			t.Errorf("%s: meanwhile %d", name, code)
		}
		close(goOn)
		<-first
		wanted := 2
		if name == "it is handled" {
			wanted = 1
		}
		if code := send(); code != 200 || runs != wanted {
			t.Errorf("%s: then %d, %d runs", name, code, runs)
		}
	}
}

// TestMemoryWebhookStore: a lease ends, what was handled is remembered for a day, and nothing is kept for ever.
func TestMemoryWebhookStore(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	store := &cardseal.MemoryWebhookStore{Now: func() time.Time { return now }}
	begin := func(key string, want cardseal.WebhookState) {
		t.Helper()
		if state, err := store.Begin(t.Context(), key); state != want || err != nil {
			t.Errorf("%s is %s, %v", key, state, err)
		}
	}
	begin("a", cardseal.WebhookNew)
	begin("a", cardseal.WebhookBusy)
	begin("b", cardseal.WebhookNew)
	now = now.Add(cardseal.WebhookLease - 1)
	begin("a", cardseal.WebhookBusy)
	now = now.Add(1)
	begin("a", cardseal.WebhookNew)
	_ = store.Finish(t.Context(), "a")
	_ = store.GiveBack(t.Context(), "b")
	_ = store.GiveBack(t.Context(), "never seen")
	begin("a", cardseal.WebhookHandled)
	begin("b", cardseal.WebhookNew)
	now = now.Add(cardseal.WebhookTTL - 1)
	begin("a", cardseal.WebhookHandled)
	now = now.Add(cardseal.WebhookLease)
	begin("c", cardseal.WebhookNew)
	if printed := fmt.Sprintf("%+v", store); store.Len() != 1 || printed != "cardseal.MemoryWebhookStore(1 webhooks)" {
		t.Errorf("%s", printed)
	}
	now = now.Add(time.Second)
	begin("d", cardseal.WebhookNew)
	now = now.Add(cardseal.WebhookLease - time.Second) // when the others are looked through
	begin("d", cardseal.WebhookBusy)
	now = now.Add(time.Second)
	begin("d", cardseal.WebhookNew)
	_ = (&cardseal.MemoryWebhookStore{}).Finish(t.Context(), "a")
}
