/** How long a fresh process takes for its first seal, once the package is imported. */

import { execFileSync } from "node:child_process";
import { cpus } from "node:os";

const PROCESSES = process.argv.includes("--quick") ? 9 : 41;
const ENGINES = { napi: "cardseal", wasm: "cardseal/wasm" };

const program = (module) => `
  const start = performance.now();
  const { Envelope, engineName } = await import("${module}");
  const imported = performance.now();
  new Envelope("your_api_secret_key_here").seal({ card_id: "card_abc123", amount: "10.00" });
  const sealed = performance.now();
  console.log(JSON.stringify({ engine: engineName(), import: imported - start, seal: sealed - imported }));`;

const runs = Object.fromEntries(Object.keys(ENGINES).map((engine) => [engine, []]));
for (let count = 0; count < PROCESSES; count++) {
  for (const [engine, module] of Object.entries(ENGINES)) {
    const run = JSON.parse(execFileSync(process.execPath, ["--input-type=module", "--eval", program(module)]));
    if (run.engine !== engine) throw new Error(`${module} uses ${run.engine}, not ${engine}`);
    runs[engine].push(run);
  }
}

console.log(`a fresh process: ${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}, ${PROCESSES} of each\n`);
for (const [engine, times] of Object.entries(runs)) {
  console.log(`${engine}: ${shown(times, "import")} to import, ${shown(times, "seal")} for the first seal`);
}

/** The median, and the least that a machine which also does other things let it take. */
function shown(times, part) {
  const sorted = times.map((time) => time[part]).sort((a, b) => a - b);
  return `${sorted[sorted.length >> 1].toFixed(1)} ms (at best ${sorted[0].toFixed(1)})`;
}
