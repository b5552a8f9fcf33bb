/**
 * Drives the example page with the package's own module beside it, which cannot explain, from a server without a policy:
 * `playground-published.mjs FOLDER`. Prints the engine and a body that it has sealed.
 */

import assert from "node:assert/strict";
import { assertCallsNobody, visit } from "./visit.mjs";

const [folder] = process.argv.slice(2);
const drive = async (page, { trouble }) => {
  await page.getByLabel("Payload").fill('{"request_timestamp": 1700000000000000, "card_id": "card_abc123"}');
  await page.getByRole("button", { name: "Seal and open" }).click();
  assert.match(await page.locator("#opened").textContent(), /"card_id": "card_abc123"/);
  const body = await page.getByLabel("Body").inputValue();
  await page.getByLabel("Secret").fill("another_secret");
  await page.getByRole("button", { name: "Open", exact: true }).click();
  assert.match(await page.locator("#opened").textContent(), /\(decryption_failed\)$/);
  assert.ok(await page.getByRole("table").isHidden());
  assert.ok(await page.getByText("cargo xtask page").isVisible());
  await assertCallsNobody(page, trouble); // the page has a policy of its own
  console.log(JSON.stringify({ engine: "wasm", body }));
};
await visit(folder, drive, {});
