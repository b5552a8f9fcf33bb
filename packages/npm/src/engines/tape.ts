/**
 * Payloads as a tape: what a walk over a value finds, for an engine that makes JSON of it by itself.
 *
 * `JSON.stringify` would be most of the time that sealing takes. It stays what decides: the walk is for objects, arrays and
 * primitives of which it is sure what `JSON.stringify` would write, and gives up on everything else.
 *
 * `bindings/calls/src/tape.rs` reads the tape, and says what stands in it.
 */

import type { Engine, Field, Reply } from "../engine.js";
import { hasMethod } from "../payload.js";

/** An engine's functions for tapes. Both answer nothing for a tape that has no strict form. */
export interface Tapes {
  /** Takes the beginning of a tape that goes on. */
  write(tape: Int32Array, long: readonly string[], short: string): true | undefined;
  /** Seals the payload that this tape ends. */
  seal(
    operation: number,
    handle: number,
    clock: Float64Array | undefined,
    tape: Int32Array,
    long: readonly string[],
    short: string,
    ...fields: readonly Field[]
  ): Reply | undefined;
}

/** Sealing by a walk, with an engine's functions. */
export function sealWith(tapes: Tapes): Required<Engine>["seal"] {
  return (operation, handle, clock, payload, fields) => {
    // A getter of a payload may seal another payload meanwhile. Bytes are JSON text already, and a promise is nothing yet.
    if (
      write !== undefined ||
      typeof payload !== "object" ||
      ArrayBuffer.isView(payload) ||
      hasMethod(payload, "then")
    ) {
      return undefined;
    }
    write = tapes.write;
    begin(1);
    areRepeated = false;
    try {
      for (const _ in PLAIN) {
        giveUp(); // every object would seem to have that member
      }
      value(payload, "", 1);
      return tapes.seal(operation, handle, clock, ended(), long, short, ...fields);
    } catch {
      return undefined; // given up, or thrown by a getter: `JSON.stringify` meets it too, and somebody says so
    } finally {
      write = undefined;
      begin(1);
      names = NO_NAMES;
    }
  };
}

let write: Tapes["write"] | undefined;
let at: number;
let short: string;
let long: string[];

/** Whether more than one element of an array is walked, so that names come again. */
let areRepeated: boolean;

/** The names that may come again, each where it is expected if an element of an array looks like the one before. */
let names: string[];
let nextName: number;

/** Prepares an empty tape: the first one of a payload, or one that goes on. */
function begin(isFirst: 0 | 1): void {
  at = HEAD;
  TAPE[2] = isFirst;
  short = "";
  long = [];
}

function ended(): Int32Array {
  TAPE[0] = at;
  TAPE[1] = short.length;
  return TAPE;
}

/** Hands the tape on where it is nearly full. */
function flushIfFull(): void {
  if (at > FULL_ENTRIES || short.length > FULL_UNITS) {
    if (!write?.(ended(), long, short)) {
      giveUp();
    }
    begin(0);
  }
}

/** By comparisons, each of which V8 makes one of maps; a `switch` asks for the name of the type. */
function value(item: unknown, key: string | number, level: number): void {
  if (typeof item === "string") {
    text(item, STRING);
  } else if (typeof item === "number") {
    number(item);
  } else if (typeof item === "object") {
    if (item === null) {
      TAPE[at++] = NULL;
    } else if (typeof (item as Convertible).toJSON === "function") {
      converted((item as Convertible).toJSON(`${key}`), level);
    } else {
      compound(item, level);
    }
  } else if (typeof item === "boolean") {
    TAPE[at++] = item ? TRUE : FALSE;
  } else if (item === undefined) {
    TAPE[at++] = NULL; // in an array: no member is so
  } else {
    giveUp();
  }
}

interface Convertible {
  toJSON(key: string): unknown;
}

/** What `toJSON` has given; its own is not asked. */
function converted(item: unknown, level: number): void {
  if (typeof item === "object" && item !== null) {
    compound(item, level);
  } else if (item === undefined) {
    giveUp(); // a member that was promised, and is none
  } else {
    value(item, "", level);
  }
}

function compound(item: object, level: number): void {
  if (level > MOST_LEVELS) {
    giveUp();
  } else if (isArray(item)) {
    array(item, level);
  } else {
    object(item as Record<string, unknown>, level);
  }
}

function object(members: Record<string, unknown>, level: number): void {
  const prototype = prototypeOf(members);
  const isPlain = prototype === PLAIN;
  if (!isPlain && !isWrittenByMembers(members, prototype)) {
    giveUp();
  }
  TAPE[at++] = BEGIN_OBJECT;
  for (const name in members) {
    if (isPlain || HAS_OWN.call(members, name)) {
      const item = members[name];
      if (item !== undefined) {
        memberName(name);
        value(item, name, level + 1);
        flushIfFull();
      }
    }
  }
  TAPE[at++] = END_OBJECT;
}

/** Whether `JSON.stringify` looks at an object's members alone: not so for boxed primitives and for `JSON.rawJSON`. */
function isWrittenByMembers(members: object, prototype: unknown): boolean {
  return prototype === null ? !isRawJson?.(members) : TAG.call(members) === "[object Object]";
}

function array(items: readonly unknown[], level: number): void {
  TAPE[at++] = BEGIN_ARRAY;
  const { length } = items;
  const wereRepeated = areRepeated;
  if (!wereRepeated && length > 1) {
    areRepeated = true;
    names = names === NO_NAMES ? [] : names;
    nextName = names.length;
  }
  const firstName = nextName;
  for (let index = 0; index < length; index++) {
    nextName = firstName;
    value(items[index], index, level + 1);
    flushIfFull();
  }
  areRepeated = wereRepeated;
  TAPE[at++] = END_ARRAY;
}

function memberName(name: string): void {
  if (!areRepeated) {
    shortText(name, NAME_ONCE);
    return;
  }
  const { length } = names;
  if (nextName < length && names[nextName] === name) {
    TAPE[at++] = (nextName++ << KIND_BITS) | NAME_AGAIN;
  } else if (nextName + 1 < length && names[nextName + 1] === name) {
    TAPE[at++] = ((nextName + 1) << KIND_BITS) | NAME_AGAIN; // one was left out
    nextName += 2;
  } else if (nextName === length && length < MOST_NAMES) {
    names.push(name);
    nextName++;
    shortText(name, NAME);
  } else {
    shortText(name, NAME_ONCE);
  }
}

function number(item: number): void {
  if ((item << KIND_BITS) >> KIND_BITS === item) {
    TAPE[at++] = (item << KIND_BITS) | INTEGER; // -0 too, which is written without its sign
  } else if (item - item === 0) {
    shortText(`${item}`, NUMBER);
  } else {
    TAPE[at++] = NULL; // an infinity, or NaN
  }
}

function text(characters: string, kind: number): void {
  if (characters.length < LONG_UNITS) {
    shortText(characters, kind);
  } else {
    long.push(characters);
    TAPE[at++] = LONG_STRING;
  }
}

function shortText(characters: string, kind: number): void {
  if (characters.length >= MOST_UNITS) {
    giveUp(); // such a name
  }
  short += characters;
  TAPE[at++] = (characters.length << KIND_BITS) | kind;
}

function giveUp(): never {
  throw GIVEN_UP;
}

const GIVEN_UP = new Error("this payload is for JSON.stringify");

const { isArray } = Array;
const { getPrototypeOf: prototypeOf } = Object;
const { hasOwnProperty: HAS_OWN, toString: TAG } = Object.prototype;
const PLAIN = Object.prototype;
const { isRawJSON: isRawJson } = JSON as { isRawJSON?(value: unknown): boolean };

/** Entries that count the others, count the units of the short texts, and say whether a payload begins. */
const HEAD = 3;

/** Here a tape is handed on. Its levels may add a bracket and a name each before anybody looks again. */
const FULL_ENTRIES = 4_096;
const MOST_LEVELS = 128;
const TAPE = new Int32Array(FULL_ENTRIES + 4 * MOST_LEVELS);

/** So is one with so many units of short texts. */
const FULL_UNITS = 65_536;

/** A text of so many units is handed on by itself: reading it so costs no more than copying it once. */
const LONG_UNITS = 1_024;

/** No entry has a larger argument. */
const MOST_UNITS = 2 ** 27;

const MOST_NAMES = 1_024;
const NO_NAMES: string[] = [];

const KIND_BITS = 4;
const NULL = 0;
const FALSE = 1;
const TRUE = 2;
const INTEGER = 3;
const NUMBER = 4;
const STRING = 5;
const NAME = 6;
const NAME_ONCE = 7;
const NAME_AGAIN = 8;
const LONG_STRING = 9;
const BEGIN_ARRAY = 10;
const END_ARRAY = 11;
const BEGIN_OBJECT = 12;
const END_OBJECT = 13;
