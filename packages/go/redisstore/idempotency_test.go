package redisstore_test

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
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

const (
	apiKey      = "key_1"
	fingerprint = "60183478c2f5434cb46989bee0603eb79cce982e2aff6af4bbf81c033aa4d6a7"
)

// leftOut are cases about what Redis does by itself: it forgets by its own clock, which TestRecordInRedis looks at, and has
// no bound on records.
var leftOut = []string{
	"records_forgotten_after_the_answer",
	"records_known_one_milli_before",
	"records_forgotten_without_an_answer",
	"records_known_without_an_answer",
	"records_completed_when_forgotten",
	"records_completed_again_is_kept_longer",
	"records_store_of_one_record",
	"records_store_full",
	"records_store_full_of_given_back_ones",
	"records_store_full_answers_what_it_knows",
	"records_store_full_begins_again_what_was_given_back",
	"records_store_full_forgets_what_ended",
}

// ranInRedis is how many cases there are beside them, and beside those about keys alone.
const ranInRedis = 52

// step is a step of a case, with what it is to give.
type step struct {
	Step           string `json:"step"`
	NowMillis      int64  `json:"now_millis"`
	APIKey         string `json:"api_key"`
	IdempotencyKey string `json:"idempotency_key"`
	Fingerprint    string `json:"fingerprint"`
	LeaseMillis    int64  `json:"lease_millis"`
	Token          string `json:"token"`
	Status         int    `json:"status"`
	Body           string `json:"body"`
	Result         string `json:"result"`
}

func TestRecordVectors(t *testing.T) {
	text, err := os.ReadFile("../../../tests/vectors/records.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			Name      string
			Operation string
			Steps     []json.RawMessage
		}
	}
	if err := json.Unmarshal(text, &file); err != nil { // the module's own test is strict about the rest
		t.Fatal(err)
	}
	url, _ := startRedis(t)
	store, client := open(t, url).Idempotency(), rawClient(t, url)
	ran, missed := 0, slices.Clone(leftOut)
	for _, known := range file.Cases {
		if at := slices.Index(missed, known.Name); at >= 0 {
			missed = slices.Delete(missed, at, at+1)
			continue
		}
		if known.Operation == "key" {
			continue
		}
		ran++
		t.Run(known.Name, func(t *testing.T) {
			if err := client.FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			var steps []step
			for _, text := range known.Steps {
				var next step
				decoder := json.NewDecoder(strings.NewReader(string(text)))
				decoder.DisallowUnknownFields()
				if err := decoder.Decode(&next); err != nil {
					t.Fatal(err)
				}
				steps = append(steps, next)
			}
			run := &vectorRun{t: t, store: store, client: client, tokens: map[string]string{}, ends: map[string]int64{}}
			for index, next := range steps {
				if index > 0 {
					run.advance(steps[index-1].NowMillis, next.NowMillis)
				}
				run.take(next)
			}
		})
	}
	if ran != ranInRedis || len(missed) != 0 {
		t.Errorf("%d cases ran, %d are counted; there are none called %v", ran, ranInRedis, missed)
	}
}

// vectorRun takes the steps of one case in a Redis, whose clock is its own.
type vectorRun struct {
	t      *testing.T
	store  *redisstore.IdempotencyStore
	client *redis.Client
	// tokens are the real ones by those of the vectors.
	tokens map[string]string
	// ends are when leases end by the clock of the vectors, by record.
	ends map[string]int64
}

// slack is what a lease has longer in Redis until it ends by the clock of the vectors, for the time that the test itself
// takes. It is shorter than a lease, so that one that began anew would still show.
const slack = 30 * time.Second

// advance moves the time on, by moving the ends of all leases back.
func (r *vectorRun) advance(from, to int64) {
	ctx := r.t.Context()
	for _, key := range r.client.Keys(ctx, redisstore.IdempotencyPrefix+"*").Val() {
		if !r.client.HExists(ctx, key, "lease_end").Val() {
			continue
		}
		by := from - to
		if end, isKnown := r.ends[key]; isKnown && to >= end {
			by -= slack.Milliseconds()
			delete(r.ends, key)
		}
		r.move(key, by)
	}
}

func (r *vectorRun) move(key string, millis int64) {
	r.t.Helper()
	if err := r.client.HIncrBy(r.t.Context(), key, "lease_end", millis).Err(); err != nil {
		r.t.Fatal(err)
	}
}

// take takes a step, and compares what it gives.
func (r *vectorRun) take(next step) {
	t, ctx := r.t, r.t.Context()
	t.Helper()
	token, isKnown := r.tokens[next.Token]
	if !isKnown { // one that nobody gave
		token = next.Token
	}
	var begun cardseal.Begun
	var stored bool
	var err error
	lease := time.Duration(next.LeaseMillis) * time.Millisecond
	switch next.Step {
	case "begin":
		begun, err = r.store.Begin(ctx, next.APIKey, next.IdempotencyKey, next.Fingerprint, lease)
	case "take_over":
		begun, err = r.store.TakeOver(ctx, next.APIKey, next.IdempotencyKey, next.Fingerprint, lease)
	case "complete":
		stored, err = r.store.Complete(ctx, token, next.Status, []byte(next.Body))
	case "give_back":
		stored, err = r.store.GiveBack(ctx, token)
	default:
		t.Fatalf("unknown step %s", next.Step)
	}
	result := string(begun.State)
	var ours *cardseal.Error
	switch {
	case errors.As(err, &ours):
		result = string(ours.Code)
	case err != nil:
		t.Fatal(err)
	case result == "" && stored:
		result = "stored"
	case result == "":
		result = "stale"
	}
	if result != next.Result {
		t.Fatalf("%s at %d gives %s, want %s", next.Step, next.NowMillis, result, next.Result)
	}
	switch begun.State {
	case cardseal.BegunNew:
		r.learn(next, begun.Token)
	case cardseal.BegunReplay:
		if begun.Answer.Status() != next.Status || string(begun.Answer.Body()) != next.Body {
			t.Errorf("the answer is %d %q", begun.Answer.Status(), begun.Answer.Body())
		}
	}
}

// learn notes a token that was given: equal ones are equal here too, and later ones of a record have the higher number.
func (r *vectorRun) learn(next step, given string) {
	r.t.Helper()
	parse := func(text string) cardseal.IdempotencyToken {
		token, err := cardseal.ParseIdempotencyToken(text)
		if err != nil {
			r.t.Fatal(err)
		}
		return token
	}
	vector, real := parse(next.Token), parse(given)
	if vector.RecordKey != real.RecordKey {
		r.t.Errorf("the token is of the record %s", real.RecordKey)
	}
	for otherVector, otherReal := range r.tokens {
		before, beforeReal := parse(otherVector), parse(otherReal)
		if before.RecordKey == vector.RecordKey && (before.Number < vector.Number) != (beforeReal.Number < real.Number) {
			r.t.Errorf("the vectors have %v and then %v, here it is %v and then %v", before, vector, beforeReal, real)
		}
	}
	if known, isKnown := r.tokens[next.Token]; isKnown && known != given {
		r.t.Errorf("the token is another than the one that is equal in the vectors")
	}
	r.tokens[next.Token] = given
	key := redisstore.IdempotencyPrefix + real.RecordKey
	r.ends[key] = next.NowMillis + next.LeaseMillis
	r.move(key, slack.Milliseconds())
}

// TestRecordInRedis: it is what SPEC.md says, and is kept for its time.
func TestRecordInRedis(t *testing.T) {
	url, _ := startRedis(t)
	store, client, ctx := open(t, url).Idempotency(), rawClient(t, url), t.Context()
	const key = "cardseal:idempotency:815e3a7da9ce1e4b36285ce01824d7c721ddbbc9f8d693dfbf45a24c0c2e691f"
	expect := func(kept time.Duration, names ...string) {
		t.Helper()
		fields := client.HGetAll(ctx, key).Val()
		for _, name := range names {
			if fields[name] == "" {
				t.Errorf("there is no %s", name)
			}
		}
		if left := client.PTTL(ctx, key).Val(); len(fields) != len(names) || left <= kept-30*time.Second || left > kept {
			t.Errorf("%v is kept for %v", fields, left)
		}
	}
	begin := func() string {
		t.Helper()
		begun, err := store.Begin(ctx, apiKey, "topup-invoice-42", fingerprint, time.Hour)
		if begun.State != cardseal.BegunNew || err != nil {
			t.Fatal(begun, err)
		}
		return begun.Token
	}
	token := begin()
	expect(time.Hour+cardseal.IdempotencyTTL, "fingerprint", "number", "lease_end")
	if stored, err := store.GiveBack(ctx, token); !stored || err != nil {
		t.Error(stored, err)
	}
	expect(cardseal.IdempotencyTTL, "number")
	token = begin()
	body := "\x00\xff\r\n" // not UTF-8: it is the server's own form
	if stored, err := store.Complete(ctx, token, 201, []byte(body)); !stored || err != nil {
		t.Error(stored, err)
	}
	expect(cardseal.IdempotencyTTL, "fingerprint", "number", "lease_end", "status", "body")
	fields := client.HGetAll(ctx, key).Val()
	if fields["fingerprint"] != fingerprint || token != strings.TrimPrefix(key, redisstore.IdempotencyPrefix)+":"+fields["number"] ||
		fields["status"] != "201" || fields["body"] != body {
		t.Errorf("%q", fields)
	}

	// What somebody else put there is no record: nothing begins, and the words are not shown.
	for name, spoil := range map[string]func() error{
		"another type": func() error { return client.Set(ctx, key, "4929", 0).Err() },
		"a status": func() error {
			return client.HSet(ctx, key, "fingerprint", fingerprint, "status", "4929", "body", "").Err()
		},
		"a lease":             func() error { return client.HSet(ctx, key, "fingerprint", fingerprint, "lease_end", "soon 4929").Err() },
		"a number out of all": func() error { return client.HSet(ctx, key, "number", "1e300").Err() },
	} {
		if err := errors.Join(client.Del(ctx, key).Err(), spoil()); err != nil {
			t.Fatal(err)
		}
		begun, err := store.Begin(ctx, apiKey, "topup-invoice-42", fingerprint, time.Hour)
		if begun.State != "" || !errors.Is(err, cardseal.ErrReplayStoreUnavailable) || strings.Contains(err.Error(), "4929") {
			t.Errorf("%s: %v, %v", name, begun, err)
		}
	}
}

// TestRecordsAreShared: of many requests that come at once to two servers one is carried out, and the other server can say
// what became of it; while Redis is away nothing begins.
func TestRecordsAreShared(t *testing.T) {
	url, process := startRedis(t)
	stores := []*redisstore.IdempotencyStore{open(t, url).Idempotency(), open(t, url).Idempotency()}
	ctx := t.Context()
	var fresh, waiting atomic.Int64
	var token atomic.Value
	var group sync.WaitGroup
	for number := range 100 {
		group.Go(func() {
			begun, err := stores[number%2].Begin(ctx, apiKey, "k", fingerprint, cardseal.IdempotencyLease)
			switch {
			case err != nil:
				t.Error(err)
			case begun.State == cardseal.BegunNew:
				fresh.Add(1)
				token.Store(begun.Token)
			case begun.State == cardseal.BegunInProgress:
				waiting.Add(1)
			}
		})
	}
	group.Wait()
	if fresh.Load() != 1 || waiting.Load() != 99 {
		t.Fatalf("%d began, %d wait", fresh.Load(), waiting.Load())
	}
	given := token.Load().(string)
	for _, store := range stores { // whichever of them began it, the other completes it
		if stored, err := store.Complete(ctx, given, 200, []byte("{}")); !stored || err != nil {
			t.Error(stored, err)
		}
		begun, err := store.Begin(ctx, apiKey, "k", fingerprint, cardseal.IdempotencyLease)
		if begun.State != cardseal.BegunReplay || string(begun.Answer.Body()) != "{}" || err != nil {
			t.Error(begun, err)
		}
	}

	expectNothing := func(when string) {
		t.Helper()
		for name, try := range map[string]func() (cardseal.Begun, bool, error){
			"begin": func() (cardseal.Begun, bool, error) {
				begun, err := stores[0].Begin(ctx, apiKey, "other", fingerprint, cardseal.IdempotencyLease)
				return begun, false, err
			},
			"take over": func() (cardseal.Begun, bool, error) {
				begun, err := stores[0].TakeOver(ctx, apiKey, "other", fingerprint, cardseal.IdempotencyLease)
				return begun, false, err
			},
			"complete": func() (cardseal.Begun, bool, error) {
				stored, err := stores[0].Complete(ctx, given, 200, []byte("{}"))
				return cardseal.Begun{}, stored, err
			},
			"give back": func() (cardseal.Begun, bool, error) {
				stored, err := stores[0].GiveBack(ctx, given)
				return cardseal.Begun{}, stored, err
			},
		} {
			begun, stored, err := try()
			if begun.State != "" || stored || !errors.Is(err, cardseal.ErrReplayStoreUnavailable) {
				t.Errorf("%s, %s: %v, %v, %v", when, name, begun, stored, err)
			}
		}
	}
	if err := process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	expectNothing("while Redis stands still")
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	expectNothing("without Redis")
}
