/** Runs a bundle of `module.mjs` in Chromium: `bundle.mjs FOLDER`. Prints what it prints. */

import { visit } from "./visit.mjs";

await visit(process.argv[2], async (page, { logged, trouble }) => {
  if (logged.length + trouble.length === 0) {
    await Promise.race(["console", "pageerror"].map((event) => page.waitForEvent(event).catch(() => undefined)));
  }
  console.log(...logged);
});
