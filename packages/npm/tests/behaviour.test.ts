/** What the package does beyond the vectors: JavaScript's own values, printing, clocks, copies side by side. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { inspect } from "node:util";
import { Worker } from "node:worker_threads";
import { type Api, codeOf, ENGINES, SECRET } from "./support/engines.js";
import { keyOf, openField } from "./support/secretbox.js";

for (const [name, api] of ENGINES) {
  const envelope = new api.Envelope(SECRET);
  const textOf = (body: string) => Buffer.from(envelope.decrypt(JSON.parse(body).encrypted)).toString("utf8");

  test(`a payload is what JSON.stringify writes (${name})`, () => {
    class Money {
      constructor(readonly cents: number) {}
      toJSON() {
        return (this.cents / 100).toFixed(2);
      }
    }
    const payload = {
      card_id: "card_äöü😀",
      amount: new Money(1_000),
      none: undefined,
      when: new Date(0),
      list: [1, undefined],
    };
    assert.equal(textOf(envelope.sealWebhook(payload)), JSON.stringify(payload));
    assert.match(
      textOf(envelope.seal({ request_timestamp: undefined, a: 1 })),
      /^\{"request_timestamp":\d{16},"a":1\}$/,
    );
    assert.equal(textOf(envelope.sealResponse(null)), "null");
    assert.equal(textOf(envelope.sealResponse([1.5])), "[1.5]");
    assert.equal(textOf(envelope.sealResponse('"text is JSON text"')), '"text is JSON text"');
    assert.equal(textOf(envelope.sealWebhook(Buffer.from('{"a": 1.0}'))), '{"a": 1.0}');
    assert.equal(
      codeOf(api, () => envelope.seal(Buffer.from([0x7b, 0xff, 0x7d]))),
      "invalid_payload",
    );
    assert.deepEqual(payload.list, [1, undefined]);
  });

  test(`a body is text, bytes, or an object (${name})`, () => {
    const body = envelope.sealResponse({ ok: true });
    const bytes = new TextEncoder().encode(body);
    const wider = new Uint8Array(bytes.length + 20);
    wider.set(bytes, 7);
    const forms = [body, bytes, Buffer.from(body), bytes.buffer, wider.subarray(7, 7 + bytes.length), JSON.parse(body)];
    for (const form of forms) {
      assert.deepEqual(envelope.open(form), { ok: true });
      assert.deepEqual(envelope.openResponse(200, form), { ok: true });
      assert.deepEqual(envelope.openWebhook(form).payload, { ok: true });
    }
    assert.equal(
      codeOf(api, () => envelope.open({} as never)),
      "envelope_not_found",
    );
    assert.equal(
      codeOf(api, () => envelope.open([] as never)),
      "envelope_not_found",
    );
    assert.equal(
      codeOf(api, () => envelope.open({ encrypted: 5 })),
      "invalid_envelope",
    );
  });

  test(`texts of every length and width come through (${name})`, () => {
    for (const character of ["a", "é", "€", "😀"]) {
      for (const length of [
        0, 1, 30, 340, 341, 342, 1_023, 1_024, 1_025, 1_365, 1_366, 4_090, 4_096, 20_000, 100_000,
      ]) {
        const payload = { text: character.repeat(length) };
        assert.deepEqual(envelope.open(envelope.sealResponse(payload)), payload, `${length} × ${character}`);
        assert.equal(Buffer.from(envelope.decrypt(envelope.encrypt(payload.text))).toString(), payload.text);
      }
    }
    const mixed = `${"a".repeat(5_000)}😀${"b".repeat(5_000)}\ufeff`;
    assert.equal(envelope.open<string>(envelope.sealResponse(JSON.stringify(mixed))), mixed);
    assert.equal(envelope.openWebhook(envelope.sealWebhook({ type: "\ufeffx" })).type, "\ufeffx");
  });

  test(`what a call leaves behind never gets into the next (${name})`, () => {
    const lengths = [5, 40_000, 0, 3_000, 150_000, 700, 90_000, 1, 5_000, 20_000, 400_000, 33];
    for (const [turn, length] of lengths.entries()) {
      for (const character of ["a", "é", "€"]) {
        const payload = { text: character.repeat(length), turn };
        const refused = `{"text":"${payload.text}","text":"twice"}`;
        for (const text of [refused, Buffer.from(refused)]) {
          assert.equal(
            codeOf(api, () => envelope.seal(text)),
            "invalid_payload",
          );
        }
        const spaced = ` \n${JSON.stringify(payload)}\t `;
        const stamped = { ...payload, request_timestamp: "17" };
        assert.deepEqual(envelope.open(envelope.sealResponse(spaced)), payload);
        assert.deepEqual(envelope.open(envelope.sealWebhook(Buffer.from(spaced))), payload);
        assert.deepEqual(envelope.open(envelope.seal(stamped)), stamped);
        const { body } = envelope.sealRequest("/cards/get", stamped, { apiKey: "key_1" });
        assert.deepEqual(envelope.openRequest<typeof payload>(body).payload.text, payload.text);
      }
    }
  });

  test(`the document's way opens what is sealed here (${name})`, () => {
    const { encrypted } = JSON.parse(
      envelope.seal('{"request_timestamp": 1700000000000000, "card_id": "card_abc123"}'),
    );
    const { message } = openField(encrypted, keyOf(SECRET));
    assert.equal(Buffer.from(message).toString(), '{"request_timestamp": 1700000000000000, "card_id": "card_abc123"}');
  });

  test(`integers beyond a number's reach become BigInts on request, and nothing else does (${name})`, () => {
    const json =
      ' { "big" : 9007199254740993, "negative":-9007199254740993 ,"edge":9007199254740991,"float":9007199254740993.0,' +
      '"exponent":1e30,"text":"9007199254740993 \\" \\\\","list":[ 18446744073709551615 , [ ] , { } , null,true,false,-0 ],' +
      '"__proto__":{"deep":123456789012345678901234567890},"\\u00e9\\n":"" } ';
    const body = envelope.sealResponse(json);
    const opened = envelope.open<Record<string, unknown>>(body, { bigints: true });
    assert.equal(opened.big, 9007199254740993n);
    assert.equal(opened.negative, -9007199254740993n);
    assert.equal(opened.edge, 9007199254740991);
    assert.equal(opened.float, 9007199254740992);
    assert.equal(opened.exponent, 1e30);
    assert.deepEqual(opened.list, [18446744073709551615n, [], {}, null, true, false, -0]);
    const inexact = (_: string, value: unknown) => (typeof value === "bigint" ? Number(value) : value);
    assert.equal(JSON.stringify(opened, inexact), JSON.stringify(envelope.open(body), inexact));
    const numbers = { openRequest: '{"request_timestamp":1700000000000000,"n":9007199254740993}' };
    const request = envelope.openRequest<{ n: bigint }>(envelope.seal(numbers.openRequest), {
      nowMicros: 1_700_000_000_000_000,
      bigints: true,
    });
    assert.equal(request.payload.n, 9007199254740993n);
    const webhook = envelope.openWebhook(envelope.sealWebhook('{"timestamp":9007199254740993}'), { bigints: true });
    assert.equal(webhook.timestamp, 9007199254740993n);
    for (const bigints of [false, true]) {
      try {
        envelope.openResponse(400, body, { bigints });
        assert.fail("it is an error");
      } catch (error) {
        const { payload } = error as { payload?: { big?: unknown } };
        assert.equal(payload?.big, bigints ? 9007199254740993n : 9007199254740992);
      }
    }
  });

  test(`no payload reaches a prototype (${name})`, () => {
    const json = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"a":{"__proto__":[1]}}';
    for (const bigints of [false, true]) {
      const opened = envelope.open<Record<string, unknown>>(envelope.sealResponse(json), { bigints });
      assert.deepEqual(Object.keys(opened), ["__proto__", "constructor", "a"]);
      assert.equal(Object.getPrototypeOf(opened), Object.prototype);
      assert.deepEqual(Object.getOwnPropertyDescriptor(opened, "__proto__")?.value, { polluted: true });
      assert.equal(({} as Record<string, unknown>).polluted, undefined);
    }
  });

  test(`nothing prints a key or a payload (${name})`, () => {
    const secret = "a_secret_that_nobody_may_see";
    const rotated = new api.Envelope(secret, { openSecrets: [`old_${secret}`] });
    const ofKey = api.Envelope.fromKey(keyOf(secret), { openKeys: [keyOf(`old_${secret}`)] });
    const errors: unknown[] = [];
    for (const call of [
      () => rotated.openResponse(403, rotated.sealResponse({ success: false, error: "no", card: "4111111111111111" })),
      () => rotated.open(envelope.seal({ card: "4111111111111111" })),
      () => rotated.seal('{"card":"4111111111111111","card":"4111111111111111"}'),
      () => rotated.seal({ request_timestamp: "4111111111111111x" }),
      () => new api.Envelope("short"),
    ]) {
      try {
        call();
        assert.fail("it should have failed");
      } catch (error) {
        errors.push(error);
      }
    }
    const seen = [secret, "short", "4111", Buffer.from(keyOf(secret)).toString("hex"), [...keyOf(secret)].join(",")];
    const deep = { showHidden: true, depth: null, getters: false } as const;
    for (const thing of [rotated, ofKey, ...errors]) {
      const clone = structuredClone(thing);
      const texts = [
        inspect(thing, deep),
        inspect(clone, deep),
        JSON.stringify(thing),
        JSON.stringify(clone),
        String(thing),
        `${inspect({ thing })}`,
      ];
      for (const text of texts) {
        const printed = text.split("\n    at ")[0] ?? ""; // a stack names this file's functions
        assert.ok(!seen.some((forbidden) => printed.includes(forbidden)), printed);
      }
    }
    assert.equal(inspect(rotated), "Envelope { layout: 'versioned', maxBytes: 10485760 }");
    assert.deepEqual(Reflect.ownKeys(rotated), ["layout", "maxBytes"]);
  });

  test(`a sealed request holds what is to be sent (${name})`, () => {
    const payload = Object.freeze({ card_id: "card_abc123", amount: "10.00", request_timestamp: 5 });
    const sealed = envelope.sealRequest("https://api.example.com/api/v1/cards/topup?x=1", payload, {
      apiKey: "key_1",
      idempotencyKey: "i-1",
    });
    assert.deepEqual(sealed.headers, {
      "API-KEY": "key_1",
      "Content-Type": "application/json",
      "Idempotency-Key": "i-1",
    });
    assert.equal(sealed.path, "/api/v1/cards/topup");
    const request = envelope.openRequest<typeof payload>(sealed.body);
    assert.deepEqual(request.payload, { ...payload, request_timestamp: sealed.timestampMicros });
    assert.deepEqual(
      [request.nonce, request.timestampMicros, request.keyIndex],
      [sealed.nonce, sealed.timestampMicros, 0],
    );
    assert.equal(
      codeOf(api, () => envelope.openResponse(200, sealed.body, { request: sealed })),
      "reflected_response",
    );
    assert.equal(
      codeOf(api, () => envelope.openResponse(500, sealed.body, { request: sealed.body })),
      "reflected_response",
    );
    assert.equal(
      codeOf(api, () => envelope.sealRequest("/cards/topup", {}, { apiKey: "key_1" })),
      "idempotency_key_required",
    );
  });

  test(`a store that throws, rejects or says nothing true is not a fresh request (${name})`, async () => {
    const keys = { timestamp: "a", nonce: "b" };
    const codeFrom = (claim: (key: string) => unknown, claimAll?: (keys: string[]) => unknown) =>
      api.claimRequest({ claim, ...(claimAll && { claimAll }) } as never, keys).then(
        () => "ok",
        (error: unknown) =>
          codeOf(api, () => {
            throw error;
          }),
      );
    const claimed: string[] = [];
    assert.equal(await codeFrom((key) => claimed.push(key) > 0), "ok");
    assert.deepEqual(claimed, ["a", "b"]);
    assert.equal(await codeFrom(async () => true), "ok");
    assert.equal(await codeFrom((key) => key === "a"), "duplicate_request");
    assert.equal(await codeFrom(() => "OK"), "duplicate_request");
    assert.equal(await codeFrom(() => undefined), "duplicate_request");
    const never = () => assert.fail("claims one by one");
    assert.equal(await codeFrom(never, (all) => all.map(() => true)), "ok");
    assert.equal(await codeFrom(never, async () => [true, false]), "duplicate_request");
    assert.equal(await codeFrom(never, () => [true]), "replay_store_unavailable");
    assert.equal(await codeFrom(never, () => Promise.reject(new Error("down"))), "replay_store_unavailable");
    for (const failing of ["a", "b"]) {
      assert.equal(
        await codeFrom((key) => (key === failing ? Promise.reject(new Error("redis://:password@host")) : false)),
        "replay_store_unavailable",
      );
      assert.equal(
        await codeFrom((key) => {
          if (key === failing) throw new Error("down");
          return true;
        }),
        "replay_store_unavailable",
      );
    }
    let now = 0;
    const full = new api.MemoryReplayStore({ maxKeys: 2, now: () => now });
    assert.deepEqual([full.claim("long", 1_000), full.claim("short", 10)], [true, true]);
    assert.equal(
      codeOf(api, () => full.claim("third", 10)),
      "replay_store_unavailable",
    );
    now = 10;
    assert.deepEqual([full.claim("third", 10), full.claim("long", 10), full.size], [true, false, 2]);
    const broken = new api.MemoryReplayStore({ now: () => Number.NaN });
    assert.equal(
      codeOf(api, () => broken.claim("a", 70_000)),
      "replay_store_unavailable",
    );
  });
}

test("timestamps increase over both engines and over copies of the package", async () => {
  const copies: Api[] = ENGINES.map(([, api]) => api);
  copies.push((await import(`${import.meta.resolve("cardseal/wasm")}?copy`)) as Api);
  copies.push(
    createRequire(import.meta.url)("cardseal") as Api,
    createRequire(import.meta.url)("cardseal/wasm") as Api,
  );
  let last = 0;
  for (let turn = 0; turn < 20_000; turn++) {
    const stamp = copies[turn % copies.length]?.timestampMicros() ?? 0;
    assert.ok(stamp > last, `${stamp} after ${last}`);
    last = stamp;
  }
  const shared = (globalThis as Record<symbol, unknown>)[Symbol.for("cardseal.clock")];
  assert.ok(shared instanceof Float64Array && shared[0] === last);
});

test("instanceof holds between copies of the package, and for nothing else", () => {
  const require = createRequire(import.meta.url);
  const copies = [...ENGINES.map(([, api]) => api), require("cardseal") as Api, require("cardseal/wasm") as Api];
  const errors = copies.flatMap((api) => {
    const envelope = new api.Envelope(SECRET);
    return [() => envelope.open("{}"), () => envelope.openResponse(404, "no")].map((call) => {
      try {
        return call();
      } catch (error) {
        return error;
      }
    });
  });
  for (const api of copies) {
    class Own extends api.EnvelopeError {}
    assert.deepEqual(
      errors.map((error) => [error instanceof api.EnvelopeError, error instanceof api.ApiError, error instanceof Own]),
      copies.flatMap(() => [
        [true, false, false],
        [false, true, false],
      ]),
    );
    const own = new Own("replay_store_unavailable", "the store is down: try again");
    assert.ok(own instanceof Own && own instanceof api.EnvelopeError && own instanceof Error);
    for (const other of [new Error("no"), {}, null, undefined, 5, "x", Object.create(null)]) {
      assert.ok(!(other instanceof api.EnvelopeError) && !(other instanceof api.ApiError));
    }
  }
});

test("nonsense in the shared clock is dropped", () => {
  const clock = Symbol.for("cardseal.clock");
  const realm = globalThis as Record<symbol, unknown>;
  const before = realm[clock];
  for (const nonsense of [
    undefined,
    null,
    5,
    "x",
    [1, 2],
    new Float64Array(1),
    new Float64Array([Number.NaN, 1]),
    new Float64Array([9e15, 1]),
    new Float64Array(new SharedArrayBuffer(16)),
    new Proxy(new Float64Array(2), {}),
    new Proxy(new Float64Array(2), { get: () => assert.fail("trap"), getPrototypeOf: () => assert.fail("trap") }),
    Object.setPrototypeOf({ length: 2, set: () => assert.fail("trap") }, Float64Array.prototype),
    Object.defineProperty(new Float64Array(1), "length", { value: 2 }),
    Object.assign(new Float64Array(2), { set: () => assert.fail("trap") }),
    Object.defineProperty(new BigInt64Array(2), Symbol.toStringTag, { value: "Float64Array" }),
  ]) {
    realm[clock] = nonsense;
    for (const [, api] of ENGINES) {
      assert.ok(Math.abs(api.timestampMicros() - Date.now() * 1_000) < 60_000_000);
    }
  }
  Object.defineProperty(globalThis, clock, { get: () => assert.fail("trap"), configurable: true });
  for (const [, api] of ENGINES) {
    assert.ok(api.timestampMicros() > 0);
  }
  Object.defineProperty(globalThis, clock, { value: before, configurable: true, writable: true });
});

test("threads of one process never share a nonce or, with native code, a timestamp", async () => {
  const source = `
    import { parentPort, workerData } from "node:worker_threads";
    const api = await import(workerData);
    const envelope = new api.Envelope(${JSON.stringify(SECRET)});
    const sealed = [];
    for (let index = 0; index < 2000; index++) {
      const { nonce, timestampMicros } = envelope.sealRequest("/cards/get", {}, { apiKey: "key_1" });
      sealed.push([Buffer.from(nonce).toString("hex"), timestampMicros]);
    }
    parentPort.postMessage(sealed);
  `;
  for (const entry of ["cardseal", "cardseal/wasm"]) {
    const threads = Array.from({ length: 4 }, () => {
      const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
      const worker = new Worker(url, { workerData: import.meta.resolve(entry) });
      return new Promise<readonly [string, number][]>((done, fail) => worker.once("message", done).once("error", fail));
    });
    const sealed = (await Promise.all(threads)).flat();
    assert.equal(sealed.length, 8_000);
    assert.equal(new Set(sealed.map(([nonce]) => nonce)).size, 8_000);
    if (entry === "cardseal") {
      assert.equal(new Set(sealed.map(([, stamp]) => stamp)).size, 8_000);
    }
  }
});

test("texts so large that native code lends them come back whole, whatever becomes of others", async () => {
  for (const [name, api] of ENGINES) {
    const envelope = new api.Envelope(SECRET);
    for (const filler of ["x", "é", "漢"]) {
      for (const length of [131_060, 131_072, 200_000]) {
        const payload = { filler: filler.repeat(length) };
        const bodies = [envelope.seal(payload), envelope.sealResponse(payload)];
        await collectGarbage();
        for (const body of bodies) {
          assert.equal(envelope.open<typeof payload>(body).filler, payload.filler, `${name} ${filler} ${length}`);
        }
        assert.notEqual(bodies[0], bodies[1]);
      }
    }
  }
});

test("a worker can end while strings are left whose memory is native code's", async () => {
  const source = `
    import { workerData } from "node:worker_threads";
    const api = await import(workerData);
    const envelope = new api.Envelope(${JSON.stringify(SECRET)});
    globalThis.kept = Array.from({ length: 8 }, () => envelope.seal({ filler: "x".repeat(200_000) }));
    globalThis.kept.push(...globalThis.kept.map((body) => envelope.open(body).filler));
  `;
  for (let turn = 0; turn < 3; turn++) {
    const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
    const worker = new Worker(url, { workerData: import.meta.resolve("cardseal") });
    assert.equal(await new Promise((done, fail) => worker.once("exit", done).once("error", fail)), 0);
  }
});

test("native code forgets the keys of envelopes that nobody has any more", async () => {
  const [, api] = ENGINES.find(([name]) => name === "napi") ?? assert.fail();
  const { call } = createRequire(import.meta.url)(`@cardseal/${process.env.CARDSEAL_PLATFORM}`) as {
    call(operation: number, handle: number, clock: undefined, ...fields: readonly string[]): readonly string[];
  };
  /** The number that the next envelope gets: the lowest that is free. */
  const next = () => Number(call(FROM_SECRET, 0, undefined, SECRET)[0]);
  const before = next();
  makeEnvelopes(api, 1_000);
  assert.ok(next() >= before + 1_000);
  await collectGarbage();
  assert.ok(next() < before + 100, "their numbers are given out again");
});

test("WebAssembly forgets the keys of envelopes that nobody has any more", async () => {
  const calls = await watched("release", (copy) => makeEnvelopes(copy, 1_000));
  const released = () => calls.filter(([operation]) => operation === RELEASE).length;
  assert.equal(released(), 0);
  const clock = Symbol.for("cardseal.clock");
  const before = Object.getOwnPropertyDescriptor(globalThis, clock) as PropertyDescriptor;
  let reads = 0;
  Object.defineProperty(globalThis, clock, { get: () => reads++, configurable: true });
  await collectGarbage();
  Object.defineProperty(globalThis, clock, before);
  assert.ok(released() > 900);
  assert.equal(reads, 0); // nobody asked for a stamp, and what a stranger's getter throws would end the process
});

test("a body that is too large is not copied into WebAssembly", async () => {
  const calls = await watched("oversized", (copy) => {
    const envelope = new copy.Envelope(SECRET, { maxBytes: 1_000 });
    const large = "x".repeat(10_000_000);
    for (const body of [
      large,
      Buffer.from(large),
      Buffer.from(large).buffer,
      { encrypted: large },
      "\ud83d\ude00".repeat(1_000_000),
    ]) {
      assert.equal(
        codeOf(copy, () => envelope.open(body as string)),
        "too_large",
      );
    }
    assert.equal(
      codeOf(copy, () => envelope.decrypt(large)),
      "too_large",
    );
    assert.throws(() => envelope.openResponse(500, large), { name: "ApiError", message: "http status 500" });
  });
  assert.ok(calls.length > 7 && calls.every(([, , bytes = 0]) => bytes < 5_000), JSON.stringify(calls));
});

/** Runs with a copy of the module whose calls are written down: operation, handle, bytes of fields. */
async function watched(name: string, run: (copy: Api) => void): Promise<readonly (readonly number[])[]> {
  const calls: (readonly number[])[] = [];
  const { Instance } = WebAssembly;
  type Call = (...given: readonly number[]) => number;
  WebAssembly.Instance = new Proxy(Instance, {
    construct(target, given) {
      const real = Reflect.construct(target, given).exports as { memory: object; reserve: Call; call: Call };
      const call: Call = (...given) => {
        calls.push(given);
        return real.call(...given);
      };
      return { exports: { memory: real.memory, reserve: real.reserve, call } };
    },
  });
  const copy = (await import(`${import.meta.resolve("cardseal/wasm")}?${name}`)) as Api;
  try {
    run(copy);
  } finally {
    WebAssembly.Instance = Instance;
  }
  return calls;
}

function makeEnvelopes(api: Api, count: number): void {
  for (let index = 0; index < count; index++) {
    assert.ok(new api.Envelope(SECRET).layout);
  }
}

async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 5; round++) {
    (globalThis as unknown as { gc(): void }).gc();
    await new Promise((done) => setTimeout(done, 10));
  }
}

/** The numbers of two operations of the engines. */
const FROM_SECRET = 1;
const RELEASE = 3;
