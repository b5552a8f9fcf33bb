/** Payloads: a host's values into JSON text, and back. */

import { EnvelopeError } from "./errors.js";
import { arrayKind, isArrayBuffer, isSharedArrayBuffer, isUnshared } from "./intrinsics.js";
import type { ErrorCode } from "./tables.js";

/** A value that JSON has. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** A value as {@link OpenOptions.bigints} gives it. */
export type JsonValueWithBigInts =
  | JsonValue
  | bigint
  | readonly JsonValueWithBigInts[]
  | { readonly [name: string]: JsonValueWithBigInts };

/** A payload's fields: any object that `JSON.stringify` writes as an object. */
export type JsonObject = object;

/** Nothing for what `JSON.stringify` would write as `{}`, or not at all: a promise that nobody awaited, a function. */
export type Data<P> = P extends PromiseLike<unknown> | ArrayBufferLike | ((...given: never) => unknown)
  ? never
  : unknown;

/** JSON text, as a string or as its UTF-8 bytes. */
export type JsonText = string | Uint8Array;

/**
 * The JSON text of a payload: text as it is, everything else by `JSON.stringify`.
 *
 * Whether it is a payload at all is the core's to say; here only what has no JSON form is refused.
 */
export function jsonText(payload: unknown): Uint8Array | string {
  if (typeof payload === "string") {
    return wellFormed(payload, "invalid_payload");
  }
  if (isBytes(payload)) {
    return payload;
  }
  if (hasBytesElsewhere(payload)) {
    throw new TypeError("the payload is memory of another kind: hand in its JSON text as a `Uint8Array`");
  }
  if (hasMethod(payload, "then")) {
    throw new TypeError("the payload is a promise: await it first");
  }
  let json: string | undefined;
  try {
    json = JSON.stringify(payload);
  } catch {
    // Not the error's own words, nor as a cause: they can hold plaintext.
    throw new EnvelopeError("invalid_payload", reasonWithoutForm(payload));
  }
  if (json === undefined) {
    throw new TypeError("the payload has no JSON form: hand in an object, or JSON text");
  }
  return json;
}

/** The value of a JSON text that the core has accepted. A member `__proto__` becomes a property like others. */
export function parseJson(json: string, bigints = false): JsonValue {
  return bigints ? readValue({ json, at: 0 }) : JSON.parse(json);
}

/** A string that UTF-8 can hold: half of a surrogate pair would silently become another character. */
export function wellFormed(value: string, code: ErrorCode): string {
  if (value.isWellFormed()) {
    return value;
  }
  throw new EnvelopeError(code, "half of a surrogate pair stands in the text: it was cut, or is no text");
}

/** The bytes of a `Uint8Array` (a `Buffer` is one), even of another realm; not of one that is only disguised as such. */
export function isBytes(value: unknown): value is Uint8Array {
  if (arrayKind(value) !== "Uint8Array") {
    return false;
  }
  if (!isUnshared(value as Uint8Array)) {
    throw new TypeError("the bytes are in shared memory, where they can change while they are read: copy them first");
  }
  return true;
}

/** Whether an object has such a method; what throws when it is asked has none. */
export function hasMethod(value: unknown, name: string): boolean {
  try {
    return typeof value === "object" && typeof (value as Record<string, unknown> | null)?.[name] === "function";
  } catch {
    return false;
  }
}

/** Whether a value holds bytes that `JSON.stringify` does not see. */
function hasBytesElsewhere(value: unknown): boolean {
  return ArrayBuffer.isView(value) || isArrayBuffer(value) || isSharedArrayBuffer(value);
}

/** Why `JSON.stringify` threw: found in a second walk that keeps track of where it is. */
function reasonWithoutForm(payload: unknown): string {
  const places = new Map<unknown, string>([[payload, ""]]);
  let reason: string | undefined;
  const visit = function (this: unknown, name: string, value: unknown): unknown {
    const parent = places.get(this) ?? "";
    const place = Array.isArray(this) ? `${parent}[${name}]` : parent && name ? `${parent}.${name}` : parent || name;
    if (typeof value === "bigint") {
      reason ??= `a BigInt stands at ${place ? `\`${cut(place)}\`` : "the root"}: write it as a number or as text`;
      return null;
    }
    if (typeof value === "object" && value !== null && !places.has(value)) {
      places.set(value, place);
    }
    return value;
  };
  try {
    JSON.stringify(payload, visit);
  } catch {
    reason ??= "the payload contains itself, or a part of it throws when it is read: hand in plain data";
  }
  return reason ?? "the payload has no JSON form: hand in plain data";
}

function cut(place: string): string {
  const shown = [...place.toWellFormed()].map((character) =>
    /[\p{L}\p{N}\p{P}\p{S} ]/u.test(character) ? character : "?",
  );
  return shown.length > SHOWN_CHARACTERS ? `${shown.slice(0, SHOWN_CHARACTERS).join("")}…` : shown.join("");
}

const SHOWN_CHARACTERS = 40;

interface Cursor {
  readonly json: string;
  at: number;
}

/**
 * Reads a value with `BigInt`s for the integers that a number cannot hold.
 *
 * The text is known to be strict JSON, at most 128 levels deep, so that there is nothing to check: only to tell apart.
 * `JSON.parse` shows a reviver the source text only from Node 22 on.
 */
function readValue(cursor: Cursor): JsonValue {
  const { json } = cursor;
  skipSpace(cursor);
  const first = json[cursor.at];
  if (first === "{") {
    const object: { [name: string]: JsonValue } = {};
    for (const _ of items(cursor, "}")) {
      const name = readString(cursor);
      skipSpace(cursor);
      cursor.at++; // the colon
      Object.defineProperty(object, name, {
        value: readValue(cursor),
        configurable: true,
        enumerable: true,
        writable: true,
      });
    }
    return object;
  }
  if (first === "[") {
    const array: JsonValue[] = [];
    for (const _ of items(cursor, "]")) {
      array.push(readValue(cursor));
    }
    return array;
  }
  return first === '"' ? readString(cursor) : readScalar(cursor);
}

/** Stops at the beginning of every item up to the closing bracket, and behind that at the end. */
function* items(cursor: Cursor, end: string): Generator<void> {
  for (;;) {
    cursor.at++; // the opening bracket or a comma
    skipSpace(cursor);
    if (cursor.json[cursor.at] !== end) {
      yield;
      skipSpace(cursor);
    }
    if (cursor.json[cursor.at] === end) {
      cursor.at++;
      return;
    }
  }
}

function readString(cursor: Cursor): string {
  const start = cursor.at;
  let end = start;
  do {
    end = cursor.json.indexOf('"', end + 1);
  } while (isEscaped(cursor.json, end));
  cursor.at = end + 1;
  return JSON.parse(cursor.json.slice(start, cursor.at));
}

function isEscaped(json: string, quote: number): boolean {
  let backslashes = 0;
  while (json[quote - 1 - backslashes] === "\\") {
    backslashes++;
  }
  return backslashes % 2 === 1;
}

function readScalar(cursor: Cursor): JsonValue {
  SCALAR.lastIndex = cursor.at;
  const token = SCALAR.exec(cursor.json)?.[0] ?? "";
  cursor.at += token.length;
  const value: JsonValue = JSON.parse(token);
  const isInexact = typeof value === "number" && /^-?\d+$/.test(token) && !Number.isSafeInteger(value);
  return isInexact ? (BigInt(token) as unknown as JsonValue) : value;
}

function skipSpace(cursor: Cursor): void {
  while (" \t\n\r".includes(cursor.json[cursor.at] ?? "x")) {
    cursor.at++;
  }
}

const SCALAR = /[^\s,\]}]*/y;
