package cardseal

import (
	"container/heap"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	// ReplayTTL is how long a claimed key is kept: twice the window of 30 seconds, and 10 seconds of slack. A request
	// stamped 30 seconds ahead can be accepted for 60 seconds after it was first claimed.
	ReplayTTL = replayTTLMillis * time.Millisecond
	// DefaultReplayKeys is how many keys a MemoryReplayStore holds unless told otherwise, two a request.
	DefaultReplayKeys = replayMaxKeys
)

// ReplayKeys are the two keys that a server claims for a request: hexadecimal SHA-256, without a secret.
type ReplayKeys struct {
	// Timestamp is made of API key, path and timestamp: the protocol's own rule (SPEC.md, REPLAY-1).
	Timestamp string
	// Nonce is made of API key and nonce: a captured body cannot be replayed on another path (SPEC.md, REPLAY-2).
	Nonce string
}

// ReplayKeys are the keys of an opened request under an API key and a path or URL.
//
// Errors: ErrInvalidAPIKey, ErrInvalidPath; ErrInvalidOption without a request.
func (r *Request) ReplayKeys(apiKey, path string) (ReplayKeys, error) {
	if r == nil {
		return ReplayKeys{}, newError(ErrInvalidOption, "there is no request to make keys of: open one first")
	}
	if err := checkAPIKey(apiKey); err != nil {
		return ReplayKeys{}, err
	}
	path, err := NormalizePath(path)
	if err != nil {
		return ReplayKeys{}, err
	}
	timestamp := strconv.AppendInt(nil, r.TimestampMicros, 10)
	return ReplayKeys{
		Timestamp: hexDigest([]byte("cardseal replay timestamp v1"), []byte(apiKey), []byte(path), timestamp),
		Nonce:     hexDigest([]byte("cardseal replay nonce v1"), []byte(apiKey), r.Nonce[:]),
	}, nil
}

// ReplayStore remembers which keys have been claimed. It is safe for concurrent use.
type ReplayStore interface {
	// Claim claims a key for the time given, atomically. True means that nobody had it. An error means that the store
	// cannot tell: the request must not be carried out.
	Claim(ctx context.Context, key string, ttl time.Duration) (fresh bool, err error)
}

// AtomicReplayStore is a [ReplayStore] that claims several keys in one step, which [ClaimRequest] makes use of: of copies of a
// request that come at once one is fresh then. Of single claims the first can be one copy's and the second another's, and
// none of them is carried out. What embeds such a store has its ClaimAll too: replace both methods, or neither.
type AtomicReplayStore interface {
	ReplayStore
	// ClaimAll claims every key as Claim does, and says of each whether it was fresh.
	ClaimAll(ctx context.Context, keys []string, ttl time.Duration) (fresh []bool, err error)
}

// ClaimRequest claims both keys of a request, after OpenRequest and before anything is done, and returns nil only if both
// were fresh. Both are claimed whatever the first claim gave, so that an attempt under another path finds them.
//
// Errors: ErrReplayStoreUnavailable if either claim could not be answered (errors.Is finds the store's own error too), or
// without a store, else ErrDuplicateRequest.
func ClaimRequest(ctx context.Context, store ReplayStore, keys ReplayKeys) error {
	if store == nil {
		return errNoStore()
	}
	fresh, failure := claimAll(ctx, store, []string{keys.Timestamp, keys.Nonce}, ReplayTTL)
	if failure != nil {
		return &Error{
			Code:    ErrReplayStoreUnavailable,
			Message: "the replay store cannot answer: carry nothing out, and answer 503",
			cause:   failure,
		}
	}
	if slices.Contains(fresh, false) {
		return newError(ErrDuplicateRequest, "this request was received before: seal it again, with the same idempotency key, and resend")
	}
	return nil
}

// claimAll claims keys in one step where the store can, else one after the other: all of them, whatever the first gave.
func claimAll(ctx context.Context, store ReplayStore, keys []string, ttl time.Duration) (fresh []bool, err error) {
	if atomic, ok := store.(AtomicReplayStore); ok {
		fresh, err = atomic.ClaimAll(ctx, keys, ttl)
		if err == nil && len(fresh) != len(keys) {
			err = fmt.Errorf("the store answered %d claims of %d", len(fresh), len(keys))
		}
		return fresh, err
	}
	for _, key := range keys {
		isFresh, failure := store.Claim(ctx, key, ttl)
		fresh = append(fresh, isFresh)
		if err == nil {
			err = failure
		}
	}
	return fresh, err
}

func errNoStore() *Error {
	return newError(ErrReplayStoreUnavailable, "there is no replay store: give one, and carry nothing out without it")
}

// MemoryReplayStore is a [ReplayStore] in memory, for one process. It is bounded and never forgets a key before its
// time: full of live keys it refuses (SPEC.md, REPLAY-5). The zero value is ready; set the fields before the first claim.
type MemoryReplayStore struct {
	// MaxKeys is how many keys it holds at most; 0 means DefaultReplayKeys.
	MaxKeys int
	// Now is the clock, time.Now if it is nil. Let it be the wall clock that the window is checked with: where that
	// jumps, keys have to live and die with the window.
	Now func() time.Time

	lock sync.Mutex
	// claimed has the SHA-256 of each key. The runtime's maps are seeded: no chosen keys can make them slow.
	claimed  map[[sha256.Size]byte]struct{}
	expiries expiryHeap
}

// Claim claims a key; see [ReplayStore]. The context is not used. The time is kept in milliseconds, rounded up.
//
// Errors: ErrReplayStoreUnavailable when the store is full; ErrInvalidOption for a time that is not positive, which would
// claim nothing.
func (m *MemoryReplayStore) Claim(ctx context.Context, key string, ttl time.Duration) (bool, error) {
	fresh, err := m.ClaimAll(ctx, []string{key}, ttl)
	return len(fresh) == 1 && fresh[0], err
}

// ClaimAll claims keys in one step; see [AtomicReplayStore] and Claim. Those that there was room for stay claimed.
func (m *MemoryReplayStore) ClaimAll(_ context.Context, keys []string, ttl time.Duration) (fresh []bool, err error) {
	if m == nil {
		return nil, errNoStore()
	}
	if ttl <= 0 {
		return nil, newError(ErrInvalidOption, "a claim has to last for some time: use ReplayTTL")
	}
	now := time.Now
	if m.Now != nil {
		now = m.Now
	}
	ttlMillis := ttl.Milliseconds()
	if ttl%time.Millisecond != 0 {
		ttlMillis++
	}
	m.lock.Lock()
	defer m.lock.Unlock()
	nowMillis := now().UnixMilli()
	for _, key := range keys {
		isFresh, failure := m.claim(key, ttlMillis, nowMillis)
		fresh = append(fresh, isFresh)
		if err == nil {
			err = failure
		}
	}
	return fresh, err
}

// claim claims a key. The lock is held.
func (m *MemoryReplayStore) claim(key string, ttlMillis, nowMillis int64) (bool, error) {
	maxKeys := m.MaxKeys
	if maxKeys == 0 {
		maxKeys = DefaultReplayKeys
	}
	for len(m.expiries) > 0 && m.expiries[0].millis <= nowMillis {
		delete(m.claimed, heap.Pop(&m.expiries).(expiry).key)
	}
	hashed := sha256.Sum256([]byte(key))
	if _, isLive := m.claimed[hashed]; isLive {
		return false, nil
	}
	if len(m.claimed) >= maxKeys {
		return false, newError(ErrReplayStoreUnavailable, "the replay store is full: give it more room, or spread the load")
	}
	if m.claimed == nil {
		m.claimed = make(map[[sha256.Size]byte]struct{})
	}
	m.claimed[hashed] = struct{}{}
	heap.Push(&m.expiries, expiry{hashed, nowMillis + ttlMillis})
	return true, nil
}

// Len is how many keys it holds; those that expired since the last claim count.
func (m *MemoryReplayStore) Len() int {
	if m == nil {
		return 0
	}
	m.lock.Lock()
	defer m.lock.Unlock()
	return len(m.claimed)
}

// String says how full the store is, and not which keys it holds.
func (m *MemoryReplayStore) String() string {
	return fmt.Sprintf("cardseal.MemoryReplayStore(%d keys)", m.Len())
}

// Format prints String for every verb.
func (m *MemoryReplayStore) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }

// LogValue logs String.
func (m *MemoryReplayStore) LogValue() slog.Value { return slog.StringValue(m.String()) }

// expiry is when a key is free again, in milliseconds since 1970.
type expiry struct {
	key    [sha256.Size]byte
	millis int64
}

// expiryHeap has the earliest expiry first, whatever the clock did between the claims.
type expiryHeap []expiry

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(a, b int) bool { return h[a].millis < h[b].millis }
func (h expiryHeap) Swap(a, b int)      { h[a], h[b] = h[b], h[a] }
func (h *expiryHeap) Push(entry any)    { *h = append(*h, entry.(expiry)) }
func (h *expiryHeap) Pop() any {
	last := len(*h) - 1
	entry := (*h)[last]
	*h = (*h)[:last]
	return entry
}
