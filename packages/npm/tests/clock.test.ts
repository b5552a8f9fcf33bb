/** A clock that is corrected (SPEC.md, section 27, rule 8): through every adapter, against servers with clocks of their own. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { ApiError, CLOCK_CORRECTION_PAUSE_MILLIS, Envelope, EnvelopeError, timestampMicros } from "cardseal";
import { Client } from "cardseal/client";
import { ADAPTERS } from "./support/adapters.js";
import { ENGINES, type Internals, SECRET } from "./support/engines.js";

const apiKey = "key_1";
const envelope = new Envelope(SECRET);
const PATH = "/project/balance";
const FIVE_MINUTES = 300_000;

/** A certificate that nobody has signed, and no one keeps. */
const certificate = (() => {
  const folder = mkdtempSync(join(tmpdir(), "cardseal-tls-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
  const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  execFileSync("openssl", ["req", "-x509", ...made, ...subject, "-keyout", key, "-out", cert], { stdio: "ignore" });
  const pems = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true });
  return pems;
})();
process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0"; // all that this process asks are its own servers

/** The clock by which a minute passes between two corrections, moved on instead of waited for. */
const performanceNow = performance.now.bind(performance);
let ahead = 0;
performance.now = () => performanceNow() + ahead;

afterEach(() => {
  ahead += CLOCK_CORRECTION_PAUSE_MILLIS;
  correctAll(0);
});

function correctAll(offsetMicros: number): void {
  for (const [, api] of ENGINES) {
    (api as unknown as Internals).internals.correctClock(offsetMicros);
  }
}

/** A server whose clock is `offset` milliseconds ahead of ours, and says so in `Date` unless it says something else. */
class Server {
  offset: number;
  date: string | readonly string[] | undefined;
  asked = 0;
  readonly #listener: RequestListener = async (request, response) => {
    this.asked++;
    let body = "";
    for await (const chunk of request) {
      body += chunk;
    }
    const now = Date.now() + this.offset;
    let answer: readonly [status: number, text: string];
    try {
      envelope.openRequest(body, { nowMicros: now * 1_000 });
      answer = [200, envelope.sealResponse({ currency: "usdt" })];
    } catch (error) {
      assert.ok(error instanceof EnvelopeError && error.code === "timestamp_outside_window", String(error));
      answer = [400, '{"error":"Request timestamp outside allowed window"}'];
    }
    response.setHeader("date", this.date ?? new Date(now).toUTCString());
    response.writeHead(answer[0], { "content-type": "application/json" }).end(answer[1]);
  };
  readonly #server;
  readonly #scheme: string;

  private constructor(scheme: string, offset: number) {
    this.#scheme = scheme;
    this.offset = offset;
    this.#server = scheme === "https" ? createSecureServer(certificate, this.#listener) : createServer(this.#listener);
  }

  static async start(scheme: "http" | "https", offset: number): Promise<Server> {
    const server = new Server(scheme, offset);
    await once(server.#server.listen(0, "127.0.0.1"), "listening");
    after(() => server.#stop());
    return server;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

async function isOutside(call: Promise<unknown>): Promise<void> {
  await assert.rejects(call, (error) => error instanceof ApiError && error.code === "timestamp_outside_window");
}

/** Whether a correction is the one that was to be made: a date has whole seconds, and a call takes its time. */
function isAbout(told: readonly number[], ...wanted: readonly number[]): boolean {
  return told.length === wanted.length && told.every((each, index) => Math.abs(each - (wanted[index] ?? 0)) < 15_000);
}

for (const [name, adapter] of Object.entries(ADAPTERS)) {
  for (const offset of [FIVE_MINUTES, -FIVE_MINUTES]) {
    test(`${name}: a server whose clock is ${offset} ms ahead corrects ours where that is wanted`, async () => {
      const server = await Server.start("https", offset);
      const options = { baseUrl: server.url, apiKey, secret: SECRET };
      await isOutside(adapter(options).call(PATH, {}));
      assert.equal(server.asked, 2);

      const told: number[] = [];
      const { call } = adapter({ ...options, onClockCorrection: (millis) => told.push(millis) });
      assert.deepEqual(JSON.parse(await call(PATH, {})), { currency: "usdt" });
      assert.equal(server.asked, 4);
      assert.ok(isAbout(told, offset), String(told));
      assert.ok(isAbout([timestampMicros() / 1_000 - Date.now()], offset));
      // It is the whole process's clock, but not the one that a server compares with.
      assert.deepEqual(JSON.parse(await adapter(options).call(PATH, {})), { currency: "usdt" });
      assert.equal(server.asked, 5);
      assert.throws(() => envelope.openRequest(envelope.seal({})), { code: "timestamp_outside_window" });
    });
  }

  test(`${name}: a clock is not corrected over plain HTTP, nor by 16 minutes`, async () => {
    for (const [scheme, offset] of [
      ["http", FIVE_MINUTES],
      ["https", 16 * 60_000],
      ["https", -16 * 60_000],
    ] as const) {
      const server = await Server.start(scheme, offset);
      const onClockCorrection = (): never => assert.fail("told of a correction");
      await isOutside(adapter({ baseUrl: server.url, apiKey, secret: SECRET, onClockCorrection }).call(PATH, {}));
      assert.equal(server.asked, 2);
      assert.ok(isAbout([timestampMicros() / 1_000 - Date.now()], 0));
    }
  });
}

test("a second correction waits for a minute, whichever client asks for it", async () => {
  const server = await Server.start("https", FIVE_MINUTES);
  const told: number[] = [];
  const client = () =>
    new Client({ baseUrl: server.url, apiKey, secret: SECRET, onClockCorrection: (millis) => told.push(millis) });
  const first = client();
  await first.call(PATH);
  server.offset = -FIVE_MINUTES;
  await isOutside(first.call(PATH));
  await isOutside(client().call(PATH));
  assert.ok(isAbout(told, FIVE_MINUTES), String(told));
  ahead += CLOCK_CORRECTION_PAUSE_MILLIS;
  await client().call(PATH);
  assert.ok(isAbout(told, FIVE_MINUTES, -FIVE_MINUTES), String(told));
});

test("what is no date of the protocol's is not believed", async () => {
  const server = await Server.start("https", FIVE_MINUTES);
  const onClockCorrection = (): never => assert.fail("told of a correction");
  const client = new Client({ baseUrl: server.url, apiKey, secret: SECRET, onClockCorrection });
  const soon = new Date(Date.now() + FIVE_MINUTES);
  const text = soon.toUTCString();
  for (const date of ["", "soon", soon.toISOString(), text.replace(" GMT", ""), String(soon.getTime()), [text, text]]) {
    server.date = date;
    await isOutside(client.call(PATH));
  }
});

test("a listener that throws, or rejects, does not end a call", async () => {
  for (const onClockCorrection of [() => assert.fail("thrown"), async () => assert.fail("rejected")]) {
    ahead += CLOCK_CORRECTION_PAUSE_MILLIS;
    const server = await Server.start("https", FIVE_MINUTES);
    const client = new Client({ baseUrl: server.url, apiKey, secret: SECRET, onClockCorrection });
    assert.deepEqual(await client.call(PATH), { currency: "usdt" });
    correctAll(0);
  }
});

test("what was stamped before a correction holds no stamp back", () => {
  for (const [name, api] of ENGINES) {
    const before = api.timestampMicros();
    (api as unknown as Internals).internals.correctClock(-3_000_000); // less than the five seconds that a clock follows
    assert.ok(api.timestampMicros() < before - 1_000_000, name);
  }
});

test("a page cannot ask for a correction, nor can an edge runtime", () => {
  const options = { baseUrl: "https://api.example.com", apiKey, secret: SECRET };
  const node = Object.getOwnPropertyDescriptor(globalThis, "process") as PropertyDescriptor;
  for (const stand_in of [undefined, { env: {}, versions: {} }]) {
    let code: unknown;
    try {
      Object.defineProperty(globalThis, "process", { value: stand_in, configurable: true });
      new Client(options);
      new Client({ ...options, onClockCorrection: () => undefined });
    } catch (error) {
      code = (error as { code?: unknown }).code;
    } finally {
      Object.defineProperty(globalThis, "process", node);
    }
    assert.equal(code, "invalid_option");
  }
});
