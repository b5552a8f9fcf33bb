package cardseal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// A WebhookState is what a [WebhookStore] knows of a webhook that comes.
type WebhookState string

const (
	// WebhookNew has not been seen: whoever is told so handles it.
	WebhookNew WebhookState = "new"
	// WebhookBusy is being handled, by another delivery of it, which may still fail.
	WebhookBusy WebhookState = "busy"
	// WebhookHandled was handled before.
	WebhookHandled WebhookState = "handled"
)

const (
	// WebhookLease is how long a webhook counts as being handled: after that its handler is given up for dead.
	WebhookLease = webhookLeaseMillis * time.Millisecond
	// WebhookTTL is how long a handled webhook is remembered: far longer than a sender goes on sending.
	WebhookTTL = webhookTTLMillis * time.Millisecond
)

// WebhookStore remembers which webhooks have been handled, by their dedupe keys. It is safe for concurrent use.
type WebhookStore interface {
	// Begin takes a webhook up for [WebhookLease], atomically, if it is new.
	Begin(ctx context.Context, dedupeKey string) (WebhookState, error)
	// Finish remembers for [WebhookTTL] that a webhook has been handled.
	Finish(ctx context.Context, dedupeKey string) error
	// GiveBack forgets a webhook whose handler failed, so that it can come again.
	GiveBack(ctx context.Context, dedupeKey string) error
}

// NewWebhookHandler receives webhooks: it opens each and has handle called, once for each event. The sender is told of
// success when that returns nil, and for an event that was handled before. If it fails or panics, the webhook is given back
// and the answer is 500: the sender comes again. A handler that takes longer than [WebhookLease] can see its webhook
// handled a second time, as can one whose process dies.
//
// What does not open is 400. While another delivery of it is being handled, or the store does not answer, it is 503. Nothing
// binds a webhook to this receiver: confirm what matters with a request.
//
// Errors: ErrInvalidKey for an Envelope that New did not make, ErrInvalidOption without store or handle.
func NewWebhookHandler(
	envelope *Envelope, store WebhookStore, handle func(context.Context, *Webhook) error, options ...HandlerOption,
) (http.Handler, error) {
	if err := envelope.check(); err != nil {
		return nil, err
	}
	if store == nil || handle == nil {
		return nil, newError(ErrInvalidOption, "there is no store, or no function that handles webhooks: give both")
	}
	h := &webhookHandler{envelope: envelope, store: store, handle: handle}
	for _, option := range options {
		if option != nil {
			option(&h.handlerSettings)
		}
	}
	return h, nil
}

type webhookHandler struct {
	envelope *Envelope
	store    WebhookStore
	handle   func(context.Context, *Webhook) error
	handlerSettings
}

func (h *webhookHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !isPost(w, r) {
		return
	}
	body, ok := readBody(w, r, h.envelope.MaxBytes())
	if !ok {
		return
	}
	webhook, err := h.envelope.OpenWebhook(body)
	if err != nil {
		refuseFor(w, err)
		return
	}
	state, err := h.store.Begin(r.Context(), webhook.DedupeKey())
	switch {
	case err != nil:
		h.log("a webhook was refused, the store cannot answer: %v", err)
		refuseFor(w, ErrReplayStoreUnavailable)
		return
	case state == WebhookNew:
		if err := h.handleNew(r.Context(), webhook); err != nil {
			h.log("a webhook was not handled: %v", err)
			refuse(w, http.StatusInternalServerError, "The webhook was not handled")
			return
		}
	case state != WebhookHandled:
		refuse(w, http.StatusServiceUnavailable, "The webhook is being handled")
		return
	}
	write(w, http.StatusOK, []byte(`{"success":true}`))
}

// handleNew has a webhook handled, and notes how that ended, whatever has become of the request.
func (h *webhookHandler) handleNew(ctx context.Context, webhook *Webhook) error {
	key, after := webhook.DedupeKey(), context.WithoutCancel(ctx)
	isOver := false
	defer func() {
		if !isOver { // it asked for the connection to be dropped
			_ = h.store.GiveBack(after, key)
		}
	}()
	err := guarded(func() error { return h.handle(ctx, webhook) })
	isOver = true
	if err != nil {
		return errors.Join(err, h.store.GiveBack(after, key))
	}
	if err := h.store.Finish(after, key); err != nil {
		// It is handled: to have it come again would be worse than to forget that.
		h.log("a webhook was handled, and the store does not note it: %v", err)
	}
	return nil
}

// MemoryWebhookStore is a [WebhookStore] in memory, for one process. The zero value is ready.
type MemoryWebhookStore struct {
	// Now is the clock, time.Now if it is nil. Set it before the first webhook.
	Now func() time.Time

	lock    sync.Mutex
	known   map[string]knownWebhook
	cleanAt time.Time
}

type knownWebhook struct {
	state WebhookState
	end   time.Time
}

// Begin takes a webhook up; see [WebhookStore]. It gives no error.
func (m *MemoryWebhookStore) Begin(_ context.Context, dedupeKey string) (WebhookState, error) {
	m.lock.Lock()
	defer m.lock.Unlock()
	now := m.now()
	m.clean(now)
	if known, isKnown := m.known[dedupeKey]; isKnown && now.Before(known.end) {
		return known.state, nil
	}
	m.note(dedupeKey, knownWebhook{WebhookBusy, now.Add(WebhookLease)})
	return WebhookNew, nil
}

// Finish remembers a webhook; see [WebhookStore]. It gives no error.
func (m *MemoryWebhookStore) Finish(_ context.Context, dedupeKey string) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.note(dedupeKey, knownWebhook{WebhookHandled, m.now().Add(WebhookTTL)})
	return nil
}

// GiveBack forgets a webhook; see [WebhookStore]. It gives no error.
func (m *MemoryWebhookStore) GiveBack(_ context.Context, dedupeKey string) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	delete(m.known, dedupeKey)
	return nil
}

func (m *MemoryWebhookStore) now() time.Time {
	if m.Now != nil {
		return m.Now()
	}
	return time.Now()
}

func (m *MemoryWebhookStore) note(dedupeKey string, webhook knownWebhook) {
	if m.known == nil {
		m.known = map[string]knownWebhook{}
	}
	m.known[dedupeKey] = webhook
}

// clean drops what is over, once in a lease: to look each time would take time by their square.
func (m *MemoryWebhookStore) clean(now time.Time) {
	if now.Before(m.cleanAt) {
		return
	}
	m.cleanAt = now.Add(WebhookLease)
	for key, known := range m.known {
		if !now.Before(known.end) {
			delete(m.known, key)
		}
	}
}

// Len is how many webhooks it remembers; those that ended within the last minute can count.
func (m *MemoryWebhookStore) Len() int {
	m.lock.Lock()
	defer m.lock.Unlock()
	return len(m.known)
}

// String says how many webhooks the store remembers, and not which.
func (m *MemoryWebhookStore) String() string {
	return fmt.Sprintf("cardseal.MemoryWebhookStore(%d webhooks)", m.Len())
}

// Format prints String for every verb.
func (m *MemoryWebhookStore) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }

// LogValue logs String.
func (m *MemoryWebhookStore) LogValue() slog.Value { return slog.StringValue(m.String()) }
