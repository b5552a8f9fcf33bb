/** Runs a bundle of `module.mjs` in Chromium: `bundle.mjs FOLDER`. Prints what it prints. */

import { visit } from "./visit.mjs";

await visit(process.argv[2], async (page, { logged, trouble }) => {
  while (logged.length === 0 && trouble.length === 0) {
    await page.waitForEvent("console");
  }
  console.log(...logged);
});
