package cardseal_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

// What the differential test promises.
const (
	differentialCases = 120_000
	innerShare        = 0.3 // of them mutated inside the plaintext and sealed again
	timesEachCode     = 100
)

// unreachable are the codes that no call of `cardseal batch` ends in: it has no replay store, and a host that works. As
// the code of an API's error duplicate_request is reached.
var unreachable = []cardseal.Code{
	cardseal.ErrReplayStoreUnavailable, cardseal.ErrEntropyUnavailable, cardseal.ErrClockUnavailable,
}

// TestDifferential asks the Rust core, through the command line tool, the same questions, random and mutated, and wants
// the same answers. CARDSEAL_CLI names the tool; CARDSEAL_SEED repeats a run.
func TestDifferential(t *testing.T) {
	tool := tool(t)
	g := newGenerator(t, cardseal.Seed(t))
	questions := make([]question, differentialCases)
	inner := 0
	for index := range questions {
		questions[index] = g.question()
		if questions[index].isInner {
			inner++
		}
	}
	answers := ask(t, tool, questions)

	codes, operations, differences := map[string]int{}, map[string]int{}, 0
	for index, question := range questions {
		ours, theirs := question.ours, answers[index]
		if theirs["ok"] != nil && question.translate != nil {
			theirs = fields{"ok": question.translate(theirs["ok"].(map[string]any))}
		}
		if failure, isError := theirs["error"].(map[string]any); isError {
			delete(failure, "message")
			delete(failure, "at")
			if code, hasCode := failure["code"].(string); hasCode {
				codes[code]++
			}
		}
		operation := question.line["operation"].(string)
		operations[operation]++
		if want := cardseal.AsJSON(t, ours); !reflect.DeepEqual(want, cardseal.AsJSON(t, theirs)) {
			if differences++; differences <= 10 {
				line, _ := json.Marshal(question.line)
				t.Errorf("%s\n  Go:   %v\n  Rust: %v", line, want, theirs)
			}
		}
	}
	t.Logf("%d cases, %d of them mutated inside, %d differences", len(questions), inner, differences)
	t.Logf("operations: %v", operations)
	reached := map[string]int{}
	for _, code := range allCodes(t) {
		if times := codes[string(code)]; !slices.Contains(unreachable, code) {
			reached[string(code)] = times
			if times < timesEachCode {
				t.Errorf("%s was reached %d times", string(code), times)
			}
		}
	}
	t.Logf("codes: %v", reached)
	if differences > 0 {
		t.Errorf("%d differences; the first ones are above", differences)
	}
	if float64(inner) < innerShare*float64(len(questions)) {
		t.Errorf("only %d of %d cases are mutated inside the plaintext", inner, len(questions))
	}
}

type fields = map[string]any

// question is a line for the tool, and what this package answers.
type question struct {
	line    fields
	ours    fields
	isInner bool
	// translate turns what the tool answers into what can be compared, where that holds a random nonce.
	translate func(ok fields) fields
}

// ask runs the tool over all lines.
func ask(t *testing.T, tool string, questions []question) []fields {
	command := exec.Command(tool, "batch")
	command.Env = append(os.Environ(), "CARDSEAL_SECRET=")
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer stdin.Close()
		lines := bufio.NewWriter(stdin)
		defer lines.Flush()
		encoder := json.NewEncoder(lines)
		for _, question := range questions {
			if encoder.Encode(question.line) != nil {
				return // the tool ended: the number of answers says so
			}
		}
	}()
	var answers []fields
	for decoder := json.NewDecoder(stdout); ; {
		decoder.UseNumber()
		var answer fields
		if err := decoder.Decode(&answer); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, answer)
	}
	if err := command.Wait(); err != nil || len(answers) != len(questions) {
		t.Fatalf("%d answers to %d questions (%v)", len(answers), len(questions), err)
	}
	return answers
}

// generator makes questions. All it does follows from its seed.
type generator struct {
	*rand.Rand
	t    *testing.T
	envs []environment
}

// environment is a set-up of an Envelope, here and as the tool is told of it.
type environment struct {
	line     fields
	envelope *cardseal.Envelope
	// foreign seals under a key that the envelope does not have, older under one that it only opens with, other in the
	// other layout.
	foreign, older, other *cardseal.Envelope
}

const nowMicros = 1_700_000_000_000_000

func newGenerator(t *testing.T, seed uint64) *generator {
	must := func(envelope *cardseal.Envelope, err error) *cardseal.Envelope {
		if err != nil {
			t.Fatal(err)
		}
		return envelope
	}
	secret, old := "your_api_secret_key_here", "secret_of_last_year"
	key := bytes.Repeat([]byte{7}, 32)
	return &generator{
		Rand: rand.New(rand.NewPCG(seed, 1)),
		t:    t,
		envs: []environment{
			{
				fields{"secret": secret},
				must(cardseal.New(secret)),
				must(cardseal.New(old)), must(cardseal.New(secret)), must(cardseal.New(secret, cardseal.WithLayout(cardseal.LayoutBare))),
			},
			{
				fields{"secret": secret, "open_secrets": []string{"another_secret", old}, "max_bytes": 600},
				must(cardseal.New(secret, cardseal.WithOpenSecrets("another_secret", old), cardseal.WithMaxBytes(600))),
				must(cardseal.New("nobody has it")), must(cardseal.New(old)), must(cardseal.New(secret, cardseal.WithLayout(cardseal.LayoutBare))),
			},
			{
				fields{"key_hex": hex.EncodeToString(key), "layout": "bare"},
				must(cardseal.NewFromKey(key, cardseal.WithLayout(cardseal.LayoutBare))),
				must(cardseal.New(old, cardseal.WithLayout(cardseal.LayoutBare))), must(cardseal.NewFromKey(key, cardseal.WithLayout(cardseal.LayoutBare))), must(cardseal.NewFromKey(key)),
			},
		},
	}
}

func (g *generator) question() question {
	switch kind := g.IntN(20); {
	case kind < 9:
		return g.openQuestion()
	case kind < 12:
		return g.responseQuestion()
	case kind < 15:
		return g.sealQuestion()
	case kind < 16:
		return g.payloadQuestion()
	case kind < 17:
		return g.pathQuestion()
	case kind < 18:
		return g.envelopeQuestion()
	case kind < 19:
		return g.keyQuestion()
	default:
		return g.decisionQuestion()
	}
}

// chance is true once in n times.
func (g *generator) chance(n int) bool { return g.IntN(n) == 0 }

func pick[T any](g *generator, choices ...T) T { return choices[g.IntN(len(choices))] }

// answer is what this package says: fields or an error.
func (g *generator) answer(ok fields, err error) fields {
	if err == nil {
		return fields{"ok": ok}
	}
	failure := fields{}
	var own *cardseal.Error
	var api *cardseal.APIError
	switch {
	case errors.As(err, &own):
		failure["code"] = own.Code
		if own.Code == cardseal.ErrTimestampOutsideWindow {
			failure["skew_micros"] = own.SkewMicros
		}
		if own.Status != 0 {
			failure["api_error"], failure["status"], failure["failure_class"] = false, own.Status, own.FailureClass()
		}
	case errors.As(err, &api):
		orNull := func(text string) any {
			if text == "" {
				return nil
			}
			return text
		}
		failure = fields{
			"code": orNull(api.Code), "slug": orNull(api.Slug), "api_error": true, "status": api.Status,
			"failure_class": api.FailureClass, "encrypted": api.Encrypted, "payload": orNull(string(api.Payload.Bytes())),
		}
	default:
		g.t.Fatalf("an error that is none of ours: %v", err)
	}
	return fields{"error": failure}
}

// openQuestion opens what was mutated inside, outside, or not at all.
func (g *generator) openQuestion() question {
	env := pick(g, g.envs...)
	plaintext, isInner := g.plaintext()
	body := g.sealed(env, plaintext)
	if g.chance(5) {
		body, isInner = g.mutatedBody(body), false
	}
	line := maps.Clone(env.line)
	if g.chance(6) { // the field alone, of a body that somebody else has parsed
		field, isChanged := g.field(body)
		line["field"] = field
		return g.open(env, line, cardseal.FieldBody(field), isInner && !isChanged)
	}
	line["body_base64"] = base64.StdEncoding.EncodeToString(body)
	return g.open(env, line, body, isInner)
}

// field is the text of a body's field, sometimes changed, or one around the length that one of the set-ups allows.
func (g *generator) field(body []byte) (field string, isChanged bool) {
	field = strings.ToValidUTF8(strings.TrimSuffix(strings.TrimPrefix(string(body), `{"encrypted":"`), `"}`), "?")
	what := pick(g, `"`, `\`, `\u002b`, `\"`, "é", " ", "\n", "\x00", "\x7f", "=", "-", "A")
	switch g.IntN(4) {
	case 0:
		at := g.IntN(len(field) + 1)
		return strings.ToValidUTF8(field[:at]+what+field[at:], "?"), true
	case 1:
		return strings.Repeat(what, g.IntN(8)) + strings.Repeat("A", 576+g.IntN(12)), true
	}
	return field, false
}

func (g *generator) open(env environment, line fields, body []byte, isInner bool) question {
	operation := pick(g, "open", "open_request", "open_request", "open_webhook", "open_webhook")
	line["operation"] = operation
	var ok fields
	var err error
	switch operation {
	case "open":
		var payload json.RawMessage
		err = env.envelope.Open(body, &payload)
		ok = fields{"payload": string(payload)}
	case "open_request":
		now, seconds := int64(nowMicros), pick(g, 30, 30, 30, 1, 5, 0, 31)
		line["now_micros"], line["window_seconds"] = now, seconds
		var request *cardseal.Request
		request, err = env.envelope.OpenRequest(body, nil, cardseal.WithNowMicros(now), cardseal.WithWindowSeconds(seconds))
		if err == nil {
			ok = fields{
				"payload": string(request.Payload.Bytes()), "timestamp_micros": request.TimestampMicros,
				"nonce": hex.EncodeToString(request.Nonce[:]), "key_index": request.KeyIndex,
			}
		}
	case "open_webhook":
		var webhook *cardseal.Webhook
		webhook, err = env.envelope.OpenWebhook(body)
		if err == nil {
			ok = fields{
				"payload": string(webhook.Payload.Bytes()), "type": nil, "timestamp": nil, "delivery_id": nil,
				"dedupe_key": webhook.DedupeKey(), "key_index": webhook.KeyIndex,
			}
			if name, has := webhook.Type(); has {
				ok["type"] = name
			}
			if timestamp := webhook.Timestamp(); timestamp != nil {
				ok["timestamp"] = string(timestamp)
			}
			if id := webhook.DeliveryID(); id != "" {
				ok["delivery_id"] = id
			}
		}
	}
	return question{line: line, ours: g.answer(ok, err), isInner: isInner}
}

// sealed makes a body of any bytes, mostly under the right key.
func (g *generator) sealed(env environment, plaintext []byte) []byte {
	by := pick(g, env.envelope, env.envelope, env.envelope, env.envelope, env.envelope, env.older, env.foreign, env.other)
	field, err := by.Encrypt(plaintext)
	if errors.Is(err, cardseal.ErrTooLarge) {
		field, err = g.envs[0].envelope.Encrypt(plaintext)
	}
	if err != nil {
		g.t.Fatal(err)
	}
	return cardseal.FieldBody(field)
}

func (g *generator) responseQuestion() question {
	env := pick(g, g.envs...)
	line := maps.Clone(env.line)
	status := pick(g, 200, 201, 299, 300, 199, 400, 403, 404, 408, 425, 429, 500, 503, 599)
	var body []byte
	isInner := false
	switch g.IntN(6) {
	case 0:
		body = []byte(pick(g, plainBodies...))
		if g.chance(2) {
			body = g.mutated(body)
		}
	case 1:
		plaintext, _ := g.plaintext()
		body = g.mutatedBody(g.sealed(env, plaintext))
	default:
		var plaintext []byte
		plaintext, isInner = g.plaintext()
		body = g.sealed(env, plaintext)
	}
	line["operation"], line["status"] = "open_response", status
	line["body_base64"] = base64.StdEncoding.EncodeToString(body)
	var options []cardseal.OpenResponseOption
	if g.chance(2) {
		request := g.sealed(env, []byte("{}"))
		if g.chance(3) {
			request = body
		}
		line["request"] = strings.ToValidUTF8(string(request), "?")
		options = append(options, cardseal.WithRequest([]byte(line["request"].(string))))
	}
	var payload json.RawMessage
	err := env.envelope.OpenResponse(status, body, &payload, options...)
	return question{line: line, ours: g.answer(fields{"payload": string(payload)}, err), isInner: isInner}
}

// sealQuestion lets both seal, opens both results here, and compares what is inside.
func (g *generator) sealQuestion() question {
	env := pick(g, g.envs...)
	line := maps.Clone(env.line)
	operation := pick(g, "seal", "seal", "seal_request", "seal_request", "seal_response", "seal_webhook", "encrypt")
	line["operation"] = operation
	text, _ := g.plaintext()
	payload := strings.ToValidUTF8(string(text), "\ufffd")
	line["payload"] = payload
	inside := func(body []byte) string {
		var opened json.RawMessage
		if err := env.envelope.Open(body, &opened); err != nil {
			g.t.Fatalf("a sealed body does not open: %v", err)
		}
		text := string(opened)
		_, had, _ := cardseal.ValidatePayload([]byte(payload))
		if stamp, has, err := cardseal.ValidatePayload(opened); err == nil && has && (!had || operation == "seal_request") && operation != "seal_response" && operation != "seal_webhook" {
			text = strings.Replace(text, strconv.FormatInt(stamp, 10), "STAMP", 1)
		}
		return text
	}
	var ok fields
	var err error
	translate := func(ok fields) fields { return fields{"inside": inside([]byte(ok["body"].(string)))} }
	switch operation {
	case "seal", "seal_response", "seal_webhook":
		seal := map[string]func(any) ([]byte, error){
			"seal": env.envelope.Seal, "seal_response": env.envelope.SealResponse, "seal_webhook": env.envelope.SealWebhook,
		}[operation]
		var body []byte
		if body, err = seal(payload); err == nil {
			ok = fields{"inside": inside(body)}
		}
	case "seal_request":
		path := pick(g, "/cards/topup", "/cards/create", "/cards/get", "/orders/check", "https://u:p@api.example.com/api/v1/cards/get?x", "/cards//get")
		apiKey := pick(g, "key_1", "key_1", "key_1", "key_1", "key_1", "", "key 1", "schlüssel")
		line["path"], line["api_key"] = path, apiKey
		var options []cardseal.RequestOption
		if g.chance(2) {
			key := pick(g, "order-1", "order-1", "order-1", "", "a b", strings.Repeat("k", 255), strings.Repeat("k", 256))
			line["idempotency_key"] = key
			options = append(options, cardseal.WithIdempotencyKey(key))
		}
		var request *cardseal.SealedRequest
		if request, err = env.envelope.SealRequest(path, payload, apiKey, options...); err == nil {
			headers := [][]string{}
			for _, header := range request.Headers() {
				headers = append(headers, []string{header.Name, header.Value})
			}
			ok = fields{"inside": inside(request.Body), "path": request.Path, "headers": headers}
		}
		translate = func(ok fields) fields {
			return fields{"inside": inside([]byte(ok["body"].(string))), "path": ok["path"], "headers": ok["headers"]}
		}
	case "encrypt":
		delete(line, "payload")
		line["message_base64"] = base64.StdEncoding.EncodeToString(text)
		decrypted := func(field string) fields {
			message, err := env.envelope.Decrypt(field)
			if err != nil {
				g.t.Fatalf("a field does not open: %v", err)
			}
			return fields{"message": string(message)}
		}
		var field string
		if field, err = env.envelope.Encrypt(text); err == nil {
			ok = decrypted(field)
		}
		translate = func(ok fields) fields { return decrypted(ok["field"].(string)) }
	}
	return question{line: line, ours: g.answer(ok, err), translate: translate}
}

func (g *generator) payloadQuestion() question {
	plaintext, _ := g.plaintext()
	payload := strings.ToValidUTF8(string(plaintext), "\ufffd")
	line := fields{"payload": payload}
	switch operation := pick(g, "validate_payload", "check_json", "canonical_json", "fingerprint"); operation {
	case "validate_payload":
		line["operation"] = operation
		micros, stamped, err := cardseal.ValidatePayload([]byte(payload))
		ok := fields{"timestamp_micros": nil}
		if stamped {
			ok["timestamp_micros"] = micros
		}
		return question{line: line, ours: g.answer(ok, err)}
	case "check_json":
		line = fields{"operation": operation, "json_base64": base64.StdEncoding.EncodeToString(plaintext)}
		// Through the public face of the reader: whatever it accepts is refused for something else, or sealed.
		err := g.envs[0].envelope.Open(plaintext, nil)
		if !errors.Is(err, cardseal.ErrInvalidJSON) {
			err = nil
		}
		return question{line: line, ours: g.answer(fields{}, err)}
	case "canonical_json":
		line["operation"] = operation
		canonical, err := cardseal.CanonicalJSON([]byte(payload))
		return question{line: line, ours: g.answer(fields{"canonical": string(canonical)}, err)}
	default:
		line["operation"], line["path"] = operation, g.path()
		fingerprint, err := cardseal.Fingerprint(line["path"].(string), []byte(payload))
		return question{line: line, ours: g.answer(fields{"fingerprint": fingerprint}, err)}
	}
}

func (g *generator) pathQuestion() question {
	path := g.path()
	if g.chance(2) {
		normalized, err := cardseal.NormalizePath(path)
		return question{line: fields{"operation": "normalize_path", "path": path}, ours: g.answer(fields{"path": normalized}, err)}
	}
	kind, err := cardseal.EndpointKindOf(path)
	return question{line: fields{"operation": "endpoint_kind", "path": path}, ours: g.answer(fields{"kind": kind}, err)}
}

func (g *generator) path() string {
	path := pick(g, "/cards/get", "cards/topup/", "/api/v1/cards/create", "https://api.example.com/api/v2/wh/subscribe?a=b#c",
		"/api/v1", "", "/api/v12x/cards", "http://h", "a://b/c//d", "/x/./y", "/orders/check#x?y", "ht+tp.1-://h/cards/get")
	if g.chance(2) {
		path = strings.ToValidUTF8(string(g.mutated([]byte(path))), "\ufffd")
	}
	return path
}

// envelopeQuestion makes an Envelope, mostly one that cannot be.
func (g *generator) envelopeQuestion() question {
	line := fields{"operation": "decrypt", "field": "AAAA"}
	var options []cardseal.Option
	secret := pick(g, "your_api_secret_key_here", "12345678", "1234567", "éééé", "", "ééé")
	line["secret"] = secret
	if g.chance(2) {
		layout := pick(g, "versioned", "bare", "Bare", "v2", "bare ")
		line["layout"] = layout
		options = append(options, cardseal.WithLayout(cardseal.Layout(layout)))
	}
	if g.chance(2) {
		maxBytes := pick[int64](g, 1, 0, 4_294_967_295, 4_294_967_296, 20)
		line["max_bytes"] = maxBytes
		options = append(options, cardseal.WithMaxBytes(maxBytes))
	}
	if g.chance(2) {
		secrets := slices.Repeat([]string{"an older secret"}, g.IntN(7))
		line["open_secrets"] = secrets
		options = append(options, cardseal.WithOpenSecrets(secrets...))
	}
	envelope, err := cardseal.New(secret, options...)
	if err == nil {
		_, err = envelope.Decrypt("AAAA")
	}
	// Which of several wrong options is named first is nobody's business.
	wrong := 0
	for _, is := range []bool{
		len(secret) < 8,
		line["layout"] != nil && line["layout"] != "versioned" && line["layout"] != "bare",
		line["max_bytes"] != nil && (line["max_bytes"].(int64) < 1 || line["max_bytes"].(int64) > 1<<32-1),
		line["open_secrets"] != nil && len(line["open_secrets"].([]string)) > 4,
	} {
		if is {
			wrong++
		}
	}
	if wrong > 1 {
		return g.envelopeQuestion()
	}
	return question{line: line, ours: g.answer(nil, err)}
}

func (g *generator) keyQuestion() question {
	key := pick(g, "key_1", "order-1", "", "a b", "schlüssel", "a\x7fb", strings.Repeat("k", 255), strings.Repeat("k", 256))
	switch g.IntN(3) {
	case 0:
		err := cardseal.CheckIdempotencyKey(key)
		return question{line: fields{"operation": "parse_idempotency_key", "idempotency_key": key}, ours: g.answer(fields{"idempotency_key": key}, err)}
	case 1:
		namespace := pick(g, "topup", "", "ünïcode")
		derived, err := cardseal.DeriveIdempotencyKey(namespace, key)
		line := fields{"operation": "derive_idempotency_key", "namespace": namespace, "event_id": key}
		return question{line: line, ours: g.answer(fields{"idempotency_key": derived}, err)}
	default:
		request := &cardseal.Request{TimestampMicros: g.Int64()}
		for index := range request.Nonce {
			request.Nonce[index] = byte(g.Uint32())
		}
		path := g.path()
		keys, err := request.ReplayKeys(key, path)
		line := fields{
			"operation": "replay_keys", "api_key": key, "path": path,
			"timestamp_micros": request.TimestampMicros, "nonce": hex.EncodeToString(request.Nonce[:]),
		}
		return question{line: line, ours: g.answer(fields{"timestamp": keys.Timestamp, "nonce": keys.Nonce}, err)}
	}
}

func (g *generator) decisionQuestion() question {
	statuses := []string{"new", "activating", "processing", "completed", "failed", "paid", "card_create_done", "initial_topup_pending",
		"initial_topup_skipped", "provider_in_progress", "provider_verification_error", "new_error", "unheard_of", ""}
	from, to := pick(g, statuses...), pick(g, statuses...)
	switch g.IntN(3) {
	case 0:
		attempt := cardseal.Attempt{
			Kind:   pick(g, cardseal.EndpointRead, cardseal.EndpointKeyed, cardseal.EndpointUnsafe),
			Class:  pick(g, cardseal.FailureNever, cardseal.FailureReseal, cardseal.FailureTransient, cardseal.FailureLater),
			Code:   pick(g, "", "duplicate_request", "timestamp_outside_window", "internal_error"),
			Sent:   pick(g, cardseal.SentNo, cardseal.SentYes, cardseal.SentUnknown),
			HasKey: g.chance(2),
			Number: g.IntN(6),
		}
		line := fields{
			"operation": "should_retry", "kind": attempt.Kind, "class": attempt.Class, "sent": attempt.Sent,
			"has_key": attempt.HasKey, "attempt": attempt.Number,
		}
		if attempt.Code != "" {
			line["code"] = attempt.Code
		}
		return question{line: line, ours: fields{"ok": fields{"decision": cardseal.ShouldRetry(attempt)}}}
	case 1:
		model := pick(g, "order", "card_issue", "card_topup")
		may := map[string]bool{
			"order":      cardseal.OrderStatus(from).CanBecome(cardseal.OrderStatus(to)),
			"card_issue": cardseal.CardIssueStatus(from).CanBecome(cardseal.CardIssueStatus(to)),
			"card_topup": cardseal.CardTopupStatus(from).CanBecome(cardseal.CardTopupStatus(to)),
		}[model]
		return question{line: fields{"operation": "can_become", "model": model, "from": from, "to": to}, ours: fields{"ok": fields{"can_become": may}}}
	default:
		model := pick(g, "order", "card_issue", "card_topup")
		is := map[string]bool{
			"order":      cardseal.OrderStatus(from).IsTerminal(),
			"card_issue": cardseal.CardIssueStatus(from).IsTerminal(),
			"card_topup": cardseal.CardTopupStatus(from).IsTerminal(),
		}[model]
		return question{line: fields{"operation": "is_terminal", "model": model, "status": from}, ours: fields{"ok": fields{"is_terminal": is}}}
	}
}

// plaintext is a payload, and whether it was mutated.
func (g *generator) plaintext() (text []byte, isMutated bool) {
	text = []byte(pick(g, payloads...))
	if g.chance(4) {
		text = []byte(g.value(0))
	}
	if !g.chance(6) {
		return g.mutated(text), true
	}
	return text, false
}

// value is a random JSON text.
func (g *generator) value(depth int) string {
	if kind := g.IntN(8); kind < 2 && depth < 5 {
		var parts []string
		for range g.IntN(5) {
			part := g.value(depth + 1)
			if kind == 0 {
				part = pick(g, names...) + pick(g, ":", " : ", ":\n") + part
			}
			parts = append(parts, part)
		}
		inside := pick(g, "", " ") + strings.Join(parts, pick(g, ",", ", ", "\t,\r\n")) + pick(g, "", " ")
		if kind == 0 {
			return "{" + inside + "}"
		}
		return "[" + inside + "]"
	}
	return pick(g, scalars...)
}

// mutated changes a text a little, in ways that matter to a parser.
func (g *generator) mutated(text []byte) []byte {
	text = bytes.Clone(text)
	for range pick(g, 1, 1, 1, 2, 3) {
		at := g.IntN(len(text) + 1)
		end := at + g.IntN(min(len(text)-at, 12)+1)
		switch g.IntN(14) {
		case 0:
			text = slices.Concat(text[:at], []byte(pick(g, tokens...)), text[at:])
		case 3:
			text = slices.Concat(text[:at], text[end:])
		case 4:
			text = slices.Concat(text[:end], text[at:])
		case 5:
			if at < len(text) {
				text[at] ^= 1 << g.IntN(8)
			}
		case 6:
			text = slices.Concat(text[:at], []byte(pick(g, tokens...)), text[end:])
		case 7, 8: // behind a bracket, a colon or a comma, where it is most often legal
			if places := bytesAny(text, "{[:,"); len(places) > 0 {
				at := pick(g, places...) + 1
				text = slices.Concat(text[:at], []byte(pick(g, tokens...)), text[at:])
			}
		case 1, 2, 9, 12, 13:
			if name := []byte(`"request_timestamp":`); bytes.Contains(text, name) {
				text = bytes.Replace(text, name, slices.Concat(name, []byte(pick(g, stamps...)), []byte(pick(g, `,"old":`, ` ,"old" :`))), 1)
			}
		case 10:
			levels := pick(g, 3, 125, 126, 127, 128, 129)
			text = slices.Concat(bytes.Repeat([]byte(`[`), levels), text, bytes.Repeat([]byte(`]`), levels))
			if g.chance(2) {
				text = slices.Concat([]byte(`{"deep":`), text, []byte(`}`))
			}
		case 11:
			if open := bytes.IndexByte(text, '{'); open >= 0 {
				var many []byte
				for index := range 5 + g.IntN(60) {
					many = fmt.Appendf(many, `"many_%d":%d,`, index, index)
				}
				text = slices.Concat(text[:open+1], many, text[open+1:])
			}
		}
	}
	return text
}

func bytesAny(text []byte, set string) (places []int) {
	for at, character := range text {
		if strings.IndexByte(set, character) >= 0 {
			places = append(places, at)
		}
	}
	return places
}

// mutatedBody changes a sealed body: its JSON, its base64, or the bytes of its envelope.
func (g *generator) mutatedBody(body []byte) []byte {
	field := strings.TrimSuffix(strings.TrimPrefix(string(body), `{"encrypted":"`), `"}`)
	switch g.IntN(8) {
	case 0:
		return g.mutated(body)
	case 1:
		return []byte(`{"encrypted":"` + strings.ReplaceAll(field, "/", pick(g, `\/`, `\u002f`, `\u002F`, `\\/`, `_`)) + `"}`)
	case 2:
		return []byte(pick(g, `{"a":1,"encrypted":"`, ` { "encrypted" : "`, `{"\u0065ncrypted":"`, `{"Encrypted":"`, `{"encrypted":"x","encrypted":"`) + field + `"}` + pick(g, "", "\n", " x"))
	case 3:
		return []byte(`{"encrypted":` + pick(g, `null`, `1`, `[]`, `{}`, `""`, `"AAAA"`, `"`+field[:len(field)/2]+`"`, `"`+field+`\n"`, `"`+field+`=="`) + pick(g, `}`, `,"success":false}`, `,"error":"Duplicate request detected"}`))
	case 4:
		raw, _ := base64.StdEncoding.DecodeString(field)
		raw[g.IntN(len(raw))] ^= 1 << g.IntN(8)
		return cardseal.FieldBody(base64.StdEncoding.EncodeToString(raw))
	case 5:
		raw, _ := base64.StdEncoding.DecodeString(field)
		raw[0] = byte(g.IntN(4))
		return cardseal.FieldBody(base64.StdEncoding.EncodeToString(raw[:g.IntN(len(raw)+1)]))
	case 6: // a bit that no byte uses, or a foreign character
		changed := []byte(field)
		at := g.IntN(len(changed))
		if g.chance(2) {
			at = len(strings.TrimRight(field, "=")) - 1
		}
		changed[at] = pick(g, []byte("ABCDEFGHwxyz0123456789+/=-_ \n\\")...)
		return cardseal.FieldBody(string(changed))
	default:
		return []byte(pick(g, `{}`, `[]`, `null`, ``, ` `, `{"encrypted"}`, `{"data":{"encrypted":"AAAA"}}`, "\ufeff"+string(body), `"`+field+`"`))
	}
}

var payloads = []string{
	`{"request_timestamp":1700000000000000,"card_id":"card_abc123"}`,
	`{"request_timestamp":"1700000000000000","card_id":"card_abc123","amount":"10.00"}`,
	` { "card_id" : "card_abc123" , "request_timestamp" : 1700000029999999 } `,
	`{"card_id":"card_abc123"}`,
	`{"request_timestamp":1700000030000000}`,
	`{"request_timestamp":1699999969999999,"a":[1,2,{"b":null}]}`,
	`{"request_timestamp":1700000000,"data":{}}`,
	`{"data":{"request_timestamp":1700000000000000}}`,
	`{"r\u0065quest_timestamp":1700000000000000,"name":"Zoë \ud83d\ude00 \"x\" \\ \/"}`,
	`{"Request_Timestamp":1,"request_timestamp":1700000000000000}`,
	`{"success":false,"error":"the card is frozen","error_slug":"card_not_active"}`,
	`{"success":false,"error_slug":"topup_attempts_exceeded","detail":"later\u0007 please"}`,
	`{"success":"false","order_id":"o-1","status":"new"}`,
	`{"type":"card.activated","timestamp":1700000000,"card_id":"card_abc123"}`,
	`{"event_type":"card.activated","delivery_id":"dlv_1","project_id":7,"data":{"z":1,"a":{"y":2,"x":[]}}}`,
	`{"type":7,"event_type":"","delivery_id":"","timestamp":{"a": [1.0,1e0]}}`,
	`{"encrypted":"AgABAgME"}`,
	`{"encrypted":"AgABAgME","request_timestamp":1700000000000000}`,
	`{"encrypted":7}`,
	`{}`, `{ }`, `[]`, `null`, `"text"`, `-0.5e-3`, ``,
	`{"\ud83d\ude00":1,"\ufb33":2,"é":3,"\u0000":4,"\u007f":5,"a/b":6}`,
	`{"text":"` + strings.Repeat("long ", 150) + `"}`,
}

var names = []string{
	`"a"`, `"b"`, `"\u0061"`, `"request_timestamp"`, `"encrypted"`, `"type"`, `"delivery_id"`, `"success"`, `"error"`,
	`"\ud83d\ude00"`, `"😀"`, `"é"`, `""`, `"a\u0000"`, `"\""`, `"\\"`, `"/"`, `"\/"`, `"ab"`, `"aé"`, `"error_slug"`,
}

var scalars = []string{
	`0`, `-0`, `1.0`, `1e0`, `1E+400`, `1e308`, `1.7976931348623157e308`, `1.7976931348623159e308`, `1e-400`, `9223372036854775807`,
	`"x"`, `""`, `"\u00e9\n\t\b\f\r"`, `"😀"`, `true`, `false`, `null`, `[]`, `{}`, `1700000000000000`, `"1700000000000000"`, "\"\x7f\"",
}

var stamps = []string{
	`null`, `true`, `""`, `"017"`, `17`, `1.7e15`, `-0`, `-1`, `1700000000000000.0`, `[]`, `{}`, `9223372036854775807`, `9223372036854775808`,
	`"1700000000000000"`, `"1700000000000000 "`, `"\u0031700000000000000"`, `0`, `"0"`, `00`, `1699999970000000`, `1700000030000001`,
}

var tokens = []string{
	`"a":1,`, `"a":2,`, `"\u0061":3,`, `"request_timestamp":1700000000000000,`, `"request_timestam\u0070":1,`, `"encrypted":"x",`, `"success":false,`,
	`"error":"Duplicate request detected",`, `"type":"t",`, `"delivery_id":"d",`, `,`, `:`, `{`, `}`, `[`, `]`, `"`, `\`, ` `, "\n", "\x00", "\x0b", "\x1f", "\x7f",
	"\xff", "\xc3", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\x80", "\ufeff", "\u00a0", `\ud800`, `\udc00`, `\udc00\udc00`, `\ud83d\ude00`, `\ud83d\u0041`, `\u00zz`, `\x`, `\/`,
	`1e309`, `1e308`, `-`, `+1`, `01`, `1.`, `.5`, `0x1`, `NaN`, `Infinity`, `tru`, `null`, `true,`, `"x",`, `0,`, `//`, `'`, strings.Repeat("1", 1024) + ",", strings.Repeat("1", 1025) + ",", "1" + strings.Repeat("0", 309) + ",",
	"1" + strings.Repeat("0", 308) + ",", "2" + strings.Repeat("0", 308) + ",", "0." + strings.Repeat("0", 400) + "1,", "1e-330,", "1" + strings.Repeat("0", 1011) + "e-700,", "1" + strings.Repeat("0", 1011) + "e-704,", `"` + strings.Repeat("s", 40) + `":0,`,
}

var plainBodies = []string{
	"API key not found", "You do not have access to this API.", "Encrypted payload not found", "Invalid encrypted payload format",
	"Request timestamp not found in encrypted payload", "Invalid timestamp format", "Request timestamp outside allowed window", "Duplicate request detected",
	` "Duplicate request detected" `, `{"error":"Duplicate request detected"}`, `{"detail":"Invalid timestamp format","error":7}`, `{"success":false}`,
	`{"success":false,"message":"no"}`, `{"success":true}`, "<html>502</html>", "", "null", "[1]", "\ufeffInvalid timestamp format", "\xffAPI key not found",
	`{"error":"` + strings.Repeat("é", 250) + `"}`, "\u0085 text\u2028", "a\x00b\x7f\u009f", `{"encrypted":"AAAA","success":false}`, `x {"encrypted":"AAAA"}`,
	"\ufeff{\"encrypted\":\"AAAA\",\"success\":false}", "{\"encrypted\":\"\xff\",\"success\":false}",
}
