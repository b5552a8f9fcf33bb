/** Sealed bodies in the forms in which web frameworks hand them over. */

import type { Field } from "./engine.js";
import { isBytes, wellFormed } from "./payload.js";
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
export function bodyFields(body: Body, maxBytes: number): readonly [body: Field, field: Field] {
  if (typeof body === "string") {
    return [limited(body, maxBytes, "invalid_json"), undefined];
  }
  const bytes = bytesOf(body);
  if (bytes) {
    return [bytes.length > maxBytes ? bytes.subarray(0, maxBytes + 1) : bytes, undefined];
  }
  const field = encryptedOf(body as { readonly encrypted: unknown });
  if (typeof field === "string") {
    return [undefined, limited(field, maxBytes, "invalid_envelope")];
  }
  // The core has the words for what is missing, or no text.
  return [field === undefined ? "{}" : '{"encrypted":null}', undefined];
}

/** A text of at most one character more than is allowed in bytes. */
export function limited(text: string, maxBytes: number, code: ErrorCode): string {
  return text.length > maxBytes ? text.slice(0, maxBytes + 1) : wellFormed(text, code);
}

/** The bytes that a body is; nothing for an object that is to have an `encrypted`. */
function bytesOf(body: unknown): Uint8Array | undefined {
  if (isBytes(body)) {
    return body;
  }
  const kind = typeof body === "object" && body !== null && !ArrayBuffer.isView(body) && kindOf(body);
  if (kind === "[object ArrayBuffer]") {
    return reading(() => new Uint8Array(body as ArrayBuffer));
  }
  if (!kind || kind === "[object SharedArrayBuffer]") {
    throw new TypeError("the body is neither text, bytes, nor an object with `encrypted`: hand in what was received");
  }
  return undefined;
}

function kindOf(body: object): string {
  return reading(() => Object.prototype.toString.call(body));
}

function encryptedOf(body: { readonly encrypted: unknown }): unknown {
  return reading(() => body.encrypted);
}

/** What a getter or a proxy throws is its own affair: it can be anything, and hold anything. */
function reading<T>(read: () => T): T {
  try {
    return read();
  } catch {
    throw new TypeError("the body throws when it is read: hand in plain data");
  }
}
