package cardseal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// Webhook is a webhook that a receiver has opened (SPEC.md, section 22). Delivery is at least once: remember DedupeKey,
// and answer a repeat too with status 200 and {"success": true}. Nothing prints what it holds but its type.
type Webhook struct {
	// Payload is the JSON object, to the letter.
	Payload Plaintext
	// Type is `type` or `event_type`, whichever is a string, in this order.
	Type string
	// HasType says whether either was: an empty string is one.
	HasType bool
	// Timestamp is the JSON text of `timestamp`, whatever it is, and nil without that member.
	Timestamp json.RawMessage
	// DeliveryID is `delivery_id`, if that is a string.
	DeliveryID string
	// DedupeKey is `id:` and the delivery id, or without one `sha256:` and the digest of the canonical payload.
	DedupeKey string
	// KeyIndex says which secret opened it: 0 for the one that seals, 1 and up for the older ones.
	KeyIndex int
}

// SealWebhook returns the HTTP body of a webhook: an object, sealed, with nothing added. Payloads are taken as in
// [Envelope.Seal].
//
// Errors: ErrInvalidPayload, ErrAlreadySealed, ErrTooLarge, in this order; ErrEntropyUnavailable.
func (e *Envelope) SealWebhook(payload any) ([]byte, error) {
	return e.sealVerbatim(payload, true, system)
}

var webhookMembers = []string{"type", "event_type", "timestamp", "delivery_id"}

// OpenWebhook opens a webhook. It has no timestamp rule, and whatever object was sealed under the same key opens as one:
// what matters has to be confirmed with a request (SPEC.md, section 28).
//
// Errors: as [Envelope.Open]; ErrInvalidPayload also for a payload that is no object.
func (e *Envelope) OpenWebhook(body []byte) (*Webhook, error) {
	s := scratches.Get().(*scratch)
	defer s.release()
	opened, err := e.open(s, body, webhookMembers)
	if err != nil {
		return nil, err
	}
	if !opened.root.isObject() {
		return nil, errNotAnObject()
	}
	text, found := opened.text, opened.root.found
	webhook := &Webhook{Payload: newPlaintext(text), KeyIndex: opened.keyIndex}
	for _, member := range found[:2] {
		if name, isString := member.string(text); isString && !webhook.HasType {
			webhook.Type, webhook.HasType = string(name), true
		}
	}
	if timestamp := found[2]; timestamp.exists() {
		webhook.Timestamp = bytes.Clone(timestamp.raw(text))
	}
	if id, isString := found[3].string(text); isString && len(id) > 0 {
		webhook.DeliveryID = string(id)
		webhook.DedupeKey = "id:" + webhook.DeliveryID
		return webhook, nil
	}
	canonical, err := CanonicalJSON(text)
	if err != nil {
		return nil, err
	}
	defer clear(canonical)
	sum := sha256.Sum256(canonical)
	webhook.DedupeKey = "sha256:" + hex.EncodeToString(sum[:])
	return webhook, nil
}

// String says what type the webhook has.
func (w Webhook) String() string {
	return fmt.Sprintf("cardseal.Webhook(type %s, key index %d)", quoted(w.Type), w.KeyIndex)
}

// Format prints String for every verb.
func (w Webhook) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, w.String()) }

// LogValue logs String.
func (w Webhook) LogValue() slog.Value { return slog.StringValue(w.String()) }

// MarshalJSON writes String: a struct that holds a Webhook can be logged as JSON.
func (w Webhook) MarshalJSON() ([]byte, error) { return json.Marshal(w.String()) }
