/**
 * Ratios of one process: all candidates in turns of about two milliseconds, so that a machine that is busy for a moment is
 * busy for all of them. A ratio is taken within each round; shown are the median of all rounds and the quartiles, and what
 * the ratio would be if the first took no time beside `JSON.stringify` or `JSON.parse`, which all of them call.
 *
 * Not by mitata or tinybench, which run one candidate after the other: on a shared machine that compares its moods.
 */

import assert from "node:assert/strict";
import { cpus } from "node:os";
import { blob, fields } from "./payloads.mjs";

const JOBS = [
  ["256 B", fields(256)],
  ["1 KiB", fields(1_024)],
  ["16 KiB of fields", fields(16_384)],
  ["1 MiB blob", blob(1_048_576)],
  ["1 MiB of fields", fields(1_048_576)],
];
const ROUNDS = process.argv.includes("--quick") ? 30 : 150;

/** Checks that all candidates open what each of them seals, then measures the first against the others. */
export function compare(title, candidates) {
  for (const [size, payload] of JOBS) {
    for (const { name, seal } of candidates) {
      const body = seal(payload);
      for (const { name: other, open } of candidates) {
        const { request_timestamp: stamp, ...rest } = open(body);
        assert.deepEqual(rest, payload, `${other} opens what ${name} seals (${size})`);
        assert.ok(Number.isSafeInteger(stamp));
      }
    }
  }
  if (process.argv.includes("--check")) {
    console.log(`${title}: ${candidates.length} candidates agree`);
    return;
  }
  console.log(`${title}: ${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}\n`);
  for (const job of ["seal", "open"]) {
    for (const [size, payload] of JOBS) {
      const bodies = candidates.map(({ seal }) => seal(payload));
      const calls = candidates.map(({ seal, open }, index) => (job === "seal" ? () => seal(payload) : () => open(bodies[index])));
      const json = JSON.stringify(candidates[0].open(bodies[0]));
      calls.push(job === "seal" ? () => JSON.stringify(payload) : () => JSON.parse(json));
      report(`${job} ${size}`, candidates, measure(calls));
    }
  }
}

/** For each call the microseconds of each round. */
function measure(calls) {
  const counts = calls.map((call) => {
    let count = 1;
    for (let elapsed = 0; elapsed < 2; count *= 2) elapsed = time(call, count);
    return Math.max(1, count / 2);
  });
  for (let warm = 0; warm < 10; warm++) calls.forEach((call, index) => time(call, counts[index]));
  const rounds = calls.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    const order = calls.map((_, index) => (index + round) % calls.length);
    if (round % 2) order.reverse();
    for (const index of order) {
      rounds[index].push((1_000 * time(calls[index], counts[index])) / counts[index]);
    }
  }
  return rounds;
}

function time(call, count) {
  const start = performance.now();
  for (let index = 0; index < count; index++) call();
  return performance.now() - start;
}

function report(title, candidates, times) {
  const [own, others, json] = [times[0], times.slice(1, -1), times.at(-1)];
  const share = quantile(json, 0.5) / quantile(own, 0.5);
  console.log(`${title}: ${quantile(own, 0.5).toFixed(2)} µs, ${Math.round(100 * share)} % of it JSON`);
  others.forEach((peer, index) => {
    const [low, middle, high] = [0.25, 0.5, 0.75].map((part) => quantile(ratios(peer, own), part).toFixed(2));
    const most = quantile(ratios(peer, json), 0.5).toFixed(2);
    console.log(`  ${middle}× [${low} – ${high}] of at most ${most}×  ${candidates[index + 1].name}`);
  });
}

/** How many times as long the one took as the other, in each round. */
function ratios(times, others) {
  return times.map((time, round) => time / others[round]);
}

function quantile(numbers, part) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(part * (sorted.length - 1))];
}
