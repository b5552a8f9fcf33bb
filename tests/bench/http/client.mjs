/** Times a call by fetch, with and without the adapter: see src/main.rs. */

import assert from "node:assert/strict";
import { Envelope } from "cardseal";
import { sealedFetch } from "cardseal/fetch";

const CALLS = 20; // in a row, before the other one's turn
const { BENCH_SECRET: secret, BENCH_PLAIN_URL: plainUrl, BENCH_SEALED_URL: sealedUrl } = process.env;
const payload = JSON.parse(process.env.BENCH_PAYLOAD);
const path = "/api/v1/project/balance";
const headers = { "Content-Type": "application/json" };
const envelope = new Envelope(secret);
const sealing = sealedFetch({ apiKey: "key_1", secret });
const answer = envelope.sealResponse(payload);
const request = () => ({ method: "POST", headers, body: JSON.stringify(payload) });

const jobs = {
  bare: async () => (await fetch(plainUrl + path, request())).json(),
  sealed: async () => (await sealing(sealedUrl + path, request())).json(),
  alone: async () => {
    envelope.sealRequest(path, payload, { apiKey: "key_1" });
    return envelope.openResponse(200, answer);
  },
};

async function seconds(job) {
  const start = performance.now();
  for (let call = 0; call < CALLS; call++) {
    await job();
  }
  return (performance.now() - start) / 1000 / CALLS;
}

for (const job of Object.values(jobs)) {
  assert.deepEqual(await job(), payload);
  for (let warm = 0; warm < 50; warm++) await seconds(job); // compiled before it counts
}
for (let round = 0; round < Number(process.env.BENCH_ROUNDS); round++) {
  const names = Object.keys(jobs);
  const times = {};
  for (const name of round % 2 ? names : names.reverse()) times[name] = await seconds(jobs[name]);
  console.log(JSON.stringify(times));
}
