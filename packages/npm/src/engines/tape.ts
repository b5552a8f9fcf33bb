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
    if (isTaken || typeof payload !== "object" || ArrayBuffer.isView(payload) || hasMethod(payload, "then")) {
      return undefined;
    }
    isTaken = true;
    try {
      for (const _ in PLAIN) {
        giveUp(); // every object would seem to have that member
      }
      const walk = new Walk(tapes);
      walk.value(payload, "", 1);
      return tapes.seal(operation, handle, clock, walk.tape(), walk.long, walk.short, ...fields);
    } catch {
      return undefined; // given up, or thrown by a getter: `JSON.stringify` meets it too, and somebody says so
    } finally {
      isTaken = false;
    }
  };
}

/**
 * A walk over one payload.
 *
 * Its state is a new object each time: what is written to an old one, or to variables outside, has to be noted for V8's
 * collector.
 */
class Walk {
  short = "";
  long: string[] = [];
  readonly #tapes: Tapes;
  #isFirst: 0 | 1 = 1;
  #at = HEAD;

  /** Whether more than one element of an array is walked, so that names come again. */
  #areRepeated = false;
  /** The names that may come again, each where it is expected if an element of an array looks like the one before. */
  #names = NO_NAMES;
  #nextName = 0;

  constructor(tapes: Tapes) {
    this.#tapes = tapes;
  }

  /** What has been noted since the tape was handed on. */
  tape(): Int32Array {
    TAPE[0] = this.#at;
    TAPE[1] = this.short.length;
    TAPE[2] = this.#isFirst;
    return TAPE;
  }

  /** By comparisons, each of which V8 makes one of maps; a `switch` asks for the name of the type. */
  value(item: unknown, key: string | number, level: number): void {
    if (typeof item === "string") {
      this.#text(item, STRING);
    } else if (typeof item === "number") {
      this.#number(item);
    } else if (typeof item === "object") {
      if (item === null) {
        this.#note(NULL);
      } else if (typeof (item as Convertible).toJSON === "function") {
        this.#converted((item as Convertible).toJSON(`${key}`), level);
      } else {
        this.#compound(item, level);
      }
    } else if (typeof item === "boolean") {
      this.#note(item ? TRUE : FALSE);
    } else if (item === undefined) {
      this.#note(NULL); // in an array: no member is so
    } else {
      giveUp();
    }
  }

  /** What `toJSON` has given; its own is not asked. */
  #converted(item: unknown, level: number): void {
    if (typeof item === "object" && item !== null) {
      this.#compound(item, level);
    } else if (item === undefined) {
      giveUp(); // a member that was promised, and is none
    } else {
      this.value(item, "", level);
    }
  }

  #compound(item: object, level: number): void {
    if (level > MOST_LEVELS) {
      giveUp();
    } else if (isArray(item)) {
      this.#array(item, level);
    } else {
      this.#object(item as Record<string, unknown>, level);
    }
  }

  #object(members: Record<string, unknown>, level: number): void {
    const prototype = prototypeOf(members);
    const isPlain = prototype === PLAIN;
    if (!isPlain && !isWrittenByMembers(members, prototype)) {
      giveUp();
    }
    this.#note(BEGIN_OBJECT);
    for (const name in members) {
      if (isPlain || HAS_OWN.call(members, name)) {
        const item = members[name];
        if (item !== undefined) {
          this.#name(name);
          this.value(item, name, level + 1);
          this.#handOnIfFull();
        }
      }
    }
    this.#note(END_OBJECT);
  }

  #array(items: readonly unknown[], level: number): void {
    this.#note(BEGIN_ARRAY);
    const { length } = items;
    const wereRepeated = this.#areRepeated;
    if (!wereRepeated && length > 1) {
      this.#areRepeated = true;
      this.#names = this.#names === NO_NAMES ? [] : this.#names;
      this.#nextName = this.#names.length;
    }
    const firstName = this.#nextName;
    for (let index = 0; index < length; index++) {
      this.#nextName = firstName;
      this.value(items[index], index, level + 1);
      this.#handOnIfFull();
    }
    this.#areRepeated = wereRepeated;
    this.#note(END_ARRAY);
  }

  #name(name: string): void {
    if (!this.#areRepeated) {
      this.#shortText(name, NAME_ONCE);
      return;
    }
    const names = this.#names;
    const { length } = names;
    const next = this.#nextName;
    if (next < length && names[next] === name) {
      this.#note((next << KIND_BITS) | NAME_AGAIN);
      this.#nextName = next + 1;
    } else if (next + 1 < length && names[next + 1] === name) {
      this.#note(((next + 1) << KIND_BITS) | NAME_AGAIN); // one was left out
      this.#nextName = next + 2;
    } else if (next === length && length < MOST_NAMES) {
      names.push(name);
      this.#nextName = next + 1;
      this.#shortText(name, NAME);
    } else {
      this.#shortText(name, NAME_ONCE);
    }
  }

  #number(item: number): void {
    if ((item << KIND_BITS) >> KIND_BITS === item) {
      this.#note((item << KIND_BITS) | INTEGER); // -0 too, which is written without its sign
      return;
    }
    const hundredths = item * 100;
    if ((hundredths << KIND_BITS) >> KIND_BITS === hundredths && hundredths / 100 === item) {
      this.#note((hundredths << KIND_BITS) | HUNDREDTHS); // most amounts
    } else if (item - item === 0) {
      this.#shortText(`${item}`, NUMBER);
    } else {
      this.#note(NULL); // an infinity, or NaN
    }
  }

  #text(characters: string, kind: number): void {
    if (characters.length < LONG_UNITS) {
      this.#shortText(characters, kind);
    } else {
      this.long.push(characters);
      this.#note(LONG_STRING);
    }
  }

  #shortText(characters: string, kind: number): void {
    if (characters.length >= MOST_UNITS) {
      giveUp(); // such a name
    }
    this.short += characters;
    this.#note((characters.length << KIND_BITS) | kind);
  }

  #note(entry: number): void {
    TAPE[this.#at++] = entry;
  }

  /** Hands the tape on where it is nearly full. */
  #handOnIfFull(): void {
    if (this.#at > FULL_ENTRIES || this.short.length > FULL_UNITS) {
      if (!this.#tapes.write(this.tape(), this.long, this.short)) {
        giveUp();
      }
      this.#isFirst = 0;
      this.#at = HEAD;
      this.short = "";
      this.long = [];
    }
  }
}

interface Convertible {
  toJSON(key: string): unknown;
}

/** Whether `JSON.stringify` looks at an object's members alone: not so for boxed primitives and for `JSON.rawJSON`. */
function isWrittenByMembers(members: object, prototype: unknown): boolean {
  return prototype === null ? !isRawJson?.(members) : TAG.call(members) === "[object Object]";
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

/** One for all walks, of which one is made at a time. */
const TAPE = new Int32Array(FULL_ENTRIES + 4 * MOST_LEVELS);
let isTaken = false;

/** With so many units of short texts, too, a tape is handed on. */
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
const HUNDREDTHS = 14;
