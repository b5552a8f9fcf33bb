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

/**
 * What every runtime has to do with the entries for HTTP: a client and a server, one beneath the other, without a network.
 */
export async function checkHttp(
  { ApiError, Envelope, MemoryReplayStore },
  { apiErrorOf, sealedFetch },
  { Client },
  { sealed },
) {
  const secret = "your_api_secret_key_here";
  const envelope = new Envelope(secret);
  let attempts = 0;
  const handler = sealed(
    { envelopeOf: (apiKey) => (apiKey === "key_1" ? envelope : undefined), store: new MemoryReplayStore() },
    async (request) => {
      const { card_id } = await request.json();
      return card_id === "card_1"
        ? Response.json({ card_id })
        : Response.json({ success: false, error_slug: "card_not_found" }, { status: 404 });
    },
  );
  const options = {
    baseUrl: "https://api.example.com",
    apiKey: "key_1",
    secret,
    fetch: async (url, init) =>
      ++attempts === 1 ? new Response("busy", { status: 503 }) : handler(new Request(url, init)),
  };
  const client = new Client(options);
  equal(await client.call("/cards/get", { card_id: "card_1" }), { card_id: "card_1" });
  equal(attempts, 2);
  const fetch = sealedFetch(options);
  const response = await fetch("/cards/get", { method: "POST", body: '{"card_id":"card_2"}' });
  equal([response.status, await response.json()], [404, { success: false, error_slug: "card_not_found" }]);
  equal(apiErrorOf(response) instanceof ApiError, true);
  const controller = new AbortController();
  controller.abort();
  const cancelled = await client.call("/cards/get", {}, { signal: controller.signal }).catch((error) => error);
  equal(cancelled.name, "AbortError");
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
