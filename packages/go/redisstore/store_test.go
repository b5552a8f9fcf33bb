package redisstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	cardseal "github.com/cardseal/cardseal/packages/go"
	"github.com/cardseal/cardseal/packages/go/redisstore"
	"github.com/redis/go-redis/v9"
)

// startRedis starts a Redis for one test.
func startRedis(t *testing.T, arguments ...string) (url string, process *os.Process) {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal("redis-server is not installed: in CI nothing is skipped")
	}
	if err != nil {
		t.Skip("redis-server is not installed; on Debian: apt-get install redis-server")
	}
	// The port is free at this moment, and nobody else on this machine looks for one in so short a time.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().(*net.TCPAddr)
	listener.Close()
	command := exec.Command(program, append([]string{"--port", fmt.Sprint(address.Port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"}, arguments...)...)
	command.Dir = t.TempDir()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	url = "redis://" + address.String()
	client := redis.NewClient(&redis.Options{Addr: address.String()})
	defer client.Close()
	for client.Ping(t.Context()).Err() != nil {
		time.Sleep(10 * time.Millisecond)
	}
	return url, command.Process
}

func open(t *testing.T, url string) *redisstore.Store {
	t.Helper()
	store, err := redisstore.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// TestClaims: a key is claimed once, by whichever process, until its time is over.
func TestClaims(t *testing.T) {
	url, _ := startRedis(t)
	one, other := open(t, url), open(t, url)
	claim := func(store *redisstore.Store, key string, ttl time.Duration, want bool) {
		t.Helper()
		if fresh, err := store.Claim(t.Context(), key, ttl); fresh != want || err != nil {
			t.Errorf("%s: %v, %v", key, fresh, err)
		}
	}
	claim(one, "a", cardseal.ReplayTTL, true)
	claim(one, "a", cardseal.ReplayTTL, false)
	claim(other, "a", cardseal.ReplayTTL, false)
	claim(other, "b", cardseal.ReplayTTL, true)

	// As every language writes it (SPEC.md, section 13).
	client := rawClient(t, url)
	value, err := client.Get(t.Context(), "cardseal:replay:a").Result()
	left := client.PTTL(t.Context(), "cardseal:replay:a").Val()
	if err != nil || value != "1" || left <= 60*time.Second || left > cardseal.ReplayTTL {
		t.Errorf("%q for %v, %v", value, left, err)
	}
	claim(one, "c", time.Nanosecond, true) // a millisecond
	for client.Exists(t.Context(), "cardseal:replay:c").Val() != 0 {
		time.Sleep(time.Millisecond)
	}
	claim(one, "c", time.Second, true)
	if _, err := one.Claim(t.Context(), "d", 0); !errors.Is(err, cardseal.ErrInvalidOption) {
		t.Error(err)
	}
}

func rawClient(t *testing.T, url string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// TestWebhooks: one process takes a webhook up, and the others see what becomes of it.
func TestWebhooks(t *testing.T) {
	url, process := startRedis(t)
	one, other, client := open(t, url), open(t, url), rawClient(t, url)
	begin := func(store *redisstore.Store, want cardseal.WebhookState) {
		t.Helper()
		if state, err := store.Begin(t.Context(), "id:d-1"); state != want || err != nil {
			t.Errorf("it is %s, %v", state, err)
		}
	}
	expectTTL := func(least, most time.Duration) {
		t.Helper()
		if left := client.PTTL(t.Context(), "cardseal:webhook:id:d-1").Val(); left <= least || left > most {
			t.Errorf("it is kept for %v", left)
		}
	}
	begin(one, cardseal.WebhookNew)
	begin(other, cardseal.WebhookBusy)
	expectTTL(cardseal.WebhookLease-30*time.Second, cardseal.WebhookLease)
	if err := one.GiveBack(t.Context(), "id:d-1"); err != nil {
		t.Error(err)
	}
	begin(other, cardseal.WebhookNew)
	if err := other.Finish(t.Context(), "id:d-1"); err != nil {
		t.Error(err)
	}
	begin(one, cardseal.WebhookHandled)
	expectTTL(cardseal.WebhookTTL-30*time.Second, cardseal.WebhookTTL)
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, beginErr := one.Begin(t.Context(), "id:d-2")
	if finishErr, giveErr := one.Finish(t.Context(), "id:d-2"), one.GiveBack(t.Context(), "id:d-2"); beginErr == nil || finishErr == nil || giveErr == nil {
		t.Errorf("without Redis: %v, %v, %v", beginErr, finishErr, giveErr)
	}
}

// TestHandlers: of a hundred copies of one request, sent to two servers at once, one is taken; and while Redis is away
// nothing is.
func TestHandlers(t *testing.T) {
	url, process := startRedis(t)
	envelope, err := cardseal.New("your_api_secret_key_here")
	if err != nil {
		t.Fatal(err)
	}
	var runs atomic.Int64
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		runs.Add(1)
		_, _ = w.Write([]byte("{}"))
	})
	lookup := func(context.Context, string) (*cardseal.Envelope, error) { return envelope, nil }
	var handlers []http.Handler
	for range 2 {
		handler, err := cardseal.NewHandler(next, lookup, open(t, url))
		if err != nil {
			t.Fatal(err)
		}
		handlers = append(handlers, handler)
	}
	send := func(handler http.Handler, body []byte) int {
		request := httptest.NewRequest(http.MethodPost, "/api/v1/cards/get", bytes.NewReader(body))
		request.Header.Set("API-KEY", "key_1")
		request.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, request)
		return w.Code
	}
	seal := func() []byte {
		body, err := envelope.Seal("{}")
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	body := seal()
	var accepted, refused atomic.Int64
	var copies sync.WaitGroup
	for number := range 100 {
		copies.Go(func() {
			switch send(handlers[number%2], body) {
			case 200:
				accepted.Add(1)
			case 400:
				refused.Add(1)
			}
		})
	}
	copies.Wait()
	if accepted.Load() != 1 || refused.Load() != 99 || runs.Load() != 1 {
		t.Errorf("%d were accepted, %d refused, %d ran", accepted.Load(), refused.Load(), runs.Load())
	}

	// It stands still: no answer, though there is a connection.
	if err := process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	stopped := seal()
	if status := send(handlers[0], stopped); status != 503 {
		t.Errorf("while Redis stands still: %d", status)
	}
	if err := process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for status := 503; status != 200; { // it comes back by itself
		if status = send(handlers[0], seal()); status != 200 && status != 503 {
			t.Fatalf("after that: %d", status)
		}
	}
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	before := runs.Load()
	if status := send(handlers[1], seal()); status != 503 || runs.Load() != before {
		t.Errorf("without Redis: %d", status)
	}
}

// TestOpen: a Redis that would forget claims, or is none, is refused, and no message holds a password.
func TestOpen(t *testing.T) {
	url, process := startRedis(t, "--maxmemory-policy", "allkeys-lru")
	for url, code := range map[string]cardseal.Code{
		url:                             cardseal.ErrInvalidOption,
		"":                              cardseal.ErrInvalidOption,
		"http://127.0.0.1":              cardseal.ErrInvalidOption,
		"redis://:pa55word@h:1:2/nine":  cardseal.ErrInvalidOption,
		"redis://:pa55word@127.0.0.1:1": cardseal.ErrReplayStoreUnavailable,
	} {
		_, err := redisstore.Open(t.Context(), url)
		if !errors.Is(err, code) || strings.Contains(err.Error(), "pa55word") {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := redisstore.New(t.Context(), nil); !errors.Is(err, cardseal.ErrInvalidOption) {
		t.Error(err)
	}
	_ = process.Kill()
}
