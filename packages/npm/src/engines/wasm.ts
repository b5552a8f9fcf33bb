/** The core as a WebAssembly instance: fields into its memory, a call, the reply out of it. */

import { type Engine, type Field, REFUSED, type Reply } from "../engine.js";
import { arrayLength } from "../intrinsics.js";

/**
 * The engine of a compiled module.
 *
 * A call that traps leaves the instance in a state that nobody knows, so that it is dropped, and the next call makes a new
 * one. What envelopes need for that stays with them.
 */
export function wasmEngine(module: () => WebAssembly.Module): Engine {
  let compiled: WebAssembly.Module | undefined;
  let instance: Instance | undefined;
  let generation = 0;
  const kept: Kept = { lastRefill: undefined };
  const engine: Engine = {
    name: "wasm",
    canTrap: true,
    get generation() {
      return generation;
    },
    call(operation, handle, clock, ...fields) {
      compiled ??= module();
      if (!instance) {
        instance = new Instance(compiled, kept);
        engine.onRestart?.();
      }
      try {
        return instance.call(operation, handle, clock, fields);
      } catch {
        const isOutOfMemory = instance.isOutOfMemory();
        instance = undefined;
        generation++;
        if (isOutOfMemory) {
          return TOO_LARGE;
        }
        throw new Error("the engine stopped in the middle of a call: the next call starts it anew");
      }
    },
  };
  return engine;
}

/** The module that a text holds, one character for each byte, compiled where it stands: no request, no waiting. */
export function compile(binary: string): WebAssembly.Module {
  return new WebAssembly.Module(bytesOf(binary));
}

/** By the host's own decoder where it has one: in a fresh process, a loop takes longer than compiling. */
function bytesOf(binary: string): BufferSource {
  const { Buffer: host } = globalThis as {
    Buffer?: { from(text: string, encoding: "latin1"): Uint8Array<ArrayBuffer> };
  };
  if (typeof host?.from === "function") {
    return host.from(binary, "latin1");
  }
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = binary.charCodeAt(index);
  }
  return bytes;
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  reserve(bytes: number): number;
  call(operation: number, handle: number, bytes: number): number;
}

/** What one instance leaves to the next. */
interface Kept {
  /** The digest of the last random bytes, so that a generator which repeats itself is noticed. */
  lastRefill: Uint8Array | undefined;
}

class Instance {
  #gotNoMemory = false;
  /** How many bytes the fields of this call take. */
  #room = 0;
  readonly #exports: Exports;
  #bytes: Uint8Array<ArrayBuffer>;
  #clock: Float64Array | undefined;

  constructor(module: WebAssembly.Module, kept: Kept) {
    const host = {
      out_of_memory: () => {
        this.#gotNoMemory = true;
      },
      keep: (from: number) => {
        kept.lastRefill = this.#memory().slice(from >>> 0, (from >>> 0) + DIGEST_BYTES);
      },
      recall: (to: number) => {
        this.#memory().set(kept.lastRefill ?? [], to >>> 0);
        return kept.lastRefill !== undefined;
      },
      now_millis: () => now(),
      random: (to: number, bytes: number) => this.#fillRandomly(to, bytes),
      clock_cell: (index: number) => this.#clock?.[index],
      set_clock_cell: (stamp: number, wall: number) => this.#setClock(stamp, wall),
    };
    this.#exports = new WebAssembly.Instance(module, { host }).exports as unknown as Exports;
    this.#bytes = new Uint8Array(this.#exports.memory.buffer);
  }

  /** Whether an instance that has stopped did so for want of memory: it got none, or wanted more than there can be. */
  isOutOfMemory(): boolean {
    return this.#gotNoMemory || this.#room > MOST_BYTES / 2;
  }

  call(operation: number, handle: number, clock: Float64Array | undefined, fields: readonly Field[]): Reply {
    this.#clock = clock;
    const written = this.#write(fields);
    return written === undefined ? TOO_LARGE : this.#read(this.#exports.call(operation, handle, written) >>> 0);
  }

  /** Writes the fields into memory, and says how many bytes they take; nothing if they are more than there can be. */
  #write(fields: readonly Field[]): number | undefined {
    // Nearly every text is ASCII: three bytes a character are reserved for a long one only if it turns out not to be.
    const room = (wide: boolean) => fields.reduce((sum, field) => sum + HEAD_BYTES + roomFor(field, wide), 0);
    return this.#tryWrite(fields, room(false)) ?? this.#tryWrite(fields, room(true));
  }

  #tryWrite(fields: readonly Field[], room: number): number | undefined {
    this.#room = room;
    if (room > MOST_BYTES) {
      return undefined;
    }
    const start = this.#exports.reserve(room) >>> 0; // addresses come as signed numbers
    const bytes = this.#memory();
    let at = start;
    for (const field of fields) {
      const inside = at + HEAD_BYTES;
      let length = 0;
      if (typeof field === "string") {
        const { read, written } = ENCODER.encodeInto(field, bytes.subarray(inside, start + room));
        if (read < field.length) {
          return undefined;
        }
        length = written;
      } else if (field) {
        length = arrayLength(field);
        if (length > 0) {
          bytes.subarray(inside, start + room).set(field); // which refuses detached memory
        }
      }
      bytes[at] = field === undefined ? NONE : typeof field === "string" ? TEXT : BYTES;
      for (let byte = 0; byte < 4; byte++) {
        bytes[at + 1 + byte] = length >>> (8 * byte);
      }
      at = inside + length;
    }
    return at - start;
  }

  /** Reads a reply, and wipes it: it can be plaintext. */
  #read(start: number): Reply {
    const bytes = this.#memory();
    const end = start + 4 + lengthAt(bytes, start);
    const verdict = bytes[start + 4] ?? 0;
    const fields: (Field | number)[] = verdict === DONE ? [] : [verdict];
    let isWhole = true;
    for (let at = start + HEAD_BYTES; at < end; ) {
      const inside = at + HEAD_BYTES;
      const after = inside + lengthAt(bytes, at + 1);
      const kind = bytes[at];
      try {
        fields.push(
          kind === TEXT
            ? DECODER.decode(bytes.subarray(inside, after))
            : kind === BYTES
              ? bytes.slice(inside, after)
              : undefined,
        );
      } catch {
        isWhole = false; // no string is so long
      }
      at = after;
    }
    bytes.fill(0, start, end);
    if (!isWhole) {
      return TOO_LARGE;
    }
    return verdict === DONE && fields.length === 1 ? (fields[0] as Field) : fields;
  }

  /** Element by element: a method could be anybody's. */
  #setClock(stamp: number, wall: number): void {
    if (this.#clock) {
      this.#clock[0] = stamp;
      this.#clock[1] = wall;
    }
  }

  #fillRandomly(to: number, bytes: number): boolean {
    try {
      crypto.getRandomValues(this.#memory().subarray(to >>> 0, (to >>> 0) + bytes));
      return true;
    } catch {
      return false; // thrown through the instance, it would leave it in the middle of a call
    }
  }

  /** The memory as it is now: growing takes the buffer away from earlier views. */
  #memory(): Uint8Array<ArrayBuffer> {
    if (this.#bytes.buffer !== this.#exports.memory.buffer) {
      this.#bytes = new Uint8Array(this.#exports.memory.buffer);
    }
    return this.#bytes;
  }
}

/** The wall clock; NaN, which the core refuses, for one that fails: nothing may be thrown through the instance. */
function now(): number {
  try {
    return Number(Date.now());
  } catch {
    return Number.NaN;
  }
}

function roomFor(field: Field, wide: boolean): number {
  if (typeof field !== "string") {
    return field ? arrayLength(field) : 0;
  }
  return wide || field.length < SHORT_CHARACTERS ? 3 * field.length : field.length;
}

function lengthAt(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(at, at + 4);
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}

const ENCODER = /* @__PURE__ */ new TextEncoder();
const DECODER = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true });

const NONE = 0;
const TEXT = 1;
const BYTES = 2;
const DONE = 0;

/** What cannot be: a reply that no string can hold, or fields that no memory can. */
const TOO_LARGE: Reply = [
  REFUSED,
  "too_large",
  "this is larger than WebAssembly's memory or a JavaScript value can be: send less at once",
];

/** What Rust can have in one piece. */
const MOST_BYTES = 2 ** 31 - 1;

const DIGEST_BYTES = 32;

/** Kind and length of a field, or length and verdict of a reply. */
const HEAD_BYTES = 5;

/** Up to here, room for the widest characters costs nothing. */
const SHORT_CHARACTERS = 1_024;
