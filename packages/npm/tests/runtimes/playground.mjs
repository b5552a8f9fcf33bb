/**
 * Drives the example page as a person does: `playground.mjs FOLDER SCREENSHOTS PEERS_BODY`. Fails where the page is not as it
 * should be; prints the engine and a body that it has sealed, and writes two screenshots.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { assertCallsNobody, visit } from "./visit.mjs";

const [folder, screenshots, peersBody] = process.argv.slice(2);
const SECRET = "your_api_secret_key_here";
const PAYLOAD = '{"request_timestamp": 1700000000000000, "card_id": "card_abc123"}';
const OPENED = '{\n  "request_timestamp": 1700000000000000,\n  "card_id": "card_abc123"\n}';

await visit(folder, async (page, { logged, trouble, requests }) => {
  const [secret, layout] = [page.getByLabel("Secret"), page.getByLabel("Layout")];
  const [payload, body] = [page.getByLabel("Payload"), page.getByLabel("Body")];
  const table = page.getByRole("table", { name: "Step by step" });

  const seal = async (json) => {
    await payload.fill(json);
    await page.getByRole("button", { name: "Seal and open" }).click();
    return body.inputValue();
  };
  const open = async (text) => {
    await body.fill(text);
    await page.getByRole("button", { name: "Open", exact: true }).click();
  };
  const opened = () => page.locator("#opened").textContent();
  /** The steps as [outcome, name, what was found]; what the envelope holds is not among them, nor is the secret. */
  const steps = async () => {
    const rows = await table.locator("tbody tr").all();
    const shown = await Promise.all(rows.map((row) => row.locator("th, td").allTextContents()));
    assert.doesNotMatch(JSON.stringify(shown), /card_abc123|your_api_secret/);
    return shown;
  };
  /** The one step that failed. */
  const failure = async () => {
    const [failed, ...others] = (await steps()).filter(([outcome]) => outcome === "failed");
    assert.deepEqual(others, []);
    return failed;
  };
  const hasNote = async (words) =>
    (await steps()).some(([outcome, , detail]) => outcome === "note" && detail.includes(words));

  // As it is when it has loaded: an example, sealed just now.
  const first = await body.inputValue();
  assert.match(await opened(), /"card_id": "card_abc123"/);
  assert.equal(await page.locator("#conclusion").textContent(), "It opens, and keeps the rules of a request.");
  assert.deepEqual(
    (await steps()).map(([outcome, name]) => `${outcome} ${name}`),
    ["size", "json", "field", "base64", "version", "secret", "payload", "timestamp", "window"].map(
      (name) => `passed ${name}`,
    ),
  );
  await page.screenshot({ path: join(screenshots, "light.png"), fullPage: true });

  // Everything can be reached by the keyboard, in the order in which it stands.
  await secret.focus();
  for (const next of ["layout", "payload", "Seal and open", "body", "Open"]) {
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.id || document.activeElement.textContent), next);
  }
  await page.keyboard.press("Enter");

  // Its own bodies and a peer's.
  const sealed = await seal(PAYLOAD);
  assert.notEqual(sealed, first);
  assert.equal(await opened(), OPENED);
  await open(peersBody);
  assert.equal(await opened(), OPENED);

  // A timestamp of long ago opens, but not as a request.
  assert.deepEqual((await failure()).slice(0, 2), ["failed", "window"]);
  assert.match((await failure())[2], /\(timestamp_outside_window\)$/);
  assert.match(await page.locator("#conclusion").textContent(), /It opens; a server would refuse it/);

  // A bit of the tag.
  const bytes = Buffer.from(JSON.parse(sealed).encrypted, "base64");
  bytes[1 + 24] ^= 1;
  await open(JSON.stringify({ encrypted: bytes.toString("base64") }));
  assert.match(await opened(), /\(decryption_failed\)$/);
  assert.deepEqual((await failure()).slice(0, 2), ["failed", "secret"]);

  // Another secret; one with something around it.
  await secret.fill("another_secret");
  await open(sealed);
  assert.match(await opened(), /\(decryption_failed\)$/);
  assert.match((await failure())[2], /\(decryption_failed\)$/);
  await secret.fill(`${SECRET} `);
  await open(sealed);
  assert.ok(await hasNote("white space"));

  // None at all, and one that is too short to be one.
  await secret.fill("");
  await open(sealed);
  assert.match(await page.locator("#conclusion").textContent(), /well formed/);
  await secret.fill("short");
  await open(sealed);
  assert.match(await opened(), /\(invalid_key\)$/);
  assert.ok(await table.isHidden());
  await secret.fill(SECRET);

  // Another layout.
  await layout.selectOption("bare");
  await open(sealed);
  assert.ok(await hasNote("it opens under the layout versioned"));
  await layout.selectOption("versioned");

  // What cannot be sealed leaves the body as it was.
  assert.equal(await seal("[1]"), sealed);
  assert.match(await page.getByRole("alert").textContent(), /\(invalid_payload\)$/);

  // The url-safe alphabet. A body without either of its two characters is rare.
  let urlSafe = sealed;
  while (!/[-_]/.test(urlSafe.slice('{"encrypted":'.length))) {
    urlSafe = (await seal(PAYLOAD)).replaceAll("+", "-").replaceAll("/", "_");
  }
  assert.ok(await page.getByRole("alert").isHidden());
  await open(urlSafe);
  assert.match(await opened(), /\(invalid_envelope\)$/);
  assert.deepEqual((await failure()).slice(0, 2), ["failed", "base64"]);
  assert.ok(await hasNote("it would open"));
  await page.emulateMedia({ colorScheme: "dark" });
  await page.screenshot({ path: join(screenshots, "dark.png"), fullPage: true });

  // On a phone nothing is wider than the screen.
  await page.setViewportSize({ width: 360, height: 740 });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  await page.screenshot({ path: join(screenshots, "phone.png"), fullPage: true });

  // It has asked for nothing but its own files.
  assert.deepEqual([...new Set(requests)].sort(), ["/", "/cardseal.js", "/icon.svg", "/main.js", "/style.css"]);

  // It can ask for nothing else, nor can a document that has no policy but the server's.
  await assertCallsNobody(page, trouble);
  await page.goto(new URL("/style.css", page.url()).href);
  await assertCallsNobody(page, trouble);

  assert.deepEqual(logged, []);
  console.log(JSON.stringify({ engine: "wasm", body: sealed }));
});
