/** The envelope as the protocol's own example makes it: tweetnacl, Buffer, SHA-256. An oracle that shares no code. */

import { createHash } from "node:crypto";
import nacl from "tweetnacl";

export const NONCE_BYTES = nacl.secretbox.nonceLength;

export function keyOf(secret: string): Uint8Array {
  return createHash("sha256").update(secret, "utf8").digest();
}

/** The `encrypted` field for a message, under a nonce. */
export function sealField(message: Uint8Array, nonce: Uint8Array, key: Uint8Array, layout = "versioned"): string {
  const version = layout === "versioned" ? [2] : [];
  return Buffer.concat([Uint8Array.from(version), nonce, nacl.secretbox(message, nonce, key)]).toString("base64");
}

/** The nonce and the message of a field. */
export function openField(
  field: string,
  key: Uint8Array,
  layout = "versioned",
): { nonce: Uint8Array; message: Uint8Array } {
  const bytes = new Uint8Array(Buffer.from(field, "base64"));
  const start = layout === "versioned" ? 1 : 0;
  const nonce = bytes.slice(start, start + NONCE_BYTES);
  const message = nacl.secretbox.open(bytes.slice(start + NONCE_BYTES), nonce, key);
  if (!message) {
    throw new Error("tweetnacl does not open this field");
  }
  return { nonce, message };
}
