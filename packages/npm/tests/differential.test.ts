/** Against tweetnacl, which shares no code: what one seals the other opens, and the bytes are the same. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import nacl from "tweetnacl";
import { EFFORT } from "./support/effort.js";
import { ENGINES } from "./support/engines.js";
import { keyOf, openField, sealField } from "./support/secretbox.js";

/** For each engine, in each direction. */
const RUNS = 2_000 * EFFORT;

const secrets = fc.string({ unit: "grapheme", minLength: 8, maxLength: 40 }).filter((secret) => secret.isWellFormed());
const layouts = fc.constantFrom("versioned" as const, "bare" as const);
const objects = fc.dictionary(
  fc.string({ unit: "grapheme" }).filter((name) => name !== "request_timestamp" && name !== "encrypted"),
  fc.jsonValue({ maxDepth: 4 }),
);

for (const [name, api] of ENGINES) {
  test(`tweetnacl opens what ${name} seals, and seals the same bytes`, () => {
    let cases = 0;
    fc.assert(
      fc.property(secrets, layouts, objects, fc.uint8Array({ maxLength: 2_000 }), (secret, layout, payload, bytes) => {
        const envelope = new api.Envelope(secret, { layout });
        const key = keyOf(secret);
        const field = (JSON.parse(envelope.sealWebhook(payload)) as { encrypted: string }).encrypted;
        const { nonce, message } = openField(field, key, layout);
        assert.equal(Buffer.from(message).toString(), JSON.stringify(payload));
        assert.equal(sealField(message, nonce, key, layout), field);
        assert.deepEqual(openField(envelope.encrypt(bytes), key, layout).message, bytes);
        cases++;
      }),
      { numRuns: RUNS },
    );
    assert.equal(cases, RUNS);
  });

  test(`${name} opens what tweetnacl seals, and nothing that is altered`, () => {
    let cases = 0;
    fc.assert(
      fc.property(
        secrets,
        layouts,
        objects,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (secret, layout, payload, place, flip) => {
          const envelope = new api.Envelope(secret, { layout });
          const key = keyOf(secret);
          const nonce = nacl.randomBytes(nacl.secretbox.nonceLength);
          const encrypted = sealField(Buffer.from(JSON.stringify(payload)), nonce, key, layout);
          const opened = envelope.open<object>(JSON.stringify({ encrypted }));
          assert.equal(JSON.stringify(opened), JSON.stringify(payload));

          const altered = Buffer.from(encrypted, "base64");
          const at = place % altered.length;
          altered[at] = (altered[at] ?? 0) ^ flip;
          const isVersion = layout === "versioned" && at === 0;
          assert.throws(() => envelope.decrypt(altered.toString("base64")), {
            code: isVersion ? "unsupported_version" : "decryption_failed",
          });
          cases++;
        },
      ),
      { numRuns: RUNS },
    );
    assert.equal(cases, RUNS);
  });

  test(`${name} and tweetnacl agree at every length up to 1,100`, () => {
    const envelope = new api.Envelope("a secret of the test");
    const key = keyOf("a secret of the test");
    for (let length = 0; length <= 1_100; length++) {
      const message = nacl.randomBytes(length);
      const field = envelope.encrypt(message);
      const opened = openField(field, key);
      assert.deepEqual(opened.message, message);
      assert.deepEqual(envelope.decrypt(sealField(message, opened.nonce, key)), message);
    }
  });
}
