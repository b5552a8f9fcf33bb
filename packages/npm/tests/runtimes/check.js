/** What every runtime has to do with the installed package. Throws where it does not; says what it sealed. */
export function check(cardseal) {
  const { ApiError, Envelope, EnvelopeError, engineName, generateIdempotencyKey, timestampMicros } = cardseal;
  const envelope = new Envelope("your_api_secret_key_here");
  const payload = { request_timestamp: 1700000000000000, card_id: "card_abc123" };

  equal(envelope.open(BY_PYNACL), payload);
  const body = envelope.seal(payload);
  equal(envelope.open(new TextEncoder().encode(body)), payload);
  equal(envelope.open(envelope.seal({ text: "äöü😀" })).text, "äöü😀");

  const sealed = envelope.sealRequest(
    "/cards/topup",
    { amount: "10.00" },
    { apiKey: "key_1", idempotencyKey: generateIdempotencyKey() },
  );
  equal(envelope.openRequest(sealed.body).timestampMicros, sealed.timestampMicros);
  equal(
    failure(() => envelope.openResponse(200, sealed.body, { request: sealed }), EnvelopeError).code,
    "reflected_response",
  );
  equal(failure(() => envelope.openResponse(404, '{"error":"API key not found"}'), ApiError).code, "api_key_not_found");
  equal(
    failure(() => new Envelope("short"), EnvelopeError).message,
    "the secret has 5 bytes: use at least 8 (invalid_key)",
  );
  equal(Math.abs(timestampMicros() - Date.now() * 1000) < 60_000_000, true);
  equal(String(envelope) + JSON.stringify(envelope), '[object Object]{"layout":"versioned","maxBytes":10485760}');
  return { engine: engineName(), body };
}

function failure(call, type) {
  try {
    call();
  } catch (error) {
    equal(error instanceof type, true);
    return error;
  }
  throw new Error("it should have failed");
}

function equal(actual, expected) {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) {
    throw new Error(`${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`);
  }
}

/** The payload under the secret, sealed by PyNaCl. */
const BY_PYNACL = "@BY_PYNACL@";
