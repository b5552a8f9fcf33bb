/** Payloads as JavaScript's values, against `JSON.stringify`: the same text is sealed, or the same error comes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EFFORT } from "./support/effort.js";
import { type Api, ENGINES, SECRET } from "./support/engines.js";
import { keyOf, openField } from "./support/secretbox.js";

const RUNS = 3_000 * EFFORT;
const KEY = keyOf(SECRET);

/** What is sealed, as text; or the whole message of the error. */
function sealed(api: Api, payload: unknown): string {
  try {
    const body = new api.Envelope(SECRET).sealResponse(payload as object);
    return Buffer.from(openField((JSON.parse(body) as { encrypted: string }).encrypted, KEY).message).toString();
  } catch (error) {
    assert.ok(error instanceof api.EnvelopeError || error instanceof TypeError, `${error}`);
    return `${error}`;
  }
}

/** What the text that `JSON.stringify` writes comes to; fails where it writes none. */
function stringified(api: Api, payload: unknown): string {
  const text = JSON.stringify(payload);
  assert.equal(typeof text, "string");
  return sealed(api, text);
}

class Money {
  readonly #cents: number;
  readonly currency = "USD";
  constructor(cents: number) {
    this.#cents = cents;
  }
  get amount(): string {
    return (this.#cents / 100).toFixed(2);
  }
}

class Id {
  constructor(readonly digits: number) {}
  toJSON(key: string): unknown {
    return this.digits % 2 ? { key, digits: this.digits } : `${key}-${this.digits}`;
  }
}

const inherited = Object.create({ hidden: 1, shown: 0 }, { shown: { value: 2, enumerable: true } }) as object;

const texts = fc.oneof(
  fc.string(),
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }), // halves of surrogate pairs
  fc.constantFrom('"', "\\", "\n", "\u0000", "\u007f", "\u2028", "\ufffd", "\u{1f600}", "\ud83d", "\ude00"),
  fc
    .tuple(fc.constantFrom("x", "é", "三", "\u{1f600}", "\n", '"'), fc.integer({ min: 1_000, max: 1_050 }))
    .map(([of, times]) => of.repeat(times)),
);
const numbers = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.integer({ min: -(2 ** 28), max: 2 ** 28 }).map((hundredths) => hundredths / 100),
  fc
    .tuple(fc.integer({ min: 1, max: 9_999 }), fc.constantFrom(-1, 1))
    .map(([hundredths, step]) => neighbour(hundredths / 100, step)),
  fc.constantFrom(0, -0, 1e21, -1e-7, 2 ** 27, 2 ** 27 - 1, -(2 ** 27), -(2 ** 27) - 1, 2 ** 31, 2 ** 53, 5e-324),
);
/** The next number that binary64 has. */
function neighbour(number: number, step: number): number {
  const bits = new BigInt64Array(Float64Array.of(number).buffer);
  bits[0] = (bits[0] ?? 0n) + BigInt(step);
  return new Float64Array(bits.buffer)[0] ?? 0;
}

const oddities = fc.oneof(
  fc.constant(undefined),
  fc.date({ noInvalidDate: false }),
  fc.integer().map((cents) => new Money(cents)),
  fc.nat().map((digits) => new Id(digits)),
  fc.constant(inherited),
  fc.constant(Object(7)),
  fc.constant(Object("boxed")),
  fc.constant(new Map([[1, 2]])),
  fc.constant(/x/u),
  fc.constant(() => 1),
  fc.constant(Symbol("s")),
  fc.constant(new Uint8Array([1, 2])),
  fc.constant(Object.assign(new Array(3), { 2: "with holes before", extra: true })),
);
const names = fc.oneof(fc.constantFrom("a", "b", "c", "1", "02", "__proto__", "toString", "é", '"', ""), texts);

const { value: values } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    texts,
    numbers,
    fc.boolean(),
    fc.constant(null),
    { arbitrary: oddities, weight: 1 },
    { arbitrary: fc.array(tie("value"), { maxLength: 6 }), weight: 2 },
    { arbitrary: fc.dictionary(names, tie("value"), { maxKeys: 6 }), weight: 2 },
    // Rows of one table, some of which lack a column.
    {
      arbitrary: fc.array(
        fc.record({ id: texts, n: numbers, x: tie("value"), rows: tie("value") }, { requiredKeys: ["id"] }),
      ),
      weight: 2,
    },
  ),
}));

for (const [name, api] of ENGINES) {
  test(`${name} seals what JSON.stringify writes`, () => {
    let cases = 0;
    fc.assert(
      fc.property(fc.array(values), (payload) => {
        assert.equal(sealed(api, payload), stringified(api, payload));
        cases++;
      }),
      { numRuns: RUNS },
    );
    assert.equal(cases, RUNS);
  });

  test(`${name} seals tables of any size as JSON.stringify writes them`, () => {
    for (const rows of [1, 2, 300, 2_000, 9_000]) {
      for (const text of ["x".repeat(9), "é三".repeat(20), "\u{1f600}\n".repeat(600)]) {
        const table = Array.from({ length: rows }, (_, row) => ({
          id: `txn_${row}`,
          amount: row / 8,
          ...(row % 7 === 3 ? {} : { memo: text }),
          lines: Array.from({ length: row % 4 }, (_, line) => ({ line, sum: row * line, tax: null })),
          ...(row % 11 === 5 ? { [`extra_${row}`]: [true, false] } : {}),
          settled: row % 2 === 0,
        }));
        const payload = { table, again: table.slice(0, 3), id: "last", ...table[0] };
        assert.equal(sealed(api, payload), stringified(api, payload));
      }
    }
  });

  test(`${name} seals as deep as JSON may nest, and no deeper`, () => {
    for (const levels of [1, 127, 128, 129, 1_000]) {
      for (const wrap of [(inner: unknown) => [inner], (inner: unknown) => ({ inner })]) {
        let payload: unknown = wrap(1);
        for (let level = 1; level < levels; level++) {
          payload = wrap(payload);
        }
        const outcome = sealed(api, payload);
        assert.equal(outcome, stringified(api, payload));
        assert.equal(outcome.includes("invalid_payload"), levels > 128);
      }
    }
    const circle: { inner?: object } = {};
    circle.inner = { circle };
    assert.match(sealed(api, circle), /contains itself.*\(invalid_payload\)$/u);
    assert.equal(sealed(api, [1]), "[1]");
  });

  test(`${name} finds what the rules ask for in values as in text`, () => {
    const envelope = new api.Envelope(SECRET);
    for (const payload of [
      { encrypted: "x" },
      { encrypted: 1 },
      { request_timestamp: null },
      { request_timestamp: "17" },
      { request_timestamp: 1.5 },
      { request_timestamp: 1_700_000_000_000_000 },
      { rows: [{ request_timestamp: true }, { request_timestamp: true }], card_id: "c" },
      [],
      ["x".repeat(2_000)],
      { long: "\ud83d".padEnd(2_000) },
      { first: "\ud83d", second: "\ude00" },
    ]) {
      const outcome = (of: unknown): unknown => {
        try {
          const opened = envelope.open<Record<string, unknown>>(envelope.seal(of as object));
          const { request_timestamp, ...others } = opened;
          return [typeof request_timestamp, "request_timestamp" in payload && request_timestamp, others];
        } catch (error) {
          return `${error}`;
        }
      };
      assert.deepEqual(outcome(payload), outcome(JSON.stringify(payload)));
    }
    const small = new api.Envelope(SECRET, { maxBytes: 100 });
    assert.throws(() => small.sealResponse({ text: "x".repeat(50) }), { code: "too_large" });
  });

  test(`${name} seals a payload while it walks another`, () => {
    const envelope = new api.Envelope(SECRET);
    const inner: unknown[] = [];
    const payload = {
      before: "1",
      get meanwhile() {
        inner.push(envelope.open(envelope.sealResponse({ inner: ["x", "y"] })));
        return [{ a: 1 }, { a: 2 }];
      },
      after: "2",
    };
    const text = '{"before":"1","meanwhile":[{"a":1},{"a":2}],"after":"2"}';
    assert.equal(sealed(api, payload), text);
    assert.deepEqual(inner, [{ inner: ["x", "y"] }]);
    const failing = Object.defineProperty({}, "x", {
      enumerable: true,
      get: () => assert.fail("a secret of the getter"),
    });
    assert.match(sealed(api, { rows: [{ a: 1 }, failing] }), /throws when it is read.*\(invalid_payload\)$/u);
    const many = Array.from({ length: 3_000 }, (_, a) => ({ a, b: "b" }));
    assert.equal(sealed(api, [many, payload, many]), JSON.stringify([many, payload, many]));
    assert.match(sealed(api, [many, failing]), /throws when it is read.*\(invalid_payload\)$/u);
    assert.equal(sealed(api, payload), text);
  });

  test(`${name} seals what the language has hidden ways for`, () => {
    const { rawJSON } = JSON as { rawJSON?(text: string): unknown };
    const payloads: unknown[] = [
      Object.create(null, { a: { value: 1, enumerable: true } }),
      new Proxy({ a: 1, b: [2] }, {}),
      new Proxy([1, { c: 3 }], {}),
      Object.defineProperties({ a: 1 }, { hidden: { value: 2 }, [Symbol("s")]: { value: 3, enumerable: true } }),
      JSON.parse('{"__proto__": {"a": 1}, "b": 2}'),
      { 10: "ten", 9: "nine", b: 1, a: 2 },
      ...(rawJSON ? [{ amount: rawJSON("12345678901234567890") }] : []),
    ];
    for (const payload of payloads) {
      assert.equal(sealed(api, payload), JSON.stringify(payload));
    }
    const prototype = Object.prototype as { polluted?: string };
    prototype.polluted = "by somebody";
    try {
      assert.equal(sealed(api, { a: [{ b: 1 }, { b: 2 }] }), '{"a":[{"b":1},{"b":2}]}');
    } finally {
      delete prototype.polluted;
    }
  });
}

test("native code looks into plain payloads by itself", () => {
  const [[, api]] = ENGINES as readonly [(typeof ENGINES)[number], ...unknown[]];
  const rows = Array.from({ length: 3_000 }, (_, id) => ({
    id: `row ${id}`,
    amount: id / 4,
    memo: "é\n",
    on: new Date(id),
  }));
  const payloads = [{}, [], { a: "x".repeat(5_000), b: [null, true, -1.5] }, { rows }, [new Money(5), inherited]];
  const expected = payloads.map((payload) => JSON.stringify(payload));
  const { stringify } = JSON;
  try {
    JSON.stringify = () => assert.fail("that was for JSON.stringify");
    assert.deepEqual(
      payloads.map((payload) => sealed(api, payload)),
      expected,
    );
  } finally {
    JSON.stringify = stringify;
  }
});
