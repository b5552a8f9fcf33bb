// Package cardseal seals, opens and checks the encrypted bodies of a card-issuing API: requests, responses and webhooks.
//
// Clients call the API with a [Client], or put a [Transport] under an [http.Client] of their own. With another HTTP stack
// they call [Envelope.SealRequest] for headers and body of one attempt, and [Envelope.OpenResponse] for the payload, the
// API's error, or a refusal to believe the answer; [ShouldRetry] says what to do after a failure.
//
// Servers put [NewHandler] before their own handler, or call [Envelope.OpenRequest], then [ClaimRequest] with a
// [ReplayStore], then [Envelope.SealResponse]. What became of a request whose idempotency key comes again is for an
// [IdempotencyStore] to say. Receivers of webhooks are [NewWebhookHandler], or call [Envelope.OpenWebhook].
//
//	envelope, err := cardseal.New(secret)
//	request, err := envelope.SealRequest("/cards/topup", topup, apiKey, cardseal.WithIdempotencyKey(key))
//	err = envelope.OpenResponse(status, body, &order, cardseal.WithRequest(request.Body))
//
// # Keys
//
// A secret goes in once, to [New], and never comes out: fmt, encoding/json, encoding/gob and log/slog print no key and
// no payload, whatever the verb, and no error message holds either. An [Envelope] takes older secrets that only open,
// for the time of a rotation. The buffers that this package works in are wiped after each call. What Go's runtime and
// encoding/json copied is not, nor are keys before they are collected: nothing in Go can promise that.
//
// # JSON
//
// One strict reader decides what is JSON: for bodies, for payloads before they are sealed, and for what an envelope
// held (SPEC.md, section 6). It refuses repeated names, lone surrogates, ill-formed UTF-8, more than 128 levels and
// numbers beyond binary64. encoding/json only ever sees text that the reader accepted, and decodes it into your types;
// no rule depends on what it finds. It matches member names without regard to case, so that `AMOUNT` can end up in a
// field called `amount`: take a [Plaintext] or a json.RawMessage where that matters. Into an `any` it decodes every number
// as float64, which rounds those of more than 15 digits: have fields of type json.Number or string.
//
// # Errors
//
// Every error of this package is an [*Error] with a stable [Code], an [*APIError] for what the API answered, or an
// [*OutcomeUnknownError] for a call that may have been carried out:
//
//	var apiError *cardseal.APIError
//	switch {
//	case errors.Is(err, cardseal.ErrOutcomeUnknown): // before the others: it unwraps to the last failure
//	case errors.Is(err, cardseal.ErrDecryptionFailed): // another secret, or altered
//	case errors.As(err, &apiError): // apiError.Code, apiError.FailureClass
//	}
//
// errors.Is finds a code whoever it comes from: ask errors.As first where it matters who refused.
//
// The rules are those of SPEC.md in the repository, which its test vectors hold this package to, as they hold the
// implementations in the other languages.
package cardseal
