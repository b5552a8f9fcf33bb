/** Prints how many bytes the peak of sealing a mebibyte is above what the process had before. With `--expose-gc`. */

import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { Envelope } from "cardseal";
import { payloadOf } from "./payloads.mjs";

// Parsed, as a caller's data would be: strings put together by code are trees that the first reader copies flat.
const payload = JSON.parse(JSON.stringify(payloadOf(process.env.BENCH_SHAPE, 1_048_576, "ascii")));
const envelope = new Envelope("your_api_secret_key_here");
// What V8 takes to compile the code, once in a process, is no part of the message. It compiles on threads of its own.
const small = payloadOf(process.env.BENCH_SHAPE, 16_384, "ascii");
for (let times = 0; times < 500; times++) envelope.seal(small);
await setTimeout(500);
gc();
gc();
writeFileSync("/proc/self/clear_refs", "5"); // the peak starts anew
const before = bytes("VmRSS");
const body = envelope.seal(payload);
const peak = bytes("VmHWM");
console.log(peak - before);
if (body.length < 1_048_576) throw new Error("that was no mebibyte");

function bytes(name) {
  const status = readFileSync("/proc/self/status", "latin1");
  return 1_024 * Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)[1]);
}
