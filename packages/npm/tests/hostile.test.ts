/** Bad input: whatever comes in, an EnvelopeError or a TypeError comes out, and the next call works. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { type Api, codeOf, ENGINES, SECRET } from "./support/engines.js";

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
    ];
    for (const open of openers) {
      for (const body of bodies) {
        assert.throws(() => open(body as never), TypeError, String(body));
      }
    }
  });

  test(`payloads without a JSON form are TypeErrors (${name})`, () => {
    for (const seal of sealers) {
      for (const payload of [undefined, Symbol("payload"), () => ({})]) {
        assert.throws(() => seal(payload as never), TypeError);
      }
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
    assert.throws(() => api.Envelope.fromKey(bytes), TypeError);
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
    const runs = { numRuns: 10_000, seed: 5 };
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

const [, wasm] = ENGINES.find(([name]) => name === "wasm") as readonly [string, Api];

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

test("without randomness nothing is sealed by WebAssembly, and everything opens", async () => {
  const copy = (await import(`${import.meta.resolve("cardseal/wasm")}?entropy`)) as Api;
  const envelope = new copy.Envelope(SECRET);
  const other = new wasm.Envelope(SECRET).seal({ a: 1 });
  const own = Object.getOwnPropertyDescriptor(globalThis, "crypto") as PropertyDescriptor;
  const hosts: readonly unknown[] = [
    undefined,
    {},
    { getRandomValues: () => assert.fail("no randomness") },
    { getRandomValues: (bytes: Uint8Array) => bytes.fill(7) }, // the first of these is taken for random
  ];
  try {
    for (const host of hosts) {
      Object.defineProperty(globalThis, "crypto", { value: host, configurable: true, writable: true });
      const codes = Array.from({ length: 50 }, () => codeOf(copy, () => envelope.seal({})));
      assert.equal(codes.at(-1), "entropy_unavailable");
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

test("native code that is called past the package, with anything at all, neither crashes nor throws", () => {
  const { call } = createRequire(import.meta.url)(`@cardseal/${process.env.CARDSEAL_PLATFORM}`) as {
    call(...given: readonly unknown[]): unknown;
  };
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
    }),
    { numRuns: 20_000, seed: 7 },
  );
  call();
});
