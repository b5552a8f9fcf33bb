/** The code in the README and in the doc comments: compiled by tsc --strict, run, and its output compared with what it says. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { type Project, Sandbox } from "./support/sandbox.js";

// The examples that call the API do so for real, with the credentials that stand in them.
const project: Project = { apiKey: "key_1", secret: "your_api_secret_key_here" };
const sandbox = await Sandbox.start(project);

const FOLDER = process.env.CARDSEAL_EXAMPLES ?? assert.fail("CARDSEAL_EXAMPLES has to name the extracted examples");

const examples = readdirSync(FOLDER).filter((name) => name.endsWith(".ts"));

test("the README and every part of the API have examples", () => {
  assert.ok(examples.filter((name) => name.startsWith("README")).length >= 8, examples.join());
  assert.ok(examples.length >= 35, examples.join());
});

for (const name of examples) {
  test(`the example ${basename(name, ".ts")} runs and prints what it says`, () => {
    const source = readFileSync(join(FOLDER, name), "utf8");
    // What stands behind `console.log(…);` as a comment, on the same line or on the next.
    const expected = [
      ...source.matchAll(/console\.log\(.*?\)[;)]*(?:\n *)? \/\/ (.*)|^ *console\.log\(.*\);\n *\/\/ (.*)/gm),
    ].map(([, same, next]) => same ?? next ?? "");
    const output = execFileSync(process.execPath, [join(FOLDER, "..", "examples-out", name.replace(/\.ts$/, ".js"))], {
      encoding: "utf8",
      env: {
        ...process.env,
        CARDSEAL_URL: sandbox.url,
        CARDSEAL_API_KEY: project.apiKey,
        CARDSEAL_SECRET: project.secret,
      },
    });
    assert.deepEqual(output.split("\n").filter(Boolean), expected);
  });
}
