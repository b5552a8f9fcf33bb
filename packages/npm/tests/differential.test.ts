/** Against tweetnacl, which shares no code: what one seals the other opens, and the bytes are the same. */

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
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

  test(`${name} and tweetnacl agree at every length up to 1,100, and at some beyond`, () => {
    const envelope = new api.Envelope("a secret of the test");
    const key = keyOf("a secret of the test");
    const lengths = Array.from({ length: 1_101 }, (_, length) => length);
    // As many of each magnitude up to 64 KiB: the cipher has code for long messages that short ones never see.
    lengths.push(...Array.from({ length: 200 }, (_, index) => randomInt(1 << (11 + (index % 6)))));
    for (const length of lengths) {
      const message = nacl.randomBytes(length);
      const field = envelope.encrypt(message);
      const opened = openField(field, key);
      assert.deepEqual(opened.message, message);
      assert.deepEqual(envelope.decrypt(sealField(message, opened.nonce, key)), message);
    }
  });

  test(`${name} takes a field for base64 exactly where it is what its bytes are written as`, () => {
    const envelope = new api.Envelope("a secret of the test");
    const codes = new Map<string, number>();
    for (const length of [34, 35, 36]) {
      const field = envelope.encrypt(new Uint8Array(length));
      for (let place = 0; place < field.length; place++) {
        for (let unit = 0; unit < 0x180; unit++) {
          const altered = field.slice(0, place) + String.fromCharCode(unit) + field.slice(place + 1);
          if (altered === field) continue;
          const bytes = Buffer.from(altered, "base64");
          const isCanonical = bytes.toString("base64") === altered;
          const known = bytes[0] === 2 ? "decryption_failed" : "unsupported_version";
          const code = isCanonical ? known : "invalid_envelope";
          assert.throws(() => envelope.decrypt(altered), { code });
          codes.set(code, (codes.get(code) ?? 0) + 1);
        }
      }
    }
    // Three fields of 100 and 104 characters, each against 63 others of the alphabet, the last ones against fewer.
    const refused = codes.get("decryption_failed") ?? 0;
    assert.ok(refused > 18_500 && refused < 19_400, JSON.stringify([...codes]));
    assert.ok((codes.get("unsupported_version") ?? 0) > 60 && (codes.get("invalid_envelope") ?? 0) > 90_000);
  });
}
