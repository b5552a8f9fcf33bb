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
  if (isBytes(body)) {
    return [body, undefined];
  }
  if (body instanceof ArrayBuffer) {
    return [new Uint8Array(body), undefined];
  }
  if (typeof body !== "object" || body === null || ArrayBuffer.isView(body) || isShared(body)) {
    throw new TypeError("the body is neither text, bytes, nor an object with `encrypted`: hand in what was received");
  }
  const field = encryptedOf(body);
  if (typeof field === "string") {
    return [undefined, wellFormed(field, "invalid_envelope")];
  }
  // The core has the words for what is missing, or no text.
  return [field === undefined ? "{}" : '{"encrypted":null}', undefined];
}

function encryptedOf(body: { readonly encrypted: unknown }): unknown {
  try {
    return body.encrypted;
  } catch {
    throw new TypeError("the body throws when its `encrypted` is read: hand in plain data");
  }
}

function isShared(body: object): boolean {
  return typeof SharedArrayBuffer !== "undefined" && body instanceof SharedArrayBuffer;
}
