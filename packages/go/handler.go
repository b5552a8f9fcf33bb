package cardseal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"path"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

// What a [Lookup] says of an API key that opens nothing. Both are among the eight plain errors (SPEC.md, section 19).
const (
	// ErrAPIKeyNotFound is nobody's key: 404.
	ErrAPIKeyNotFound = Code("api_key_not_found")
	// ErrAccessDenied is the key of a project that may not call: 403.
	ErrAccessDenied = Code("access_denied")
)

// Lookup finds the envelope of the project that has an API key. It is called at the same time by requests that come at the
// same time. For ErrAPIKeyNotFound and ErrAccessDenied, which errors.Is looks for, the request is refused with their plain
// answers, and for every other error with status 503.
type Lookup func(ctx context.Context, apiKey string) (*Envelope, error)

// HandlerOption changes how a handler works.
type HandlerOption func(*handlerSettings)

type handlerSettings struct {
	endpoints []string
	errorLog  *log.Logger
}

// WithEndpoints has other paths opened than those of [Endpoints].
func WithEndpoints(paths ...string) HandlerOption {
	return func(s *handlerSettings) { s.endpoints = paths }
}

// WithErrorLog sets where the failures inside the server are written to that its callers are told nothing about; the log
// package's standard logger without it.
func WithErrorLog(errorLog *log.Logger) HandlerOption {
	return func(s *handlerSettings) { s.errorLog = errorLog }
}

// NewHandler stands before a server's own handler: it opens what comes to an endpoint, and seals what goes back. Paths
// outside of /api/ pass by untouched; what is under it and no endpoint is 404.
//
// A request goes through the checks of SPEC.md, section 26, in their order, up to the replay claims and the idempotency
// key. What fails before the claims is answered in plain JSON, what fails after them is sealed. The next handler sees a
// plain JSON request, with the opened payload and its stamp as its body; [RequestOf] tells more of it. It answers in JSON,
// which is sealed with its status, whatever that is. An answer that is no JSON, and a panic, is a sealed internal_error; the
// cause is in the error log.
//
// How long a body may take to arrive is the http.Server's to say: set its ReadTimeout.
//
// Errors: ErrInvalidOption without next or lookup, ErrInvalidPath for an endpoint. Without a store every request is refused.
func NewHandler(next http.Handler, lookup Lookup, store ReplayStore, options ...HandlerOption) (http.Handler, error) {
	if next == nil || lookup == nil {
		return nil, newError(ErrInvalidOption, "there is no handler, or no lookup of API keys: give both")
	}
	h := &handler{next: next, lookup: lookup, store: store}
	for _, endpoint := range endpoints {
		h.endpoints = append(h.endpoints, endpoint.Path)
	}
	for _, option := range options {
		if option != nil {
			option(&h.handlerSettings)
		}
	}
	h.endpoints = slices.Clone(h.endpoints)
	for index, endpoint := range h.endpoints {
		normalized, err := NormalizePath(endpoint)
		if err != nil {
			return nil, err
		}
		h.endpoints[index] = normalized
	}
	return h, nil
}

// RequestOf is the opened request of what a handler of [NewHandler] hands on, or nil.
func RequestOf(r *http.Request) *Request {
	if r == nil {
		return nil
	}
	request, _ := r.Context().Value(requestKey{}).(*Request)
	return request
}

type requestKey struct{}

type handler struct {
	next   http.Handler
	lookup Lookup
	store  ReplayStore
	handlerSettings
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// By the path as a router behind this reads it: decoded and cleaned. No other spelling of an endpoint passes by.
	if !strings.HasPrefix(strings.ToLower(path.Clean("/"+r.URL.Path))+"/", "/api/") {
		h.next.ServeHTTP(w, r)
		return
	}
	endpoint, err := NormalizePath(r.URL.EscapedPath())
	if err != nil || !slices.Contains(h.endpoints, endpoint) {
		refuse(w, http.StatusNotFound, "There is no such endpoint")
		return
	}
	if !isPost(w, r) {
		return
	}
	apiKey := onlyHeader(r, HeaderAPIKey)
	envelope, status, text := h.access(r.Context(), apiKey)
	if envelope == nil {
		refuse(w, status, text)
		return
	}
	body, ok := readBody(w, r, envelope.MaxBytes())
	if !ok {
		return
	}
	if !isPlainJSON(r) {
		refuse(w, http.StatusUnsupportedMediaType, "The body has to be application/json without a content encoding")
		return
	}
	request, err := envelope.OpenRequest(body, nil)
	if err != nil {
		refuseFor(w, err)
		return
	}
	keys, err := request.ReplayKeys(apiKey, endpoint)
	if err == nil {
		err = ClaimRequest(r.Context(), h.store, keys)
	}
	if err != nil {
		h.logStore(r, err)
		refuseFor(w, err)
		return
	}
	if slug, message := idempotencyFault(r, endpoint); slug != "" {
		answerError(w, envelope, slug, message)
		return
	}
	h.answer(w, r, envelope, request)
}

// access asks for the envelope of an API key. Without one it says what to answer.
func (h *handler) access(ctx context.Context, apiKey string) (envelope *Envelope, status int, text string) {
	err := error(ErrAPIKeyNotFound)
	if checkAPIKey(apiKey) == nil {
		envelope, err = h.lookup(ctx, apiKey)
	}
	if err == nil {
		err = envelope.check()
	}
	if err == nil {
		return envelope, 0, ""
	}
	for _, known := range plainErrors {
		if errors.Is(err, Code(known.Code)) && (known.Code == string(ErrAPIKeyNotFound) || known.Code == string(ErrAccessDenied)) {
			return nil, known.Status, known.Text
		}
	}
	h.log("an API key cannot be looked up: %v", err)
	return nil, http.StatusServiceUnavailable, ""
}

// isPlainJSON looks at what a request says of its body.
func isPlainJSON(r *http.Request) bool {
	mediaType, _, _ := strings.Cut(onlyHeader(r, HeaderContentType), ";")
	return strings.EqualFold(strings.TrimSpace(mediaType), contentType) &&
		!slices.ContainsFunc(r.Header.Values("Content-Encoding"), func(coding string) bool { return coding != "identity" })
}

// idempotencyFault is the slug that a request is refused with for its idempotency key, and a message; or nothing.
func idempotencyFault(r *http.Request, endpoint string) (slug, message string) {
	switch given := r.Header.Values(HeaderIdempotencyKey); {
	case len(given) == 0 && kindOfNormalized(endpoint) == EndpointKeyed:
		return string(ErrIdempotencyKeyRequired), "this endpoint needs the header Idempotency-Key"
	case len(given) > 1 || len(given) == 1 && !isToken(given[0]):
		return "invalid_request", "the header Idempotency-Key has to be 1 to 255 printable ASCII characters without spaces, once"
	}
	return "", ""
}

// answer has the next handler answer an opened request, and seals that.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, envelope *Envelope, request *Request) {
	payload := request.Payload.Bytes()
	opened := r.WithContext(context.WithValue(r.Context(), requestKey{}, request))
	opened.Header = r.Header.Clone()
	opened.Header.Del("Content-Encoding")
	opened.Header.Set(HeaderContentType, contentType)
	opened.Header.Set("Content-Length", strconv.Itoa(len(payload)))
	opened.Body, opened.ContentLength, opened.TransferEncoding = io.NopCloser(bytes.NewReader(payload)), int64(len(payload)), nil

	given := &heldResponse{header: http.Header{}, status: http.StatusOK}
	failure := guarded(func() error { h.next.ServeHTTP(given, opened); return nil })
	var body []byte
	switch {
	case failure != nil:
	case given.status < 200 || given.status > 599 || given.status == http.StatusNoContent || given.status == http.StatusNotModified:
		failure = fmt.Errorf("it answered with the status %d, which has no body", given.status)
	default:
		body, failure = envelope.SealResponse(given.body.Bytes())
	}
	if failure != nil {
		h.log("the handler of %s failed: %v", quoted(r.URL.Path), failure)
		answerError(w, envelope, "internal_error", "something broke inside the server")
		return
	}
	for name, values := range given.header {
		w.Header()[name] = values
	}
	w.Header().Del("Content-Encoding")
	write(w, given.status, body)
}

// guarded calls somebody else's code. Its panic is an error, but for the one by which it asks net/http to drop the
// connection.
func guarded(call func() error) (err error) {
	defer func() {
		switch cause := recover(); cause {
		case nil:
		case http.ErrAbortHandler:
			panic(cause)
		default:
			err = fmt.Errorf("it panicked: %v\n%s", cause, debug.Stack())
		}
	}()
	return call()
}

// heldResponse is a response that is not sent as it is.
type heldResponse struct {
	header  http.Header
	status  int
	isBegun bool
	body    bytes.Buffer
}

func (h *heldResponse) Header() http.Header { return h.header }

func (h *heldResponse) WriteHeader(status int) {
	isInformation := status >= 100 && status < 200 // something follows
	if !h.isBegun && !isInformation {
		h.status, h.isBegun = status, true
	}
}

func (h *heldResponse) Write(part []byte) (int, error) {
	h.isBegun = true
	return h.body.Write(part)
}

// answerError answers with a sealed error of one of the documented slugs.
func answerError(w http.ResponseWriter, envelope *Envelope, slug, message string) {
	status := http.StatusInternalServerError
	for _, known := range errorSlugs {
		if known.Slug == slug {
			status = known.Status
		}
	}
	body, err := envelope.SealResponse(map[string]any{"success": false, "error": message, "error_slug": slug})
	if err != nil {
		refuseFor(w, err)
		return
	}
	write(w, status, body)
}

// refuseFor answers a request that fails with an error of this package.
func refuseFor(w http.ResponseWriter, err error) {
	var code Code
	if errors.As(err, &code) {
		if status, text := code.Answer(); status != 0 {
			refuse(w, status, text)
			return
		}
	}
	refuse(w, http.StatusInternalServerError, "The server cannot answer")
}

// refuse answers in plain JSON.
func refuse(w http.ResponseWriter, status int, text string) {
	body, _ := json.Marshal(map[string]string{"error": text}) // of strings alone, which have a form
	write(w, status, body)
}

func write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set(HeaderContentType, contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // whoever does not listen any more need not be told
}

// isPost refuses every other method.
func isPost(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodPost {
		return true
	}
	w.Header().Set("Allow", http.MethodPost)
	refuse(w, http.StatusMethodNotAllowed, "Every endpoint takes POST alone")
	return false
}

// readBody reads a body up to its limit in bytes, and refuses what is larger or breaks off.
func readBody(w http.ResponseWriter, r *http.Request, maxBytes int64) (body []byte, ok bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		refuseFor(w, ErrTooLarge)
	case err != nil:
		refuse(w, http.StatusBadRequest, "The body ended before its time")
	}
	return body, err == nil
}

// onlyHeader is the value of a header that is there once, or nothing.
func onlyHeader(r *http.Request, name string) string {
	if values := r.Header.Values(name); len(values) == 1 {
		return values[0]
	}
	return ""
}

// logStore writes down why a store could not answer: its caller is told nothing of it.
func (s *handlerSettings) logStore(r *http.Request, err error) {
	if errors.Is(err, ErrReplayStoreUnavailable) {
		s.log("a request to %s was refused: %v: %v", quoted(r.URL.Path), err, causeOf(err))
	}
}

func (s *handlerSettings) log(format string, arguments ...any) {
	logger := s.errorLog
	if logger == nil {
		logger = log.Default()
	}
	logger.Printf("cardseal: "+format, arguments...)
}
