/** Sealed bodies in the forms in which web frameworks hand them over. */

import type { Field } from "./engine.js";
import { isBytes, wellFormed } from "./payload.js";

/**
 * A sealed HTTP body: text, bytes (a `Buffer` is a `Uint8Array`), or the object that a framework has parsed already,
 * with its member `encrypted`.
 */
export type Body = string | Uint8Array | ArrayBuffer | { readonly encrypted: unknown };

/** The body as the core takes it: the whole body, or the field of a parsed one. */
export function bodyFields(body: Body): readonly [body: Field, field: Field] {
  if (typeof body === "string") {
    return [wellFormed(body, "invalid_json"), undefined];
  }
  const bytes = bytesOf(body);
  if (bytes) {
    return [bytes, undefined];
  }
  const field = encryptedOf(body as { readonly encrypted: unknown });
  if (typeof field === "string") {
    return [undefined, wellFormed(field, "invalid_envelope")];
  }
  // The core has the words for what is missing, or no text.
  return [field === undefined ? "{}" : '{"encrypted":null}', undefined];
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
