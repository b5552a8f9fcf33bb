// Package redisstore keeps what cardseal's handlers have to remember in a Redis, for servers of more than one process, in whatever
// language they are (SPEC.md, sections 13 and 14).
//
//	store, err := redisstore.Open(ctx, "redis://127.0.0.1:6379")
//	handler, err := cardseal.NewHandler(next, lookup, store)
//	records := store.Idempotency()
//
// It is a module of its own, so that cardseal needs no Redis.
package redisstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	cardseal "github.com/cardseal/cardseal/packages/go"
	"github.com/redis/go-redis/v9"
)

// Store is a [cardseal.ReplayStore] and a [cardseal.WebhookStore] in a Redis, safe for concurrent use. While the Redis does
// not answer every claim fails, and nothing is carried out. Idempotency gives a [cardseal.IdempotencyStore] beside them.
type Store struct {
	client redis.UniversalClient
}

var (
	_ cardseal.AtomicReplayStore = (*Store)(nil)
	_ cardseal.WebhookStore      = (*Store)(nil)
)

const (
	// ReplayPrefix stands before the keys of claims.
	ReplayPrefix = "cardseal:replay:"
	// WebhookPrefix stands before the dedupe keys of webhooks.
	WebhookPrefix = "cardseal:webhook:"

	dialTimeout   = 2 * time.Second
	answerTimeout = time.Second
)

// Open connects to a Redis by a URL such as redis://127.0.0.1:6379/0. A claim is given up after a second, and not repeated.
// Close the Store when it is no longer used.
//
// Errors: ErrInvalidOption for a URL that is none, and those of [New].
func Open(ctx context.Context, url string) (*Store, error) {
	options, err := redis.ParseURL(url)
	if err != nil {
		// Its error can quote the URL, and with that a password.
		return nil, refusal(cardseal.ErrInvalidOption, "the Redis address is not valid: use one like redis://127.0.0.1:6379")
	}
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = dialTimeout, answerTimeout, answerTimeout
	options.ContextTimeoutEnabled = true
	// A claim that was made and whose answer was lost would find itself: better no answer than a wrong one.
	options.MaxRetries = -1
	client := redis.NewClient(options)
	store, err := New(ctx, client)
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return store, nil
}

// New makes a Store over a client that is there already. Let that not repeat commands by itself.
//
// Errors: ErrReplayStoreUnavailable for a Redis that does not answer; ErrInvalidOption for one whose maxmemory-policy is
// another than noeviction, under which it would forget claims.
func New(ctx context.Context, client redis.UniversalClient) (*Store, error) {
	if client == nil {
		return nil, refusal(cardseal.ErrInvalidOption, "there is no Redis client: give one")
	}
	const setting = "maxmemory-policy"
	answer, err := client.ConfigGet(ctx, setting).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: Redis does not tell its %s: %w", cardseal.ErrReplayStoreUnavailable, setting, err)
	}
	if policy := answer[setting]; policy != "noeviction" {
		return nil, refusal(cardseal.ErrInvalidOption, fmt.Sprintf("Redis has the %s %q, under which it forgets claims: set it to noeviction", setting, policy))
	}
	return &Store{client: client}, nil
}

// Claim claims a key for some time, in milliseconds rounded up; see [cardseal.ReplayStore].
//
// Errors: ErrInvalidOption for a time that is not positive; the client's own where Redis does not answer.
func (s *Store) Claim(ctx context.Context, key string, ttl time.Duration) (fresh bool, err error) {
	all, err := s.ClaimAll(ctx, []string{key}, ttl)
	return err == nil && all[0], err
}

// ClaimAll claims keys in one transaction; see [cardseal.AtomicReplayStore] and Claim.
func (s *Store) ClaimAll(ctx context.Context, keys []string, ttl time.Duration) (fresh []bool, err error) {
	if ttl <= 0 {
		return nil, refusal(cardseal.ErrInvalidOption, "a claim has to last for some time: use ReplayTTL")
	}
	millis := int64((ttl + time.Millisecond - 1) / time.Millisecond)
	answers, err := s.client.TxPipelined(ctx, func(transaction redis.Pipeliner) error {
		for _, key := range keys {
			transaction.Do(ctx, "SET", ReplayPrefix+key, 1, "NX", "PX", millis)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	for _, answer := range answers {
		if err := answer.Err(); err != nil && !errors.Is(err, redis.Nil) {
			return nil, err
		}
		fresh = append(fresh, answer.Err() == nil) // nil is the answer to a SET whose NX did not hold
	}
	return fresh, nil
}

// Begin takes a webhook up; see [cardseal.WebhookStore].
func (s *Store) Begin(ctx context.Context, dedupeKey string) (cardseal.WebhookState, error) {
	key := WebhookPrefix + dedupeKey
	err := s.client.Do(ctx, "SET", key, string(cardseal.WebhookBusy), "NX", "PX", cardseal.WebhookLease.Milliseconds()).Err()
	if err == nil {
		return cardseal.WebhookNew, nil
	}
	if !errors.Is(err, redis.Nil) {
		return "", err
	}
	state, err := s.client.Get(ctx, key).Result()
	switch {
	case errors.Is(err, redis.Nil): // it was given back, or its lease ended, just now: let it come again
		return cardseal.WebhookBusy, nil
	case err != nil:
		return "", err
	}
	return cardseal.WebhookState(state), nil
}

// Finish remembers a webhook; see [cardseal.WebhookStore].
func (s *Store) Finish(ctx context.Context, dedupeKey string) error {
	return s.client.Set(ctx, WebhookPrefix+dedupeKey, string(cardseal.WebhookHandled), cardseal.WebhookTTL).Err()
}

// GiveBack forgets a webhook; see [cardseal.WebhookStore].
func (s *Store) GiveBack(ctx context.Context, dedupeKey string) error {
	return s.client.Del(ctx, WebhookPrefix+dedupeKey).Err()
}

// Close ends the connections, also those of a client that was given to New.
func (s *Store) Close() error { return s.client.Close() }

func refusal(code cardseal.Code, message string) error {
	return &cardseal.Error{Code: code, Message: message}
}
