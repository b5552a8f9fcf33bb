/** The rules of SPEC.md, section 26, before every framework: real servers, in processes of their own, asked over HTTP. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { ApiError, Envelope, MemoryReplayStore } from "cardseal";
import { Client } from "cardseal/client";
import { sealMiddleware } from "cardseal/express";
import { MemoryWebhookStore, RedisReplayStore, RedisWebhookStore, sealed, webhookHandler } from "cardseal/server";
import express from "express";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { redisServer } from "./support/redis.js";

const DRIVERS = process.env.CARDSEAL_DRIVERS ?? assert.fail("CARDSEAL_DRIVERS has to name tests/adapters/drivers");
const apiKey = "key_1";
const secret = "your_api_secret_key_here";
const envelope = new Envelope(secret);

const INTERNAL_ERROR = { success: false, error: "Internal error", error_slug: "internal_error" };

/** Starts a framework's server, as its README says. */
async function serverOf(framework: string, redis = ""): Promise<string> {
  const server = spawn(process.execPath, [join(DRIVERS, "server.mjs"), framework], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { CARDSEAL_API_KEY: apiKey, CARDSEAL_SECRET: secret, ...(redis && { CARDSEAL_REDIS: redis }) },
  });
  after(() => server.kill());
  const [line] = await once(createInterface({ input: server.stdout }), "line");
  return JSON.parse(line).url;
}

const seal = (path: string, payload: object) => envelope.sealRequest(path, payload, { apiKey });

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

async function post(url: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Answer> {
  const all = { "API-KEY": apiKey, "Content-Type": "application/json", ...headers };
  const response = await fetch(url, { method: "POST", headers: all, body, duplex: "half" } as RequestInit);
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** A request as it is written, for paths that `fetch` would mend. */
async function raw(url: string, path: string, body: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.end(
    `POST ${path} HTTP/1.1\r\nHost: x\r\nAPI-KEY: ${apiKey}\r\nContent-Type: application/json\r\nConnection: close\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  let answer = "";
  for await (const chunk of socket) {
    answer += chunk;
  }
  return answer.split(" ", 2)[1] ?? "";
}

const plain = (text: string) => JSON.stringify({ error: text });

for (const framework of ["web", "express", "express-parsed", "fastify", "hono"]) {
  const url = await serverOf(framework);
  const title = (text: string) => `${framework}: ${text}`;
  const count = async () => Number(await (await fetch(`${url}/count`)).text());

  test(title("plain JSON behind, sealed JSON before"), async () => {
    const client = new Client({ baseUrl: url, apiKey, secret, attempts: 1 });
    const payload = { card_id: "card_1", list: [1, "ä", null], amount: "20.00" };
    assert.deepEqual(await client.call("/cards/get", payload), { seen: payload });
    const refused = { success: false, error: "No card", error_slug: "card_not_found" };
    const answer = await post(
      `${url}/api/v1/cards/get`,
      seal("/cards/get", { answer: { status: 404, body: refused } }).body,
    );
    assert.equal(answer.status, 404);
    assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
    const length = answer.headers.get("content-length"); // a runtime may send it in chunks instead
    assert.ok(length === null || Number(length) === Buffer.byteLength(answer.text), `${length}`);
    assert.equal(answer.headers.get("etag"), null);
    assert.deepEqual(envelope.open(answer.text), refused);
  });

  test(title("an exception is a sealed internal error, and says nothing of itself"), async () => {
    const answer = await post(`${url}/api/v1/cards/get`, seal("/cards/get", { raise: true }).body);
    assert.equal(answer.status, 500);
    assert.deepEqual(envelope.open(answer.text), INTERNAL_ERROR);
  });

  test(title("a request is received once, under every path"), async () => {
    const before = await count();
    const { body } = seal("/cards/get", { card_id: "card_1" });
    assert.equal((await post(`${url}/api/v1/cards/get`, body)).status, 200);
    for (const path of ["/api/v1/cards/get", "/api/v1/cards/get/", "/api/v1/cards/freeze"]) {
      const again = await post(url + path, body);
      assert.deepEqual([again.status, again.text], [400, plain("Duplicate request detected")]);
    }
    assert.equal(await count(), before + 1);
  });

  test(title("what fails a check does not run, and the first check that fails answers"), async () => {
    const before = await count();
    const at = `${url}/api/v1/cards/get`;
    const good = () => seal("/cards/get", {}).body;
    const stranger = new Envelope("another_secret_altogether");
    const late = (micros: number) => envelope.seal({ request_timestamp: Date.now() * 1_000 + micros });
    const huge = `{"encrypted":"${"A".repeat(11 * 1_024 * 1_024)}"}`;
    const expected: [Promise<Answer>, number, string | RegExp][] = [
      [post(at, good(), { "API-KEY": "nobody" }), 404, plain("API key not found")],
      [post(at, huge, { "API-KEY": "nobody" }), 404, plain("API key not found")],
      [post(at, huge, { "Content-Type": "text/plain" }), 413, /./],
      [post(at, huge), 413, /./],
      // In chunks, so that nothing says beforehand how much there will be.
      [post(at, new Blob([huge]).stream()), 413, /./],
      [post(at, new Blob([huge]).stream(), { "Content-Type": "text/plain" }), 413, /./],
      [post(at, good(), { "Content-Type": "text/plain" }), 415, /application\/json/],
      [
        post(at, good(), { "Content-Type": "application/json; charset=utf-8", "API-KEY": `${apiKey}x` }),
        404,
        /API key/,
      ],
      [post(at, '{"card_id":"card_1"}'), 400, plain("Encrypted payload not found")],
      [post(at, '{"encrypted":5}'), 400, plain("Invalid encrypted payload format")],
      [post(at, stranger.seal({})), 400, plain("Invalid encrypted payload format")],
      [post(at, envelope.sealResponse({})), 400, plain("Request timestamp not found in encrypted payload")],
      [post(at, envelope.sealResponse({ request_timestamp: "x" })), 400, plain("Invalid timestamp format")],
      [post(at, late(-40_000_000)), 400, plain("Request timestamp outside allowed window")],
      [post(at, late(40_000_000)), 400, plain("Request timestamp outside allowed window")],
    ];
    for (const [asked, status, text] of expected) {
      const answer = await asked;
      assert.equal(answer.status, status, answer.text);
      assert[typeof text === "string" ? "equal" : "match"](answer.text, text as never);
    }
    const get = await fetch(at, { headers: { "API-KEY": apiKey } });
    assert.deepEqual([get.status, get.headers.get("allow")], [405, "POST"]);
    assert.equal(await count(), before);
  });

  test(title("the idempotency key is judged after the claims, and the answer is sealed"), async () => {
    const before = await count();
    const topUp = (headers: Record<string, string> = {}, body = seal("/cards/get", {}).body) =>
      post(`${url}/api/v1/cards/topup`, body, headers);
    const judged = async (answer: Answer) => [
      answer.status,
      envelope.open<{ error_slug: string }>(answer.text).error_slug,
    ];
    const { body } = seal("/cards/get", {});
    const missing = await topUp({}, body);
    assert.equal(missing.headers.get("content-type"), "application/json");
    assert.deepEqual(await judged(missing), [400, "idempotency_key_required"]);
    assert.equal((await topUp({ "Idempotency-Key": "topup-1" }, body)).text, plain("Duplicate request detected"));
    for (const key of ["two words", "", "k".repeat(256), "topup-1, topup-2"]) {
      assert.deepEqual(await judged(await topUp({ "Idempotency-Key": key })), [400, "invalid_request"], key);
    }
    const unneeded = await post(`${url}/api/v1/cards/get`, seal("/cards/get", {}).body, { "Idempotency-Key": "a b" });
    assert.deepEqual(await judged(unneeded), [400, "invalid_request"]);
    assert.equal(await count(), before);
    const topped = await topUp({ "Idempotency-Key": "k".repeat(255) });
    assert.deepEqual([topped.status, envelope.open(topped.text)], [200, { seen: {} }]);
    assert.equal(await count(), before + 1);
  });

  test(title("no other spelling of an endpoint leads past the checks"), async () => {
    const before = await count();
    const spellings = [
      "/API/v1/cards/get",
      "/api/v1/CARDS/get",
      "/api/v1/c%61rds/get",
      "/api/v1/cards%2Fget",
      "/api//v1/cards/get",
      "//api/v1/cards/get",
      "/api/v1/cards/get;a=1",
    ];
    for (const path of spellings) {
      assert.equal(await raw(url, path, '{"card_id":"card_1"}'), "404", path);
    }
    assert.equal(await count(), before);
  });

  test(title("a webhook is handled once, and comes again where that failed"), async () => {
    const at = `${url}/webhooks`;
    const handled = { status: 200, text: '{"success":true}' };
    const sent = async (payload: object) => {
      const { status, text } = await post(at, envelope.sealWebhook(payload));
      return { status, text };
    };
    assert.deepEqual(await sent({ type: "card.activated", delivery_id: "d-1" }), handled);
    assert.deepEqual(await sent({ type: "card.activated", delivery_id: "d-1" }), handled);
    assert.equal((await sent({ delivery_id: "d-2", refuse: true })).status, 500);
    assert.deepEqual(await sent({ delivery_id: "d-2" }), handled);
    assert.equal((await post(at, '{"encrypted":"AgAB"}')).status, 400);
    assert.equal((await post(at, "hello", { "Content-Type": "text/plain" })).status >= 400, true);
    assert.deepEqual(await (await fetch(`${url}/events`)).json(), ["id:d-1", "id:d-2"]);
  });
}

test("access, other paths, and faults of the owner's own functions", async () => {
  const reported: unknown[] = [];
  const made = (options: Partial<Parameters<typeof sealed>[0]> = {}) =>
    sealed(
      {
        envelopeOf: (key) => ({ key_1: envelope, key_2: "no_access" as const })[key],
        store: new MemoryReplayStore(),
        onError: (error) => reported.push(error),
        ...options,
      },
      async () => new Response("no JSON", { headers: { etag: "e", "x-request-id": "r-1" } }),
    );
  const ask = async (handler: ReturnType<typeof made>, path = "/api/v1/cards/get", key = apiKey) => {
    const { headers, body } = envelope.sealRequest("/cards/get", {}, { apiKey: key });
    const response = await handler(new Request(`http://localhost${path}`, { method: "POST", headers, body }));
    return [response.status, await response.text()] as const;
  };
  assert.deepEqual(await ask(made(), undefined, "key_2"), [403, plain("You do not have access to this API.")]);
  assert.deepEqual(await ask(made(), "/elsewhere"), [200, "no JSON"]);
  assert.deepEqual(await ask(made({ others: "refuse" }), "/elsewhere"), [404, plain("There is no such endpoint")]);
  assert.deepEqual(await ask(made({ endpoints: ["/cards/other"] })), [200, "no JSON"]);
  assert.deepEqual(reported, []);

  const [status, text] = await ask(made());
  assert.deepEqual([status, envelope.open(text)], [500, INTERNAL_ERROR]);
  assert.equal(reported.length, 1);
  const failing = async () => {
    throw new Error("the store is down");
  };
  assert.deepEqual(await ask(made({ store: { claim: failing } })), [503, plain("The server cannot answer")]);
  assert.deepEqual(await ask(made({ envelopeOf: failing })), [500, plain("The server cannot answer")]);
  assert.equal(reported.length, 3);
  assert.throws(() => made({ path: "/cards/get" } as never), { code: "invalid_option" });
});

test("express: an application that is mounted in another is behind its checks all the same", async () => {
  const options = { envelopeOf: () => envelope, store: new MemoryReplayStore(), others: "refuse" } as const;
  const answer: express.Handler = (request, response) => void response.json({ seen: request.body.card_id });
  const inner = express().use(sealMiddleware(options)).post("/api/v1/cards/get", answer);
  const app = express().use("/mounted", inner).use("/api", sealMiddleware(options)).post("/api/v1/cards/get", answer);
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  for (const path of ["/mounted/api/v1/cards/get", "/api/v1/cards/get"]) {
    assert.equal((await post(url + path, '{"card_id":"card_1"}')).text, plain("Encrypted payload not found"));
    const answered = await post(url + path, seal("/cards/get", { card_id: "card_1" }).body);
    assert.deepEqual(envelope.open(answered.text), { seen: "card_1" });
  }
  server.close();
});

test("while a webhook is being handled another delivery is told to come again", async () => {
  let finish = (): void => undefined;
  const running = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let calls = 0;
  const handler = webhookHandler({
    envelope,
    store: new MemoryWebhookStore(),
    handle: () => {
      calls++;
      return running;
    },
  });
  const deliver = async () => {
    const body = envelope.sealWebhook({ delivery_id: "d-1" });
    return (await handler(new Request("http://localhost/", { method: "POST", body }))).status;
  };
  const first = deliver();
  while (calls === 0) {
    await new Promise(setImmediate);
  }
  assert.equal(await deliver(), 503);
  finish();
  assert.deepEqual([await first, await deliver(), calls], [200, 200, 1]);
});

test("claims in Redis hold between processes, and without Redis nothing runs", async (context) => {
  const redis = await redisServer();
  if (!redis) {
    context.skip("redis-server is missing");
    return;
  }
  const [first, second] = await Promise.all([serverOf("web", redis.url), serverOf("fastify", redis.url)]);
  const { body } = seal("/cards/get", { card_id: "card_1" });
  assert.equal((await post(`${first}/api/v1/cards/get`, body)).status, 200);
  assert.equal((await post(`${second}/api/v1/cards/get`, body)).text, plain("Duplicate request detected"));
  const webhook = envelope.sealWebhook({ delivery_id: "d-1" });
  assert.equal((await post(`${first}/webhooks`, webhook)).status, 200);
  assert.equal((await post(`${second}/webhooks`, webhook)).status, 200);
  assert.deepEqual(await (await fetch(`${second}/events`)).json(), []);

  const nodeRedis = await createClient({ url: redis.url })
    .on("error", () => undefined)
    .connect();
  const ioredis = new Redis(redis.url, { maxRetriesPerRequest: 0 }).on("error", () => undefined);
  for (const [index, client] of [nodeRedis, ioredis].entries()) {
    const store = new RedisReplayStore(client);
    await store.check();
    assert.equal(await store.claim(`key-${index}`, 70_000), true);
    assert.equal(await store.claim(`key-${index}`, 70_000), false);
    assert.deepEqual(await store.claimAll([`key-${index}`, `other-${index}`], 70_000), [false, true]);
    const life = Number(await ioredis.pttl(`cardseal:replay:key-${index}`));
    assert.ok(life > 60_000 && life <= 70_000, String(life));
    const webhooks = new RedisWebhookStore(client);
    assert.equal(await webhooks.begin(`w-${index}`, 60_000), "new");
    assert.equal(await webhooks.begin(`w-${index}`, 60_000), "busy");
    await webhooks.giveBack(`w-${index}`);
    assert.equal(await webhooks.begin(`w-${index}`, 60_000), "new");
    await webhooks.finish(`w-${index}`, 60_000);
    assert.equal(await webhooks.begin(`w-${index}`, 60_000), "handled");
  }
  await ioredis.config("SET", "maxmemory-policy", "allkeys-lru");
  await assert.rejects(new RedisReplayStore(ioredis).check(), { code: "invalid_option" });

  redis.process.kill("SIGKILL");
  await once(redis.process, "exit");
  for (const client of [nodeRedis, ioredis]) {
    await assert.rejects(new RedisReplayStore(client, { timeoutMillis: 200 }).claim("another", 70_000));
  }
  nodeRedis.destroy();
  ioredis.disconnect();
  const refused = await post(`${first}/api/v1/cards/get`, seal("/cards/get", {}).body);
  assert.deepEqual([refused.status, refused.text], [503, plain("The server cannot answer")]);
  assert.equal((await post(`${first}/webhooks`, envelope.sealWebhook({ delivery_id: "d-2" }))).status, 503);
  assert.equal(await (await fetch(`${first}/count`)).text(), "1");
});

test("a client of ours and a server of ours understand each other's errors", async () => {
  const handler = sealed(
    { envelopeOf: (key) => (key === apiKey ? envelope : undefined), store: new MemoryReplayStore() },
    () => Response.json({ success: false, error: "No funds", error_slug: "insufficient_funds" }, { status: 403 }),
  );
  const fetch: typeof globalThis.fetch = (input, init) => handler(new Request(input, init));
  const client = new Client({ baseUrl: "http://localhost", apiKey, secret, fetch });
  await assert.rejects(
    client.call("/project/balance"),
    (error) => error instanceof ApiError && error.code === "insufficient_funds",
  );
  const stranger = new Client({ baseUrl: "http://localhost", apiKey: "key_9", secret, fetch });
  await assert.rejects(stranger.call("/project/balance"), { code: "api_key_not_found" });
});
