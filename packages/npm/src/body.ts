/** Sealed bodies in the forms in which web frameworks hand them over. */

import type { Field } from "./engine.js";
import { EnvelopeError } from "./errors.js";
import { arrayKind, arrayLength, firstBytes, isArrayBuffer, isSharedArrayBuffer } from "./intrinsics.js";
import { hasMethod, isBytes, wellFormed } from "./payload.js";
import type { ErrorCode } from "./tables.js";

/**
 * A sealed HTTP body: text, bytes (a `Buffer` is a `Uint8Array`), or the object that a framework has parsed already,
 * with its member `encrypted`.
 */
export type Body = string | Uint8Array | ArrayBuffer | { readonly encrypted: unknown };

/**
 * The body as the core takes it: the whole body, or the field of a parsed one.
 *
 * One that is too large is cut behind the first byte too many, which is enough for the core to refuse it: nobody makes this
 * side copy more than it was told to take.
 */
export function bodyFields(body: unknown, maxBytes: number): BodyFields {
  const whole = wholeBody(body);
  if (whole !== undefined) {
    return [cut(whole, maxBytes, "invalid_json"), undefined];
  }
  const field = encryptedOf(body);
  if (typeof field === "string") {
    return [undefined, cut(field, maxBytes, "invalid_envelope")];
  }
  // The core has the words for what is missing, or no text.
  return [field === undefined ? "{}" : '{"encrypted":null}', undefined];
}

/**
 * The body of a response, which can be a plain error: one that was parsed already becomes its text again.
 *
 * @throws EnvelopeError with `status` and `failureClass`, for text that is none in an answer of 2xx.
 */
export function responseFields(body: unknown, status: number, maxBytes: number): BodyFields {
  const whole = wholeBody(body);
  const field = whole === undefined ? encryptedOf(body) : undefined;
  const isSuccess = status >= 200 && status <= 299;
  const readable = (text: string, code: ErrorCode): string => {
    const shown = text.length > maxBytes ? text.slice(0, maxBytes + 1) : text;
    if (shown.isWellFormed()) {
      return shown;
    }
    if (isSuccess && shown.length <= maxBytes) {
      throw EnvelopeError.of([code, HALF_A_PAIR, undefined, "transient"], status);
    }
    return shown.toWellFormed(); // a plain error is read as leniently as bytes are
  };
  if (typeof field === "string") {
    return [undefined, readable(field, "invalid_envelope")];
  }
  const text = whole ?? jsonOf(body);
  return [typeof text === "string" ? readable(text, "invalid_json") : cut(text, maxBytes, "invalid_json"), undefined];
}

/** The body of the request that a response answers: its text or its bytes, to be compared by the core. */
export function requestField(request: unknown): Field {
  if (request === undefined || typeof request === "string") {
    return request;
  }
  const body = bytesOf(request) ?? (typeof request === "object" ? memberOf(request, "body") : undefined);
  if (typeof body === "string" || isBytes(body)) {
    return body;
  }
  // Anything else would switch the comparison off, without a word.
  throw new TypeError("`request` is no sealed request: hand in what `sealRequest` gave, or the body that was sent");
}

/** A text of at most one character more than is allowed in bytes. */
export function limited(text: string, maxBytes: number, code: ErrorCode): string {
  return text.length > maxBytes ? text.slice(0, maxBytes + 1) : wellFormed(text, code);
}

type BodyFields = readonly [body: Field, field: Field];

const HALF_A_PAIR = "half of a surrogate pair stands in the text: read the answer as UTF-8, or as bytes";

function cut(whole: string | Uint8Array, maxBytes: number, code: ErrorCode): Field {
  if (typeof whole === "string") {
    return limited(whole, maxBytes, code);
  }
  return arrayLength(whole) > maxBytes ? firstBytes(whole, maxBytes + 1) : whole;
}

/** The text or the bytes that a body is; nothing for an object that is to have an `encrypted`. */
function wholeBody(body: unknown): string | Uint8Array | undefined {
  if (typeof body === "string") {
    return body;
  }
  const bytes = bytesOf(body);
  if (bytes) {
    return bytes;
  }
  if (typeof body !== "object" || body === null || arrayKind(body) || isSharedArrayBuffer(body) || isNoData(body)) {
    throw new TypeError("the body is neither text, bytes, nor an object with `encrypted`: hand in what was received");
  }
  return undefined;
}

function bytesOf(body: unknown): Uint8Array | undefined {
  if (isBytes(body)) {
    return body;
  }
  return isArrayBuffer(body) ? reading(() => new Uint8Array(body)) : undefined;
}

/** Whether it is a promise, a response that nobody has read, a blob, a stream, or a text in a box. */
function isNoData(body: object): boolean {
  const kind = reading(() => Object.prototype.toString.call(body));
  return (
    ArrayBuffer.isView(body) ||
    ["[object String]", "[object Blob]", "[object Response]"].includes(kind) ||
    ["then", "arrayBuffer", "getReader", "pipe"].some((name) => hasMethod(body, name))
  );
}

function encryptedOf(body: unknown): unknown {
  return memberOf(body, "encrypted");
}

function memberOf(body: unknown, name: string): unknown {
  return reading(() => (body as Record<string, unknown> | null)?.[name]);
}

/** The text of a parsed body, or at least of what an error is told by. */
function jsonOf(body: unknown): string {
  try {
    const json: unknown = JSON.stringify(body);
    if (typeof json === "string") {
      return json;
    }
  } catch {
    // A cycle, a BigInt: no parser gave that, but what is said can be read.
  }
  const members = TELLING.map((name) => [name, memberOf(body, name)] as const);
  return JSON.stringify(
    Object.fromEntries(members.filter(([, value]) => ["string", "boolean"].includes(typeof value))),
  );
}

const TELLING = ["success", "error", "detail", "message", "msg"];

/** What a getter or a proxy throws is its own affair: it can be anything, and hold anything. */
function reading<T>(read: () => T): T {
  try {
    return read();
  } catch {
    throw new TypeError("the body throws when it is read: hand in plain data");
  }
}
