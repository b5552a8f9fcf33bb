package cardseal

import (
	"bytes"
	"container/heap"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// IdempotencyLease is how long a request counts as being carried out where nothing else is known of it.
	IdempotencyLease = idempotencyLeaseMillis * time.Millisecond
	// IdempotencyTTL is how long a record is kept after its last change.
	IdempotencyTTL = idempotencyTTLMillis * time.Millisecond
	// DefaultIdempotencyRecords is how many records a MemoryIdempotencyStore holds unless told otherwise.
	DefaultIdempotencyRecords = idempotencyMaxRecords

	longestLease = idempotencyLeaseMaxMillis * time.Millisecond
)

// IdempotencyStore remembers what became of requests, by API key and idempotency key (SPEC.md, section 14). It is safe for
// concurrent use. An error means that the store cannot tell: nothing may be carried out.
//
// Where the deed is a row in a data base, its record belongs into the same transaction; this is for everything else.
type IdempotencyStore interface {
	// Begin begins a request, atomically, or says what is known of it. The fingerprint is [Fingerprint]'s. The lease,
	// [IdempotencyLease] or another, is how long the request counts as being carried out.
	Begin(ctx context.Context, apiKey, idempotencyKey, fingerprint string, lease time.Duration) (Begun, error)
	// TakeOver begins a request also where a lease ended without an answer: for who has looked at what was left.
	TakeOver(ctx context.Context, apiKey, idempotencyKey, fingerprint string, lease time.Duration) (Begun, error)
	// Complete stores the answer. False means that the token is not the record's any more, or that another answer is there.
	Complete(ctx context.Context, token string, status int, body []byte) (stored bool, err error)
	// GiveBack says that nothing was done, so that the request can begin again; false as with Complete.
	GiveBack(ctx context.Context, token string) (stored bool, err error)
}

// A BegunState is what an [IdempotencyStore] knows of a request that comes.
type BegunState string

const (
	// BegunNew is a request that nobody began: carry it out, then complete the record with the token.
	BegunNew BegunState = "new"
	// BegunReplay is one that was carried out: answer what it was answered, or better the order as it is now.
	BegunReplay BegunState = "replay"
	// BegunInProgress is being carried out, and may still fail: let it come again.
	BegunInProgress BegunState = "in_progress"
	// BegunConflict is another request under the same key.
	BegunConflict BegunState = "conflict"
	// BegunOutcomeUnknown was begun, and nobody said how it ended: look into your own books, then take it over.
	BegunOutcomeUnknown BegunState = "outcome_unknown"
)

// Begun is what a request finds that begins under its idempotency key. It does not print its token or its answer.
type Begun struct {
	State BegunState
	// Token is what to complete the record with, or to give it back, if the state is BegunNew. Of two tokens of a record the
	// later has the higher number.
	Token string
	// Answer is the answer of the request that came first, if the state is BegunReplay.
	Answer RecordedAnswer
}

// String says what was found.
func (b Begun) String() string { return fmt.Sprintf("cardseal.Begun(%s)", string(b.State)) }

// Format prints String for every verb.
func (b Begun) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, b.String()) }

// LogValue logs String.
func (b Begun) LogValue() slog.Value { return slog.StringValue(b.String()) }

// RecordedAnswer is an answer that is kept for requests that come again. Nothing prints its body: fmt and log/slog show its
// length, encoding/json and encoding/gob refuse to write it.
type RecordedAnswer struct {
	status int
	body   hidden[[]byte]
}

// NewRecordedAnswer makes an answer to keep, with a copy of the body: for stores.
//
// Errors: ErrInvalidOption for a status outside of 100 to 599.
func NewRecordedAnswer(status int, body []byte) (RecordedAnswer, error) {
	if status < 100 || status > 599 {
		return RecordedAnswer{}, newError(ErrInvalidOption, "the status of an answer has to be from 100 to 599, and is %d", status)
	}
	return RecordedAnswer{status, hide(bytes.Clone(body))}, nil
}

// Status is the HTTP status, 0 where there is no answer.
func (a RecordedAnswer) Status() int { return a.status }

// Body is a copy of the body, in whatever form the server keeps it.
func (a RecordedAnswer) Body() []byte { return bytes.Clone(a.body.reveal()) }

func (a RecordedAnswer) isEqual(other RecordedAnswer) bool {
	return a.status == other.status && bytes.Equal(a.body.reveal(), other.body.reveal())
}

// String says what the status is, and how long the body.
func (a RecordedAnswer) String() string {
	return fmt.Sprintf("cardseal.RecordedAnswer(status %d, body of %d bytes)", a.status, len(a.body.reveal()))
}

// Format prints String for every verb.
func (a RecordedAnswer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, a.String()) }

// LogValue logs String.
func (a RecordedAnswer) LogValue() slog.Value { return slog.StringValue(a.String()) }

// MarshalJSON refuses: who keeps an answer as JSON would keep it without its body.
func (a RecordedAnswer) MarshalJSON() ([]byte, error) {
	return nil, newError(ErrInvalidOption, "a recorded answer does not become JSON by itself: take its status and body")
}

// CheckRecord checks what a store is asked to begin, and gives the record's key and the lease in milliseconds, rounded up:
// for stores of your own.
//
// Errors: ErrInvalidAPIKey, ErrInvalidIdempotencyKey; ErrInvalidOption for a lease under 1 ms or over a day, and for a
// fingerprint that is not 1 to 255 printable ASCII characters.
func CheckRecord(apiKey, idempotencyKey, fingerprint string, lease time.Duration) (recordKey string, leaseMillis int64, err error) {
	if recordKey, err = RecordKey(apiKey, idempotencyKey); err != nil {
		return "", 0, err
	}
	if lease < time.Millisecond || lease > longestLease {
		return "", 0, newError(ErrInvalidOption, "a lease has to be from 1 millisecond to a day: use IdempotencyLease")
	}
	if !isToken(fingerprint) {
		return "", 0, newError(ErrInvalidOption, "there is no fingerprint: make one with Fingerprint, of path and payload")
	}
	return recordKey, int64((lease + time.Millisecond - 1) / time.Millisecond), nil
}

// IdempotencyToken is what the text of a token says: for stores of your own.
type IdempotencyToken struct {
	// RecordKey is [RecordKey]'s.
	RecordKey string
	// Number is the record's, when the token was given.
	Number uint64
}

// ParseIdempotencyToken reads the text of a token.
//
// Errors: ErrInvalidOption for a text that no token has.
func ParseIdempotencyToken(text string) (IdempotencyToken, error) {
	key, digits, _ := strings.Cut(text, ":")
	number, err := strconv.ParseUint(digits, 10, 64)
	token := IdempotencyToken{key, number}
	isHex := len(key) == 64 && strings.Trim(key, "0123456789abcdef") == ""
	if err != nil || !isHex || token.String() != text {
		return IdempotencyToken{}, newError(ErrInvalidOption, "this is no token of an idempotency record: give the one that Begin gave")
	}
	return token, nil
}

// String is the text of the token: the key, a colon, and the number in decimal.
func (t IdempotencyToken) String() string {
	return t.RecordKey + ":" + strconv.FormatUint(t.Number, 10)
}

// MemoryIdempotencyStore is an [IdempotencyStore] in memory, for one process that may forget the records when it ends. It
// is bounded and never forgets a record before its time: full of those it begins nothing new (SPEC.md, RECORD-7). The zero
// value is ready; set the fields before the first request.
type MemoryIdempotencyStore struct {
	// MaxRecords is how many records it holds at most; 0 means DefaultIdempotencyRecords.
	MaxRecords int
	// Now is the clock, time.Now if it is nil.
	Now func() time.Time

	lock    sync.Mutex
	records map[string]*record
	ends    recordHeap
}

// record is what is known of a request. Times are in milliseconds since 1970.
type record struct {
	key    string
	number uint64
	// isOpen is false once it was given back: then only the number counts.
	isOpen      bool
	fingerprint string
	leaseEnd    uint64
	answer      *RecordedAnswer
	// end is when it is forgotten, place where it stands in the heap.
	end   uint64
	place int
}

// Begin begins a request; see [IdempotencyStore]. The context is not used.
//
// Errors: those of [CheckRecord]; ErrReplayStoreUnavailable when the store is full; ErrClockUnavailable.
func (m *MemoryIdempotencyStore) Begin(
	_ context.Context, apiKey, idempotencyKey, fingerprint string, lease time.Duration,
) (Begun, error) {
	return m.begin(apiKey, idempotencyKey, fingerprint, lease, false)
}

// TakeOver begins a request also where a lease ended; see [IdempotencyStore] and Begin.
func (m *MemoryIdempotencyStore) TakeOver(
	_ context.Context, apiKey, idempotencyKey, fingerprint string, lease time.Duration,
) (Begun, error) {
	return m.begin(apiKey, idempotencyKey, fingerprint, lease, true)
}

// Complete stores an answer; see [IdempotencyStore]. The context is not used.
//
// Errors: ErrInvalidOption for a token or a status that is none, ErrClockUnavailable.
func (m *MemoryIdempotencyStore) Complete(_ context.Context, token string, status int, body []byte) (stored bool, err error) {
	answer, err := NewRecordedAnswer(status, body)
	if err != nil {
		return false, err
	}
	return m.change(token, func(known *record) bool {
		if known.answer == nil {
			known.answer = &answer
		}
		return known.answer.isEqual(answer)
	})
}

// GiveBack lets a request begin again; see [IdempotencyStore]. The context is not used.
//
// Errors: ErrInvalidOption for a token that is none, ErrClockUnavailable.
func (m *MemoryIdempotencyStore) GiveBack(_ context.Context, token string) (stored bool, err error) {
	return m.change(token, func(known *record) bool {
		known.isOpen = known.answer != nil
		return !known.isOpen
	})
}

func (m *MemoryIdempotencyStore) begin(
	apiKey, idempotencyKey, fingerprint string, lease time.Duration, takesOver bool,
) (Begun, error) {
	key, leaseMillis, err := CheckRecord(apiKey, idempotencyKey, fingerprint, lease)
	if err != nil {
		return Begun{}, err
	}
	if m == nil {
		return Begun{}, errNoRecords()
	}
	m.lock.Lock()
	defer m.lock.Unlock()
	now, err := m.forget()
	if err != nil {
		return Begun{}, err
	}
	known, isKnown := m.records[key]
	if isKnown && known.isOpen {
		switch {
		case known.fingerprint != fingerprint:
			return Begun{State: BegunConflict}, nil
		case known.answer != nil:
			return Begun{State: BegunReplay, Answer: *known.answer}, nil
		case now < known.leaseEnd:
			return Begun{State: BegunInProgress}, nil
		case !takesOver:
			return Begun{State: BegunOutcomeUnknown}, nil
		}
	}
	if isKnown {
		known.number = max(now, known.number+1)
	} else if known, err = m.add(key, now); err != nil {
		return Begun{}, err
	}
	known.isOpen, known.fingerprint, known.leaseEnd = true, fingerprint, now+uint64(leaseMillis)
	m.keep(known, known.leaseEnd)
	return Begun{State: BegunNew, Token: IdempotencyToken{key, known.number}.String()}, nil
}

// change takes a step on the record that has a token, and keeps it longer if the step says so.
func (m *MemoryIdempotencyStore) change(token string, step func(*record) bool) (bool, error) {
	parsed, err := ParseIdempotencyToken(token)
	if err != nil {
		return false, err
	}
	if m == nil {
		return false, errNoRecords()
	}
	m.lock.Lock()
	defer m.lock.Unlock()
	now, err := m.forget()
	if err != nil {
		return false, err
	}
	known, isKnown := m.records[parsed.RecordKey]
	if !isKnown || known.number != parsed.Number || !known.isOpen || !step(known) {
		return false, nil
	}
	m.keep(known, now)
	return true, nil
}

// forget reads the clock, and drops the records that ended. The lock is held.
func (m *MemoryIdempotencyStore) forget() (nowMillis uint64, err error) {
	now := time.Now
	if m.Now != nil {
		now = m.Now
	}
	micros, err := wallMicros(now().UnixMicro())
	if err != nil {
		return 0, err
	}
	nowMillis = uint64(micros / 1_000)
	for len(m.ends) > 0 && m.ends[0].end <= nowMillis {
		delete(m.records, heap.Pop(&m.ends).(*record).key)
	}
	return nowMillis, nil
}

// add makes a record, if there is room. The lock is held.
func (m *MemoryIdempotencyStore) add(key string, number uint64) (*record, error) {
	maxRecords := m.MaxRecords
	if maxRecords == 0 {
		maxRecords = DefaultIdempotencyRecords
	}
	if len(m.records) >= maxRecords {
		return nil, newError(ErrReplayStoreUnavailable, "the store of idempotency records is full: give it more room, or keep them in Redis")
	}
	if m.records == nil {
		m.records = make(map[string]*record)
	}
	added := &record{key: key, number: number}
	m.records[key] = added
	heap.Push(&m.ends, added)
	return added, nil
}

// keep keeps a record for its time after a moment. The lock is held.
func (m *MemoryIdempotencyStore) keep(known *record, millis uint64) {
	known.end = millis + idempotencyTTLMillis
	heap.Fix(&m.ends, known.place)
}

func errNoRecords() *Error {
	return newError(ErrReplayStoreUnavailable, "there is no store of idempotency records: give one, and carry nothing out without it")
}

// Len is how many records it holds; those that ended since the last step count.
func (m *MemoryIdempotencyStore) Len() int {
	if m == nil {
		return 0
	}
	m.lock.Lock()
	defer m.lock.Unlock()
	return len(m.records)
}

// String says how many records the store holds, and not which.
func (m *MemoryIdempotencyStore) String() string {
	return fmt.Sprintf("cardseal.MemoryIdempotencyStore(%d records)", m.Len())
}

// Format prints String for every verb.
func (m *MemoryIdempotencyStore) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }

// LogValue logs String.
func (m *MemoryIdempotencyStore) LogValue() slog.Value { return slog.StringValue(m.String()) }

// recordHeap has the record first that ends first, and tells each where it stands.
type recordHeap []*record

func (h recordHeap) Len() int           { return len(h) }
func (h recordHeap) Less(a, b int) bool { return h[a].end < h[b].end }
func (h recordHeap) Swap(a, b int) {
	h[a], h[b] = h[b], h[a]
	h[a].place, h[b].place = a, b
}
func (h *recordHeap) Push(entry any) {
	added := entry.(*record)
	added.place = len(*h)
	*h = append(*h, added)
}
func (h *recordHeap) Pop() any {
	last := len(*h) - 1
	entry := (*h)[last]
	(*h)[last] = nil // what was forgotten is not held by the array
	*h = (*h)[:last]
	return entry
}
