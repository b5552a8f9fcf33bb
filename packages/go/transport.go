package cardseal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
)

// Transport seals what an [http.Client] sends, and opens what it gets: to the caller both are plain JSON. Make one with
// [NewTransport]; it is safe for concurrent use, and prints nothing of what it knows.
//
//	client := &http.Client{Transport: transport}
//
// Let it be the innermost of your round trippers: it seals each attempt anew, and makes further ones by itself, by the
// rules of [ShouldRetry]. A layer above it that repeats calls must not repeat those that end with an [*OutcomeUnknownError]
// under another idempotency key.
type Transport struct {
	envelope *Envelope
	apiKey   hidden[string]
	callSettings
}

// NewTransport makes a Transport for the requests of one project.
//
// Errors: ErrInvalidKey for an Envelope that New did not make, ErrInvalidAPIKey, ErrInvalidOption.
func NewTransport(envelope *Envelope, apiKey string, options ...TransportOption) (*Transport, error) {
	if err := envelope.check(); err != nil {
		return nil, err
	}
	if err := checkAPIKey(apiKey); err != nil {
		return nil, err
	}
	settings, err := callSettingsOf(options)
	if err != nil {
		return nil, err
	}
	return &Transport{envelope: envelope, apiKey: hide(apiKey), callSettings: settings}, nil
}

// RoundTrip makes a call: a POST of a JSON object to an endpoint; no body counts as `{}`. A charging endpoint needs the
// header Idempotency-Key, which is the caller's, since only the caller knows whether two calls are one intention.
//
// The response has the status of the last answer, and the opened payload as its body. One that stands for an error of the
// API is given back as well, a plain one with its own body, cut at max_bytes: [APIErrorOf] has the error. A success that
// does not open is never given back.
//
// Errors, which an http.Client wraps, so that errors.As and errors.Is find them: an *Error that refuses the request before
// anything is sent, with the codes of [Envelope.SealRequest], or ErrInvalidOption for what is no POST; an *Error with the
// status of an answer that cannot be believed; an *APIError for a redirect, or for a plain error that comes as a success;
// an *OutcomeUnknownError; and whatever error ended the last attempt without an answer.
func (t *Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if err := t.check(); err != nil {
		closeBody(request)
		return nil, err
	}
	payload, options, err := t.read(request)
	if err != nil {
		return nil, err
	}
	defer clear(payload)
	received, err := t.call(request, payload, options)
	apiError, isAPIError := err.(*APIError)
	switch {
	case err == nil:
		return received.opened(request, received.payload), nil
	case !isAPIError || apiError.Status >= 300 && apiError.Status <= 399:
		return nil, err
	case apiError.Encrypted:
		return received.opened(ofAPIError(request, apiError), apiError.Payload), nil
	case apiError.Status >= 200 && apiError.Status <= 299:
		return nil, err
	}
	body := received.body[:min(int64(len(received.body)), t.envelope.MaxBytes())]
	return received.asResponse(ofAPIError(request, apiError), body), nil
}

// read takes from a request what is of use, and closes its body.
func (t *Transport) read(request *http.Request) (payload []byte, options []RequestOption, err error) {
	defer closeBody(request)
	if request.Method != http.MethodPost {
		return nil, nil, newError(ErrInvalidOption, "the method %s is of no use here: every endpoint takes POST alone", quoted(request.Method))
	}
	if request.URL == nil {
		return nil, nil, newError(ErrInvalidOption, "the request has no URL: make it with http.NewRequest")
	}
	var keys []string
	for name, values := range request.Header {
		if http.CanonicalHeaderKey(name) == HeaderIdempotencyKey {
			keys = append(keys, values...)
		}
	}
	if len(keys) > 1 {
		return nil, nil, newError(ErrInvalidOption, "there are %d headers Idempotency-Key: send one", len(keys))
	}
	if len(keys) == 1 {
		options = append(options, WithIdempotencyKey(keys[0]))
	}
	if request.Body != nil {
		// A byte more shows that it is too large.
		if payload, err = io.ReadAll(io.LimitReader(request.Body, t.envelope.MaxBytes()+1)); err != nil {
			return nil, nil, fmt.Errorf("the request's body cannot be read: %w", err)
		}
		if int64(len(payload)) > t.envelope.MaxBytes() {
			return nil, nil, errTooLarge(t.envelope.MaxBytes())
		}
	}
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	return payload, options, nil
}

func closeBody(request *http.Request) {
	if request.Body != nil {
		_ = request.Body.Close() // it was read or is of no use: nothing depends on it any more
	}
}

// opened is the answer with a payload in the place of the sealed body.
func (a *answer) opened(request *http.Request, payload Plaintext) *http.Response {
	response := a.asResponse(request, payload.Bytes())
	response.Header.Set(HeaderContentType, contentType)
	response.Header.Del("Content-Encoding")
	return response
}

// asResponse is the answer to a request with a body that has been read, and headers that speak of that one.
func (a *answer) asResponse(request *http.Request, body []byte) *http.Response {
	header := a.response.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Del("Transfer-Encoding")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	return &http.Response{
		Status:        a.response.Status,
		StatusCode:    a.response.StatusCode,
		Proto:         a.response.Proto,
		ProtoMajor:    a.response.ProtoMajor,
		ProtoMinor:    a.response.ProtoMinor,
		Header:        header,
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		TLS:           a.response.TLS,
		Request:       request,
	}
}

// APIErrorOf is the error of the API that a response of a [Transport] stands for, or nil. It is one for every status
// outside of 200 to 299, and for a sealed object whose `success` is false.
func APIErrorOf(response *http.Response) *APIError {
	if response == nil || response.Request == nil {
		return nil
	}
	apiError, _ := response.Request.Context().Value(apiErrorKey{}).(*APIError)
	return apiError
}

type apiErrorKey struct{}

// ofAPIError notes an error in a response's request, which reaches the caller whatever the layers between wrap the body in.
func ofAPIError(request *http.Request, apiError *APIError) *http.Request {
	return request.WithContext(context.WithValue(request.Context(), apiErrorKey{}, apiError))
}

// check refuses a Transport that NewTransport did not make.
func (t *Transport) check() error {
	if t == nil || t.envelope == nil {
		return newError(ErrInvalidOption, "the transport has no envelope: make it with NewTransport")
	}
	return nil
}

// String says what the Transport is, without its keys.
func (t Transport) String() string {
	return fmt.Sprintf("cardseal.Transport(attempts %d, deadline %v, keys redacted)", t.maxAttempts, t.deadline)
}

// Format prints String for every verb.
func (t Transport) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// LogValue logs String.
func (t Transport) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalJSON writes String: a struct that holds a Transport can be logged as JSON.
func (t Transport) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }
