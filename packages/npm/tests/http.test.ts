/** The rules of SPEC.md, section 27, through every adapter: against the reference server, over a wire that is watched. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { ApiError, Envelope, EnvelopeError } from "cardseal";
import { type AttemptEvent, OutcomeUnknownError } from "cardseal/client";
import { ADAPTERS, type Adapter, type AdapterOptions } from "./support/adapters.js";
import { answering, deadPort, hangUp, Sandbox, silence, Wire } from "./support/sandbox.js";

const sandbox = await Sandbox.start();
const envelope = new Envelope(sandbox.secret);

let users = 0;
/** A user with a cardholder, for whom cards can be made. */
async function cardholder(): Promise<string> {
  const { url: baseUrl, apiKey, secret } = sandbox;
  const { call } = (ADAPTERS.client as Adapter)({ baseUrl, apiKey, secret });
  const external_user_id = `user_${++users}`;
  await call("/users/create", { external_user_id });
  await call("/cardholders/create", {
    external_user_id,
    subprovider_code: "sandbox",
    first_name: "Ada",
    last_name: "Lovelace",
    birth_date: "1990-12-10",
    email: `${external_user_id}@example.com`,
    phone_number_full: "+4915112345678",
    country_iso: "DE",
  });
  return external_user_id;
}

for (const [name, adapter] of Object.entries(ADAPTERS)) {
  const title = (text: string) => `${name}: ${text}`;

  /** The adapter over a wire to the reference server, and what it reported. */
  async function over(options: Partial<AdapterOptions> = {}) {
    const wire = await Wire.open(sandbox.url);
    const events: AttemptEvent[] = [];
    const { apiKey, secret } = sandbox;
    const made = adapter({ baseUrl: wire.url, apiKey, secret, onAttempt: (event) => events.push(event), ...options });
    return { wire, events, ...made };
  }

  test(title("plain JSON above, sealed JSON on the wire"), async () => {
    const { wire, events, call } = await over();
    assert.deepEqual(Object.keys(JSON.parse(await call("/project/balance", {}))), ["available", "currency"]);
    const [{ path, headers, body }] = wire.arrived as [(typeof wire.arrived)[0]];
    assert.equal(path, "/api/v1/project/balance");
    assert.equal(headers["api-key"], sandbox.apiKey);
    assert.equal(headers["content-type"], "application/json");
    assert.equal(headers["content-length"], String(body.length));
    assert.equal(headers["idempotency-key"], undefined);
    assert.deepEqual(Object.keys(envelope.open<object>(body)), ["request_timestamp"]);
    assert.deepEqual(events, [{ path: "/api/v1/project/balance", attempt: 1, status: 200 }]);
  });

  test(title("each attempt is sealed anew, under the same idempotency key, and charges once"), async () => {
    const { wire, events, call } = await over();
    const external_user_id = await cardholder();
    const path = "/api/v1/cards/create";
    const before = await sandbox.charges();
    await sandbox.fail(
      { kind: "status", status: 503, when: "before", path, count: 1 },
      { kind: "plain", code: "duplicate_request", path, count: 1 },
      { kind: "status", status: 503, when: "after", path, count: 1 },
      { kind: "drop", when: "after", path, count: 1 },
    );
    const payload = { external_user_id, product_code: "virtual_usd" };
    const order = JSON.parse(await call("/cards/create", payload, { idempotencyKey: `${name}-1` }));
    assert.equal(order.order_type, "card_issue");
    assert.equal(await sandbox.charges(), before + 1);

    assert.equal(wire.arrived.length, 5);
    assert.equal(new Set(wire.arrived.map(({ body }) => body)).size, 5);
    assert.deepEqual(new Set(wire.arrived.map(({ headers }) => headers["idempotency-key"])), new Set([`${name}-1`]));
    const opened = wire.arrived.map(({ body }) => envelope.open<{ request_timestamp: number }>(body));
    assert.ok(opened.every((each, index) => each.request_timestamp > (opened[index - 1]?.request_timestamp ?? 0)));
    assert.ok(opened.every(({ request_timestamp, ...rest }) => inspect(rest) === inspect(payload)));

    assert.deepEqual(
      events.map(({ attempt, status, code }) => [attempt, status, code]),
      [
        [1, 503, undefined],
        [2, 400, "duplicate_request"],
        [3, 503, undefined],
        [4, undefined, undefined],
        [5, 200, undefined],
      ],
    );
    const waits = events.map(({ waitMillis }) => waitMillis);
    const longest = [250, 1, 1_000, 2_000];
    assert.ok(
      longest.every((limit, index) => (waits[index] ?? limit) < limit),
      String(waits),
    );
    assert.equal(waits[4], undefined);
  });

  test(title("the API's error is typed, sealed or plain"), async () => {
    const { call } = await over();
    const unknown = await failure(call("/cards/get", { card_id: "card_nobody" }));
    assert.ok(unknown instanceof ApiError);
    assert.deepEqual([unknown.status, unknown.code, unknown.encrypted], [404, "card_not_found", true]);
    const { call: stranger } = await over({ apiKey: "key_of_nobody" });
    const plain = await failure(stranger("/cards/get", { card_id: "card_1" }));
    assert.ok(plain instanceof ApiError);
    assert.deepEqual([plain.status, plain.code, plain.encrypted], [404, "api_key_not_found", false]);
  });

  test(title("a call that is not repeatable is never sent twice: its outcome is unknown"), async () => {
    const { wire, events, call } = await over();
    wire.next.push((arrived, response) => wire.pass(arrived, new Proxy(response, { get: dropping })));
    const error = await failure(
      call("/users/create", { external_user_id: `${name}_once` }, { idempotencyKey: "once" }),
    );
    assert.ok(error instanceof OutcomeUnknownError, inspect(error));
    const { code, path, idempotencyKey, attempts } = error;
    assert.deepEqual([code, path, idempotencyKey, attempts], ["outcome_unknown", "/api/v1/users/create", "once", 1]);
    assert.match(
      error.message,
      /^`\/api\/v1\/users\/create` may or may not have been carried out: .*\(outcome_unknown\)$/,
    );
    assert.ok(error.cause instanceof Error);
    assert.deepEqual(events, [{ path, attempt: 1, failureClass: "transient" }]);
    assert.equal(wire.arrived.length, 1);
    const again = await failure(call("/users/create", { external_user_id: `${name}_once` }));
    assert.ok(again instanceof ApiError && again.code === "external_user_id_exists", "it had been carried out");
  });

  test(title("a keyed call that gets no answer carries its key out, and its last failure"), async () => {
    const { wire, call } = await over({ attempts: 2 });
    wire.next.push(hangUp, answering(503, {}, "busy"));
    const payload = { card_id: "card_1", amount: "20.00" };
    const error = await failure(call("/cards/topup", payload, { idempotencyKey: "topup-7" }));
    assert.ok(error instanceof OutcomeUnknownError, inspect(error));
    assert.deepEqual([error.idempotencyKey, error.attempts], ["topup-7", 2]);
    assert.match(error.message, /call again with the same idempotency key/);
    const cause = error.cause as ApiError;
    assert.ok(cause instanceof ApiError);
    assert.deepEqual([cause.status, cause.message], [503, "busy"]);
  });

  test(title("a read call gives its last failure"), async () => {
    const { wire, call } = await over({ attempts: 2 });
    wire.next.push(hangUp, answering(502, { "content-type": "text/html" }, "<h1>Bad gateway</h1>"));
    const error = await failure(call("/cards/get", { card_id: "card_1" }));
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.status, error.encrypted, wire.arrived.length], [502, false, 2]);
  });

  test(title("a success that does not open is none, and a read call is made again"), async () => {
    const { wire, events, call } = await over({ attempts: 3 });
    await sandbox.fail({ kind: "flipped_tag", path: "/api/v1/project/balance", count: 1 });
    wire.next.push(answering(200, { "content-type": "text/html" }, "<h1>Hello</h1>"));
    assert.match(await call("/project/balance", {}), /available/);
    assert.deepEqual(
      events.map(({ status, code, failureClass }) => [status, code, failureClass]),
      [
        [200, "invalid_json", "transient"],
        [200, "decryption_failed", "transient"],
        [200, undefined, undefined],
      ],
    );
    wire.next.push((arrived, response) => response.writeHead(200).end(arrived.body));
    const reflected = await failure(call("/project/balance", {}));
    assert.ok(reflected instanceof EnvelopeError && reflected.code === "reflected_response");
  });

  test(title("nothing is sent of what may not be sent"), async () => {
    const { wire, events, call } = await over();
    const codes = [
      await failure(call("/cards/topup", { card_id: "card_1", amount: "20.00" })),
      await failure(call("/cards/get", { encrypted: "AgAB" })),
      await failure(call("/cards/get", [1, 2])),
      await failure(call("/cards/create", {}, { idempotencyKey: "x".repeat(256) })),
    ].map((error) => (error instanceof EnvelopeError ? error.code : error));
    assert.deepEqual(codes, [
      "idempotency_key_required",
      "already_sealed",
      "invalid_payload",
      "invalid_idempotency_key",
    ]);
    assert.deepEqual([wire.arrived, events], [[], []]);
  });

  test(title("what never connected was not sent: also a call that is not repeatable is made again"), async () => {
    const { events, call } = await over({ baseUrl: await deadPort(), attempts: 2 });
    const error = await failure(call("/users/create", { external_user_id: "nobody" }));
    assert.ok(error instanceof Error && !(error instanceof OutcomeUnknownError), inspect(error));
    assert.equal(events.length, 2);
    assert.equal(typeof events[0]?.waitMillis, "number");
  });

  test(title("an attempt that may have arrived stays one, whatever fails after it"), async () => {
    const { wire, call } = await over({ attempts: 2 });
    wire.next.push((_, response) => {
      response.destroy();
      wire.stop();
    });
    const error = await failure(call("/cards/topup", { card_id: "card_1" }, { idempotencyKey: "k" }));
    assert.ok(error instanceof OutcomeUnknownError, inspect(error));
    assert.equal(error.attempts, 2);
  });

  test(title("a redirect is an error, and is not followed"), async () => {
    const elsewhere = await Wire.open(sandbox.url);
    for (const status of [301, 307, 308]) {
      const { wire, call } = await over();
      wire.next.push(answering(status, { location: `${elsewhere.url}/api/v1/cards/get` }));
      const error = await failure(call("/cards/get", { card_id: "card_1" }));
      assert.ok(error instanceof ApiError, inspect(error));
      assert.deepEqual([error.status, wire.arrived.length, elsewhere.arrived.length], [status, 1, 0]);
    }
  });

  test(title("Retry-After is kept, and a wait that ends after the deadline is not begun"), async () => {
    const { wire, events, call } = await over();
    wire.next.push(answering(429, { "retry-after": "1" }));
    assert.match(await call("/project/balance", {}), /available/);
    assert.equal(events[0]?.waitMillis, 1_000);
    wire.next.push(answering(429, { "retry-after": "60" }));
    const error = await failure(call("/project/balance", {}));
    assert.ok(error instanceof ApiError && error.status === 429);
    const inAnHour = new Date(Date.now() + 3_600_000).toUTCString();
    wire.next.push(answering(503, { "retry-after": inAnHour }));
    assert.ok((await failure(call("/project/balance", {}))) instanceof ApiError);
    assert.deepEqual(
      events.slice(1).map(({ status, waitMillis }) => [status, waitMillis]),
      [
        [200, undefined],
        [429, undefined],
        [503, undefined],
      ],
    );
    assert.equal(wire.arrived.length, 4);
  });

  test(title("a deadline of nothing leaves one attempt"), async () => {
    const { wire, call } = await over({ deadlineMillis: 0 });
    wire.next.push(answering(503));
    assert.ok((await failure(call("/project/balance", {}))) instanceof ApiError);
    assert.equal(wire.arrived.length, 1);
  });

  test(title("an attempt that takes too long may have arrived"), async () => {
    const { wire, events, call } = await over({ attemptTimeoutMillis: 300 });
    wire.next.push(silence);
    assert.match(await call("/project/balance", {}), /available/);
    assert.equal(events[0]?.failureClass, "transient");
    wire.next.push(silence);
    assert.ok((await failure(call("/users/create", { external_user_id: "late" }))) instanceof OutcomeUnknownError);
    assert.equal(wire.arrived.length, 3);
  });

  test(title("a cancelled call ends within an attempt"), async () => {
    const { wire, events, call } = await over();
    const controller = new AbortController();
    wire.next.push(() => controller.abort());
    const error = await failure(
      call("/cards/topup", { card_id: "c" }, { idempotencyKey: "k", signal: controller.signal }),
    );
    assert.ok(isCancelled(error), inspect(error));
    assert.deepEqual(events, [{ path: "/api/v1/cards/topup", attempt: 1, failureClass: "never" }]);
    assert.equal(wire.arrived.length, 1);
  });

  test(title("a cancelled call ends between attempts, and before the first"), async () => {
    const controller = new AbortController();
    const { wire, call } = await over({ onAttempt: () => controller.abort() });
    wire.next.push(answering(503, { "retry-after": "50" }));
    const { signal } = controller;
    assert.ok(isCancelled(await failure(call("/project/balance", {}, { signal }))));
    assert.ok(isCancelled(await failure(call("/project/balance", {}, { signal }))));
    assert.equal(wire.arrived.length, 1);
  });

  test(title("a connection that was kept and is dropped is not sent on again by itself"), async () => {
    const { wire, events, call } = await over();
    const isKept = () => wire.arrived.length > 1 && wire.arrived.at(-1)?.socket === wire.arrived.at(-2)?.socket;
    while (!isKept()) {
      assert.ok(wire.arrived.length < 20, "no connection is kept: nothing is tested");
      await call("/project/balance", {});
      await new Promise((resume) => setTimeout(resume, 5)); // the client has to notice that the connection is free
    }
    const before = wire.arrived.length;
    wire.next.push((_, response) => response.destroy());
    const error = await failure(call("/users/create", { external_user_id: "kept" }));
    assert.ok(error instanceof OutcomeUnknownError, inspect(error));
    assert.ok(isKept(), "the connection was another one: nothing was tested");
    assert.deepEqual([wire.arrived.length, events.length], [before + 1, before + 1]);
  });

  test(title("nothing that can be printed holds a secret, and what a listener throws hides nothing"), async () => {
    const { wire, events, call, printable } = await over({ attempts: 2 });
    const seen: unknown[] = [printable, events];
    wire.next.push(hangUp, answering(503), answering(400, {}, "no"));
    const payload = { card_id: "card_1", amount: "20.00" };
    seen.push(await failure(call("/cards/topup", payload, { idempotencyKey: "k" })));
    seen.push(await failure(call("/cards/get", { card_id: "card_1" })));
    const text = inspect(seen, { depth: 20, showHidden: true }) + JSON.stringify(events);
    assert.ok(!text.includes(sandbox.secret));
    assert.ok(!text.includes(sandbox.apiKey), "the API key is printed");
    const { call: loud } = await over({
      onAttempt: () => {
        throw new Error("a listener failed");
      },
    });
    assert.match(await loud("/project/balance", {}), /available/);
  });
}

/** The error that a promise is rejected with. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail("it should have failed");
}

/** Lets the server act, and hangs up instead of its answer. */
function dropping(response: import("node:http").ServerResponse, name: string | symbol): unknown {
  return name === "end"
    ? () => response.destroy()
    : name === "writeHead"
      ? () => response
      : Reflect.get(response, name);
}

function isCancelled(error: unknown): boolean {
  return error instanceof Error && ["AbortError", "CanceledError"].includes(error.name);
}
