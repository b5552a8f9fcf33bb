package cardseal_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

const testAPIKey = "key_1"

// A caller makes a call, and gives the payload of its answer.
type caller func(ctx context.Context, path, payload string, key ...string) (string, error)

// callers are the two ways to call the API at a URL. All that holds for one holds for the other.
func callers(t *testing.T, baseURL string, options ...cardseal.TransportOption) map[string]caller {
	t.Helper()
	transport := newTransport(t, options...)
	client, err := transport.Client(baseURL)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]caller{
		"client": func(ctx context.Context, path, payload string, key ...string) (string, error) {
			var options []cardseal.RequestOption
			for _, key := range key {
				options = append(options, cardseal.WithIdempotencyKey(key))
			}
			var answer json.RawMessage
			err := client.Call(ctx, path, payload, &answer, options...)
			return string(answer), err
		},
		"transport": func(ctx context.Context, path, payload string, key ...string) (string, error) {
			// As http.NewRequest makes it: with a GetBody, by which net/http would send the body again.
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, baseURL+"/api/v1"+path, strings.NewReader(payload))
			if err != nil {
				return "", err
			}
			for _, key := range key {
				request.Header.Add(cardseal.HeaderIdempotencyKey, key)
			}
			response, err := (&http.Client{Transport: transport}).Do(request)
			if err != nil {
				return "", err
			}
			defer response.Body.Close()
			answer, err := io.ReadAll(response.Body)
			if apiError := cardseal.APIErrorOf(response); apiError != nil {
				return string(answer), apiError
			}
			return string(answer), err
		},
	}
}

func newTransport(t *testing.T, options ...cardseal.TransportOption) *cardseal.Transport {
	t.Helper()
	transport, err := cardseal.NewTransport(newEnvelope(t), testAPIKey, options...)
	if err != nil {
		t.Fatal(err)
	}
	return transport
}

// wire is a server that keeps what it was sent. Its answers are those of the function, by the number of the attempt.
type wire struct {
	*httptest.Server
	lock   sync.Mutex
	bodies []string
	keys   []string
}

func newWire(t *testing.T, answer func(attempt int, w http.ResponseWriter, payload string)) *wire {
	envelope := newEnvelope(t)
	server := &wire{}
	server.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		var payload json.RawMessage
		if _, err := envelope.OpenRequest(body, &payload); err != nil {
			t.Errorf("%s: %v", body, err)
		}
		if r.Header.Get("API-KEY") != testAPIKey || r.Header.Get("Content-Type") != "application/json" || r.ContentLength != int64(len(body)) {
			t.Errorf("the headers are %v, the length %d", r.Header, r.ContentLength)
		}
		server.lock.Lock()
		server.bodies = append(server.bodies, string(body))
		server.keys = append(server.keys, strings.Join(r.Header.Values("Idempotency-Key"), ","))
		attempt := len(server.bodies)
		server.lock.Unlock()
		answer(attempt, w, string(payload))
	}))
	t.Cleanup(server.Close)
	return server
}

func (w *wire) seen() (bodies, keys []string) {
	w.lock.Lock()
	defer w.lock.Unlock()
	return slices.Clone(w.bodies), slices.Clone(w.keys)
}

func (w *wire) forget() {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.bodies, w.keys = nil, nil
}

// sealed answers with a payload as the API does.
func sealed(t *testing.T, w http.ResponseWriter, status int, payload any) {
	t.Helper()
	body, err := newEnvelope(t).SealResponse(payload)
	if err != nil {
		t.Error(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// drop ends the connection without a word.
func drop(w http.ResponseWriter) {
	if connection, _, err := http.NewResponseController(w).Hijack(); err == nil {
		connection.Close()
	}
}

// recorder keeps the events of calls.
type recorder struct {
	lock   sync.Mutex
	events []cardseal.AttemptEvent
}

func (r *recorder) option() cardseal.TransportOption {
	return cardseal.WithOnAttempt(func(event cardseal.AttemptEvent) {
		r.lock.Lock()
		defer r.lock.Unlock()
		r.events = append(r.events, event)
	})
}

func (r *recorder) take() []cardseal.AttemptEvent {
	r.lock.Lock()
	defer r.lock.Unlock()
	events := r.events
	r.events = nil
	return events
}

// TestCallsUntilTheyEnd: what goes over the wire, what comes back, and what is told of it, for every way to fail.
func TestCallsUntilTheyEnd(t *testing.T) {
	const read, keyed, unsafe = "/cards/get", "/cards/topup", "/users/create"
	type answers func(t *testing.T, attempt int, w http.ResponseWriter)
	fails := func(times int, fail func(t *testing.T, w http.ResponseWriter)) answers {
		return func(t *testing.T, attempt int, w http.ResponseWriter) {
			if attempt <= times {
				fail(t, w)
				return
			}
			sealed(t, w, 200, `{"order_id": "o-1"}`)
		}
	}
	status := func(status int) func(*testing.T, http.ResponseWriter) {
		return func(_ *testing.T, w http.ResponseWriter) { http.Error(w, "busy", status) }
	}
	plain := func(text string) func(*testing.T, http.ResponseWriter) {
		return func(_ *testing.T, w http.ResponseWriter) {
			w.WriteHeader(400)
			_, _ = fmt.Fprintf(w, `{"error": %q}`, text)
		}
	}
	slug := func(status int, slug string) func(*testing.T, http.ResponseWriter) {
		return func(t *testing.T, w http.ResponseWriter) {
			sealed(t, w, status, fmt.Sprintf(`{"success": false, "error": "no", "error_slug": %q}`, slug))
		}
	}
	html := func(_ *testing.T, w http.ResponseWriter) { _, _ = io.WriteString(w, "<html>welcome</html>") }
	dropped := func(_ *testing.T, w http.ResponseWriter) { drop(w) }
	short := func(_ *testing.T, w http.ResponseWriter) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"encrypted": "`)
	}
	moved := func(_ *testing.T, w http.ResponseWriter) {
		w.Header().Set("Location", "/api/v1/cards/get")
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
	const always = 99
	for name, test := range map[string]struct {
		path     string
		answers  answers
		attempts int
		ends     string // in what the call ends: a code, `http <status>`, `transport`, or nothing
	}{
		"read, success":                {read, fails(0, nil), 1, ""},
		"keyed, success":               {keyed, fails(0, nil), 1, ""},
		"read, 503 twice":              {read, fails(2, status(503)), 3, ""},
		"keyed, 503 twice":             {keyed, fails(2, status(503)), 3, ""},
		"unsafe, 503":                  {unsafe, fails(2, status(503)), 1, "outcome_unknown"},
		"read, 503 for ever":           {read, fails(always, status(503)), 3, "http 503"},
		"keyed, 503 for ever":          {keyed, fails(always, status(503)), 3, "outcome_unknown"},
		"read, dropped":                {read, fails(1, dropped), 2, ""},
		"keyed, dropped":               {keyed, fails(1, dropped), 2, ""},
		"unsafe, dropped":              {unsafe, fails(1, dropped), 1, "outcome_unknown"},
		"read, dropped for ever":       {read, fails(always, dropped), 3, "transport"},
		"keyed, dropped for ever":      {keyed, fails(always, dropped), 3, "outcome_unknown"},
		"keyed, half an answer":        {keyed, fails(1, short), 2, ""},
		"unsafe, half an answer":       {unsafe, fails(1, short), 1, "outcome_unknown"},
		"read, HTML":                   {read, fails(1, html), 2, ""},
		"keyed, HTML":                  {keyed, fails(1, html), 2, ""},
		"unsafe, HTML":                 {unsafe, fails(1, html), 1, "outcome_unknown"},
		"read, HTML for ever":          {read, fails(always, html), 3, "invalid_json"},
		"read, duplicate":              {read, fails(1, plain("Duplicate request detected")), 2, ""},
		"keyed, duplicate":             {keyed, fails(2, plain("Duplicate request detected")), 3, ""},
		"unsafe, duplicate":            {unsafe, fails(1, plain("Duplicate request detected")), 1, "outcome_unknown"},
		"keyed, outside window once":   {keyed, fails(1, plain("Request timestamp outside allowed window")), 2, ""},
		"read, outside window twice":   {read, fails(2, plain("Request timestamp outside allowed window")), 2, "timestamp_outside_window"},
		"keyed, outside window twice":  {keyed, fails(2, plain("Request timestamp outside allowed window")), 2, "outcome_unknown"},
		"read, no access":              {read, fails(1, plain("You do not have access to this API.")), 1, "access_denied"},
		"unsafe, no access":            {unsafe, fails(1, plain("You do not have access to this API.")), 1, "access_denied"},
		"keyed, insufficient funds":    {keyed, fails(1, slug(403, "insufficient_funds")), 1, "insufficient_funds"},
		"unsafe, already there":        {unsafe, fails(1, slug(409, "external_user_id_exists")), 1, "external_user_id_exists"},
		"keyed, too many top-ups":      {keyed, fails(1, slug(503, "topup_attempts_exceeded")), 1, "topup_attempts_exceeded"},
		"keyed, provider error":        {keyed, fails(1, slug(502, "provider_error")), 2, ""},
		"read, an error that is a 200": {read, fails(1, slug(200, "card_not_found")), 1, "card_not_found"},
		"read, redirect":               {read, fails(1, moved), 1, "http 307"},
		"keyed, redirect":              {keyed, fails(1, moved), 1, "http 307"},
		"unsafe, redirect":             {unsafe, fails(1, moved), 1, "http 307"},
	} {
		t.Run(name, func(t *testing.T) {
			server := newWire(t, func(attempt int, w http.ResponseWriter, payload string) { test.answers(t, attempt, w) })
			var events recorder
			for name, call := range callers(t, server.URL, cardseal.WithAttempts(3), events.option()) {
				server.forget()
				var keys []string
				if test.path == keyed {
					keys = []string{"topup-7"}
				}
				answer, err := call(t.Context(), test.path, `{"card_id": "card_secret"}`, keys...)
				if ended := ending(err); ended != test.ends || ended == "" && answer != `{"order_id": "o-1"}` {
					t.Errorf("%s: ended in %q, not in %q: %s, %v", name, ended, test.ends, answer, err)
				}
				var unknown *cardseal.OutcomeUnknownError
				if errors.As(err, &unknown) {
					if unknown.Path != "/api/v1"+test.path || unknown.IdempotencyKey != strings.Join(keys, "") || unknown.Attempts != test.attempts || unknown.Last == nil {
						t.Errorf("%s: %+v", name, *unknown)
					}
				}
				bodies, sentKeys := server.seen()
				if len(bodies) != test.attempts || distinct(bodies) != len(bodies) {
					t.Errorf("%s: %d bodies were sent, %d of them different, not %d", name, len(bodies), distinct(bodies), test.attempts)
				}
				for _, sent := range sentKeys {
					if sent != strings.Join(keys, ",") {
						t.Errorf("%s: the idempotency key was %q", name, sent)
					}
				}
				checkEvents(t, events.take(), test.path, test.attempts, err == nil)
			}
		})
	}
}

// ending is in what a call ended.
func ending(err error) string {
	var unknown *cardseal.OutcomeUnknownError
	var apiError *cardseal.APIError
	var ours *cardseal.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &unknown):
		return "outcome_unknown"
	case errors.As(err, &apiError) && apiError.Code != "":
		return apiError.Code
	case errors.As(err, &apiError):
		return fmt.Sprintf("http %d", apiError.Status)
	case errors.As(err, &ours):
		return string(ours.Code)
	}
	return "transport"
}

func distinct(texts []string) int {
	all := map[string]bool{}
	for _, text := range texts {
		all[text] = true
	}
	return len(all)
}

// checkEvents: one for each attempt, in their order, and the last says that it is.
func checkEvents(t *testing.T, events []cardseal.AttemptEvent, path string, attempts int, isSuccess bool) {
	t.Helper()
	if len(events) != attempts {
		t.Errorf("%d events for %d attempts", len(events), attempts)
	}
	for index, event := range events {
		isLast := index == len(events)-1
		if event.Path != "/api/v1"+path || event.Attempt != index+1 || event.WillRetry == isLast || isLast && event.Wait != 0 ||
			(event.FailureClass == "") != (isLast && isSuccess) {
			t.Errorf("event %d of %d: %+v", index+1, len(events), event)
		}
		checkRedacted(t, "an event", event, []byte(testSecret), []byte("topup-7"), []byte("card_secret"), []byte(testAPIKey))
	}
}

// TestRefusedBeforeSending: nothing goes over the wire that is no call of this API.
func TestRefusedBeforeSending(t *testing.T) {
	server := newWire(t, func(_ int, w http.ResponseWriter, _ string) { t.Error("it was sent"); sealed(t, w, 200, "{}") })
	already := string(seal(t, `{"a": 1}`))
	events := recorder{}
	for name, call := range callers(t, server.URL, events.option()) {
		for _, test := range []struct {
			path, payload string
			keys          []string
			code          cardseal.Code
		}{
			{"/cards/get", already, nil, cardseal.ErrAlreadySealed},
			{"/cards/get", `[]`, nil, cardseal.ErrInvalidPayload},
			{"/cards/get", `{"a": 1, "a": 2}`, nil, cardseal.ErrInvalidPayload},
			{"/cards/get", `{"a": "` + strings.Repeat("a", cardseal.DefaultMaxBytes) + `"}`, nil, cardseal.ErrTooLarge},
			{"/cards/topup", `{}`, nil, cardseal.ErrIdempotencyKeyRequired},
			{"/cards/topup", `{}`, []string{"with a space"}, cardseal.ErrInvalidIdempotencyKey},
			{"/cards//get", `{}`, nil, cardseal.ErrInvalidPath},
		} {
			if _, err := call(t.Context(), test.path, test.payload, test.keys...); !errors.Is(err, test.code) {
				t.Errorf("%s: %s %.40s: %v", name, test.path, test.payload, err)
			}
		}
	}
	// What a Client has no words for.
	for name, change := range map[string]func(*http.Request){
		"GET":       func(r *http.Request) { r.Method = http.MethodGet },
		"no method": func(r *http.Request) { r.Method = "" },
		"two keys":  func(r *http.Request) { r.Header["Idempotency-Key"] = []string{"a", "b"} },
		"in two ways": func(r *http.Request) {
			r.Header["idempotency-key"] = []string{"a"}
			r.Header.Set("Idempotency-Key", "b")
		},
		"no URL": func(r *http.Request) { r.URL = nil },
	} {
		body := &trackedBody{Reader: strings.NewReader("{}")}
		request := httptest.NewRequest(http.MethodPost, server.URL+"/api/v1/cards/get", body)
		change(request)
		_, err := newTransport(t, events.option()).RoundTrip(request)
		if !errors.Is(err, cardseal.ErrInvalidOption) || !body.isClosed.Load() {
			t.Errorf("%s: %v, closed: %v", name, err, body.isClosed.Load())
		}
	}
	broken := &trackedBody{Reader: iotest.ErrReader(io.ErrClosedPipe)}
	_, err := newTransport(t, events.option()).RoundTrip(httptest.NewRequest(http.MethodPost, server.URL+"/api/v1/cards/get", broken))
	if !errors.Is(err, io.ErrClosedPipe) || !broken.isClosed.Load() {
		t.Errorf("a body that cannot be read: %v, closed: %v", err, broken.isClosed.Load())
	}
	if events := events.take(); len(events) != 0 {
		t.Errorf("there were attempts: %v", events)
	}
}

func seal(t *testing.T, payload string) []byte {
	t.Helper()
	body, err := newEnvelope(t).Seal(payload)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// trackedBody knows whether it was closed.
type trackedBody struct {
	io.Reader
	isClosed atomic.Bool
}

func (b *trackedBody) Close() error { b.isClosed.Store(true); return nil }

// TestDeadConnection: net/http sends a request with an Idempotency-Key again, on its own, where a connection that it had
// kept was dead. Under a Transport it does not: the server would see the same bytes twice.
func TestDeadConnection(t *testing.T) {
	for name, send := range map[string]func(t *testing.T, baseURL string) (events int, err error){
		"client": func(t *testing.T, baseURL string) (int, error) {
			var events recorder
			base := &http.Transport{}
			defer base.CloseIdleConnections()
			call := callers(t, baseURL, events.option(), cardseal.WithBase(base))["client"]
			_, first := call(t.Context(), "/cards/topup", "{}", "a")
			_, second := call(t.Context(), "/cards/topup", "{}", "b")
			return len(events.take()), errors.Join(first, second)
		},
		"transport": func(t *testing.T, baseURL string) (int, error) {
			var events recorder
			base := &http.Transport{}
			defer base.CloseIdleConnections()
			call := callers(t, baseURL, events.option(), cardseal.WithBase(base))["transport"]
			_, first := call(t.Context(), "/cards/topup", "{}", "a")
			_, second := call(t.Context(), "/cards/topup", "{}", "b")
			return len(events.take()), errors.Join(first, second)
		},
		// What they are held against: the same bytes, as people send them.
		"by hand": func(t *testing.T, baseURL string) (int, error) {
			base := &http.Transport{}
			defer base.CloseIdleConnections()
			client := &http.Client{Transport: base}
			for _, key := range []string{"a", "b"} {
				request, err := http.NewRequest(http.MethodPost, baseURL, bytes.NewReader(seal(t, "{}")))
				if err != nil {
					return 0, err
				}
				request.Header.Set("Idempotency-Key", key)
				response, err := client.Do(request)
				if err != nil {
					return 0, err
				}
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
			return 2, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var lock sync.Mutex
			var bodies []string
			// The first connection answers once, and then takes a request without a word; the others answer.
			server := &http.Server{ConnContext: numberConnections(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				lock.Lock()
				bodies = append(bodies, string(body))
				isDead := connectionNumber(r) == 1 && len(bodies) > 1
				lock.Unlock()
				if isDead {
					drop(w)
					return
				}
				sealed(t, w, 200, `{}`)
			})}
			go func() { _ = server.Serve(listener) }()
			defer server.Close()
			events, err := send(t, "http://"+listener.Addr().String())
			if err != nil {
				t.Error(err)
			}
			lock.Lock()
			defer lock.Unlock()
			if len(bodies) != 3 {
				t.Fatalf("%d requests arrived", len(bodies))
			}
			if isSealedAnew := distinct(bodies) == 3 && events == 3; isSealedAnew == (name == "by hand") {
				t.Errorf("%d different bodies of %d, %d events", distinct(bodies), len(bodies), events)
			}
		})
	}
}

type connectionKey struct{}

func numberConnections() func(context.Context, net.Conn) context.Context {
	var count atomic.Int64
	return func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, connectionKey{}, count.Add(1))
	}
}

func connectionNumber(r *http.Request) int64 {
	number, _ := r.Context().Value(connectionKey{}).(int64)
	return number
}

// TestNeverConnected: where no connection came about nothing can have arrived, whatever the endpoint; with HTTP/2 too.
func TestNeverConnected(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	encrypted := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { drop(w); panic(http.ErrAbortHandler) }))
	encrypted.EnableHTTP2 = true
	encrypted.Config.ErrorLog = quiet()
	encrypted.StartTLS()
	defer encrypted.Close()
	trusting := encrypted.Client().Transport

	for name, test := range map[string]struct {
		url     string
		base    http.RoundTripper
		arrived bool
	}{
		"no such port":         {"http://" + closed.Addr().String(), &http.Transport{}, false},
		"no such name":         {"http://name.invalid", &http.Transport{}, false},
		"not trusted":          {encrypted.URL, &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}, false},
		"not trusted, HTTP/2":  {encrypted.URL, &http.Transport{ForceAttemptHTTP2: true}, false},
		"HTTP/2, then dropped": {encrypted.URL, trusting, true},
		// It tells a trace nothing: then nobody knows.
		"another round tripper": {"http://" + closed.Addr().String(), untraced{&http.Transport{}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var events recorder
			for caller, call := range callers(t, test.url, cardseal.WithBase(test.base), cardseal.WithAttempts(2), events.option()) {
				_, err := call(t.Context(), "/users/create", "{}")
				want, attempts := "transport", 2
				if test.arrived {
					want, attempts = "outcome_unknown", 1
				}
				if ended := ending(err); ended != want {
					t.Errorf("%s: ended in %q: %v", caller, ended, err)
				}
				checkEvents(t, events.take(), "/users/create", attempts, false)
			}
		})
	}
}

type untraced struct{ base http.RoundTripper }

func (u untraced) RoundTrip(request *http.Request) (*http.Response, error) {
	clone := request.Clone(context.Background())
	return u.base.RoundTrip(clone)
}

// TestResponses: to the caller of a Transport an answer is plain JSON, and its headers speak of that.
func TestResponses(t *testing.T) {
	server := newWire(t, func(attempt int, w http.ResponseWriter, _ string) {
		w.Header().Set("X-Request-Id", "r-1")
		w.Header().Set("Content-Encoding", "identity")
		switch attempt {
		case 1:
			sealed(t, w, 201, `{"a": "ü"}`)
		case 2:
			sealed(t, w, 404, `{"success": false, "error": "gone", "error_slug": "card_not_found"}`)
		case 3:
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(403)
			_, _ = io.WriteString(w, "<html>no</html>")
		case 4:
			sealed(t, w, 200, `{"success": false}`)
		}
	})
	// A time-out of the client's wraps bodies: the error is found all the same.
	client := &http.Client{Transport: newTransport(t), Timeout: time.Minute}
	for _, want := range []struct {
		status            int
		body, contentType string
		slug              string
		isError           bool
	}{
		{201, `{"a": "ü"}`, "application/json", "", false},
		{404, `{"success": false, "error": "gone", "error_slug": "card_not_found"}`, "application/json", "card_not_found", true},
		{403, "<html>no</html>", "text/html", "", true},
		{200, `{"success": false}`, "application/json", "", true},
	} {
		response, err := client.Post(server.URL+"/api/v1/cards/get?a=b#c", "text/plain", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != want.status || string(body) != want.body || response.ContentLength != int64(len(body)) {
			t.Errorf("%d, %s, %d bytes, %v", response.StatusCode, body, response.ContentLength, err)
		}
		header := response.Header
		if header.Get("Content-Type") != want.contentType || header.Get("Content-Length") != fmt.Sprint(len(body)) || header.Get("X-Request-Id") != "r-1" ||
			header.Get("Transfer-Encoding") != "" || (header.Get("Content-Encoding") == "") != (want.contentType == "application/json") {
			t.Errorf("%d: %v", want.status, header)
		}
		apiError := cardseal.APIErrorOf(response)
		if (apiError != nil) != want.isError || apiError != nil && (apiError.Slug != want.slug || apiError.Status != want.status) {
			t.Errorf("%d: %v", want.status, apiError)
		}
	}
	if cardseal.APIErrorOf(nil) != nil || cardseal.APIErrorOf(&http.Response{}) != nil {
		t.Error("an error out of nothing")
	}
}

// TestNoSuccessThatDoesNotOpen: what comes as a success and is none is an error, never a response.
func TestNoSuccessThatDoesNotOpen(t *testing.T) {
	reflected := atomic.Pointer[string]{}
	for name, test := range map[string]struct {
		answer func(w http.ResponseWriter)
		ends   string
	}{
		"plain JSON":        {func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"order_id": "o-1"}`) }, "envelope_not_found"},
		"another key":       {func(w http.ResponseWriter) { _, _ = w.Write(sealWith(t, "another_secret")) }, "decryption_failed"},
		"a plain error":     {func(w http.ResponseWriter) { _, _ = io.WriteString(w, "API key not found") }, "api_key_not_found"},
		"nothing":           {func(w http.ResponseWriter) { w.WriteHeader(204) }, "invalid_json"},
		"the request":       {func(w http.ResponseWriter) { _, _ = io.WriteString(w, *reflected.Load()) }, "reflected_response"},
		"far too much":      {func(w http.ResponseWriter) { _, _ = w.Write(make([]byte, cardseal.DefaultMaxBytes+1)) }, "too_large"},
		"sealed, not today": {func(w http.ResponseWriter) { sealed(t, w, 304, `{}`) }, "http 304"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				text := string(body)
				reflected.Store(&text)
				test.answer(w)
			}))
			defer server.Close()
			for caller, call := range callers(t, server.URL, cardseal.WithAttempts(1)) {
				answer, err := call(t.Context(), "/cards/get", "{}")
				if ended := ending(err); ended != test.ends || answer != "" {
					t.Errorf("%s: ended in %q with %q: %v", caller, ended, answer, err)
				}
			}
		})
	}
}

func sealWith(t *testing.T, secret string) []byte {
	t.Helper()
	envelope, err := cardseal.New(secret)
	if err != nil {
		t.Fatal(err)
	}
	body, err := envelope.SealResponse("{}")
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// TestRetryAfter: the wait is at least what the server asks for, in seconds or until a date.
func TestRetryAfter(t *testing.T) {
	for name, test := range map[string]struct {
		header       func() string
		least, limit time.Duration // limit 0: the call ends
	}{
		"seconds":         {func() string { return "3" }, 3 * time.Second, 3*time.Second + 1},
		"a date":          {func() string { return time.Now().Add(20 * time.Second).UTC().Format(http.TimeFormat) }, time.Second, 20 * time.Second},
		"a date gone by":  {func() string { return "Sun, 06 Nov 1994 08:49:37 GMT" }, 0, 250 * time.Millisecond},
		"nonsense":        {func() string { return "-5" }, 0, 250 * time.Millisecond},
		"beyond the end":  {func() string { return "60" }, 0, 0},
		"beyond all ends": {func() string { return strings.Repeat("9", 40) }, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			server := newWire(t, func(_ int, w http.ResponseWriter, _ string) {
				w.Header().Set("Retry-After", test.header())
				w.WriteHeader(http.StatusTooManyRequests)
			})
			for caller, call := range callers(t, server.URL) {
				// The wait is not waited for: the call is cancelled as it begins.
				ctx, cancel := context.WithCancel(t.Context())
				var told cardseal.AttemptEvent
				call = callers(t, server.URL, cardseal.WithOnAttempt(func(event cardseal.AttemptEvent) { told = event; cancel() }))[caller]
				_, err := call(ctx, "/cards/get", "{}")
				if told.WillRetry != (test.limit != 0) || told.Wait < test.least || told.Wait > test.limit || told.Status != 429 {
					t.Errorf("%s: %+v", caller, told)
				}
				if told.WillRetry != errors.Is(err, context.Canceled) || err == nil {
					t.Errorf("%s: %v", caller, err)
				}
				cancel()
			}
		})
	}
	now := time.Unix(1_700_000_000, 0)
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "1.5": 0, "+7": 0, "Tue, 14 Nov 2023 22:13:27 GMT": 7 * time.Second, "Tue, 14 Nov 2023 22:13:10 GMT": 0,
		"9223372036": 9223372036 * time.Second, "9223372037": 9223372036 * time.Second, "99999999999999999999": 9223372036 * time.Second,
	} {
		if wait := cardseal.RetryAfter(value, now); wait != want {
			t.Errorf("%q is %v", value, wait)
		}
	}
}

// TestBackoff has the values of the core's own example.
func TestBackoff(t *testing.T) {
	const most = 1<<32 - 1
	for _, test := range []struct {
		attempt int
		random  uint32
		millis  time.Duration
	}{{1, most, 249}, {2, 1 << 31, 250}, {99, most, 7_999}, {1, 0, 0}, {0, most, 249}, {6, most, 7_999}, {5, most, 3_999}, {1 << 40, 1 << 31, 4_000}} {
		if wait := cardseal.Backoff(test.attempt, test.random); wait != test.millis*time.Millisecond {
			t.Errorf("attempt %d: %v", test.attempt, wait)
		}
	}
}

// TestCancelled: a call ends with its context, within an attempt and between two, and says what may have happened.
func TestCancelled(t *testing.T) {
	arrived := make(chan struct{}, 1)
	server := newWire(t, func(_ int, w http.ResponseWriter, payload string) {
		if strings.Contains(payload, "busy") {
			w.Header().Set("Retry-After", "50")
			w.WriteHeader(503)
			return
		}
		arrived <- struct{}{}
		<-t.Context().Done() // for ever, as far as the call knows
	})
	for _, path := range []string{"/cards/get", "/cards/topup"} {
		for name := range callers(t, server.URL) {
			for _, payload := range []string{`{"hang": 1}`, `{"busy": 1}`} {
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error)
				waiting := make(chan struct{}, 1)
				fresh := cardseal.WithBase(&http.Transport{DisableKeepAlives: true})
				call := callers(t, server.URL, fresh, cardseal.WithOnAttempt(func(event cardseal.AttemptEvent) {
					if isBusy := strings.Contains(payload, "busy"); event.WillRetry != isBusy {
						t.Errorf("%s, %s, %s: %+v", name, path, payload, event)
					}
					if event.WillRetry {
						waiting <- struct{}{}
					}
				}))[name]
				go func() {
					_, err := call(ctx, path, payload, "key-1")
					ended <- err
				}()
				select {
				case <-arrived:
				case <-waiting:
				}
				cancel()
				err := <-ended
				isUnknown := path == "/cards/topup"
				if !errors.Is(err, context.Canceled) || errors.Is(err, cardseal.ErrOutcomeUnknown) != isUnknown {
					t.Errorf("%s, %s, %s: %v", name, path, payload, err)
				}
				server.CloseClientConnections()
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			server.forget()
			_, err := callers(t, server.URL)[name](ctx, path, "{}", "key-1")
			if bodies, _ := server.seen(); !errors.Is(err, context.Canceled) || errors.Is(err, cardseal.ErrOutcomeUnknown) || len(bodies) != 0 {
				t.Errorf("%s, %s, before it began: %v, %d bodies", name, path, err, len(bodies))
			}
		}
	}
}

// TestSealingFailsLater: where no further attempt can be sealed, the outcome of those that were sent stays unknown.
func TestSealingFailsLater(t *testing.T) {
	server := newWire(t, func(_ int, w http.ResponseWriter, _ string) { drop(w) })
	for path, isUnknown := range map[string]bool{"/cards/get": false, "/cards/topup": true} {
		restore := func() {}
		broken := cardseal.WithOnAttempt(func(cardseal.AttemptEvent) { restore = cardseal.SetEntropy(iotest.ErrReader(io.EOF)) })
		for name, call := range callers(t, server.URL, broken) {
			_, err := call(t.Context(), path, "{}", "key-1")
			restore()
			if !errors.Is(err, cardseal.ErrEntropyUnavailable) || errors.Is(err, cardseal.ErrOutcomeUnknown) != isUnknown {
				t.Errorf("%s, %s: %v", name, path, err)
			}
		}
	}
}

// TestAttemptTimeout: an attempt that hangs leaves time for another.
func TestAttemptTimeout(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	server := newWire(t, func(attempt int, w http.ResponseWriter, _ string) {
		if attempt == 1 {
			w.Header().Set("Content-Length", "10")
			w.WriteHeader(200)
			_ = http.NewResponseController(w).Flush()
			<-release // in the middle of its answer
			return
		}
		sealed(t, w, 200, `{"order_id": "o-1"}`)
	})
	for name := range callers(t, server.URL) {
		server.forget()
		call := callers(t, server.URL, cardseal.WithAttemptTimeout(200*time.Millisecond))[name]
		answer, err := call(t.Context(), "/cards/topup", "{}", "key-1")
		if bodies, _ := server.seen(); err != nil || answer != `{"order_id": "o-1"}` || len(bodies) != 2 {
			t.Errorf("%s: %s, %v, %d bodies", name, answer, err, len(bodies))
		}
	}
}

// roundTrips is a base without a network, for the time of synctest.
type roundTrips func(request *http.Request) (*http.Response, error)

func (f roundTrips) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// TestDeadline: a call ends after eight attempts, or where the next wait would end 60 seconds or later after its start.
func TestDeadline(t *testing.T) {
	busy := func(retryAfter string) roundTrips {
		return func(*http.Request) (*http.Response, error) {
			header := http.Header{"Retry-After": {retryAfter}}
			return &http.Response{StatusCode: http.StatusServiceUnavailable, Header: header}, nil
		}
	}
	hangs := roundTrips(func(request *http.Request) (*http.Response, error) {
		<-request.Context().Done()
		return nil, request.Context().Err()
	})
	for name, test := range map[string]struct {
		base     http.RoundTripper
		options  []cardseal.TransportOption
		attempts int
		seconds  float64 // how long the call takes, if that is not left to chance
	}{
		"eight attempts":         {busy(""), nil, 8, 0},
		"as many as one asks":    {busy(""), []cardseal.TransportOption{cardseal.WithAttempts(2)}, 2, 0},
		"59 seconds pass":        {busy("59"), nil, 2, 59},
		"60 seconds do not":      {busy("60"), nil, 1, 0},
		"25 and 25 and no third": {busy("25"), nil, 3, 50},
		"as long as one asks":    {busy("2"), []cardseal.TransportOption{cardseal.WithDeadline(5 * time.Second)}, 3, 4},
		"an attempt hangs":       {hangs, []cardseal.TransportOption{cardseal.WithAttemptTimeout(time.Hour)}, 1, 60},
		"attempts hang":          {hangs, []cardseal.TransportOption{cardseal.WithAttempts(1)}, 1, 30},
	} {
		t.Run(name, func(t *testing.T) {
			for caller := range callers(t, "http://api.example.com") {
				synctest.Test(t, func(t *testing.T) {
					var events recorder
					call := callers(t, "http://api.example.com", append(test.options, cardseal.WithBase(test.base), events.option())...)[caller]
					start := time.Now()
					_, err := call(t.Context(), "/cards/get", "{}")
					took := time.Since(start)
					if test.seconds != 0 && took != time.Duration(test.seconds*float64(time.Second)) {
						t.Errorf("%s: it took %v", caller, took)
					}
					if isHanging := test.seconds >= 30 && test.attempts == 1; errors.Is(err, context.DeadlineExceeded) != isHanging || err == nil {
						t.Errorf("%s: %v", caller, err)
					} else if isHanging && !strings.Contains(err.Error(), "has taken longer than") {
						t.Errorf("%s: the error does not say which time was up: %v", caller, err)
					}
					checkEvents(t, events.take(), "/cards/get", test.attempts, false)
				})
			}
		})
	}
}

// TestEveryBodyIsClosed, and no goroutine stays behind.
func TestEveryBodyIsClosed(t *testing.T) {
	before := runtime.NumGoroutine()
	base := &http.Transport{}
	var lock sync.Mutex
	var bodies []*trackedBody
	tracked := roundTrips(func(request *http.Request) (*http.Response, error) {
		response, err := base.RoundTrip(request)
		if err == nil {
			body := &trackedBody{Reader: response.Body}
			lock.Lock()
			bodies = append(bodies, body)
			lock.Unlock()
			inner := response.Body
			response.Body = struct {
				io.Reader
				io.Closer
			}{body, closers{inner, body}}
		}
		return response, err
	})
	server := newWire(t, func(attempt int, w http.ResponseWriter, _ string) {
		switch attempt % 6 {
		case 0:
			http.Error(w, "busy", http.StatusServiceUnavailable)
		case 1:
			drop(w)
		case 2:
			_, _ = w.Write(make([]byte, cardseal.DefaultMaxBytes+10))
		case 3:
			w.Header().Set("Content-Length", "1000")
		case 4:
			w.WriteHeader(302)
		default:
			sealed(t, w, 200, "{}")
		}
	})
	var calls sync.WaitGroup
	for _, call := range callers(t, server.URL, cardseal.WithBase(tracked), cardseal.WithAttempts(2)) {
		for range 20 {
			calls.Go(func() { _, _ = call(t.Context(), "/cards/topup", "{}", "key-1") })
		}
	}
	calls.Wait()
	base.CloseIdleConnections()
	server.Close()
	lock.Lock()
	defer lock.Unlock()
	if len(bodies) < 20 {
		t.Fatalf("only %d answers", len(bodies))
	}
	for index, body := range bodies {
		if !body.isClosed.Load() {
			t.Errorf("body %d of %d stays open", index+1, len(bodies))
		}
	}
	for runtime.NumGoroutine() > before { // ends with the test's own time-out
		runtime.Gosched()
	}
}

type closers []io.Closer

func (c closers) Close() error {
	var failures []error
	for _, closer := range c {
		failures = append(failures, closer.Close())
	}
	return errors.Join(failures...)
}

// TestTransportOptions: what cannot work is refused as it is made.
func TestTransportOptions(t *testing.T) {
	envelope := newEnvelope(t)
	for name, test := range map[string]struct {
		make func() error
		code cardseal.Code
	}{
		"no envelope":      {func() error { _, err := cardseal.NewTransport(nil, testAPIKey); return err }, cardseal.ErrInvalidKey},
		"an empty one":     {func() error { _, err := cardseal.NewTransport(&cardseal.Envelope{}, testAPIKey); return err }, cardseal.ErrInvalidKey},
		"API key":          {func() error { _, err := cardseal.NewTransport(envelope, "a b"); return err }, cardseal.ErrInvalidAPIKey},
		"no attempt":       {option(envelope, cardseal.WithAttempts(0)), cardseal.ErrInvalidOption},
		"no time":          {option(envelope, cardseal.WithDeadline(0)), cardseal.ErrInvalidOption},
		"less than none":   {option(envelope, cardseal.WithAttemptTimeout(-1)), cardseal.ErrInvalidOption},
		"short secret":     {func() error { _, err := cardseal.NewClient("https://a", testAPIKey, "short"); return err }, cardseal.ErrInvalidKey},
		"client's API key": {func() error { _, err := cardseal.NewClient("https://a", "", testSecret); return err }, cardseal.ErrInvalidAPIKey},
		"zero transport":   {func() error { _, err := (&cardseal.Transport{}).Client("https://a"); return err }, cardseal.ErrInvalidOption},
		"nil transport":    {func() error { _, err := (*cardseal.Transport)(nil).Client("https://a"); return err }, cardseal.ErrInvalidOption},
		"zero round trip": {func() error {
			_, err := (&cardseal.Transport{}).RoundTrip(httptest.NewRequest("POST", "/", nil))
			return err
		}, cardseal.ErrInvalidOption},
		"zero client": {func() error { return (&cardseal.Client{}).Call(t.Context(), "/cards/get", nil, nil) }, cardseal.ErrInvalidOption},
		"nil client":  {func() error { return (*cardseal.Client)(nil).Call(t.Context(), "/cards/get", nil, nil) }, cardseal.ErrInvalidOption},
	} {
		if err := test.make(); !errors.Is(err, test.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := cardseal.NewTransport(envelope, testAPIKey, nil, cardseal.WithBase(nil)); err != nil {
		t.Error(err)
	}
	nothing := roundTrips(func(*http.Request) (*http.Response, error) { return nil, nil })
	for name, call := range callers(t, "http://api.example.com", cardseal.WithBase(nothing), cardseal.WithAttempts(1)) {
		if _, err := call(t.Context(), "/cards/get", "{}"); ending(err) != "transport" {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Twice around is refused by the one within.
	for name, call := range callers(t, "http://api.example.com", cardseal.WithBase(newTransport(t, cardseal.WithBase(nothing)))) {
		if _, err := call(t.Context(), "/cards/get", "{}"); !errors.Is(err, cardseal.ErrAlreadySealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func option(envelope *cardseal.Envelope, option cardseal.TransportOption) func() error {
	return func() error {
		_, err := cardseal.NewTransport(envelope, testAPIKey, option)
		return err
	}
}

// TestPlainRequestStays: a RoundTripper leaves the request as it was, and headers of the caller's own that would lie are
// not sent.
func TestPlainRequestStays(t *testing.T) {
	var seen http.Header
	base := roundTrips(func(request *http.Request) (*http.Response, error) {
		seen = request.Header.Clone()
		if request.GetBody != nil || len(request.TransferEncoding) != 0 || request.Trailer != nil {
			t.Errorf("%+v", request)
		}
		return nil, io.EOF
	})
	request := httptest.NewRequest(http.MethodPost, "http://api.example.com/api/v1/cards/get", strings.NewReader(`{"a": 1}`))
	request.Header = http.Header{
		"Api-Key": {"another"}, "api-key": {"a third"}, "Content-Type": {"text/plain"}, "Content-Length": {"8"}, "Content-Encoding": {"identity"},
		"Accept-Encoding": {"br"}, "Transfer-Encoding": {"chunked"}, "X-Trace": {"t-1"}, "x-trace": {"t-2"},
	}
	request.TransferEncoding, request.Trailer = []string{"chunked"}, http.Header{"X-Sum": nil}
	header := request.Header.Clone()
	if _, err := newTransport(t, cardseal.WithBase(base), cardseal.WithAttempts(1)).RoundTrip(request); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	if !maps.EqualFunc(header, request.Header, slices.Equal) || request.ContentLength != 8 || request.Trailer == nil {
		t.Errorf("the request has become %+v", request)
	}
	slices.Sort(seen["X-Trace"])
	if !maps.EqualFunc(seen, http.Header{"Api-Key": {testAPIKey}, "Content-Type": {"application/json"}, "X-Trace": {"t-1", "t-2"}}, slices.Equal) {
		t.Errorf("sent were %v", seen)
	}
}
