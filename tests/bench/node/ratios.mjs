/**
 * Ratios of one process: all candidates in turns of about two milliseconds, so that a machine that is busy for a moment is
 * busy for all of them. A ratio is taken within each round. `JSON.stringify` or `JSON.parse` alone, which all candidates call,
 * takes its turns too: nobody can be faster. `tests/bench/README.md` has the options and the format of the file.
 *
 * Not by mitata or tinybench, which run one candidate after the other: on a shared machine that compares its moods.
 */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { checkPayloads, payloads } from "./payloads.mjs";

const JOBS = ["seal", "open"];

/** Checks that all candidates open what each of them seals, then measures the first against the others. */
export function compare(language, candidates) {
  const { values: options, positionals: parts } = parseArgs({
    options: { quick: { type: "boolean" }, check: { type: "boolean" }, json: { type: "string" } },
    allowPositionals: true,
  });
  const all = payloads();
  checkPayloads(all);
  for (const { payload } of all) checkCandidates(candidates, payload);
  if (options.check) return;
  if (!options.json) {
    console.error("--json FILE is missing: where the figures go");
    process.exit(2);
  }
  const rounds = options.quick ? 7 : 61;
  const results = [];
  for (const { size, variant, payload } of all) {
    for (const job of JOBS) {
      const name = `${job}, ${size.name} ${size.shape}, ${variant}`;
      if (!parts.every((part) => name.includes(part))) continue;
      console.error(name);
      results.push({ job, size: size.bytes, shape: size.shape, variant, ...measureJob(job, payload, candidates, rounds) });
    }
  }
  writeFileSync(options.json, JSON.stringify({ language, versions: versions(), rounds, results }));
}

function checkCandidates(candidates, payload) {
  for (const { name, seal } of candidates) {
    const body = seal(payload);
    for (const { name: other, open } of candidates) {
      const { request_timestamp: stamp, ...rest } = open(body);
      assert.deepEqual(rest, payload, `${other} opens what ${name} seals`);
      assert.ok(Number.isSafeInteger(stamp));
    }
  }
}

function measureJob(job, payload, candidates, rounds) {
  const bodies = candidates.map(({ seal }) => seal(payload));
  const json = JSON.stringify(candidates[0].open(bodies[0]));
  const calls =
    job === "seal"
      ? [...candidates.map(({ seal }) => () => seal(payload)), () => JSON.stringify(payload)]
      : [...candidates.map(({ open }, index) => () => open(bodies[index])), () => JSON.parse(json)];
  const [own, ...others] = measure(calls, rounds);
  const peers = others.map((times) => comparison(times, own));
  const floor = peers.pop();
  return {
    cardseal_ns: quantile(own, 0.5),
    peers: Object.fromEntries(peers.map((peer, index) => [candidates[index + 1].name, peer])),
    floors: { [job === "seal" ? "JSON.stringify alone" : "JSON.parse alone"]: floor },
  };
}

/** For each call the nanoseconds of each round. */
function measure(calls, rounds) {
  const counts = calls.map((call) => {
    let count = 1;
    for (let elapsed = 0; elapsed < 2; count *= 2) elapsed = time(call, count);
    return Math.max(1, count / 2);
  });
  for (let warm = 0; warm < 10; warm++) calls.forEach((call, index) => void time(call, counts[index]));
  const times = calls.map(() => []);
  for (let round = 0; round < rounds; round++) {
    const order = calls.map((_, index) => (index + round) % calls.length);
    if (round % 2) order.reverse();
    for (const index of order) times[index].push((1e6 * time(calls[index], counts[index])) / counts[index]);
  }
  return times;
}

function time(call, count) {
  const start = performance.now();
  for (let index = 0; index < count; index++) call();
  return performance.now() - start;
}

/** The median time, and how many times as long as the own one: median and quartiles of the rounds. */
function comparison(times, own) {
  const ratios = times.map((time, round) => time / own[round]);
  return { ns: quantile(times, 0.5), ratio: quantile(ratios, 0.5), q1: quantile(ratios, 0.25), q3: quantile(ratios, 0.75) };
}

function quantile(numbers, part) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.round(part * (sorted.length - 1))];
}

function versions() {
  const of = (name) => JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), "utf8")).version;
  const packages = ["cardseal", "@noble/ciphers", "libsodium-wrappers", "sodium-native", "tweetnacl"];
  return { Node: process.version, V8: process.versions.v8, ...Object.fromEntries(packages.map((name) => [name, of(name)])) };
}
