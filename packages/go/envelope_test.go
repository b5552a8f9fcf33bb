package cardseal_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	cardseal "github.com/cardseal/cardseal/packages/go"
	"golang.org/x/crypto/nacl/secretbox"
)

// TestInterop opens with secretbox, encoding/json and encoding/base64 alone what this package seals, and the other way.
func TestInterop(t *testing.T) {
	const payload = `{"request_timestamp": 1700000000000000, "card_id": "card_abc123"}`
	key := sha256.Sum256([]byte(testSecret))
	envelope := newEnvelope(t)

	body, err := envelope.Seal(payload)
	if err != nil {
		t.Fatal(err)
	}
	var sealed map[string][]byte
	if err := json.Unmarshal(body, &sealed); err != nil || len(sealed) != 1 {
		t.Fatal(err)
	}
	raw := sealed["encrypted"]
	text, ok := secretbox.Open(nil, raw[25:], (*[24]byte)(raw[1:25]), &key)
	if !ok || raw[0] != 2 || string(text) != payload {
		t.Errorf("%x: %s", raw, text)
	}

	nonce := [24]byte{1, 2, 3}
	field := base64.StdEncoding.EncodeToString(secretbox.Seal(append([]byte{2}, nonce[:]...), []byte(payload), &nonce, &key))
	var opened struct {
		CardID string `json:"card_id"`
	}
	request, err := envelope.OpenRequest([]byte(`{"encrypted":"`+field+`"}`), &opened, cardseal.WithNowMicros(1_700_000_000_000_000))
	if err != nil || opened.CardID != "card_abc123" || request.Nonce != nonce {
		t.Errorf("%v %v", opened, err)
	}
}

// TestConcurrentUse is for the race detector; and no stamp and no nonce may come twice.
func TestConcurrentUse(t *testing.T) {
	envelope := newEnvelope(t, cardseal.WithOpenSecrets("secret_of_last_year"))
	store := &cardseal.MemoryReplayStore{}
	const goroutines, each = 16, 100
	requests := make(chan *cardseal.Request, goroutines*each)
	var fresh sync.Map
	var group sync.WaitGroup
	for goroutine := range goroutines {
		group.Go(func() {
			for count := range each {
				card := fmt.Sprint("card_", goroutine, "_", count) // of no other call, whose memory might be mixed up with this one's
				body, err := envelope.Seal(struct {
					CardID string `json:"card_id"`
				}{card})
				if err != nil {
					t.Error(err)
					return
				}
				var payload struct {
					CardID string `json:"card_id"`
				}
				request, err := envelope.OpenRequest(body, &payload)
				if err != nil || payload.CardID != card || !strings.Contains(string(request.Payload.Bytes()), `"card_id":"`+card+`"`) {
					t.Errorf("%v %v", payload, err)
					return
				}
				requests <- request
				keys, err := request.ReplayKeys("key_1", "/cards/get")
				if err != nil {
					t.Error(err)
					return
				}
				var won sync.WaitGroup
				for range 2 { // of two copies one is fresh
					won.Go(func() {
						if cardseal.ClaimRequest(t.Context(), store, keys) == nil {
							if _, twice := fresh.LoadOrStore(keys, true); twice {
								t.Error("both copies were fresh")
							}
						}
					})
				}
				won.Wait()
			}
		})
	}
	group.Wait()
	close(requests)
	stamps, nonces := map[int64]bool{}, map[cardseal.Nonce]bool{}
	for request := range requests {
		stamps[request.TimestampMicros], nonces[request.Nonce] = true, true
	}
	if len(stamps) != goroutines*each || len(nonces) != goroutines*each || store.Len() != 2*goroutines*each {
		t.Errorf("%d stamps, %d nonces, %d keys", len(stamps), len(nonces), store.Len())
	}
}

// TestTimestampsIncreaseOnAFrozenClock: in the bubble no time passes but in a sleep.
func TestTimestampsIncreaseOnAFrozenClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, err := cardseal.TimestampMicros()
		if err != nil {
			t.Fatal(err)
		}
		for count := range int64(1000) {
			if next, err := cardseal.TimestampMicros(); next != first+count+1 || err != nil {
				t.Fatalf("%d after %d (%v)", next, first+count, err)
			}
		}
		time.Sleep(time.Hour)
		if later, err := cardseal.TimestampMicros(); later != first+time.Hour.Microseconds() || err != nil {
			t.Errorf("%d is not an hour after %d (%v)", later, first, err)
		}
	})
}

// TestWindowFollowsTheWallClock: a burst of seals runs ahead of the clock, and must not move the window.
func TestWindowFollowsTheWallClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		envelope := newEnvelope(t)
		body, err := envelope.Seal("{}")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(29 * time.Second)
		if _, err := envelope.OpenRequest(body, nil); err != nil {
			t.Error(err)
		}
		time.Sleep(2 * time.Second)
		_, err = envelope.OpenRequest(body, nil)
		checkError(t, err, cardseal.ErrTimestampOutsideWindow, "31.")
	})
}

func TestMemoryStoreForgetsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &cardseal.MemoryReplayStore{MaxKeys: 2}
		claim := func(key string) string {
			fresh, err := store.Claim(t.Context(), key, cardseal.ReplayTTL)
			if err != nil {
				if !errors.Is(err, cardseal.ErrReplayStoreUnavailable) {
					t.Error(err)
				}
				return "full"
			}
			return map[bool]string{true: "fresh", false: "known"}[fresh]
		}
		var got []string
		for _, step := range []struct {
			wait time.Duration
			key  string
		}{
			{0, "a"}, {time.Second, "a"}, {0, "b"}, {0, "c"}, {0, "a"}, {69*time.Second - time.Millisecond, "a"}, {time.Millisecond, "a"}, {0, "c"}, {time.Second, "c"},
		} {
			time.Sleep(step.wait)
			got = append(got, claim(step.key))
		}
		if want := "fresh known fresh full known known fresh full fresh"; strings.Join(got, " ") != want {
			t.Errorf("got %v, want %s", got, want)
		}
	})
}

// TestClaimsLastForTheWholeTime: also for one that is no number of milliseconds.
func TestClaimsLastForTheWholeTime(t *testing.T) {
	start := time.UnixMilli(1_700_000_000_000)
	now := start
	store := &cardseal.MemoryReplayStore{Now: func() time.Time { return now }}
	if fresh, err := store.Claim(t.Context(), "key", 1_500*time.Microsecond); !fresh || err != nil {
		t.Fatal(err)
	}
	now = start.Add(1_499 * time.Microsecond)
	if fresh, err := store.Claim(t.Context(), "key", time.Second); fresh || err != nil {
		t.Errorf("forgotten too early (%v)", err)
	}
	now = start.Add(2 * time.Millisecond)
	if fresh, err := store.Claim(t.Context(), "key", time.Nanosecond); !fresh || err != nil {
		t.Errorf("kept too long (%v)", err)
	}
	if fresh, err := store.Claim(t.Context(), "key", time.Second); fresh || err != nil {
		t.Errorf("a nanosecond is no time (%v)", err)
	}
	for _, ttl := range []time.Duration{0, -time.Second} {
		fresh, err := store.Claim(t.Context(), "another key", ttl)
		if checkError(t, err, cardseal.ErrInvalidOption, "use ReplayTTL"); fresh {
			t.Error("fresh for no time")
		}
	}
}

// TestMemoryStoreWhenTheClockIsSetBack: a key lives as long as it was promised, and is not in the way of others.
func TestMemoryStoreWhenTheClockIsSetBack(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	store := &cardseal.MemoryReplayStore{MaxKeys: 2, Now: func() time.Time { return now }}
	claim := func(key string) bool {
		fresh, err := store.Claim(t.Context(), key, time.Minute)
		return fresh && err == nil
	}
	if !claim("a") {
		t.Error("a is not fresh")
	}
	now = now.Add(-time.Hour)
	if !claim("b") || claim("a") || claim("c") {
		t.Error("after the step back")
	}
	now = now.Add(time.Minute) // b is free again, a is not
	if claim("a") || !claim("c") || claim("b") {
		t.Error("a minute later")
	}
}

func TestRotation(t *testing.T) {
	old, err := cardseal.New("secret_of_last_year")
	if err != nil {
		t.Fatal(err)
	}
	envelope := newEnvelope(t, cardseal.WithOpenSecrets("another_secret"), cardseal.WithOpenSecrets("secret_of_last_year"))
	for want, by := range map[int]*cardseal.Envelope{0: envelope, 2: old} {
		body, err := by.Seal("{}")
		if err != nil {
			t.Fatal(err)
		}
		request, err := envelope.OpenRequest(body, nil)
		if err != nil || request.KeyIndex != want {
			t.Errorf("%v %v", request, err)
		}
		if webhook, err := envelope.OpenWebhook(body); err != nil || webhook.KeyIndex != want {
			t.Errorf("%v %v", webhook, err)
		}
	}
	body, err := envelope.Seal("{}")
	if err != nil {
		t.Fatal(err)
	}
	checkError(t, old.Open(body, nil), cardseal.ErrDecryptionFailed, "")
}

func TestInputsStayAsTheyAre(t *testing.T) {
	envelope := newEnvelope(t)
	payload := []byte(` {"a":"\/", "request_timestamp" : null} `)
	given := bytes.Clone(payload)
	request, err := envelope.SealRequest("/cards/get", payload, "key_1")
	if err != nil || !bytes.Equal(payload, given) {
		t.Errorf("%s %v", payload, err)
	}
	body := bytes.Clone(request.Body)
	var text json.RawMessage
	if err := envelope.Open(request.Body, &text); err != nil || !bytes.Equal(body, request.Body) {
		t.Error(err)
	}
	request.Headers()[0].Value = "changed"
	if request.Headers()[0].Value != "key_1" {
		t.Error("a caller changed the headers")
	}
	tables := []any{cardseal.Endpoints(), cardseal.PlainErrors(), cardseal.ErrorSlugs()}
	cardseal.Endpoints()[0].Path, cardseal.PlainErrors()[0].Text, cardseal.ErrorSlugs()[0].Slug = "", "", ""
	again := []any{cardseal.Endpoints(), cardseal.PlainErrors(), cardseal.ErrorSlugs()}
	before, _ := json.Marshal(tables)
	if after, _ := json.Marshal(again); !bytes.Equal(before, after) || len(cardseal.PlainErrors()) != 8 {
		t.Error("a caller changed the tables")
	}
}

// TestOpenedTextIsTheCallers: the next call must not write over it.
func TestOpenedTextIsTheCallers(t *testing.T) {
	envelope := newEnvelope(t)
	body, err := envelope.SealResponse(`{"a":"first"}`)
	if err != nil {
		t.Fatal(err)
	}
	var raw json.RawMessage
	var text []byte
	var plaintext cardseal.Plaintext
	webhook, hookErr := envelope.OpenWebhook(body)
	field := strings.TrimSuffix(strings.TrimPrefix(string(body), `{"encrypted":"`), `"}`)
	message, decryptErr := envelope.Decrypt(field)
	if err := errors.Join(envelope.Open(body, &raw), envelope.Open(body, &text), envelope.Open(body, &plaintext), hookErr, decryptErr); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, err := envelope.Seal(`{"b":"another payload, which is longer"}`); err != nil {
			t.Fatal(err)
		}
	}
	for _, kept := range [][]byte{raw, text, plaintext.Bytes(), webhook.Payload.Bytes(), message} {
		if string(kept) != `{"a":"first"}` {
			t.Errorf("%s", kept)
		}
	}
}

func TestIdempotencyKeys(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for range 100 {
		key, err := cardseal.GenerateIdempotencyKey()
		if err != nil || !form.MatchString(key) || seen[key] || cardseal.CheckIdempotencyKey(key) != nil {
			t.Fatalf("%s %v", key, err)
		}
		seen[key] = true
	}
}

// TestVersion: there is one, the workspace's.
func TestVersion(t *testing.T) {
	for file, line := range map[string]string{"../../Cargo.toml": `(?m)^version = "(.*?)"`, "../../CHANGELOG.md": `(?m)^## \[(.*?)\]`} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if found := regexp.MustCompile(line).FindSubmatch(text); found == nil || string(found[1]) != cardseal.Version {
			t.Errorf("%s has %s, Version is %s", file, found, cardseal.Version)
		}
	}
}
