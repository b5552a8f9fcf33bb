/**
 * What memory a value really is: asked with the language's own getters, taken once.
 *
 * A value's own properties prove nothing: `Symbol.toStringTag`, `buffer` and `length` can all be put on any object.
 */

/** The kind of a typed array, `"Uint8Array"` for example, even of another realm; nothing for anything else. */
export function arrayKind(value: unknown): string | undefined {
  return KIND.call(value);
}

/** The number of elements of a typed array. */
export function arrayLength(array: ArrayBufferView): number {
  return LENGTH.call(array);
}

/** The first elements of a `Uint8Array` that is longer, in the same memory. */
export function firstBytes(bytes: Uint8Array, count: number): Uint8Array {
  return new Uint8Array(BUFFER.call(bytes), OFFSET.call(bytes), count);
}

/** Whether a typed array's memory belongs to this thread alone. */
export function isUnshared(array: ArrayBufferView): boolean {
  return answers(BYTES, BUFFER.call(array));
}

/** Whether a value is an `ArrayBuffer`; a `SharedArrayBuffer` is none. */
export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return canBeMemory(value) && answers(BYTES, value);
}

/** Whether a value is a `SharedArrayBuffer`; a page without isolation has none. */
export function isSharedArrayBuffer(value: unknown): boolean {
  return SHARED_BYTES !== undefined && canBeMemory(value) && answers(SHARED_BYTES, value);
}

/** Spares payloads the two throws below, which would cost several times what sealing a small one does. */
function canBeMemory(value: unknown): boolean {
  try {
    return typeof value === "object" && value !== null && "byteLength" in value;
  } catch {
    return false;
  }
}

/** These getters throw for what is not of their kind. */
function answers(get: Getter<number>, value: unknown): boolean {
  try {
    get.call(value);
    return true;
  } catch {
    return false;
  }
}

type Getter<T> = { call(value: unknown): T };

function getter<T>(prototype: object, name: string | symbol): Getter<T> {
  return Object.getOwnPropertyDescriptor(prototype, name)?.get as unknown as Getter<T>;
}

const ARRAY: object = /* @__PURE__ */ Object.getPrototypeOf(Uint8Array.prototype);
const KIND = /* @__PURE__ */ getter<string | undefined>(ARRAY, Symbol.toStringTag);
const BUFFER = /* @__PURE__ */ getter<ArrayBuffer>(ARRAY, "buffer");
const LENGTH = /* @__PURE__ */ getter<number>(ARRAY, "length");
const OFFSET = /* @__PURE__ */ getter<number>(ARRAY, "byteOffset");
const BYTES = /* @__PURE__ */ getter<number>(ArrayBuffer.prototype, "byteLength");
const SHARED_BYTES =
  typeof SharedArrayBuffer === "undefined"
    ? undefined
    : /* @__PURE__ */ getter<number>(SharedArrayBuffer.prototype, "byteLength");
