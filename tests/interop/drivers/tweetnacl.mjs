/** Seals and opens with tweetnacl alone, as the protocol's document does, a line of JSON each, in the form of `cardseal batch`. */

import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import nacl from "tweetnacl";
import naclUtil from "tweetnacl-util";

const { decodeBase64, decodeUTF8, encodeBase64, encodeUTF8 } = naclUtil;
const VERSIONS = { versioned: [2], bare: [] };

function answer({ operation, secret, layout, payload, body }) {
  const key = new Uint8Array(createHash("sha256").update(secret).digest());
  const version = VERSIONS[layout];
  if (operation === "seal") {
    const nonce = nacl.randomBytes(nacl.secretbox.nonceLength);
    const box = nacl.secretbox(decodeUTF8(payload), nonce, key);
    return { body: JSON.stringify({ encrypted: encodeBase64(Buffer.concat([Uint8Array.from(version), nonce, box])) }) };
  }
  const envelope = decodeBase64(JSON.parse(body).encrypted);
  const rest = envelope.slice(version.length);
  const isKnown = version.every((byte, index) => envelope[index] === byte);
  const message = isKnown && nacl.secretbox.open(rest.slice(24), rest.slice(0, 24), key);
  if (!message) throw new Error("this does not open");
  return { payload: encodeUTF8(message) };
}

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  let outcome;
  try {
    outcome = { ok: answer(question) };
  } catch {
    outcome = { error: { code: "refused" } };
  }
  console.log(JSON.stringify({ id: question.id, ...outcome }));
}
