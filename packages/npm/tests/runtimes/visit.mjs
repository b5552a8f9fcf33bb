import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { chromium } from "playwright-core";

/** As a careful site would have it; `wasm-unsafe-eval` is what WebAssembly needs. */
const POLICY = {
  "content-security-policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'",
};

const TYPES = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".svg": "image/svg+xml",
};

/**
 * Serves a folder on the loopback, lets `act` drive its page in Chromium, and fails if there was any trouble: a message on the
 * console, an error, a request that failed, a breach of the policy. `act` may empty that list where it wanted some.
 */
export async function visit(folder, act, headers = POLICY) {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, "http://localhost").pathname);
    const file = join(folder, path === "/" ? "index.html" : path);
    // A browser asks by itself for the icon of a page that names none.
    const content = path === "/favicon.ico" ? "" : await readFile(file).catch(() => undefined);
    response.writeHead(content === undefined ? 404 : 200, {
      ...headers,
      "content-type": TYPES[extname(file)] ?? "text/plain",
    });
    response.end(content);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1024, height: 720 } });
    const [logged, trouble, requests] = [[], [], []];
    page.on("console", (message) => (message.type() === "log" ? logged : trouble).push(message.text()));
    page.on("pageerror", (error) => trouble.push(String(error)));
    page.on("requestfailed", (request) => trouble.push(`failed: ${request.url()}`));
    page.on("request", (request) => requests.push(new URL(request.url()).pathname));
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    await act(page, { logged, trouble, requests });
    assert.deepEqual(trouble, []);
  } finally {
    await browser.close();
    server.close();
  }
}

/** The control: a policy that nobody enforced would let a request pass, and a list that nobody filled would stay empty. */
export async function assertCallsNobody(page, trouble) {
  assert.deepEqual(trouble, []);
  const call = () =>
    fetch("/main.js").then(
      () => "answered",
      () => "refused",
    );
  assert.equal(await page.evaluate(call), "refused");
  assert.match(trouble.splice(0).join(), /connect-src 'none'/);
}
