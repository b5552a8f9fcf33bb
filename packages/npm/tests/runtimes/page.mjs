/**
 * Shows a built page in Chromium: `page.mjs FOLDER SCREENSHOT`, a body that a peer has sealed on standard input. Serves the
 * folder on the loopback, drives the page as a person does, and prints what stands in it.
 */

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { chromium } from "playwright-core";

const [folder, screenshot] = process.argv.slice(2);
const peerBody = readFileSync(0, "utf8");
const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };
const server = createServer(async (request, response) => {
  const path = normalize(new URL(request.url, "http://localhost").pathname);
  const file = join(folder, path === "/" ? "index.html" : path);
  const content = await readFile(file).catch(() => undefined);
  // As a careful site would have it; `wasm-unsafe-eval` is what WebAssembly needs.
  const policy =
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src data:";
  response.writeHead(content ? 200 : 404, {
    "content-type": types[extname(file)] ?? "text/plain",
    "content-security-policy": policy,
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
  const page = await browser.newPage({ viewport: { width: 800, height: 720 } });
  const trouble = [];
  page.on("console", (message) => trouble.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => trouble.push(String(error)));
  page.on("requestfailed", (request) => trouble.push(`failed: ${request.url()}`));
  const requests = [];
  page.on("request", (request) => requests.push(new URL(request.url()).pathname));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const first = await page.inputValue("#sealed");
  await page.click("#seal");
  const body = await page.inputValue("#sealed");
  const opened = await page.textContent("#opened");
  await page.screenshot({ path: screenshot, fullPage: true });
  await page.fill("#sealed", peerBody);
  await page.click("#open");
  const openedOfPeer = await page.textContent("#opened:not(.error)");
  await page.fill("#secret", "short");
  await page.click("#open");
  const refused = await page.textContent("#opened.error");
  const wasmRequests = requests.filter((path) => path.endsWith(".wasm"));
  console.log(JSON.stringify({ isNew: first !== body, body, opened, openedOfPeer, refused, trouble, wasmRequests }));
} finally {
  await browser.close();
  server.close();
}
