package cardseal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"
)

// Client calls the API: path and payload in, payload out. Make one with [NewClient], [ClientFromEnv] or
// [Transport.Client]; it is safe for concurrent use, and prints nothing of what it knows.
type Client struct {
	base      url.URL
	transport *Transport
}

// NewClient makes a Client of the API at a base URL, such as https://api.example.com, for one project. `/api/v1` is put
// before paths by itself.
//
// Errors: ErrInvalidKey for the secret, ErrInvalidAPIKey, ErrInvalidOption.
func NewClient(baseURL, apiKey, secret string, options ...TransportOption) (*Client, error) {
	envelope, err := New(secret)
	if err != nil {
		return nil, err
	}
	transport, err := NewTransport(envelope, apiKey, options...)
	if err != nil {
		return nil, err
	}
	return transport.Client(baseURL)
}

// ClientFromEnv is NewClient with CARDSEAL_URL, CARDSEAL_API_KEY and CARDSEAL_SECRET.
//
// Errors: ErrInvalidOption for a variable that is not set, and those of [NewClient].
func ClientFromEnv(options ...TransportOption) (*Client, error) {
	var values [3]string
	for index, name := range []string{"CARDSEAL_URL", "CARDSEAL_API_KEY", "CARDSEAL_SECRET"} {
		if values[index] = os.Getenv(name); values[index] == "" {
			return nil, newError(ErrInvalidOption, "the environment variable %s is not set: a client needs it", name)
		}
	}
	return NewClient(values[0], values[1], values[2], options...)
}

// Client is a [Client] over this transport, whose envelope can have options of its own.
//
// Errors: ErrInvalidOption for a base URL that is more, or less, than an http or https URL of a host.
func (t *Transport) Client(baseURL string) (*Client, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	base, err := url.Parse(baseURL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" ||
		base.User != nil || base.Path != "" && base.Path != "/" || base.RawQuery != "" || base.Fragment != "" {
		// It is not quoted: there can be a password in it.
		return nil, newError(ErrInvalidOption, "the base URL has to be like `https://api.example.com`, without path or credentials")
	}
	return &Client{base: url.URL{Scheme: base.Scheme, Host: base.Host}, transport: t}, nil
}

// Call calls an endpoint by its path and stores the payload of the answer in v, as [Envelope.Open] does. Payloads are taken
// as in [Envelope.Seal]; nil is `{}`. A charging endpoint needs [WithIdempotencyKey]: the same key for the same intention,
// however often it is called.
//
// It makes as many attempts as the rules of [ShouldRetry] and the options of the Client allow, and ends at once with ctx.
//
// Errors: an *Error with the codes of [Envelope.SealRequest] before anything is sent; an *APIError, and an *Error with a
// status, as [Envelope.OpenResponse]; an *OutcomeUnknownError; and whatever error ended the last attempt without an answer.
func (c *Client) Call(ctx context.Context, path string, payload, v any, options ...RequestOption) error {
	answered, err := c.call(ctx, path, payload, v, options)
	if err != nil {
		return err
	}
	return answered.decode(v)
}

// decode stores the payload of a success in v. Where it does not fit, the deed is done all the same.
func (a *answer) decode(v any) error {
	if err := decode(a.payload.Bytes(), v); err != nil {
		return ofResponse(err, a.response.StatusCode, FailureNever)
	}
	return nil
}

func (c *Client) call(ctx context.Context, path string, payload, v any, options []RequestOption) (*answer, error) {
	if c == nil {
		return nil, newError(ErrInvalidOption, "there is no client: make it with NewClient")
	}
	if err := c.transport.check(); err != nil {
		return nil, err
	}
	if err := checkTarget(v); err != nil {
		return nil, err
	}
	path, err := NormalizePath(path)
	if err != nil {
		return nil, err
	}
	text := []byte("{}")
	if payload != nil {
		if text, err = payloadText(payload, c.transport.envelope.MaxBytes()); err != nil {
			return nil, err
		}
	}
	defer clear(text)
	target := c.base
	target.Path = path
	request := &http.Request{Method: http.MethodPost, URL: &target, Host: target.Host}
	answered, err := c.transport.call(request.WithContext(ctx), text, options)
	var ours *Error
	var apiError *APIError
	var unknown *OutcomeUnknownError
	if err != nil && !errors.As(err, &ours) && !errors.As(err, &apiError) && !errors.As(err, &unknown) {
		err = fmt.Errorf("the call to %s failed: %w", path, err)
	}
	return answered, err
}

// payloadText is a copy of a payload as JSON text, so that every attempt seals the same.
func payloadText(payload any, maxBytes int64) ([]byte, error) {
	s := scratches.Get().(*scratch)
	defer s.release()
	text, err := s.jsonText(payload, maxBytes)
	return bytes.Clone(text), err
}

// ErrOrderPending is the code of an order that had not ended when the time was up.
const ErrOrderPending = Code("order_pending")

// WaitForOrder asks /orders/check until an order has ended, well or not, stores it in v, as [Client.Call] does, and returns
// its status. Let ctx say how long that may take: the order goes on by itself when nobody waits for it any more.
//
// Errors: ErrOrderPending when ctx ends in between, errors.Is finds its error too; those of [Client.Call]. With either, v
// and the status are as they came last.
func (c *Client) WaitForOrder(ctx context.Context, orderID string, v any) (status OrderStatus, err error) {
	question := map[string]string{"order_id": orderID}
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		answered, err := c.call(ctx, "/orders/check", question, v, nil)
		if err != nil {
			return status, err
		}
		order := answered.payload.Bytes()
		root, _ := read(order, []string{"status"}) // it was read before
		name, isString := root.found[0].string(order)
		if !isString {
			err := newError(ErrInvalidPayload, "the answer is no order: it has no `status`")
			return status, ofResponse(err, answered.response.StatusCode, FailureNever)
		}
		status = OrderStatus(name)
		if err := answered.decode(v); err != nil || status.IsTerminal() {
			return status, err
		}
		if err := sleep(ctx, pause); err != nil {
			return status, &Error{
				Code:    ErrOrderPending,
				Message: fmt.Sprintf("the order has not ended yet, its status is %s: ask again later", quoted(string(status))),
				class:   FailureLater,
				cause:   err,
			}
		}
	}
}

const (
	firstPause   = 200 * time.Millisecond
	longestPause = 5 * time.Second
)

// String says what the Client calls, without its keys.
func (c Client) String() string {
	return fmt.Sprintf("cardseal.Client(%s, keys redacted)", c.base.String())
}

// Format prints String for every verb.
func (c Client) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue logs String.
func (c Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalJSON writes String: a struct that holds a Client can be logged as JSON.
func (c Client) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }
