/** Bad input: whatever comes in, an EnvelopeError or a TypeError comes out, and the next call works. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { EFFORT } from "./support/effort.js";
import { type Api, codeOf, ENGINES, type Internals, SECRET } from "./support/engines.js";

for (const [name, api] of ENGINES) {
  const envelope = new api.Envelope(SECRET);
  const sealed = envelope.seal({ card_id: "card_abc123" });
  const options = { apiKey: "key_1" };

  const openers: readonly ((body: never) => unknown)[] = [
    (body) => envelope.open(body),
    (body) => envelope.openRequest(body),
    (body) => envelope.openWebhook(body),
    (body) => envelope.openResponse(200, body),
  ];
  const sealers: readonly ((payload: never) => unknown)[] = [
    (payload) => envelope.seal(payload),
    (payload) => envelope.sealResponse(payload),
    (payload) => envelope.sealWebhook(payload),
    (payload) => envelope.sealRequest("/cards/get", payload, options),
    (payload) => api.validatePayload(payload),
    (payload) => api.fingerprint("/cards/get", payload),
    (payload) => api.canonicalJson(payload),
  ];

  test(`bodies that are none are TypeErrors (${name})`, () => {
    const shared = new SharedArrayBuffer(8);
    const bodies = [
      undefined,
      null,
      42,
      4n,
      true,
      Symbol("body"),
      () => sealed,
      new DataView(new ArrayBuffer(8)),
      new Float64Array(1),
      new Uint16Array(4),
      shared,
      new Uint8Array(shared),
      disguised(new Uint8Array(shared)),
      disguised(new Float64Array(shared)),
      Promise.resolve(sealed),
      new Response(sealed),
      new Blob([sealed]),
      new Response(sealed).body,
      new String(sealed),
    ];
    for (const open of openers) {
      for (const body of bodies) {
        assert.throws(() => open(body as never), TypeError, typeof body);
      }
    }
  });

  test(`payloads without a JSON form are TypeErrors (${name})`, () => {
    for (const seal of sealers) {
      for (const payload of [
        undefined,
        Symbol("payload"),
        () => ({}),
        Promise.resolve({}),
        new ArrayBuffer(8),
        new SharedArrayBuffer(8),
        new Uint8Array(new SharedArrayBuffer(8)),
        disguised(new Uint8Array(new SharedArrayBuffer(8))),
        new Uint16Array(4),
        new DataView(new ArrayBuffer(8)),
      ]) {
        assert.throws(() => seal(payload as never), TypeError, typeof payload);
      }
    }
  });

  test(`what a typed array says about itself is not believed (${name})`, () => {
    assert.throws(() => envelope.encrypt(disguised(new Uint8Array(new SharedArrayBuffer(8)))), TypeError);
    assert.throws(
      () => api.Envelope.fromKey(disguised(new Uint8Array(new SharedArrayBuffer(32)))),
      /invalid_key|shared/,
    );
    const bytes = new TextEncoder().encode(sealed);
    for (const [name, value] of Object.entries({ length: 2, subarray: () => new Uint8Array(2), byteLength: 0 })) {
      Object.defineProperty(bytes, name, { value });
    }
    assert.deepEqual(Object.keys(envelope.open(bytes) as object), ["request_timestamp", "card_id"]);
    const large = Object.defineProperty(new Uint8Array(2_000), "length", { value: 2 });
    const small = new api.Envelope(SECRET, { maxBytes: 1_000 });
    assert.equal(
      codeOf(api, () => small.open(large)),
      "too_large",
    );
    assert.equal(envelope.decrypt(envelope.encrypt(large)).length, 2_000);
  });

  test(`an answer that is text cut in half is an error of the API, or one with a class (${name})`, () => {
    const half = "<p>no \ud800</p>";
    for (const status of [199, 300, 404, 503]) {
      assert.throws(() => envelope.openResponse(status, half), {
        name: "ApiError",
        message: "<p>no \ufffd</p>",
        status,
      });
      assert.throws(() => envelope.openResponse(status, { encrypted: "\ud800" }), {
        name: "ApiError",
        encrypted: false,
      });
    }
    const lost = { name: "EnvelopeError", status: 200, failureClass: "transient" };
    assert.throws(() => envelope.openResponse(200, half), { ...lost, code: "invalid_json" });
    assert.throws(() => envelope.openResponse(200, { encrypted: "\ud800" }), { ...lost, code: "invalid_envelope" });
  });

  test(`a plain error that was parsed already is judged as its text (${name})`, () => {
    const duplicate = { name: "ApiError", code: "duplicate_request", failureClass: "reseal", encrypted: false };
    assert.throws(() => envelope.openResponse(400, { error: "Duplicate request detected" }), duplicate);
    assert.throws(() => envelope.openResponse(200, { error: "Duplicate request detected" }), duplicate);
    assert.throws(() => envelope.openResponse(200, { success: false, msg: "no" }), { name: "ApiError", message: "no" });
    assert.throws(() => envelope.openResponse(200, { ok: 1 }), {
      code: "envelope_not_found",
      failureClass: "transient",
    });
    assert.throws(() => envelope.openResponse(200, { encrypted: 5 }), { code: "invalid_envelope" });
    const cycle: Record<string, unknown> = { error: "Duplicate request detected", amount: 5n, success: false };
    cycle.self = cycle;
    assert.throws(() => envelope.openResponse(400, cycle), duplicate);
    assert.throws(() => envelope.openResponse(400, { toJSON: () => undefined, detail: "no" }), { message: "no" });
  });

  test(`what is no sealed request does not switch the comparison off (${name})`, () => {
    const request = envelope.sealRequest("/cards/get", {}, options);
    const bytes = new TextEncoder().encode(request.body);
    for (const sent of [request, request.body, bytes, bytes.buffer, { ...request }]) {
      for (const status of [200, 500]) {
        assert.throws(() => envelope.openResponse(status, request.body, { request: sent as never }), {
          code: "reflected_response",
          failureClass: "never",
        });
      }
    }
    const answer = envelope.sealResponse({});
    assert.deepEqual(envelope.openResponse(200, answer, { request: Uint8Array.of(0xff) }), {});
    for (const sent of [null, {}, JSON.parse(request.body), { data: request.body }, { body: 5 }, 5, [], new Map()]) {
      assert.throws(() => envelope.openResponse(200, answer, { request: sent as never }), TypeError);
    }
  });

  test(`detached memory is empty, and an empty body is no JSON (${name})`, () => {
    const [bytes, buffer] = [new TextEncoder().encode(sealed), new TextEncoder().encode(sealed).buffer];
    structuredClone([bytes.buffer, buffer], { transfer: [bytes.buffer, buffer] });
    for (const open of openers) {
      assert.equal(
        codeOf(api, () => open(bytes as never)),
        "invalid_json",
      );
      assert.throws(() => open(buffer as never), TypeError);
    }
    assert.equal(
      codeOf(api, () => envelope.seal(bytes)),
      "invalid_payload",
    );
    assert.deepEqual(envelope.decrypt(envelope.encrypt(bytes)), new Uint8Array(0));
    assert.equal(
      codeOf(api, () => api.Envelope.fromKey(bytes)),
      "invalid_key",
    );
  });

  test(`getters that throw, and proxies (${name})`, () => {
    const thrower = {
      get encrypted(): never {
        throw new RangeError("4111 1111 1111 1111");
      },
    };
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const traps = new Proxy(
      {},
      {
        get: () => assert.fail("trap"),
        ownKeys: () => assert.fail("trap"),
        has: () => assert.fail("trap"),
        getPrototypeOf: () => assert.fail("trap"),
      },
    );
    for (const open of openers) {
      for (const body of [thrower, revoked.proxy, traps]) {
        assert.throws(() => open(body as never), TypeError);
      }
      assert.equal(
        codeOf(api, () => open(new Proxy(new Uint8Array(4), {}) as never)),
        "envelope_not_found",
      );
    }
    for (const seal of sealers) {
      for (const payload of [thrower, revoked.proxy, traps, { deep: [thrower] }]) {
        assert.throws(
          () => seal(payload as never),
          (error) =>
            error instanceof api.EnvelopeError && error.code === "invalid_payload" && !/4111/.test(inspect(error)),
        );
      }
    }
    assert.deepEqual(envelope.open(new Proxy({ encrypted: JSON.parse(sealed).encrypted }, {})), envelope.open(sealed));
  });

  test(`cycles, depth and BigInts are refused with their place (${name})`, () => {
    const cycle: Record<string, unknown> = { name: "secret name" };
    cycle.self = cycle;
    const deep = JSON.parse(`${'{"a":'.repeat(200)}1${"}".repeat(200)}`);
    let bottomless: unknown = {};
    for (let level = 0; level < 100_000; level++) {
      bottomless = { a: bottomless };
    }
    for (const seal of sealers) {
      for (const payload of [cycle, deep, bottomless]) {
        assert.equal(
          codeOf(api, () => seal(payload as never)),
          "invalid_payload",
        );
      }
      assert.throws(
        () => seal({ items: [{}, { amount: 5n }] } as never),
        (error) => error instanceof api.EnvelopeError && error.message.includes("`items[1].amount`"),
      );
    }
    assert.equal(
      codeOf(api, () => envelope.sealResponse(5n as never)),
      "invalid_payload",
    );
  });

  test(`halves of surrogate pairs are refused wherever text goes in (${name})`, () => {
    const half = "\ud800";
    const codes: readonly (readonly [string, () => unknown])[] = [
      ["invalid_key", () => new api.Envelope(`a secret ${half}`)],
      ["invalid_key", () => new api.Envelope(SECRET, { openSecrets: [`an old one ${half}`] })],
      ["invalid_json", () => envelope.open(`{"a":"${half}",${sealed.slice(1)}`)],
      ["invalid_json", () => envelope.openRequest(`{"a":"${half}",${sealed.slice(1)}`)],
      ["invalid_envelope", () => envelope.open({ encrypted: half })],
      ["invalid_envelope", () => envelope.decrypt(half)],
      ["invalid_payload", () => envelope.encrypt(half)],
      ["invalid_payload", () => envelope.seal(`{"a":"${half}"}`)],
      ["invalid_payload", () => envelope.seal({ a: half })],
      ["invalid_payload", () => envelope.sealWebhook({ [half]: 1 })],
      ["invalid_payload", () => envelope.sealRequest("/cards/get", { a: [half] }, options)],
      ["invalid_path", () => envelope.sealRequest(`/cards/${half}`, {}, options)],
      ["invalid_path", () => api.normalizePath(half)],
      ["invalid_api_key", () => envelope.sealRequest("/cards/get", {}, { apiKey: half })],
      ["invalid_idempotency_key", () => envelope.sealRequest("/cards/get", {}, { apiKey: "k", idempotencyKey: half })],
      ["invalid_idempotency_key", () => api.deriveIdempotencyKey(half, "id")],
      ["invalid_idempotency_key", () => api.deriveIdempotencyKey("namespace", half)],
      ["invalid_option", () => new api.Envelope(SECRET, { layout: half as "bare" })],
    ];
    for (const [code, call] of codes) {
      assert.equal(codeOf(api, call), code, String(call));
    }
  });

  test(`secrets, keys and options of the wrong kind (${name})`, () => {
    const codes: readonly (readonly [string, () => unknown])[] = [
      ["invalid_key", () => new api.Envelope(undefined as never)],
      ["invalid_key", () => new api.Envelope(null as never)],
      ["invalid_key", () => new api.Envelope(12345678 as never)],
      ["invalid_key", () => new api.Envelope(SECRET, { openSecrets: [undefined as never] })],
      ["invalid_key", () => api.Envelope.fromKey("k".repeat(32) as never)],
      ["invalid_key", () => api.Envelope.fromKey(new Uint8Array(31))],
      ["invalid_option", () => new api.Envelope(SECRET, { openSecrets: Array(5).fill(SECRET) })],
      ["invalid_option", () => new api.Envelope(SECRET, { openSecrets: Array(5_000).fill(SECRET) })],
      ["invalid_option", () => new api.Envelope(SECRET, { layout: "guess" as never })],
      ["invalid_option", () => new api.Envelope(SECRET, { max_bytes: 5 } as never)],
      ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32, 2 ** 53].map(
        (maxBytes) => ["invalid_option", () => new api.Envelope(SECRET, { maxBytes })] as const,
      ),
      ...[0, 31, -1, 0.5, Number.NaN, 2 ** 60].map(
        (windowSeconds) => ["invalid_option", () => envelope.openRequest(sealed, { windowSeconds })] as const,
      ),
      ...[-1, 0.5, Number.NaN, 2 ** 53].map(
        (nowMicros) => ["invalid_option", () => envelope.openRequest(sealed, { nowMicros })] as const,
      ),
      ...[-1, 200.5, Number.NaN, 65_536].map(
        (status) => ["invalid_option", () => envelope.openResponse(status, sealed)] as const,
      ),
      ["invalid_option", () => envelope.openRequest(sealed, { window_seconds: 5 } as never)],
      ["invalid_option", () => envelope.open(sealed, { bigint: true } as never)],
      ["invalid_option", () => envelope.openWebhook(sealed, { request: sealed } as never)],
      ["invalid_option", () => new api.MemoryReplayStore({ maxKeys: Number.NaN })],
      [
        "invalid_option",
        () => api.shouldRetry({ kind: "write", failureClass: "never", sent: "no", hasKey: false, attempt: 1 } as never),
      ],
      [
        "invalid_timestamp",
        () => api.replayKeys("k", "/p", { timestampMicros: Number.NaN, nonce: new Uint8Array(24) }),
      ],
      ["invalid_option", () => api.replayKeys("k", "/p", { timestampMicros: 1, nonce: new Uint8Array(23) })],
    ];
    for (const [code, call] of codes) {
      assert.equal(codeOf(api, call), code, String(call));
    }
    for (const call of [
      () => new api.Envelope(SECRET, { maxBytes: "5" as never }),
      () => envelope.openResponse("200" as never, sealed),
      () => envelope.sealRequest(undefined as never, {}, options),
      () => envelope.sealRequest("/cards/get", {}, { apiKey: undefined as never }),
      () => envelope.encrypt(5 as never),
      () => envelope.decrypt(undefined as never),
      () => api.deriveIdempotencyKey("a", 5 as never),
      ...["kind", "failureClass", "sent", "code", "attempt"].map((field) => () => {
        const attempt = { kind: "read", failureClass: "never", sent: "no", hasKey: false, attempt: 1 } as const;
        api.shouldRetry({ ...attempt, [field]: { length: 5e9 } } as never);
      }),
      () => api.replayKeys("k", "/p", { timestampMicros: 1, nonce: "n" as never }),
      () => api.Envelope.prototype.seal.call({}, {}),
    ]) {
      assert.throws(call, TypeError, String(call));
    }
  });

  test(`20,000 mutated bodies and payloads (${name})`, () => {
    const bodies = [
      sealed,
      envelope.sealResponse({ success: false, error: "x" }),
      '{"error":"Duplicate request detected"}',
    ];
    const payloads = [
      '{"request_timestamp":1700000000000000,"card_id":"card_abc123","amount":10.5e2}',
      '[{"a":[null,true]}]',
    ];
    const mutated = (texts: readonly string[]) =>
      fc
        .tuple(
          fc.constantFrom(...texts),
          fc.array(fc.tuple(fc.nat(), fc.nat(2), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 }),
        )
        .map(([text, edits]) => {
          const bytes = [...Buffer.from(text)];
          for (const [place, kind, byte] of edits) {
            const at = place % (bytes.length + 1);
            bytes.splice(at, kind === 0 ? 0 : 1, ...(kind === 2 ? [] : [byte]));
          }
          return Uint8Array.from(bytes);
        });
    let refused = 0;
    const only = (call: () => unknown) => {
      try {
        call();
      } catch (error) {
        assert.ok(error instanceof api.EnvelopeError || error instanceof api.ApiError, String(error));
        refused++;
      }
    };
    const runs = { numRuns: 10_000 * EFFORT, seed: 5 };
    fc.assert(
      fc.property(mutated(bodies), fc.nat(openers.length - 1), (body, index) =>
        only(() => openers[index]?.(body as never)),
      ),
      runs,
    );
    fc.assert(
      fc.property(mutated(payloads), fc.nat(sealers.length - 1), (payload, index) =>
        only(() => sealers[index]?.(payload as never)),
      ),
      runs,
    );
    assert.ok(refused > 10_000, `${refused} of 20,000 were refused`);
    assert.deepEqual(Object.keys(envelope.open(sealed) as object), ["request_timestamp", "card_id"]);
  });

  test(`three hundred thousand failing opens leave no memory behind (${name})`, { timeout: 120_000 }, () => {
    const body = `{"encrypted":"${"A".repeat(200)}"}`;
    const fail = (count: number) => {
      for (let index = 0; index < count; index++) {
        try {
          envelope.open(body);
        } catch {
          continue;
        }
        assert.fail("it opened");
      }
    };
    fail(100_000);
    (globalThis as unknown as { gc(): void }).gc();
    const before = process.memoryUsage().rss;
    fail(200_000);
    (globalThis as unknown as { gc(): void }).gc();
    const grown = process.memoryUsage().rss - before;
    assert.ok(grown < 4 * 1_048_576, `${grown} bytes more`);
  });
}

/** Runs a call that asks for the time or for randomness into a trap: the host calls back into the same instance. */
function trap(call: () => unknown): void {
  const dateNow = Date.now;
  try {
    Date.now = () => {
      assert.throws(() => wasm.canonicalJson("{}"), { name: "Error", message: /starts it anew/ });
      return dateNow();
    };
    call();
  } finally {
    Date.now = dateNow;
  }
}

/** A typed array that says it is another one, over memory of its own. */
function disguised<T extends ArrayBufferView>(array: T): T {
  const claims = { [Symbol.toStringTag]: "Uint8Array", buffer: new ArrayBuffer(8), length: 8, byteLength: 8 };
  for (const name of Reflect.ownKeys(claims)) {
    Object.defineProperty(array, name, { value: claims[name as keyof typeof claims] });
  }
  return array;
}

const [, wasm] = ENGINES.find(([name]) => name === "wasm") as readonly [string, Api];
const [, native] = ENGINES.find(([name]) => name === "napi") as readonly [string, Api];

test("what no string can hold is too large, and nothing half", () => {
  const envelope = new native.Envelope(SECRET, { maxBytes: 2 ** 32 - 1 });
  const message = new Uint8Array(402_653_184); // in base64 a few characters more than V8 lets a string have
  assert.equal(
    codeOf(native, () => envelope.encrypt(message)),
    "too_large",
  );
});

test("what WebAssembly's memory cannot hold is too large, and the next call works", async () => {
  const { Instance } = WebAssembly;
  const { decode } = TextDecoder.prototype;
  let isFull = false;
  WebAssembly.Instance = new Proxy(Instance, {
    construct(target, given) {
      const real = Reflect.construct(target, given).exports as WebAssembly.Exports & { call(): number };
      const { host } = given[1] as { host: { out_of_memory(): void } };
      const call = (...given: []) => {
        if (isFull) {
          host.out_of_memory(); // as the allocator does, before it traps
          throw new WebAssembly.RuntimeError("unreachable");
        }
        return real.call(...given);
      };
      return { exports: { ...real, call } };
    },
  });
  const tooLarge = { code: "too_large", status: 200, failureClass: "transient" };
  try {
    const copy = (await import(`${import.meta.resolve("cardseal/wasm")}?full`)) as Api;
    const envelope = new copy.Envelope(SECRET);
    const sealed = envelope.seal({});
    assert.equal(
      codeOf(copy, () => envelope.encrypt(new Uint8Array(2 ** 31))),
      "too_large",
    );
    isFull = true;
    assert.throws(() => envelope.openResponse(200, sealed), tooLarge);
    isFull = false;
    assert.ok(envelope.open(sealed));
    TextDecoder.prototype.decode = () => assert.fail("no string is so long");
    assert.throws(() => envelope.openResponse(200, sealed), tooLarge);
    TextDecoder.prototype.decode = decode;
    assert.ok(envelope.open(sealed));
  } finally {
    TextDecoder.prototype.decode = decode;
    WebAssembly.Instance = Instance;
  }
});

test("a wiped buffer of the caller's is not the key after a trap", () => {
  const [key, older] = [Buffer.alloc(32, 5), Buffer.alloc(32, 6)];
  const envelope = wasm.Envelope.fromKey(key, { openKeys: [older] });
  const peers = [key, older].map((each) => wasm.Envelope.fromKey(Uint8Array.from(each)));
  const sealed = peers.map((peer) => peer.sealWebhook({}));
  key.fill(0);
  older.fill(0);
  trap(() => envelope.seal({}));
  assert.deepEqual(
    sealed.map((body) => envelope.openWebhook(body).keyIndex),
    [0, 1],
  );
  assert.ok(peers[0]?.open(envelope.seal({})));
});

test("a generator that was rewound is noticed by the instance after a trap", () => {
  const envelope = new wasm.Envelope(SECRET);
  const original = crypto.getRandomValues;
  let given: Uint8Array | undefined;
  try {
    for (let seals = 0; !given && seals < 100; seals++) {
      crypto.getRandomValues = ((bytes: Uint8Array<ArrayBuffer>) => {
        original.call(crypto, bytes);
        given = bytes.slice();
        return bytes;
      }) as typeof original;
      envelope.seal({});
    }
  } finally {
    crypto.getRandomValues = original;
  }
  trap(() => wasm.timestampMicros());
  try {
    crypto.getRandomValues = ((bytes: Uint8Array<ArrayBuffer>) => {
      bytes.set(given ?? []);
      return bytes;
    }) as typeof original;
    assert.equal(
      codeOf(wasm, () => envelope.seal({})),
      "entropy_unavailable",
    );
  } finally {
    crypto.getRandomValues = original;
  }
  assert.ok(envelope.seal({}));
});

test("a trapped instance is replaced, and its envelopes go on", () => {
  const envelope = new wasm.Envelope(SECRET, { layout: "bare", openSecrets: ["the_old_secret"] });
  const before = envelope.seal({ a: 1 });
  const original = crypto.getRandomValues;
  const { Instance } = WebAssembly;
  let instances = 0;
  WebAssembly.Instance = new Proxy(Instance, {
    construct(target, given) {
      instances++;
      return Reflect.construct(target, given);
    },
  });
  let trapped = 0;
  // A host that calls back into an instance which is in the middle of a call: it traps.
  crypto.getRandomValues = ((bytes: Uint8Array<ArrayBuffer>) => {
    assert.throws(() => wasm.timestampMicros(), { name: "Error", message: /starts it anew/ });
    trapped++;
    return original.call(crypto, bytes);
  }) as typeof original;
  try {
    for (let seals = 0; trapped === 0 && seals < 100; seals++) {
      envelope.seal({});
    }
  } finally {
    crypto.getRandomValues = original;
  }
  assert.deepEqual([trapped, instances], [1, 0]);
  assert.deepEqual(Object.keys(envelope.open(before) as object), ["request_timestamp", "a"]);
  assert.equal(instances, 1);
  WebAssembly.Instance = Instance;
  assert.deepEqual(Object.keys(envelope.open(envelope.seal({ b: 2 })) as object), ["request_timestamp", "b"]);
  const old = new wasm.Envelope("the_old_secret", { layout: "bare" });
  assert.equal(envelope.openWebhook(old.sealWebhook({})).keyIndex, 1);
});

test("a clock that was corrected stays so in the instance after a trap", () => {
  const { internals } = wasm as unknown as Internals;
  const isCorrected = () => Math.abs(wasm.timestampMicros() - (Date.now() + 300_000) * 1_000) < 60_000_000;
  try {
    internals.correctClock(300_000_000);
    assert.ok(isCorrected());
    trap(() => wasm.timestampMicros());
    assert.ok(isCorrected());
    internals.correctClock(0);
    trap(() => wasm.timestampMicros());
    assert.ok(!isCorrected());
  } finally {
    internals.correctClock(0);
  }
});

test("without randomness nothing is sealed by WebAssembly, and everything opens", async () => {
  const copy = (await import(`${import.meta.resolve("cardseal/wasm")}?entropy`)) as Api;
  const envelope = new copy.Envelope(SECRET);
  const other = new wasm.Envelope(SECRET).seal({ a: 1 });
  const own = Object.getOwnPropertyDescriptor(globalThis, "crypto") as PropertyDescriptor;
  const hosts: readonly unknown[] = [
    undefined,
    {},
    { getRandomValues: () => assert.fail("no randomness") },
    { getRandomValues: (bytes: Uint8Array) => bytes.fill(7) },
    { getRandomValues: (bytes: Uint8Array) => bytes },
  ];
  try {
    for (const host of hosts) {
      Object.defineProperty(globalThis, "crypto", { value: host, configurable: true, writable: true });
      const codes = Array.from({ length: 50 }, () => codeOf(copy, () => envelope.seal({})));
      assert.deepEqual([...new Set(codes)], ["entropy_unavailable"]);
      assert.equal(
        codeOf(copy, () => envelope.seal("[]")),
        "invalid_payload",
      );
      assert.ok(envelope.open(other));
    }
    assert.equal(
      codeOf(copy, () => copy.generateIdempotencyKey()),
      "entropy_unavailable",
    );
  } finally {
    Object.defineProperty(globalThis, "crypto", own);
  }
  assert.ok(envelope.seal({}));
});

test("without a clock no stamp is made by WebAssembly", () => {
  const envelope = new wasm.Envelope(SECRET);
  const dateNow = Date.now;
  const clocks: readonly (() => unknown)[] = [
    () => Number.NaN,
    () => 0,
    () => -1,
    () => undefined,
    () => Symbol("now"),
    () => assert.fail("no clock"),
  ];
  try {
    for (const clock of clocks) {
      Date.now = clock as typeof dateNow;
      assert.equal(
        codeOf(wasm, () => wasm.timestampMicros()),
        "clock_unavailable",
      );
      assert.equal(
        codeOf(wasm, () => envelope.seal({})),
        "clock_unavailable",
      );
      assert.ok(envelope.seal({ request_timestamp: 5 }));
    }
  } finally {
    Date.now = dateNow;
  }
  assert.ok(envelope.seal({}));
});

test("native code that is called past the package takes no shared memory, and encrypts no nothing", () => {
  const { call } = createRequire(import.meta.url)(`@cardseal/${process.env.CARDSEAL_PLATFORM}`) as {
    call(...given: readonly unknown[]): unknown;
  };
  const [, ...names] = call(0, 0) as readonly string[];
  const [handle] = call(names.indexOf("fromSecret"), 0, undefined, SECRET) as readonly string[];
  const encrypt = (message: unknown) => call(names.indexOf("encrypt"), Number(handle), undefined, message);
  assert.equal(typeof encrypt(new Uint8Array(1)), "string");
  for (const message of [undefined, new Uint8Array(new SharedArrayBuffer(8))]) {
    assert.deepEqual((encrypt(message) as readonly unknown[]).slice(0, 2), [1, "invalid_payload"]);
  }
  call(names.indexOf("release"), Number(handle), undefined);
});

test("native code that is called past the package, with anything at all, neither crashes nor throws", () => {
  type Native = (...given: readonly unknown[]) => unknown;
  const { call, seal, write } = createRequire(import.meta.url)(`@cardseal/${process.env.CARDSEAL_PLATFORM}`) as Record<
    "call" | "seal" | "write",
    Native
  >;
  const anything = fc.oneof(
    fc.anything({ withBigInt: true, withDate: true, withTypedArray: true, withSparseArray: true }),
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      Symbol("x"),
      () => 0,
      new Proxy({}, {}),
      new SharedArrayBuffer(8),
      new DataView(new ArrayBuffer(8)),
    ),
    fc.constant(new Float64Array(2)),
    fc.int32Array(),
  );
  const given = fc.tuple(
    fc.oneof(fc.nat(30), anything),
    fc.oneof(fc.nat(3), anything),
    fc.array(anything, { maxLength: 12 }),
  );
  fc.assert(
    fc.property(given, ([operation, handle, rest]) => {
      const clock = rest.length % 2 ? [new Float64Array(2)] : [];
      call(operation, handle, ...clock, ...rest);
      call(...rest);
      seal(operation, handle, ...clock, ...rest);
      write(...rest);
    }),
    { numRuns: 20_000, seed: 7 },
  );
  const entries = fc.array(fc.tuple(fc.integer({ min: -2, max: 9 }), fc.nat(15)), { maxLength: 40 });
  fc.assert(
    fc.property(entries, fc.string({ unit: "binary" }), fc.array(anything), fc.nat(2), (entries, short, long, head) => {
      const tape = Int32Array.from([
        entries.length + 3,
        short.length,
        head,
        ...entries.map(([of, kind]) => of * 16 + kind),
      ]);
      const after = tape.slice();
      if (head === 2) {
        write(after, long, short);
      }
      seal(SEAL_RESPONSE, 0, undefined, tape, long, short);
    }),
    { numRuns: 20_000, seed: 7 },
  );
  const tape = Int32Array.of(4, 0, 1, LONG_STRING);
  const taking = Object.defineProperty([], 0, { get: () => structuredClone(tape, { transfer: [tape.buffer] }) && "x" });
  assert.equal(write(tape, taking, ""), true);
  assert.equal(tape.length, 0);
  call();
  seal();
  write();
});

/** The operation's number, and an entry of a tape. */
const SEAL_RESPONSE = 5;
const LONG_STRING = 9;
