/** What is sealed: the payloads of `tests/bench/payloads.json`, of exactly the size in their names as JSON text. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const plan = JSON.parse(readFileSync(new URL("../payloads.json", import.meta.url), "utf8"));

/** Size, variant and payload of every combination. */
export function payloads() {
  return plan.sizes.flatMap((size) =>
    Object.keys(plan.variants).map((variant) => ({ size, variant, payload: payloadOf(size.shape, size.bytes, variant) })),
  );
}

/** The payload of a shape, a size and a variant. */
export function payloadOf(shape, bytes, variant) {
  const make = { fields, blob }[shape];
  return make(bytes, plan.variants[variant]);
}

/** Fails unless they are the texts that all languages seal, to the byte. */
export function checkPayloads(all) {
  const digest = createHash("sha256");
  for (const { payload } of all) digest.update(`${JSON.stringify(payload)}\n`);
  assert.equal(digest.digest("hex"), plan.sha256, "the payloads are those of payloads.json");
}

/** A card and its transactions: as many small objects as fit, with every kind of value. */
function fields(bytes, texts) {
  const payload = { card_id: "card_abc123", amount: "10.00" };
  const transactions = [];
  let room = bytes - length(payload) - ',"transactions":[],"note":""'.length;
  for (let number = 0; ; number++) {
    const transaction = {
      id: `txn_${String(number).padStart(6, "0")}`,
      amount: `${number % 997}.${String(number % 100).padStart(2, "0")}`,
      currency: "USD",
      merchant: `${texts.merchant} ${number}`,
      mcc: 4000 + (number % 2000),
      settled: true,
      fee: -0.25,
      memo: texts.memo,
      reversal: null,
    };
    room -= length(transaction) + ",".length;
    if (room < 0) break;
    transactions.push(transaction);
  }
  if (transactions.length > 0) payload.transactions = transactions;
  payload.note = filled(bytes - length(payload) - ',"note":""'.length, texts);
  return payload;
}

/** One long string. */
function blob(bytes, texts) {
  return { document: filled(bytes - '{"document":""}'.length, texts) };
}

/** A text again and again until it takes so many bytes of JSON; what is left over is filled with less. */
function filled(bytes, texts) {
  let [value, rest] = ["", bytes];
  for (const part of [texts.memo, texts.filler, "x"]) {
    const one = length(part) - '""'.length;
    value += part.repeat(Math.floor(rest / one));
    rest %= one;
  }
  return value;
}

function length(value) {
  return Buffer.byteLength(JSON.stringify(value));
}
