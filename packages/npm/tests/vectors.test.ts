/**
 * Every case of tests/vectors, through the installed package, with each engine.
 *
 * No call takes a nonce. What is sealed is opened by tweetnacl, its plaintext compared with the vector's, and sealed by
 * tweetnacl again under the nonce that was drawn: that has to give the same bytes.
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { MemoryIdempotencyStore } from "cardseal/server";
import { type Api, codeOf, ENGINES, type Internals } from "./support/engines.js";
import { expected, type Step, take, verdict } from "./support/records.js";
import { keyOf, openField, sealField } from "./support/secretbox.js";
import { type Case, families, fromHex, load, type Outcome, run, toHex, type Value } from "./support/vectors.js";

/** What the package's vocabulary does not reach, each for the reason given, and how many cases that are. */
const OUT_OF_REACH: readonly {
  readonly family: string;
  readonly why: string;
  readonly count: number;
  is(given: Case, engine: string): boolean;
}[] = [
  { family: "nonce_pool", why: "the pool is private to the WebAssembly module", count: 17, is: () => true },
  {
    family: "idempotency",
    why: "no call takes random bytes",
    count: 3,
    is: (given) => given.peek("operation") === "random",
  },
  {
    family: "clock",
    why: "the clock of native code is the system's",
    count: 35,
    is: (_, engine) => engine === "napi",
  },
  {
    family: "replay",
    why: "a number does not hold the timestamp",
    count: 1,
    is: (given) => given.name === "replay_keys_of_largest_timestamp",
  },
];

const ran = new Map<string, number>();

for (const [engine, api] of ENGINES) {
  for (const family of families()) {
    test(`vectors of ${family} by ${engine}`, async () => {
      const call = CALLS[family];
      assert.ok(call, `nothing reads the family ${family}`);
      let outOfReach = 0;
      const count = await run(family, (given) => {
        if (OUT_OF_REACH.some((rule) => rule.family === family && rule.is(given, engine))) {
          outOfReach++;
          return [given.expect, given.rest()];
        }
        return call(api, given);
      });
      const rules = OUT_OF_REACH.filter(
        (rule) => rule.family === family && load(family).some((given) => rule.is(given, engine)),
      );
      assert.equal(
        outOfReach,
        rules.reduce((sum, rule) => sum + rule.count, 0),
        `${family}: cases out of reach`,
      );
      ran.set(engine, (ran.get(engine) ?? 0) + count - outOfReach);
    });
  }
}

test("there are as many cases as there have to be, and no name twice", () => {
  const cases = families().flatMap((family) => load(family));
  assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length);
  assert.ok(cases.length >= 1_400, `${cases.length} cases`);
  const passing = cases.filter(({ expect }) => ["ok", "retry_now", "retry_after_backoff"].includes(expect));
  assert.ok(cases.length - passing.length >= 880, `${cases.length - passing.length} failing cases`);
});

after(() => {
  assert.ok((ran.get("wasm") ?? 0) >= 1_420 && (ran.get("napi") ?? 0) >= 1_390, JSON.stringify([...ran]));
  console.log(`# vectors: ${[...ran].map(([engine, count]) => `${count} by ${engine}`).join(", ")}`);
});

const CALLS: Readonly<Record<string, (api: Api, given: Case) => Outcome | Promise<Outcome>>> = {
  key(api, given) {
    const expected = given.peek("derived_key_hex");
    const options = given.peek("layout");
    return outcome(api, () => {
      const envelope = envelopeOf(api, given);
      assert.ok(expected !== undefined, "this envelope should not have been made");
      const ofKey = api.Envelope.fromKey(fromHex(expected as string), { layout: options as "bare" | undefined });
      // The key never leaves an envelope. Where there is no room for a message, an empty one has to do.
      const sealed = envelope.maxBytes < 100 ? undefined : envelope.encrypt("message");
      assert.ok(sealed === undefined || Buffer.from(ofKey.decrypt(sealed)).toString() === "message");
      return { derived_key_hex: expected as string };
    });
  },

  seal(api, given) {
    const operation = given.text("operation");
    const secret = given.peek("secret") as string | undefined;
    const layout = (given.peek("layout") ?? "versioned") as string;
    const key = secret === undefined ? fromHex(given.peek("key_hex") as string) : keyOf(secret);
    const envelope = envelopeOf(api, given);
    const nonce = given.bytes("nonce_hex");
    const stamp = given.optional("timestamp_micros");
    /** The vector's plaintext and body, if the field holds that plaintext under the nonce it came with. */
    const compare = (body: string, ownStamp?: number) => {
      const field = (JSON.parse(body) as { encrypted: string }).encrypted;
      assert.equal(body, `{"encrypted":"${field}"}`);
      const opened = openField(field, key, layout);
      assert.equal(sealField(opened.message, opened.nonce, key, layout), field, given.name);
      let plaintext = Buffer.from(opened.message).toString("utf8");
      if (stamp !== undefined && plaintext !== given.peek("plaintext")) {
        const own = ownStamp ?? Number(/^\{"request_timestamp":(\d+)/.exec(plaintext)?.[1]);
        plaintext = plaintext.replace(String(own), String(stamp));
      }
      const expected = sealField(Buffer.from(plaintext), nonce, key, layout);
      return { plaintext, body: `{"encrypted":"${expected}"}` };
    };
    switch (operation) {
      case "seal":
        return outcome(api, () => compare(envelope.seal(given.text("payload"))));
      case "seal_request": {
        const [path, apiKey, payload] = [given.text("path"), given.text("api_key"), given.text("payload")];
        const idempotencyKey = given.optional("idempotency_key") as string | undefined;
        return outcome(api, () => {
          const sealed = envelope.sealRequest(path, payload, { apiKey, idempotencyKey });
          assert.deepEqual(openField(JSON.parse(sealed.body).encrypted, key, layout).nonce, sealed.nonce);
          assert.equal(sealed.idempotencyKey, idempotencyKey);
          const headers = Object.entries(sealed.headers);
          return { ...compare(sealed.body, sealed.timestampMicros), headers, normalized_path: sealed.path };
        });
      }
      case "seal_response":
        return outcome(api, () => compare(envelope.sealResponse(given.text("payload"))));
      case "seal_webhook":
        return outcome(api, () => compare(envelope.sealWebhook(given.text("payload"))));
      case "encrypt": {
        const message = given.bytes("message_hex");
        return outcome(api, () => {
          const opened = openField(envelope.encrypt(message), key, layout);
          assert.deepEqual(opened.message, message);
          return { field: sealField(opened.message, nonce, key, layout) };
        });
      }
      default:
        return assert.fail(`unknown operation ${operation}`);
    }
  },

  open: openCase,
  base64: openCase,

  json(api, given) {
    const envelope = new api.Envelope("a secret");
    const body = given.has("text") ? given.text("text") : given.bytes("text_hex");
    const code = codeOf(api, () => envelope.open(body));
    assert.notEqual(code, "ok");
    return [code === "invalid_json" ? code : "ok", {}];
  },

  payload(api, given) {
    const payload = given.text("payload");
    const expected = given.peek("timestamp_micros");
    return outcome(api, () => ({ timestamp_micros: asExpected(api.validatePayload(payload), expected) }));
  },

  timestamp(api, given) {
    assert.equal(given.text("operation"), "grammar");
    const payload = `{"request_timestamp":${given.text("value")}}`;
    const expected = given.peek("timestamp_micros");
    return outcome(api, () => ({ timestamp_micros: asExpected(api.validatePayload(payload), expected) }));
  },

  window(api, given) {
    const envelope = new api.Envelope("a secret");
    const [timestamp, nowMicros, windowSeconds] = [
      given.take("timestamp_micros"),
      given.number("now_micros"),
      given.number("window_seconds"),
    ];
    const body = envelope.sealWebhook(`{"request_timestamp":${timestamp}}`);
    return outcome(api, () => nothing(envelope.openRequest(body, { nowMicros, windowSeconds })), given);
  },

  request: openRequestCase,

  precedence(api, given) {
    const faults = given.take("faults");
    assert.ok(Array.isArray(faults) && faults.length === 2 && faults[0] === given.expect);
    return openRequestCase(api, given);
  },

  path(api, given) {
    const path = given.text("path");
    return outcome(api, () => {
      const normalized = api.normalizePath(path);
      assert.equal(api.normalizePath(normalized), normalized);
      const required = api.requiredHeaders(path).includes("Idempotency-Key");
      return { normalized_path: normalized, kind: api.endpointKind(path), idempotency_key_required: required };
    });
  },

  async replay(api, given) {
    if (given.text("operation") === "keys") {
      const [apiKey, path] = [given.text("api_key"), given.text("path")];
      const request = { timestampMicros: given.number("timestamp_micros"), nonce: given.bytes("nonce_hex") };
      return outcome(api, () => {
        const keys = api.replayKeys(apiKey, path, request);
        return { timestamp_key: keys.timestamp, nonce_key: keys.nonce };
      });
    }
    let now = 0;
    const store = new api.MemoryReplayStore({
      maxKeys: given.optional("max_keys") as number | undefined,
      now: () => now,
    });
    let last = "ok";
    for (const claim of given.take("claims") as readonly Record<string, string | number>[]) {
      now = claim.now_millis as number;
      const keys = { timestamp: claim.timestamp_key as string, nonce: claim.nonce_key as string };
      last = await api.claimRequest(store, keys).then(
        () => "ok",
        (error: unknown) =>
          codeOf(api, () => {
            throw error;
          }),
      );
      assert.equal(last, claim.expect, given.name);
    }
    return [last, {}];
  },

  idempotency(api, given) {
    const operation = given.text("operation");
    if (operation === "derive") {
      const [namespace, id] = [given.text("namespace"), given.text("id")];
      return outcome(api, () => ({ key: api.deriveIdempotencyKey(namespace, id) }));
    }
    assert.equal(operation, "check");
    const idempotencyKey = given.text("key");
    const envelope = new api.Envelope("a secret");
    return outcome(api, () => nothing(envelope.sealRequest("/cards/get", {}, { apiKey: "key_1", idempotencyKey })));
  },

  fingerprint(api, given) {
    const [path, payload] = [given.text("path"), given.text("payload")];
    return outcome(api, () => {
      const [fingerprint, canonical] = [api.fingerprint(path, payload), api.canonicalJson(payload)];
      assert.equal(api.canonicalJson(canonical), canonical);
      return { canonical, fingerprint };
    });
  },

  async records(api, given) {
    if (given.text("operation") === "key") {
      // A store of records shows the key of one in its token.
      const [apiKey, idempotencyKey] = [given.text("api_key"), given.text("idempotency_key")];
      const begun = await settled(api, new MemoryIdempotencyStore().begin(apiKey, idempotencyKey, "f"));
      return "code" in begun
        ? [begun.code, {}]
        : ["ok", { record_key: (begun.value as { token: string }).token.split(":")[0] as string }];
    }
    let now = 0;
    const maxRecords = given.optional("max_records") as number | undefined;
    const store = new MemoryIdempotencyStore({ maxRecords, now: () => now });
    let last = "ok";
    for (const step of given.take("steps") as unknown as readonly Step[]) {
      now = step.now_millis;
      const outcome = await take(store, step);
      assert.deepEqual(outcome, expected(step), given.name);
      last = verdict(outcome);
    }
    return [last, {}];
  },

  async clock(_, given) {
    const offset = given.optional("offset_micros") as number | undefined;
    const shared = given.optional("shared");
    const readings = given.take("readings_micros") as readonly number[];
    // Each case needs a clock of its own, and so a copy of the module of its own.
    const copy = (await import(`${import.meta.resolve("cardseal/wasm")}?${given.name}`)) as Api;
    copy.engineName(); // asks no clock
    if (offset !== undefined) {
      (copy as unknown as Internals).internals.correctClock(offset);
    }
    const cell = Float64Array.from((shared ?? [0, 0]) as readonly (number | bigint)[], Number);
    const clock = Symbol.for("cardseal.clock");
    const [before, dateNow] = [Object.getOwnPropertyDescriptor(globalThis, clock), Date.now];
    const stamps: number[] = [];
    try {
      Object.defineProperty(globalThis, clock, { value: cell, configurable: true, writable: true });
      for (const reading of readings) {
        Date.now = () => reading / 1_000;
        stamps.push(copy.timestampMicros());
        assert.equal(cell[0], stamps.at(-1));
        assert.equal(cell[1], reading);
      }
      return ["ok", { stamps_micros: stamps }];
    } catch (error) {
      return [
        codeOf(copy, () => {
          throw error;
        }),
        { stamps_micros: stamps },
      ];
    } finally {
      Date.now = dateNow;
      Object.defineProperty(globalThis, clock, before ?? { value: undefined, configurable: true, writable: true });
    }
  },

  nonce_pool: () => assert.fail("out of reach"),

  response(api, given) {
    const status = given.number("status");
    const envelope = envelopeOf(api, given);
    const body = bodyOf(given);
    const request = given.optional("request") as string | undefined;
    const expected = given.peek("payload");
    try {
      // The expected text is compared as the value that it stands for.
      assert.deepEqual(envelope.openResponse(status, body, { request }), JSON.parse(expected as string));
      return ["ok", { payload: expected as string }];
    } catch (error) {
      if (error instanceof api.ApiError) {
        const { slug = null, code = null, message, failureClass, encrypted, payload } = error;
        assert.equal(error.status, status);
        const text = (given.peek("api_error") as { payload: string | null } | undefined)?.payload ?? null;
        assert.deepEqual(payload, text === null ? undefined : JSON.parse(text));
        return [
          "api_error",
          { api_error: { slug, code, message, failure_class: failureClass, encrypted, payload: text } },
        ];
      }
      const code = codeOf(api, () => {
        throw error;
      });
      const { failureClass, status: given_status } = error as InstanceType<Api["EnvelopeError"]>;
      assert.equal(given_status, status);
      return [code, { failure_class: failureClass as string }];
    }
  },

  retry(api, given) {
    const code = given.optional("code") as string | undefined;
    const decision = api.shouldRetry({
      kind: given.text("kind") as "read",
      failureClass: given.text("failure_class") as "never",
      code,
      sent: given.text("sent") as "no",
      hasKey: given.take("has_key") as boolean,
      attempt: given.number("attempt"),
    });
    return [decision, {}];
  },

  webhook(api, given) {
    const envelope = envelopeOf(api, given);
    const body = bodyOf(given);
    const [plaintext, timestamp] = [given.peek("plaintext"), given.peek("timestamp")];
    return outcome(api, () => {
      const webhook = envelope.openWebhook(body);
      assert.deepEqual(webhook.payload, JSON.parse(plaintext as string));
      assert.deepEqual(webhook.timestamp, timestamp === null ? undefined : JSON.parse(timestamp as string));
      return {
        plaintext: plaintext as string,
        type: webhook.type ?? null,
        timestamp: timestamp as string,
        delivery_id: webhook.deliveryId ?? null,
        dedupe_key: webhook.dedupeKey,
        key_index: webhook.keyIndex,
      };
    });
  },

  status(api, given) {
    const models: Record<string, Api["OrderStatus"]> = {
      OrderStatus: api.OrderStatus,
      CardIssueStatus: api.CardIssueStatus as never,
      CardTopupStatus: api.CardTopupStatus as never,
    };
    const lists: Record<string, Pick<Api["OrderStatus"], "isKnown">> = {
      ...models,
      CardStatus: api.CardStatus as never,
      CardholderRegistrationStatus: api.CardholderRegistrationStatus as never,
      CardholderKycStatus: api.CardholderKycStatus as never,
      CardholderKycLevel: api.CardholderKycLevel as never,
    };
    const operation = given.text("operation");
    switch (operation) {
      case "transition": {
        const [model, from, to] = [models[given.text("machine")], given.text("from"), given.text("to")];
        return [model?.canBecome(from, to) ? "ok" : "not_allowed", {}];
      }
      case "terminal": {
        const [model, value] = [models[given.text("machine")], given.text("value")];
        return [model?.isTerminal(value) ? "ok" : "not_terminal", {}];
      }
      case "value": {
        const [list, value] = [lists[given.text("type")], given.text("value")];
        return [list?.isKnown(value) ? "ok" : "unknown", {}];
      }
      default:
        return assert.fail(`unknown operation ${operation}`);
    }
  },
};

function openCase(api: Api, given: Case): Outcome {
  const operation = given.text("operation");
  const envelope = envelopeOf(api, given);
  if (operation === "open") {
    const body = bodyOf(given);
    const expected = given.peek("plaintext");
    return outcome(api, () => {
      assert.deepEqual(envelope.open(body), JSON.parse(expected as string));
      return { plaintext: expected as string };
    });
  }
  assert.equal(operation, "decrypt");
  const field = given.text("field");
  return outcome(api, () => ({ message_hex: toHex(envelope.decrypt(field)) }));
}

function openRequestCase(api: Api, given: Case): Outcome {
  const envelope = envelopeOf(api, given);
  const body = bodyOf(given);
  const nowMicros = given.number("now_micros");
  const windowSeconds = given.optional("window_seconds") as number | undefined;
  const expected = given.peek("plaintext");
  return outcome(
    api,
    () => {
      const request = envelope.openRequest(body, { nowMicros, windowSeconds });
      assert.deepEqual(request.payload, JSON.parse(expected as string));
      return {
        plaintext: expected as string,
        timestamp_micros: request.timestampMicros,
        nonce_hex: toHex(request.nonce),
        key_index: request.keyIndex,
      };
    },
    given,
  );
}

function envelopeOf(api: Api, given: Case) {
  const options = {
    layout: given.optional("layout") as "versioned" | undefined,
    maxBytes: given.optional("max_bytes") as number | undefined,
  };
  const openSecrets = given.optional("open_secrets") as readonly string[] | undefined;
  const openKeys = (given.optional("open_keys_hex") as readonly string[] | undefined)?.map(fromHex);
  // With both kinds together, which the types do not allow, there has to be an error.
  const older = { ...(openSecrets && { openSecrets }), ...(openKeys && { openKeys }) };
  return given.has("key_hex")
    ? api.Envelope.fromKey(given.bytes("key_hex"), { ...options, ...older })
    : new api.Envelope(given.text("secret"), { ...options, ...older });
}

function bodyOf(given: Case): string | Uint8Array | { encrypted: string } {
  if (given.has("parsed_field")) {
    return { encrypted: given.text("parsed_field") };
  }
  return given.has("body") ? given.text("body") : given.bytes("body_hex");
}

/** What a call gives, or the code it throws; with it the skew, where the case has one. */
function outcome(api: Api, call: () => { readonly [name: string]: Value }, given?: Case): Outcome {
  let outputs: { readonly [name: string]: Value } = {};
  let skew: number | undefined;
  const code = codeOf(api, () => {
    try {
      outputs = call();
    } catch (error) {
      skew = (error as { skewMicros?: number }).skewMicros;
      throw error;
    }
  });
  return [code, skew === undefined ? outputs : { skew_micros: asExpected(skew, given?.peek("skew_micros")) }];
}

/** What a promise gives, or the code with which it is rejected. */
async function settled<T>(api: Api, promise: Promise<T>): Promise<{ readonly value: T } | { readonly code: string }> {
  try {
    return { value: await promise };
  } catch (error) {
    const throwing = (): never => {
      throw error;
    };
    return { code: codeOf(api, throwing) };
  }
}

/** A number as the vector has it: beyond 2^53 a number is the nearest one, and the vector has the exact one. */
function asExpected(number: number | undefined, expected: Value | undefined): Value {
  return typeof expected === "bigint" && Number(expected) === number ? expected : (number ?? null);
}

/** The outputs of a case that only says whether a call succeeds. */
function nothing(_: unknown): Record<string, never> {
  return {};
}
