/** The loader of tests/vectors: a case's inputs are taken out one by one, and what is left has to be its outputs. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A value of a vector; integers that a number does not hold are BigInts. */
export type Value = string | number | bigint | boolean | null | readonly Value[] | { readonly [name: string]: Value };

/** What a call gave: `ok`, a code or a decision, and the fields that go with it. */
export type Outcome = readonly [expect: string, outputs: { readonly [name: string]: Value }];

export class Case {
  readonly name: string;
  readonly expect: string;
  readonly #fields: Map<string, Value>;

  constructor(fields: { readonly [name: string]: Value }) {
    this.#fields = new Map(Object.entries(fields));
    this.name = this.text("name");
    this.expect = this.text("expect");
    const rules = this.take("rules");
    assert.ok(Array.isArray(rules) && rules.length > 0 && rules.every((rule) => typeof rule === "string"), this.name);
  }

  /** An input that has to be there. */
  take(field: string): Value {
    const value = this.#fields.get(field);
    assert.notEqual(value, undefined, `${this.name} has no ${field}`);
    this.#fields.delete(field);
    return value as Value;
  }

  optional(field: string): Value | undefined {
    return this.#fields.has(field) ? this.take(field) : undefined;
  }

  text(field: string): string {
    const value = this.take(field);
    assert.equal(typeof value, "string", `${this.name}: ${field}`);
    return value as string;
  }

  /** An integer that a number holds. */
  number(field: string): number {
    const value = this.take(field);
    assert.ok(Number.isSafeInteger(value), `${this.name}: ${field}`);
    return value as number;
  }

  bytes(field: string): Uint8Array {
    return fromHex(this.text(field));
  }

  /** Whether an output is expected under this name. */
  has(field: string): boolean {
    return this.#fields.has(field);
  }

  /** An input or output that stays where it is. */
  peek(field: string): Value | undefined {
    return this.#fields.get(field);
  }

  /** What no one has taken. */
  rest(): { readonly [name: string]: Value } {
    return Object.fromEntries(this.#fields);
  }
}

export function families(): readonly string[] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
  return names.map((name) => name.slice(0, -".json".length)).sort();
}

export function load(family: string): readonly Case[] {
  const file = parse(readFileSync(join(FOLDER, `${family}.json`), "utf8"));
  const { family: name, about, cases, ...unknown } = file as { readonly [name: string]: Value };
  assert.deepEqual(Object.keys(unknown), [], `${family}: unknown members`);
  assert.equal(name, family);
  assert.equal(typeof about, "string");
  assert.ok(Array.isArray(cases) && cases.length > 0, `${family} has no case`);
  return cases.map((fields) => new Case(fields));
}

/** Runs all cases of a family and reports every one that differs. Says how many ran. */
export async function run(family: string, call: (given: Case) => Outcome | Promise<Outcome>): Promise<number> {
  const cases = load(family);
  const wrong: Record<string, unknown> = {};
  for (const given of cases) {
    const outcome = await Promise.resolve()
      .then(() => call(given))
      .catch((error: unknown) => ["threw", { error: String(error) }] as Outcome);
    const expected = [given.expect, given.rest()];
    try {
      assert.deepStrictEqual(outcome, expected);
    } catch {
      wrong[given.name] = { expected, outcome };
    }
  }
  assert.deepEqual(wrong, {}, `${family}: ${Object.keys(wrong).length} cases differ`);
  return cases.length;
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

export function fromHex(hex: string): Uint8Array {
  assert.match(hex, /^([0-9a-f]{2})*$/);
  return new Uint8Array(Buffer.from(hex, "hex"));
}

/** JSON with BigInts for the integers that a number does not hold. */
function parse(json: string): Value {
  const marked = json.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?/g, (token) =>
    token.startsWith('"') || token.includes(".") || Number.isSafeInteger(Number(token))
      ? token
      : `{"$integer":"${token}"}`,
  );
  return JSON.parse(marked, (_, value) =>
    typeof value === "object" && value !== null && "$integer" in value ? BigInt(value.$integer) : value,
  );
}

const FOLDER = process.env.CARDSEAL_VECTORS ?? assert.fail("CARDSEAL_VECTORS has to name tests/vectors");
