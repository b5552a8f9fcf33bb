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
	// KeyIndex says which secret opened it: 0 for the one that seals, 1 and up for the older ones.
	KeyIndex int

	members hidden[*webhookMembers]
}

// webhookMembers are parts of the plaintext.
type webhookMembers struct {
	kind       string
	hasKind    bool
	timestamp  json.RawMessage
	deliveryID string
	dedupeKey  string
}

// Type is the member type or event_type, whichever is a string, in this order; ok says whether either is.
func (w *Webhook) Type() (name string, ok bool) {
	members := w.read()
	return members.kind, members.hasKind
}

// Timestamp is the JSON text of the member timestamp, whatever it is, and nil without that member.
func (w *Webhook) Timestamp() json.RawMessage { return bytes.Clone(w.read().timestamp) }

// DeliveryID is the member delivery_id, and empty where that is no string.
func (w *Webhook) DeliveryID() string { return w.read().deliveryID }

// DedupeKey tells repeats from other webhooks: id: and the delivery id, or without one sha256: and the digest of the
// canonical payload.
func (w *Webhook) DedupeKey() string { return w.read().dedupeKey }

func (w *Webhook) read() webhookMembers {
	if w == nil {
		return webhookMembers{}
	}
	if members := w.members.reveal(); members != nil {
		return *members
	}
	return webhookMembers{}
}

// SealWebhook returns the HTTP body of a webhook: an object, sealed, with nothing added. Payloads are taken as in
// [Envelope.Seal].
//
// Errors: ErrInvalidPayload, ErrAlreadySealed, ErrTooLarge, in this order; ErrEntropyUnavailable.
func (e *Envelope) SealWebhook(payload any) ([]byte, error) {
	return e.sealVerbatim(payload, true, system)
}

var wantedOfWebhook = []string{"type", "event_type", "timestamp", "delivery_id"}

// OpenWebhook opens a webhook. It has no timestamp rule, and whatever object was sealed under the same key opens as one:
// what matters has to be confirmed with a request (SPEC.md, section 28).
//
// Errors: as [Envelope.Open]; ErrInvalidPayload also for a payload that is no object.
func (e *Envelope) OpenWebhook(body []byte) (*Webhook, error) {
	s := scratches.Get().(*scratch)
	defer s.release()
	opened, err := e.open(s, body, wantedOfWebhook)
	if err != nil {
		return nil, err
	}
	if !opened.root.isObject() {
		return nil, errNotAnObject()
	}
	text, found := opened.text, opened.root.found
	members := &webhookMembers{}
	for _, member := range found[:2] {
		if name, isString := member.string(text); isString && !members.hasKind {
			members.kind, members.hasKind = string(name), true
		}
	}
	if timestamp := found[2]; timestamp.exists() {
		members.timestamp = bytes.Clone(timestamp.raw(text))
	}
	if id, isString := found[3].string(text); isString {
		members.deliveryID = string(id)
	}
	if members.dedupeKey, err = dedupeKey(members.deliveryID, text); err != nil {
		return nil, err
	}
	return &Webhook{Payload: newPlaintext(text), KeyIndex: opened.keyIndex, members: hide(members)}, nil
}

// dedupeKey follows SPEC.md, HOOK-5.
func dedupeKey(deliveryID string, text []byte) (string, error) {
	if deliveryID != "" {
		return "id:" + deliveryID, nil
	}
	canonical, err := CanonicalJSON(text)
	if err != nil {
		return "", err
	}
	defer clear(canonical)
	sum := sha256.Sum256(canonical)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// String says what type the webhook has.
func (w Webhook) String() string {
	kind, _ := w.Type()
	return fmt.Sprintf("cardseal.Webhook(type %s, key index %d)", quoted(kind), w.KeyIndex)
}

// Format prints String for every verb.
func (w Webhook) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, w.String()) }

// LogValue logs String.
func (w Webhook) LogValue() slog.Value { return slog.StringValue(w.String()) }

// MarshalJSON writes String: a struct that holds a Webhook can be logged as JSON.
func (w Webhook) MarshalJSON() ([]byte, error) { return json.Marshal(w.String()) }
