package redisstore

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"time"

	cardseal "github.com/cardseal/cardseal/packages/go"
	"github.com/redis/go-redis/v9"
)

// IdempotencyPrefix stands before the keys of idempotency records.
const IdempotencyPrefix = "cardseal:idempotency:"

// script takes one step on a record, atomically and by Redis's own clock; what it takes and gives stands at its head.
//
//go:embed idempotency.lua
var script string

// IdempotencyStore is a [cardseal.IdempotencyStore] in a Redis, safe for concurrent use. A record that one process began any
// other can complete, in whatever language it is. While the Redis does not answer nothing begins.
//
// Errors of all its steps: those of [cardseal.MemoryIdempotencyStore], and ErrReplayStoreUnavailable with the client's own
// where Redis does not answer. After that a step may have been taken: let the request come again.
type IdempotencyStore struct {
	client redis.UniversalClient
}

var _ cardseal.IdempotencyStore = (*IdempotencyStore)(nil)

// Idempotency is a store of idempotency records in the same Redis, over the same connections. It is a type of its own since
// webhooks begin and are given back too.
func (s *Store) Idempotency() *IdempotencyStore {
	return &IdempotencyStore{client: s.client}
}

// Begin begins a request; see [cardseal.IdempotencyStore].
func (s *IdempotencyStore) Begin(
	ctx context.Context, apiKey, idempotencyKey, fingerprint string, lease time.Duration,
) (cardseal.Begun, error) {
	return s.begin(ctx, "begin", apiKey, idempotencyKey, fingerprint, lease)
}

// TakeOver begins a request also where a lease ended; see [cardseal.IdempotencyStore].
func (s *IdempotencyStore) TakeOver(
	ctx context.Context, apiKey, idempotencyKey, fingerprint string, lease time.Duration,
) (cardseal.Begun, error) {
	return s.begin(ctx, "take_over", apiKey, idempotencyKey, fingerprint, lease)
}

// Complete stores an answer; see [cardseal.IdempotencyStore].
func (s *IdempotencyStore) Complete(ctx context.Context, token string, status int, body []byte) (stored bool, err error) {
	if _, err := cardseal.NewRecordedAnswer(status, body); err != nil {
		return false, err
	}
	return s.change(ctx, "complete", token, status, body)
}

// GiveBack lets a request begin again; see [cardseal.IdempotencyStore].
func (s *IdempotencyStore) GiveBack(ctx context.Context, token string) (stored bool, err error) {
	return s.change(ctx, "give_back", token)
}

func (s *IdempotencyStore) begin(
	ctx context.Context, step, apiKey, idempotencyKey, fingerprint string, lease time.Duration,
) (cardseal.Begun, error) {
	key, leaseMillis, err := cardseal.CheckRecord(apiKey, idempotencyKey, fingerprint, lease)
	if err != nil {
		return cardseal.Begun{}, err
	}
	words, err := s.run(ctx, key, step, fingerprint, leaseMillis, cardseal.IdempotencyTTL.Milliseconds())
	if err != nil {
		return cardseal.Begun{}, err
	}
	switch state := cardseal.BegunState(words[0]); {
	case state == cardseal.BegunNew && len(words) == 2:
		token := key + ":" + words[1]
		if _, err := cardseal.ParseIdempotencyToken(token); err == nil {
			return cardseal.Begun{State: state, Token: token}, nil
		}
	case state == cardseal.BegunReplay && len(words) == 3:
		status, _ := strconv.Atoi(words[1])
		if answer, err := cardseal.NewRecordedAnswer(status, []byte(words[2])); err == nil {
			return cardseal.Begun{State: state, Answer: answer}, nil
		}
	case state == cardseal.BegunInProgress, state == cardseal.BegunConflict, state == cardseal.BegunOutcomeUnknown:
		return cardseal.Begun{State: state}, nil
	}
	return cardseal.Begun{}, unavailable(errNoRecord)
}

func (s *IdempotencyStore) change(ctx context.Context, step, token string, answer ...any) (stored bool, err error) {
	parsed, err := cardseal.ParseIdempotencyToken(token)
	if err != nil {
		return false, err
	}
	arguments := []any{step, strconv.FormatUint(parsed.Number, 10), cardseal.IdempotencyTTL.Milliseconds()}
	words, err := s.run(ctx, parsed.RecordKey, append(arguments, answer...)...)
	if err != nil {
		return false, err
	}
	switch words[0] {
	case "stored":
		return true, nil
	case "stale":
		return false, nil
	}
	return false, unavailable(errNoRecord)
}

// run runs the script, which gives at least one word.
func (s *IdempotencyStore) run(ctx context.Context, recordKey string, arguments ...any) ([]string, error) {
	words, err := s.client.Eval(ctx, script, []string{IdempotencyPrefix + recordKey}, arguments...).StringSlice()
	if err == nil && len(words) == 0 {
		err = errNoRecord
	}
	if err != nil {
		return nil, unavailable(err)
	}
	return words, nil
}

var errNoRecord = errors.New("what is under the key is no idempotency record")

func unavailable(cause error) error {
	return fmt.Errorf("%w: %w", cardseal.ErrReplayStoreUnavailable, cause)
}
