/**
 * The same job with other libraries: an object with a stamp in, the HTTP body out, and back. None of them checks a rule.
 */

import { createHash, randomBytes } from "node:crypto";
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import libsodium from "libsodium-wrappers";
import sodium from "sodium-native";
import nacl from "tweetnacl";
import naclUtil from "tweetnacl-util";

const stamped = (payload) => ({ request_timestamp: Date.now() * 1_000, ...payload });
const keyOf = (secret) => new Uint8Array(createHash("sha256").update(secret).digest());

/** As the protocol's document does it: tweetnacl and tweetnacl-util, a fresh array at each step. */
export function documentsWay(secret) {
  const key = keyOf(secret);
  return {
    name: "tweetnacl + tweetnacl-util",
    seal(payload) {
      const nonce = nacl.randomBytes(nacl.secretbox.nonceLength);
      const box = nacl.secretbox(naclUtil.decodeUTF8(JSON.stringify(stamped(payload))), nonce, key);
      const full = new Uint8Array(1 + nonce.length + box.length);
      full[0] = 2;
      full.set(nonce, 1);
      full.set(box, 1 + nonce.length);
      return JSON.stringify({ encrypted: naclUtil.encodeBase64(full) });
    },
    open(body) {
      const full = naclUtil.decodeBase64(JSON.parse(body).encrypted);
      if (full[0] !== 2) throw new Error("unsupported version");
      const message = nacl.secretbox.open(full.slice(25), full.slice(1, 25), key);
      if (!message) throw new Error("decryption failed");
      return JSON.parse(naclUtil.encodeUTF8(message));
    },
  };
}

/** Native libsodium, tuned: one buffer kept for all calls, encryption in place, the body put together as text. */
export function tunedSodium(secret) {
  const key = Buffer.from(keyOf(secret));
  let buffer = Buffer.allocUnsafeSlow(4_096);
  const room = (bytes) => {
    if (buffer.length < bytes) buffer = Buffer.allocUnsafeSlow(2 * bytes);
  };
  return {
    name: "sodium-native, tuned",
    seal(payload) {
      const json = JSON.stringify(stamped(payload));
      room(41 + 3 * json.length);
      const length = buffer.utf8Write(json, 41);
      buffer[0] = 2;
      const nonce = buffer.subarray(1, 25);
      sodium.randombytes_buf(nonce);
      sodium.crypto_secretbox_easy(buffer.subarray(25, 41 + length), buffer.subarray(41, 41 + length), nonce, key);
      return `{"encrypted":"${buffer.base64Slice(0, 41 + length)}"}`;
    },
    open(body) {
      const field = JSON.parse(body).encrypted;
      room(field.length);
      const length = buffer.base64Write(field, 0);
      if (buffer[0] !== 2) throw new Error("unsupported version");
      const message = buffer.subarray(41, length);
      if (!sodium.crypto_secretbox_open_easy(message, buffer.subarray(25, length), buffer.subarray(1, 25), key)) {
        throw new Error("decryption failed");
      }
      return JSON.parse(message.utf8Slice(0, message.length));
    },
  };
}

/** libsodium as WebAssembly. */
export async function libsodiumWrappers(secret) {
  await libsodium.ready;
  const key = keyOf(secret);
  return {
    name: "libsodium-wrappers",
    seal(payload) {
      const nonce = libsodium.randombytes_buf(24);
      const box = libsodium.crypto_secretbox_easy(JSON.stringify(stamped(payload)), nonce, key);
      const full = new Uint8Array(25 + box.length);
      full[0] = 2;
      full.set(nonce, 1);
      full.set(box, 25);
      return `{"encrypted":"${libsodium.to_base64(full, libsodium.base64_variants.ORIGINAL)}"}`;
    },
    open(body) {
      const full = libsodium.from_base64(JSON.parse(body).encrypted, libsodium.base64_variants.ORIGINAL);
      if (full[0] !== 2) throw new Error("unsupported version");
      return JSON.parse(libsodium.to_string(libsodium.crypto_secretbox_open_easy(full.subarray(25), full.subarray(1, 25), key)));
    },
  };
}

/** JavaScript alone, with Node's own base64. */
export function noble(secret) {
  const key = keyOf(secret);
  return {
    name: "@noble/ciphers",
    seal(payload) {
      const nonce = randomBytes(24);
      const box = xsalsa20poly1305(key, nonce).encrypt(Buffer.from(JSON.stringify(stamped(payload))));
      return `{"encrypted":"${Buffer.concat([Uint8Array.of(2), nonce, box]).toString("base64")}"}`;
    },
    open(body) {
      const full = Buffer.from(JSON.parse(body).encrypted, "base64");
      if (full[0] !== 2) throw new Error("unsupported version");
      return JSON.parse(Buffer.from(xsalsa20poly1305(key, full.subarray(1, 25)).decrypt(full.subarray(25))).toString("utf8"));
    },
  };
}
