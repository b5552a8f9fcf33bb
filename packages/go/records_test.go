package cardseal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

const testFingerprint = "60183478c2f5434cb46989bee0603eb79cce982e2aff6af4bbf81c033aa4d6a7"

func begin(t *testing.T, records cardseal.IdempotencyStore, key string) cardseal.Begun {
	t.Helper()
	begun, err := records.Begin(t.Context(), testAPIKey, key, testFingerprint, cardseal.IdempotencyLease)
	if err != nil {
		t.Error(err)
	}
	return begun
}

// TestOneBegins: of many requests that come at once under one key one is carried out, and its answer is everybody's.
func TestOneBegins(t *testing.T) {
	records := &cardseal.MemoryIdempotencyStore{}
	var fresh, waiting atomic.Int64
	var token atomic.Value
	var group sync.WaitGroup
	for range 100 {
		group.Go(func() {
			switch begun := begin(t, records, "k"); begun.State {
			case cardseal.BegunNew:
				fresh.Add(1)
				token.Store(begun.Token)
			case cardseal.BegunInProgress:
				waiting.Add(1)
			}
		})
	}
	group.Wait()
	if fresh.Load() != 1 || waiting.Load() != 99 {
		t.Fatalf("%d began, %d wait", fresh.Load(), waiting.Load())
	}
	body := []byte(`{"order_id":"o-1"}`)
	if stored, err := records.Complete(t.Context(), token.Load().(string), 200, body); !stored || err != nil {
		t.Fatal(stored, err)
	}
	// The record is the store's own: neither what went in nor what came out changes it.
	body[0] = 'x'
	for range 2 {
		begun := begin(t, records, "k")
		found := begun.Answer.Body()
		if begun.State != cardseal.BegunReplay || begun.Token != "" || begun.Answer.Status() != 200 || string(found) != `{"order_id":"o-1"}` {
			t.Errorf("%s %d %s", begun.State, begun.Answer.Status(), found)
		}
		found[0] = 'x'
	}
}

// TestRecordsAreForgotten: each at its own time, in whatever order they changed, so that the store stays as small as it can.
func TestRecordsAreForgotten(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	records := &cardseal.MemoryIdempotencyStore{Now: func() time.Time { return now }}
	const count = 50
	tokens := make([]string, count)
	for number := range tokens {
		tokens[number] = begin(t, records, fmt.Sprint(number)).Token
	}
	var last string
	for index := range tokens { // in an order of their own
		now = now.Add(time.Second)
		last = tokens[index*7%count]
		if stored, err := records.Complete(t.Context(), last, 200, nil); !stored || err != nil {
			t.Fatal(stored, err)
		}
	}
	first := now.Add(cardseal.IdempotencyTTL - (count-1)*time.Second) // the end of the one that was answered first
	for index := range tokens {
		now = first.Add(time.Duration(index)*time.Second - time.Millisecond)
		if stored, err := records.GiveBack(t.Context(), last); stored || err != nil || records.Len() != count-index {
			t.Fatalf("%d records a moment before number %d ends (%v, %v)", records.Len(), index, stored, err)
		}
	}
	now = first.Add(count * time.Second)
	if begin(t, records, "another"); records.Len() != 1 {
		t.Errorf("%d records at the end", records.Len())
	}
}

// TestDefaultRecords: the bound is there without being asked for.
func TestDefaultRecords(t *testing.T) {
	records := &cardseal.MemoryIdempotencyStore{}
	for number := range cardseal.DefaultIdempotencyRecords {
		if begun := begin(t, records, fmt.Sprint(number)); begun.State != cardseal.BegunNew {
			t.Fatalf("%d: %s", number, begun.State)
		}
	}
	begun, err := records.Begin(t.Context(), testAPIKey, "one-more", testFingerprint, cardseal.IdempotencyLease)
	checkError(t, err, cardseal.ErrReplayStoreUnavailable, "full")
	if begun.State != "" || records.Len() != cardseal.DefaultIdempotencyRecords {
		t.Errorf("%s, %d records", begun.State, records.Len())
	}
}

// TestRecordRefusals: what is no record, and no store, is refused in words that say what to do.
func TestRecordRefusals(t *testing.T) {
	records := &cardseal.MemoryIdempotencyStore{}
	token := begin(t, records, "k").Token
	var nobody *cardseal.MemoryIdempotencyStore
	atTheStart := &cardseal.MemoryIdempotencyStore{Now: func() time.Time { return time.UnixMilli(0) }}
	try := func(store cardseal.IdempotencyStore, apiKey, key, fingerprint string, lease time.Duration) error {
		begun, err := store.Begin(t.Context(), apiKey, key, fingerprint, lease)
		taken, takeErr := store.TakeOver(t.Context(), apiKey, key, fingerprint, lease)
		if begun.State != "" || taken.State != "" || fmt.Sprint(err) != fmt.Sprint(takeErr) {
			t.Errorf("%v, %v, %v", begun, taken, takeErr)
		}
		return err
	}
	complete := func(store cardseal.IdempotencyStore, token string, status int) error {
		stored, err := store.Complete(t.Context(), token, status, nil)
		if stored {
			t.Error("it was stored")
		}
		return err
	}
	_, giveErr := nobody.GiveBack(t.Context(), token)
	_, clockErr := atTheStart.GiveBack(t.Context(), token)
	_, tokenErr := records.GiveBack(t.Context(), token+" ")
	_, answerErr := cardseal.NewRecordedAnswer(600, nil)
	_, jsonErr := cardseal.RecordedAnswer{}.MarshalJSON()
	const lease = cardseal.IdempotencyLease
	for _, check := range []struct {
		err  error
		code cardseal.Code
		says string
	}{
		{try(records, "", "k", testFingerprint, lease), cardseal.ErrInvalidAPIKey, "printable ASCII"},
		{try(records, testAPIKey, "", testFingerprint, lease), cardseal.ErrInvalidIdempotencyKey, "printable ASCII"},
		{try(records, testAPIKey, "k", "", lease), cardseal.ErrInvalidOption, "make one with Fingerprint"},
		{try(records, testAPIKey, "k", testFingerprint, time.Millisecond-1), cardseal.ErrInvalidOption, "use IdempotencyLease"},
		{try(records, testAPIKey, "k", testFingerprint, 24*time.Hour+1), cardseal.ErrInvalidOption, "to a day"},
		{try(nobody, testAPIKey, "k", testFingerprint, lease), cardseal.ErrReplayStoreUnavailable, "no store of idempotency records"},
		{try(atTheStart, testAPIKey, "k", testFingerprint, lease), cardseal.ErrClockUnavailable, "set it right"},
		{complete(records, token, 99), cardseal.ErrInvalidOption, "and is 99"},
		{complete(records, token[1:], 200), cardseal.ErrInvalidOption, "the one that Begin gave"},
		{complete(records, token[:65]+"18446744073709551616", 200), cardseal.ErrInvalidOption, "the one that Begin gave"},
		{complete(nobody, token, 200), cardseal.ErrReplayStoreUnavailable, "carry nothing out without it"},
		{giveErr, cardseal.ErrReplayStoreUnavailable, "no store of idempotency records"},
		{clockErr, cardseal.ErrClockUnavailable, "set it right"},
		{tokenErr, cardseal.ErrInvalidOption, "the one that Begin gave"},
		{answerErr, cardseal.ErrInvalidOption, "from 100 to 599"},
		{jsonErr, cardseal.ErrInvalidOption, "take its status and body"},
	} {
		checkError(t, check.err, check.code, check.says)
	}
	if nobody.Len() != 0 || records.Len() != 1 {
		t.Errorf("%d and %d records", nobody.Len(), records.Len())
	}
	if text, err := json.Marshal(cardseal.Begun{}); err == nil {
		t.Errorf("it became %s", text)
	}
}

// TestRecordLease: a part of a millisecond counts as a whole one, and the longest lease stays what it is.
func TestRecordLease(t *testing.T) {
	for lease, want := range map[time.Duration]int64{time.Millisecond: 1, time.Millisecond + 1: 2, 24 * time.Hour: 86_400_000} {
		key, millis, err := cardseal.CheckRecord(testAPIKey, "k", testFingerprint, lease)
		if known, _ := cardseal.RecordKey(testAPIKey, "k"); key != known || millis != want || err != nil {
			t.Errorf("%v: %s, %d, %v", lease, key, millis, err)
		}
	}
	token := cardseal.IdempotencyToken{RecordKey: string(bytes.Repeat([]byte("0f"), 32)), Number: 1<<64 - 1}
	if parsed, err := cardseal.ParseIdempotencyToken(token.String()); parsed != token || err != nil {
		t.Errorf("%v, %v", parsed, err)
	}
}
