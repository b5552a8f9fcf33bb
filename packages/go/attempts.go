package cardseal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// ErrOutcomeUnknown is the code of an [*OutcomeUnknownError], for errors.Is.
const ErrOutcomeUnknown = Code(RetryOutcomeUnknown)

// OutcomeUnknownError is a call that may have been carried out: its last failure says nothing about that. Ask
// /orders/check or /cards/get, or call again with the same idempotency key, which charges nobody twice.
//
// Look for it before an *APIError: the last failure, which it unwraps to, can be one.
type OutcomeUnknownError struct {
	// Path is the normalised path that was called.
	Path string
	// IdempotencyKey is what to call again with, empty if the call had none.
	IdempotencyKey string
	// Attempts is how many there were.
	Attempts int
	// Last is how the last of them failed.
	Last error
}

// Error says what may have happened, and what to do.
func (e *OutcomeUnknownError) Error() string {
	if e == nil {
		return "<nil>"
	}
	next := "ask the API before you repeat it"
	if e.IdempotencyKey != "" {
		next = "call again with the same idempotency key, or ask /orders/check"
	}
	return fmt.Sprintf("the call to %s may have been carried out: %s (%s; attempts: %d, the last: %v)",
		e.Path, next, string(ErrOutcomeUnknown), e.Attempts, e.Last)
}

// Is tells whether the target is ErrOutcomeUnknown, for errors.Is.
func (e *OutcomeUnknownError) Is(target error) bool { return target == ErrOutcomeUnknown }

// Unwrap returns the last failure.
func (e *OutcomeUnknownError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Last
}

// AttemptEvent is an attempt of a call that has ended. It holds no secret, no key, no header and no payload.
type AttemptEvent struct {
	// Path is the normalised path.
	Path string
	// Attempt is which attempt of its call it was, from 1.
	Attempt int
	// Status is the HTTP status, 0 if no answer came.
	Status int
	// FailureClass says what the failure means for another attempt; empty if there was none.
	FailureClass FailureClass
	// Code is the failure's, if it has one.
	Code string
	// WillRetry says whether another attempt follows.
	WillRetry bool
	// Wait is how long the call waits before that, 0 if it does not.
	Wait time.Duration
}

// TransportOption changes how a [Transport] or a [Client] makes its calls.
type TransportOption func(*callSettings)

type callSettings struct {
	base           http.RoundTripper
	maxAttempts    int
	deadline       time.Duration
	attemptTimeout time.Duration
	onAttempt      func(AttemptEvent)

	onClockCorrection func(offset time.Duration)
}

// WithBase sets what sends the sealed requests, http.DefaultTransport without it: proxies, certificates, connections are
// its business. It must repeat no request and follow no redirect by itself, as http.Transport does not.
func WithBase(base http.RoundTripper) TransportOption {
	return func(s *callSettings) { s.base = base }
}

// WithAttempts limits the attempts of a call, the first included: 1 and up, 8 by default.
func WithAttempts(attempts int) TransportOption {
	return func(s *callSettings) { s.maxAttempts = attempts }
}

// WithDeadline limits the time of a call with all its attempts and waits, 60 s by default. What is under way then is broken
// off. A context, or the Timeout of an http.Client, can end it earlier.
func WithDeadline(deadline time.Duration) TransportOption {
	return func(s *callSettings) { s.deadline = deadline }
}

// WithAttemptTimeout limits the time of each attempt, 30 s by default, so that one that hangs leaves time for another.
func WithAttemptTimeout(timeout time.Duration) TransportOption {
	return func(s *callSettings) { s.attemptTimeout = timeout }
}

// WithOnAttempt has a function told of each attempt as it ends, before the wait for the next. Calls that are made at the
// same time call it at the same time.
func WithOnAttempt(onAttempt func(AttemptEvent)) TransportOption {
	return func(s *callSettings) { s.onAttempt = onAttempt }
}

// WithOnClockCorrection has the clock corrected by the server's, and a function told by how much; without it the clock is
// left as it is. It is for machines whose clock nobody keeps right. Where an https URL answers timestamp_outside_window,
// its Date header says how wrong the clock is, and is believed up to 15 minutes, at most once a minute (SPEC.md, section
// 27). From then on every timestamp of this process is moved by the offset, whatever makes it; what a server compares with,
// as OpenRequest does, is not.
func WithOnClockCorrection(onClockCorrection func(offset time.Duration)) TransportOption {
	return func(s *callSettings) { s.onClockCorrection = onClockCorrection }
}

func callSettingsOf(options []TransportOption) (callSettings, error) {
	s := callSettings{
		maxAttempts:    retryAttempts,
		deadline:       retryDeadlineMillis * time.Millisecond,
		attemptTimeout: defaultAttemptTimeout,
	}
	for _, option := range options {
		if option != nil {
			option(&s)
		}
	}
	if s.maxAttempts < 1 {
		return s, newError(ErrInvalidOption, "a call cannot have %d attempts: use 1 and up", s.maxAttempts)
	}
	if s.deadline <= 0 || s.attemptTimeout <= 0 {
		return s, newError(ErrInvalidOption, "a call or an attempt cannot take %v: use more than nothing", min(s.deadline, s.attemptTimeout))
	}
	return s, nil
}

const defaultAttemptTimeout = 30 * time.Second

// call is a call of the API, over all its attempts.
type call struct {
	*Transport
	// plain is what each attempt is a sealed copy of.
	plain   *http.Request
	payload []byte
	options []RequestOption

	path string
	kind EndpointKind
	end  time.Time

	idempotencyKey string
	attempts       int
	mayHaveArrived bool
}

// answer is an answer to a sealed request, whole, with its body closed.
type answer struct {
	response *http.Response
	// at is when its headers came.
	at time.Time
	// body is what came over the wire, at most a byte more than max_bytes.
	body []byte
	// payload is what the body held, if that is a success.
	payload Plaintext
}

// call makes attempts until one succeeds or none may follow (SPEC.md, sections 21 and 27). Each is the plain request, of
// which the body is not used, with the payload sealed anew. Beside an *APIError it returns the answer that has it.
func (t *Transport) call(plain *http.Request, payload []byte, options []RequestOption) (*answer, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	path, err := NormalizePath(plain.URL.EscapedPath())
	if err != nil {
		return nil, err
	}
	c := &call{
		Transport: t, plain: plain, payload: payload, options: options,
		path: path, kind: kindOfNormalized(path), end: time.Now().Add(t.deadline),
	}
	return c.run(plain.Context())
}

func (c *call) run(ctx context.Context) (*answer, error) {
	for {
		if ctx.Err() != nil {
			return nil, c.conclude(context.Cause(ctx))
		}
		sealed, err := c.envelope.SealRequest(c.path, c.payload, c.apiKey.reveal(), c.options...)
		if err != nil {
			return nil, c.conclude(err)
		}
		c.idempotencyKey = sealed.IdempotencyKey
		c.attempts++
		received, sent, failure := c.exchange(sealed)
		event := AttemptEvent{Path: c.path, Attempt: c.attempts}
		if received != nil {
			event.Status = received.response.StatusCode
		}
		if failure == nil {
			c.tell(event)
			return received, nil
		}
		c.mayHaveArrived = c.mayHaveArrived || sent != SentNo
		event.FailureClass, event.Code = judge(failure)
		c.correctClock(event.Code, received)
		if ctx.Err() == nil {
			event.Wait, event.WillRetry = c.waitAfter(event, sent, received)
		}
		c.tell(event)
		switch {
		case event.WillRetry:
			if err := sleep(ctx, event.Wait); err != nil {
				return nil, c.conclude(fmt.Errorf("%w, while waiting to try again after: %w", err, failure))
			}
		case event.FailureClass == FailureTransient || event.FailureClass == FailureReseal:
			return received, c.conclude(failure)
		default:
			return received, failure
		}
	}
}

// conclude is how a call ends after a failure that does not say what became of it.
func (c *call) conclude(failure error) error {
	if !c.mayHaveArrived || c.kind == EndpointRead {
		return failure
	}
	return &OutcomeUnknownError{Path: c.path, IdempotencyKey: c.idempotencyKey, Attempts: c.attempts, Last: failure}
}

// waitAfter says whether another attempt is to follow a failed one, and after what wait.
func (c *call) waitAfter(failed AttemptEvent, sent Sent, received *answer) (wait time.Duration, willRetry bool) {
	switch ShouldRetry(Attempt{
		Kind: c.kind, Class: failed.FailureClass, Code: failed.Code, Sent: sent, HasKey: c.idempotencyKey != "", Number: c.attempts,
	}) {
	case RetryNow:
	case RetryAfterBackoff:
		wait = backoff(c.attempts, rand.Uint32())
		if received != nil {
			wait = max(wait, retryAfter(received.response.Header.Get("Retry-After"), time.Now()))
		}
	default:
		return 0, false
	}
	if c.attempts >= c.maxAttempts || wait >= time.Until(c.end) {
		return 0, false
	}
	return wait, true
}

// correctClock takes the server's clock for the right one, where that is asked for.
func (c *call) correctClock(code string, received *answer) {
	// Without TLS the Date could be anybody's.
	if c.onClockCorrection == nil || received == nil || code != string(ErrTimestampOutsideWindow) || c.plain.URL.Scheme != "https" {
		return
	}
	date, err := http.ParseTime(received.response.Header.Get("Date"))
	if err != nil {
		return
	}
	offset := date.Add(time.Second / 2).Sub(received.at) // it counts whole seconds: half of one is what it leaves out
	if processClock.correct(offset, received.at) {
		c.onClockCorrection(offset)
	}
}

func (c *call) tell(event AttemptEvent) {
	if c.onAttempt != nil {
		c.onAttempt(event)
	}
}

// exchange makes one attempt. It returns an answer if a whole one came, whether or not that is a failure.
func (c *call) exchange(sealed *SealedRequest) (*answer, Sent, error) {
	limit := c.end
	cause := fmt.Errorf("the call has taken longer than %v: %w", c.deadline, context.DeadlineExceeded)
	if timeout := time.Now().Add(c.attemptTimeout); timeout.Before(limit) {
		limit = timeout
		cause = fmt.Errorf("the attempt has taken longer than %v: %w", c.attemptTimeout, context.DeadlineExceeded)
	}
	ctx, cancel := context.WithDeadlineCause(c.plain.Context(), limit, cause)
	defer cancel()
	var reach reach
	received, err := c.send(c.plain.Clone(httptrace.WithClientTrace(ctx, reach.trace())), sealed)
	if err != nil {
		if ctx.Err() != nil && c.plain.Context().Err() == nil {
			err = cause // not every reader and round tripper gives it by itself
		}
		return nil, reach.sent(), err
	}
	err = c.envelope.OpenResponse(received.response.StatusCode, received.body, &received.payload, WithRequest(sealed.Body))
	return received, SentYes, err
}

// send makes a clone of the plain request the sealed one, sends that, and receives the whole answer.
func (t *Transport) send(wire *http.Request, sealed *SealedRequest) (*answer, error) {
	wire.Header = wireHeader(wire.Header, sealed)
	// A body that can be read once, and no GetBody: net/http sends a POST that has an Idempotency-Key again, on its own,
	// where a connection that it had kept turns out to be dead.
	wire.Body, wire.GetBody = io.NopCloser(onceReader{strings.NewReader(string(sealed.Body))}), nil
	wire.ContentLength, wire.TransferEncoding, wire.Trailer = int64(len(sealed.Body)), nil, nil
	base := t.base
	if base == nil {
		base = http.DefaultTransport
	}
	response, err := base.RoundTrip(wire)
	at := time.Now()
	switch {
	case response != nil && response.Body != nil:
		defer response.Body.Close()
	case response != nil:
		response.Body = http.NoBody
	case err == nil:
		err = errors.New("the base round tripper gives neither a response nor an error")
	}
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, t.envelope.MaxBytes()+1))
	if err != nil {
		return nil, fmt.Errorf("the answer broke off: %w", err)
	}
	return &answer{response: response, at: at, body: body}, nil
}

// onceReader hides what a reader can do beyond being read once.
type onceReader struct{ io.Reader }

// wireHeader is the header of a sealed request: that of the plain one, but for what speaks of its body or is the
// transport's to say.
func wireHeader(plain http.Header, sealed *SealedRequest) http.Header {
	header := make(http.Header, len(plain)+len(sealed.Headers()))
	for name, values := range plain {
		switch name := http.CanonicalHeaderKey(name); name {
		case "Content-Length", "Content-Encoding", "Transfer-Encoding", "Accept-Encoding":
		default:
			header[name] = append(header[name], values...)
		}
	}
	for _, own := range sealed.Headers() {
		header.Set(own.Name, own.Value)
	}
	return header
}

// reach watches how far an attempt gets.
type reach struct {
	isSought, isConnected atomic.Bool
}

func (r *reach) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { r.isSought.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { r.isConnected.Store(true) },
	}
}

// sent tells whether a failed attempt may have arrived. It has not where net/http looked for a connection and got none:
// name, TCP, proxy or TLS failed. The error alone would not say that, nor would a round tripper that tells a trace nothing.
func (r *reach) sent() Sent {
	if r.isSought.Load() && !r.isConnected.Load() {
		return SentNo
	}
	return SentUnknown
}

// judge is the class and the code of a failure. One of the transport's is transient, unless it is this package's refusal
// from further below.
func judge(failure error) (FailureClass, string) {
	var apiError *APIError
	var ours *Error
	switch {
	case errors.As(failure, &apiError):
		return apiError.FailureClass, apiError.Code
	case errors.As(failure, &ours):
		return ours.FailureClass(), string(ours.Code)
	}
	return FailureTransient, ""
}

// retryAfter is how long a server asks to wait: seconds, or a date. What is neither asks for nothing.
func retryAfter(value string, now time.Time) time.Duration {
	const longest = math.MaxInt64 / uint64(time.Second)
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, longest)) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(date.Sub(now), 0)
	}
	return 0
}

// sleep waits, and returns early with the reason if the context ends.
func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	return context.Cause(ctx)
}
