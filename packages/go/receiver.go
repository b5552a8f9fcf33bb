package cardseal

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// WebhookTTL is how long a webhook that was handled is remembered: far longer than its sender tries.
const WebhookTTL = 24 * time.Hour

// ClaimStore is a [ReplayStore] that can give a claim back.
type ClaimStore interface {
	ReplayStore
	// Release forgets a key, so that the next claim of it is fresh.
	Release(ctx context.Context, key string) error
}

// NewWebhookHandler receives webhooks: it opens each, claims its dedupe key, and has handle called, once for each event.
// The sender is told of success when that returns nil, and for an event that was handled before. If it fails or panics,
// the claim is given back and the answer is 500: the sender comes again. A process that dies in between has handled the
// event, as far as the store knows.
//
// What does not open is 400; while the store does not answer everything is 503. Nothing binds a webhook to this receiver:
// confirm what matters with a request.
//
// Errors: ErrInvalidKey for an Envelope that New did not make, ErrInvalidOption without store or handle.
func NewWebhookHandler(
	envelope *Envelope, store ClaimStore, handle func(context.Context, *Webhook) error, options ...HandlerOption,
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
	store    ClaimStore
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
	key := "webhook:" + webhook.DedupeKey()
	isNew, err := h.store.Claim(r.Context(), key, WebhookTTL)
	if err != nil {
		h.log("a webhook was refused, the store cannot answer: %v", err)
		refuseFor(w, ErrReplayStoreUnavailable)
		return
	}
	if isNew {
		if err := h.handleClaimed(r.Context(), webhook, key); err != nil {
			h.log("a webhook was not handled: %v", err)
			refuse(w, http.StatusInternalServerError, "The webhook was not handled")
			return
		}
	}
	write(w, http.StatusOK, []byte(`{"success":true}`))
}

// handleClaimed has a webhook handled, and gives the claim back if that fails, whatever has become of the request.
func (h *webhookHandler) handleClaimed(ctx context.Context, webhook *Webhook, key string) (err error) {
	isHandled := false
	defer func() {
		if !isHandled {
			err = errors.Join(err, h.store.Release(context.WithoutCancel(ctx), key))
		}
	}()
	err = guarded(func() error { return h.handle(ctx, webhook) })
	isHandled = err == nil
	return err
}
