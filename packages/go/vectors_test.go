package cardseal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// Every case of tests/vectors. A case's inputs are taken out one by one; what is left has to equal what the call gave,
// so that a field nobody knows fails the test.
//
// Two things in them are for hosts that Go is not: the pool of nonces (WebAssembly) and the clock shared in a JavaScript
// realm. They run too, against a few lines below that follow SPEC.md: that shows that its text and the vectors agree.

// families has how many cases each file holds. A case that is added is counted here, so that none can go missing.
var families = map[string]struct {
	count int
	run   func(*vector) (result string, outputs fields)
}{
	"base64":      {59, openVector},
	"clock":       {35, clockVector},
	"fingerprint": {40, fingerprintVector},
	"idempotency": {26, idempotencyVector},
	"json":        {186, jsonVector},
	"key":         {42, keyVector},
	"nonce_pool":  {17, noncePoolVector},
	"open":        {110, openVector},
	"path":        {75, pathVector},
	"payload":     {21, payloadVector},
	"precedence":  {36, precedenceVector},
	"records":     {71, recordsVector},
	"replay":      {42, replayVector},
	"request":     {57, requestVector},
	"response":    {250, responseVector},
	"retry":       {78, retryVector},
	"seal":        {109, sealVector},
	"status":      {164, statusVector},
	"timestamp":   {43, timestampVector},
	"webhook":     {47, webhookVector},
	"window":      {19, windowVector},
}

const vectorFolder = "../../tests/vectors"

func TestVectors(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(vectorFolder, "*.json"))
	if err != nil || len(files) != len(families) {
		t.Fatalf("%d files of vectors, %d are known (%v)", len(files), len(families), err)
	}
	names, total, failing := map[string]bool{}, 0, 0
	reached := map[string]bool{}
	for _, file := range files {
		family := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(family, func(t *testing.T) {
			known, isKnown := families[family]
			cases := loadVectors(t, file, family)
			if !isKnown || len(cases) != known.count {
				t.Fatalf("%d cases, the table of this test says %d: count what was added there", len(cases), known.count)
			}
			for _, v := range cases {
				if names[v.name] {
					t.Errorf("%s stands twice", v.name)
				}
				names[v.name] = true
				reached[v.expect] = true
				total++
				if v.expect != "ok" && v.expect != string(RetryNow) && v.expect != string(RetryAfterBackoff) {
					failing++
				}
				t.Run(v.name, func(t *testing.T) {
					v.t = t
					result, outputs := known.run(v)
					if result != v.expect {
						t.Fatalf("got %s, want %s", result, v.expect)
					}
					if got, want := asJSON(t, outputs), asJSON(t, v.fields); !reflect.DeepEqual(got, want) {
						t.Errorf("got %v, want %v", got, want)
					}
				})
			}
		})
	}
	if total < 1400 || failing < 880 {
		t.Errorf("%d cases, %d of them failing: tests/vectors/README.md promises more", total, failing)
	}
	for _, known := range codes {
		if !reached[string(known.code)] {
			t.Errorf("no case reaches %s", known.code)
		}
	}
}

// fields are inputs or outputs of a case.
type fields map[string]any

// vector is a case, its inputs taken out as they are read.
type vector struct {
	t      *testing.T
	name   string
	expect string
	fields fields
}

func loadVectors(t *testing.T, file, family string) []*vector {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, failure := read(text, nil); failure != nil { // encoding/json would let names stand twice
		t.Fatalf("%s: %v", file, failure)
	}
	var content struct {
		Family string   `json:"family"`
		About  string   `json:"about"`
		Cases  []fields `json:"cases"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	if err := decoder.Decode(&content); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if content.Family != family || content.About == "" || len(content.Cases) == 0 {
		t.Fatalf("%s: family %q with %d cases", file, content.Family, len(content.Cases))
	}
	cases := make([]*vector, 0, len(content.Cases))
	for _, inputs := range content.Cases {
		v := &vector{t: t, fields: inputs}
		v.name, v.expect = v.text("name"), v.text("expect")
		if rules := v.take("rules").([]any); len(rules) == 0 {
			t.Errorf("%s names no rule", v.name)
		}
		cases = append(cases, v)
	}
	return cases
}

func (v *vector) has(field string) bool {
	_, has := v.fields[field]
	return has
}

func (v *vector) take(field string) any {
	value, has := v.fields[field]
	if !has {
		v.t.Fatalf("%s has no %s", v.name, field)
	}
	delete(v.fields, field)
	return value
}

func (v *vector) text(field string) string {
	return v.take(field).(string)
}

func (v *vector) number(field string) int64 {
	number, err := v.take(field).(json.Number).Int64()
	if err != nil {
		v.t.Fatal(err)
	}
	return number
}

func (v *vector) numberOr(field string, otherwise int64) int64 {
	if !v.has(field) {
		return otherwise
	}
	return v.number(field)
}

func (v *vector) numbers(field string) (numbers []int64) {
	for _, value := range v.take(field).([]any) {
		number, err := value.(json.Number).Int64()
		if err != nil {
			v.t.Fatal(err)
		}
		numbers = append(numbers, number)
	}
	return numbers
}

func (v *vector) texts(field string) (texts []string) {
	for _, value := range v.take(field).([]any) {
		texts = append(texts, value.(string))
	}
	return texts
}

func (v *vector) bytes(field string) []byte {
	return unhex(v.t, v.text(field))
}

func unhex(t *testing.T, digits string) []byte {
	bytes, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// envelope makes the Envelope of a case that is not about making one.
func (v *vector) envelope() *Envelope {
	envelope, err := v.tryEnvelope()
	if err != nil {
		v.t.Fatal(err)
	}
	return envelope
}

func (v *vector) tryEnvelope() (*Envelope, error) {
	var options []Option
	if v.has("layout") {
		options = append(options, WithLayout(Layout(v.text("layout"))))
	}
	if v.has("max_bytes") {
		options = append(options, WithMaxBytes(v.number("max_bytes")))
	}
	if v.has("open_secrets") {
		options = append(options, WithOpenSecrets(v.texts("open_secrets")...))
	}
	if v.has("open_keys_hex") {
		for _, key := range v.texts("open_keys_hex") {
			options = append(options, WithOpenKeys(unhex(v.t, key)))
		}
	}
	if v.has("key_hex") {
		return NewFromKey(v.bytes("key_hex"), options...)
	}
	return New(v.text("secret"), options...)
}

func (v *vector) body() []byte {
	if v.has("body_hex") {
		return v.bytes("body_hex")
	}
	if v.has("parsed_field") {
		return FieldBody(v.text("parsed_field"))
	}
	return []byte(v.text("body"))
}

// host gives the nonce and the stamp of a case, and tells whether they were asked for.
func (v *vector) host() host {
	nonce, stamp := Nonce(v.bytes("nonce_hex")), v.numberOr("timestamp_micros", -1)
	return host{
		nonce: func(given *Nonce) error { *given = nonce; return nil },
		stamp: func() (int64, error) { return stamp, nil },
	}
}

// failed is the result of a case that ends in an error of this package.
func failed(t *testing.T, err error) (string, fields) {
	var own *Error
	if !errors.As(err, &own) {
		t.Fatalf("an error that is none of ours: %v", err)
	}
	if !errors.Is(err, own.Code) || own.Message == "" {
		t.Errorf("%#v does not unwrap to its code, or says nothing", own)
	}
	outputs := fields{}
	if own.Code == ErrTimestampOutsideWindow {
		outputs["skew_micros"] = own.SkewMicros
	} else if own.SkewMicros != 0 {
		t.Errorf("%s carries a skew", own.Code)
	}
	return string(own.Code), outputs
}

func asJSON(t *testing.T, value any) any {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var decoded any
	if err := decoder.Decode(&decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

func keyVector(v *vector) (string, fields) {
	envelope, err := v.tryEnvelope()
	if err != nil {
		return failed(v.t, err)
	}
	return "ok", fields{"derived_key_hex": hex.EncodeToString(envelope.keys.reveal().sealing[:])}
}

func sealVector(v *vector) (string, fields) {
	operation, envelope, from := v.text("operation"), v.envelope(), v.host()
	if operation == "encrypt" {
		field, err := envelope.encrypt(v.bytes("message_hex"), from)
		if err != nil {
			return failed(v.t, err)
		}
		return "ok", fields{"field": field}
	}
	payload := v.text("payload")
	var body []byte
	var err error
	outputs := fields{}
	switch operation {
	case "seal":
		body, err = envelope.sealStamped(payload, from)
	case "seal_response":
		body, err = envelope.sealVerbatim([]byte(payload), false, from)
	case "seal_webhook":
		body, err = envelope.sealVerbatim(json.RawMessage(payload), true, from)
	case "seal_request":
		var options []RequestOption
		wantKey := ""
		if v.has("idempotency_key") {
			wantKey = v.text("idempotency_key")
			options = append(options, WithIdempotencyKey(wantKey))
		}
		var request *SealedRequest
		request, err = envelope.sealRequest(v.text("path"), payload, v.text("api_key"), options, from)
		if err != nil {
			break
		}
		var nonce Nonce
		_ = from.nonce(&nonce)
		stamp, _ := from.stamp()
		if request.Nonce != nonce || request.TimestampMicros != stamp || request.IdempotencyKey != wantKey {
			v.t.Errorf("the request has another nonce, stamp or idempotency key")
		}
		headers := [][2]string{}
		for _, header := range request.Headers() {
			headers = append(headers, [2]string{header.Name, header.Value})
		}
		body, outputs = request.Body, fields{"headers": headers, "normalized_path": request.Path}
	default:
		v.t.Fatalf("unknown operation %s", operation)
	}
	if err != nil {
		return failed(v.t, err)
	}
	var plaintext json.RawMessage
	if err := envelope.Open(body, &plaintext); err != nil {
		v.t.Fatal(err)
	}
	outputs["body"], outputs["plaintext"] = string(body), string(plaintext)
	return "ok", outputs
}

func openVector(v *vector) (string, fields) {
	operation, envelope := v.text("operation"), v.envelope()
	switch operation {
	case "open":
		var plaintext json.RawMessage
		if err := envelope.Open(v.body(), &plaintext); err != nil {
			return failed(v.t, err)
		}
		return "ok", fields{"plaintext": string(plaintext)}
	case "decrypt":
		field := v.text("field")
		message, err := envelope.Decrypt(field)
		if err != nil {
			return failed(v.t, err)
		}
		checkMalleability(v.t, envelope, field, message)
		return "ok", fields{"message_hex": hex.EncodeToString(message)}
	}
	v.t.Fatalf("unknown operation %s", operation)
	return "", nil
}

// checkMalleability: what opens under a key is what the same nonce seals under it, byte for byte.
func checkMalleability(t *testing.T, envelope *Envelope, field string, message []byte) {
	sealed, ok := appendDecoded(nil, []byte(field))
	if !ok {
		t.Fatal("a field that opens does not decode")
	}
	nonce := envelope.layout.nonce(sealed)
	for _, key := range append([][keyBytes]byte{envelope.keys.reveal().sealing}, envelope.keys.reveal().older...) {
		ofKey := &Envelope{keys: hide(&keys{sealing: key}), layout: envelope.layout, maxBytes: envelope.maxBytes}
		again, err := ofKey.encrypt(message, host{nonce: func(given *Nonce) error { *given = nonce; return nil }})
		if err == nil && again == field {
			return
		}
	}
	t.Error("another field opens to the same message")
}

func requestVector(v *vector) (string, fields) {
	envelope := v.envelope()
	options := []OpenRequestOption{WithNowMicros(v.number("now_micros"))}
	if v.has("window_seconds") {
		options = append(options, WithWindowSeconds(int(v.number("window_seconds"))))
	}
	request, err := envelope.OpenRequest(v.body(), nil, options...)
	if err != nil {
		return failed(v.t, err)
	}
	return "ok", fields{
		"plaintext":        string(request.Payload.Bytes()),
		"timestamp_micros": request.TimestampMicros,
		"nonce_hex":        hex.EncodeToString(request.Nonce[:]),
		"key_index":        request.KeyIndex,
	}
}

func precedenceVector(v *vector) (string, fields) {
	if faults := v.texts("faults"); len(faults) != 2 || faults[0] != v.expect {
		v.t.Errorf("the earlier of two faults is the one expected, and not %v", faults)
	}
	return requestVector(v)
}

func responseVector(v *vector) (string, fields) {
	envelope, status := v.envelope(), int(v.number("status"))
	var options []OpenResponseOption
	if v.has("request") {
		options = append(options, WithRequest([]byte(v.text("request"))))
	}
	var payload json.RawMessage
	err := envelope.OpenResponse(status, v.body(), &payload, options...)
	var apiError *APIError
	var own *Error
	switch {
	case err == nil:
		return "ok", fields{"payload": string(payload)}
	case errors.As(err, &apiError):
		if apiError.Status != status {
			v.t.Errorf("status %d", apiError.Status)
		}
		orNull := func(text string) any {
			if text == "" {
				return nil
			}
			return text
		}
		return "api_error", fields{"api_error": fields{
			"slug":          orNull(apiError.Slug),
			"code":          orNull(apiError.Code),
			"message":       apiError.Message,
			"failure_class": apiError.FailureClass,
			"encrypted":     apiError.Encrypted,
			"payload":       orNull(string(apiError.Payload.Bytes())),
		}}
	case errors.As(err, &own):
		if own.Status != status || payload != nil {
			v.t.Errorf("status %d, payload %s", own.Status, payload)
		}
		result, _ := failed(v.t, err)
		return result, fields{"failure_class": own.FailureClass()}
	}
	v.t.Fatal(err)
	return "", nil
}

func webhookVector(v *vector) (string, fields) {
	webhook, err := v.envelope().OpenWebhook(v.body())
	if err != nil {
		return failed(v.t, err)
	}
	outputs := fields{
		"plaintext":   string(webhook.Payload.Bytes()),
		"type":        nil,
		"timestamp":   nil,
		"delivery_id": nil,
		"dedupe_key":  webhook.DedupeKey(),
		"key_index":   webhook.KeyIndex,
	}
	if name, has := webhook.Type(); has {
		outputs["type"] = name
	}
	if timestamp := webhook.Timestamp(); timestamp != nil {
		outputs["timestamp"] = string(timestamp)
	}
	if id := webhook.DeliveryID(); id != "" {
		outputs["delivery_id"] = id
	}
	return "ok", outputs
}

func payloadVector(v *vector) (string, fields) {
	micros, stamped, err := ValidatePayload([]byte(v.text("payload")))
	if err != nil {
		return failed(v.t, err)
	}
	if !stamped {
		return "ok", fields{"timestamp_micros": nil}
	}
	return "ok", fields{"timestamp_micros": micros}
}

func timestampVector(v *vector) (string, fields) {
	if operation := v.text("operation"); operation != "grammar" {
		v.t.Fatalf("unknown operation %s", operation)
	}
	micros, stamped, err := ValidatePayload([]byte(`{"request_timestamp":` + v.text("value") + `}`))
	if err != nil {
		return failed(v.t, err)
	}
	if !stamped {
		v.t.Error("the stamp was not found")
	}
	return "ok", fields{"timestamp_micros": micros}
}

func windowVector(v *vector) (string, fields) {
	timestamp, now, seconds := v.number("timestamp_micros"), v.number("now_micros"), v.number("window_seconds")
	envelope, err := New("a secret of mine")
	if err != nil {
		v.t.Fatal(err)
	}
	body, err := envelope.Seal(fmt.Sprintf(`{"request_timestamp":%d}`, timestamp))
	if err != nil {
		v.t.Fatal(err)
	}
	if _, err = envelope.OpenRequest(body, nil, WithNowMicros(now), WithWindowSeconds(int(seconds))); err != nil {
		return failed(v.t, err)
	}
	return "ok", fields{}
}

func pathVector(v *vector) (string, fields) {
	given := v.text("path")
	path, err := NormalizePath(given)
	kind, kindErr := EndpointKindOf(given)
	headers, headersErr := RequiredHeaders(given)
	if err != nil {
		if !errors.Is(kindErr, ErrInvalidPath) || !errors.Is(headersErr, ErrInvalidPath) {
			v.t.Error("a path without a normalised form has a kind")
		}
		return failed(v.t, err)
	}
	if again, err := NormalizePath(path); again != path || err != nil {
		v.t.Errorf("normalising twice gives %s (%v)", again, err)
	}
	return "ok", fields{"normalized_path": path, "kind": kind, "idempotency_key_required": len(headers) == 3}
}

func replayVector(v *vector) (string, fields) {
	switch operation := v.text("operation"); operation {
	case "keys":
		request := &Request{TimestampMicros: v.number("timestamp_micros"), Nonce: Nonce(v.bytes("nonce_hex"))}
		keys, err := request.ReplayKeys(v.text("api_key"), v.text("path"))
		if err != nil {
			return failed(v.t, err)
		}
		return "ok", fields{"timestamp_key": keys.Timestamp, "nonce_key": keys.Nonce}
	case "claims":
		now := time.Time{}
		store := &MemoryReplayStore{MaxKeys: int(v.numberOr("max_keys", 0)), Now: func() time.Time { return now }}
		result := ""
		for _, claim := range v.take("claims").([]any) {
			claim := &vector{t: v.t, name: v.name, fields: claim.(map[string]any)}
			now = time.UnixMilli(claim.number("now_millis"))
			keys := ReplayKeys{Timestamp: claim.text("timestamp_key"), Nonce: claim.text("nonce_key")}
			result = "ok"
			if err := ClaimRequest(v.t.Context(), store, keys); err != nil {
				result, _ = failed(v.t, err)
			}
			if want := claim.text("expect"); result != want || len(claim.fields) != 0 {
				v.t.Errorf("a claim gives %s, want %s; left over: %v", result, want, claim.fields)
			}
		}
		return result, fields{}
	default:
		v.t.Fatalf("unknown operation %s", operation)
		return "", nil
	}
}

func idempotencyVector(v *vector) (string, fields) {
	var key string
	var err error
	switch operation := v.text("operation"); operation {
	case "derive":
		key, err = DeriveIdempotencyKey(v.text("namespace"), v.text("id"))
	case "check":
		if err := CheckIdempotencyKey(v.text("key")); err != nil {
			return failed(v.t, err)
		}
		return "ok", fields{}
	case "random":
		key = uuid([16]byte(v.bytes("random_hex")), 4)
	default:
		v.t.Fatalf("unknown operation %s", operation)
	}
	if err != nil {
		return failed(v.t, err)
	}
	return "ok", fields{"key": key}
}

func recordsVector(v *vector) (string, fields) {
	switch operation := v.text("operation"); operation {
	case "key":
		key, err := RecordKey(v.text("api_key"), v.text("idempotency_key"))
		if err != nil {
			return failed(v.t, err)
		}
		return "ok", fields{"record_key": key}
	case "steps":
		now := time.Time{}
		store := &MemoryIdempotencyStore{MaxRecords: int(v.numberOr("max_records", 0)), Now: func() time.Time { return now }}
		result := ""
		for _, step := range v.take("steps").([]any) {
			step := &vector{t: v.t, name: v.name, fields: step.(map[string]any)}
			now = time.UnixMilli(step.number("now_millis"))
			want := step.text("result")
			var outputs fields
			result, outputs = takeStep(step, store)
			if got, rest := asJSON(v.t, outputs), asJSON(v.t, step.fields); result != want || !reflect.DeepEqual(got, rest) {
				v.t.Errorf("a step gives %s %v, want %s %v", result, got, want, rest)
			}
		}
		switch result {
		case string(BegunNew), string(BegunReplay), "stored":
			return "ok", fields{}
		}
		return result, fields{}
	default:
		v.t.Fatalf("unknown operation %s", operation)
		return "", nil
	}
}

func takeStep(step *vector, store IdempotencyStore) (string, fields) {
	var begun Begun
	var isStored bool
	var err error
	ctx, name := step.t.Context(), step.text("step")
	switch name {
	case "begin", "take_over":
		take := store.Begin
		if name == "take_over" {
			take = store.TakeOver
		}
		lease := time.Duration(step.number("lease_millis")) * time.Millisecond
		begun, err = take(ctx, step.text("api_key"), step.text("idempotency_key"), step.text("fingerprint"), lease)
	case "complete":
		isStored, err = store.Complete(ctx, step.text("token"), int(step.number("status")), []byte(step.text("body")))
	case "give_back":
		isStored, err = store.GiveBack(ctx, step.text("token"))
	default:
		step.t.Fatalf("unknown step %s", name)
	}
	switch {
	case err != nil:
		if begun.State != "" || isStored {
			step.t.Errorf("with an error it is %s, %v", begun.State, isStored)
		}
		return failed(step.t, err)
	case begun.State == BegunNew:
		return string(begun.State), fields{"token": begun.Token}
	case begun.State == BegunReplay:
		return string(begun.State), fields{"status": begun.Answer.Status(), "body": string(begun.Answer.Body())}
	case begun.State != "":
		return string(begun.State), fields{}
	case isStored:
		return "stored", fields{}
	}
	return "stale", fields{}
}

func fingerprintVector(v *vector) (string, fields) {
	path, payload := v.text("path"), []byte(v.text("payload"))
	fingerprint, err := Fingerprint(path, payload)
	if err != nil {
		return failed(v.t, err)
	}
	canonical, err := CanonicalJSON(payload)
	if err != nil {
		return failed(v.t, err)
	}
	if again, err := CanonicalJSON(canonical); !bytes.Equal(again, canonical) || err != nil {
		v.t.Errorf("the canonical form of the canonical form differs (%v)", err)
	}
	return "ok", fields{"canonical": string(canonical), "fingerprint": fingerprint}
}

func jsonVector(v *vector) (string, fields) {
	var text []byte
	if v.has("text") {
		text = []byte(v.text("text"))
	} else {
		text = v.bytes("text_hex")
	}
	_, failure := read(text, nil)
	// The public face of the same reader: a body that is JSON but no envelope is refused for that instead.
	envelope, err := New("a secret of mine")
	if err != nil {
		v.t.Fatal(err)
	}
	if err := envelope.Open(text, nil); errors.Is(err, ErrInvalidJSON) != (failure != nil) {
		v.t.Errorf("Open says %v, the reader %v", err, failure)
	}
	if failure != nil {
		return string(ErrInvalidJSON), fields{}
	}
	return "ok", fields{}
}

func statusVector(v *vector) (string, fields) {
	verdict := func(holds bool, otherwise string) (string, fields) {
		if holds {
			return "ok", fields{}
		}
		return otherwise, fields{}
	}
	switch operation := v.text("operation"); operation {
	case "transition":
		model, from, to := v.text("machine"), v.text("from"), v.text("to")
		may, isKnown := map[string]bool{
			"OrderStatus":     OrderStatus(from).CanBecome(OrderStatus(to)),
			"CardIssueStatus": CardIssueStatus(from).CanBecome(CardIssueStatus(to)),
			"CardTopupStatus": CardTopupStatus(from).CanBecome(CardTopupStatus(to)),
		}[model]
		if !isKnown {
			v.t.Fatalf("unknown machine %s", model)
		}
		return verdict(may, "not_allowed")
	case "terminal":
		model, value := v.text("machine"), v.text("value")
		is, isKnown := map[string]bool{
			"OrderStatus":     OrderStatus(value).IsTerminal(),
			"CardIssueStatus": CardIssueStatus(value).IsTerminal(),
			"CardTopupStatus": CardTopupStatus(value).IsTerminal(),
		}[model]
		if !isKnown {
			v.t.Fatalf("unknown machine %s", model)
		}
		return verdict(is, "not_terminal")
	case "value":
		kind, value := v.text("type"), v.text("value")
		is, isKnown := map[string]bool{
			"OrderStatus":                  OrderStatus(value).IsKnown(),
			"CardIssueStatus":              CardIssueStatus(value).IsKnown(),
			"CardTopupStatus":              CardTopupStatus(value).IsKnown(),
			"CardStatus":                   CardStatus(value).IsKnown(),
			"CardholderRegistrationStatus": CardholderRegistrationStatus(value).IsKnown(),
			"CardholderKycStatus":          CardholderKycStatus(value).IsKnown(),
			"CardholderKycLevel":           CardholderKycLevel(value).IsKnown(),
		}[kind]
		if !isKnown {
			v.t.Fatalf("unknown type %s", kind)
		}
		return verdict(is, "unknown")
	default:
		v.t.Fatalf("unknown operation %s", operation)
		return "", nil
	}
}

func retryVector(v *vector) (string, fields) {
	attempt := Attempt{
		Kind:   EndpointKind(v.text("kind")),
		Class:  FailureClass(v.text("failure_class")),
		Sent:   Sent(v.text("sent")),
		HasKey: v.take("has_key").(bool),
		Number: int(v.number("attempt")),
	}
	if v.has("code") {
		attempt.Code = v.text("code")
	}
	return string(ShouldRetry(attempt)), fields{}
}

func clockVector(v *vector) (string, fields) {
	offset := v.numberOr("offset_micros", 0)
	readings := v.numbers("readings_micros")
	c := clock{offset: offset}
	if v.has("shared") {
		shareClock(&c, v.take("shared").([]any), readings[0], offset)
	}
	stamps := []int64{}
	for index, reading := range readings {
		stamp, err := c.next(reading)
		if err != nil {
			if index != len(readings)-1 {
				v.t.Errorf("reading %d of %d fails", index+1, len(readings))
			}
			result, _ := failed(v.t, err)
			return result, fields{"stamps_micros": stamps}
		}
		stamps = append(stamps, stamp)
	}
	return "ok", fields{"stamps_micros": stamps}
}

// shareClock follows SPEC.md, CLOCK-4, which is for JavaScript realms.
func shareClock(c *clock, shared []any, wall, offset int64) {
	var pair [2]int64
	for index, number := range shared {
		value, err := number.(json.Number).Int64()
		if err != nil || value < 0 || value > 1<<53-1 {
			return
		}
		pair[index] = value
	}
	stamp, lastWall := pair[0], pair[1]
	if stamp > wall+offset+stepBackMicros && lastWall <= wall || stamp <= c.lastStamp {
		return
	}
	c.lastStamp, c.lastWall = stamp, lastWall
}

// noncePoolVector follows SPEC.md, section 17, for hosts without a generator: this package asks the system's each time.
func noncePoolVector(v *vector) (string, fields) {
	var nonces []string
	var last []byte
	for _, digits := range v.texts("refills_hex") {
		refill := unhex(v.t, digits)
		if len(refill) == 0 || len(refill)%nonceBytes != 0 || bytes.Equal(refill, last) {
			return string(ErrEntropyUnavailable), fields{}
		}
		last = refill
		for rest := refill; len(rest) > nonceBytes; rest = rest[nonceBytes:] {
			if bytes.HasPrefix(rest[nonceBytes:], rest[:nonceBytes]) {
				return string(ErrEntropyUnavailable), fields{}
			}
		}
		for ; len(refill) > 0; refill = refill[nonceBytes:] {
			nonces = append(nonces, hex.EncodeToString(refill[:nonceBytes]))
		}
	}
	if nonces == nil {
		return string(ErrEntropyUnavailable), fields{}
	}
	return "ok", fields{"nonces_hex": nonces}
}
