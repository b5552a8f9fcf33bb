/** Seals and opens with tweetnacl alone, as the protocol's own example does: `tweetnacl_peer.mjs seal|open`, stdin to stdout. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import nacl from "tweetnacl";
import naclUtil from "tweetnacl-util";

const { decodeBase64, decodeUTF8, encodeBase64, encodeUTF8 } = naclUtil;
const key = new Uint8Array(createHash("sha256").update(process.env.CARDSEAL_SECRET).digest());
const text = readFileSync(0, "utf8");
if (process.argv[2] === "seal") {
  const nonce = nacl.randomBytes(nacl.secretbox.nonceLength);
  const box = nacl.secretbox(decodeUTF8(text), nonce, key);
  console.log(JSON.stringify({ encrypted: encodeBase64(Uint8Array.of(2, ...nonce, ...box)) }));
} else if (process.argv[2] === "open") {
  const envelope = decodeBase64(JSON.parse(text).encrypted);
  const message = envelope[0] === 2 && nacl.secretbox.open(envelope.slice(25), envelope.slice(1, 25), key);
  if (!message) throw new Error("this does not open");
  console.log(encodeUTF8(message));
} else {
  throw new Error("usage: tweetnacl_peer.mjs seal|open");
}
