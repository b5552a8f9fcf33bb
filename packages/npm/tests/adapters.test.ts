/** What each adapter does in its library's own terms: forms of requests, responses, errors, cancellation. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import axios, { AxiosError, CanceledError } from "axios";
import { ApiError, Envelope, EnvelopeError } from "cardseal";
import { sealedAdapter } from "cardseal/axios";
import { Client } from "cardseal/client";
import { apiErrorOf, OutcomeUnknownError, sealedFetch } from "cardseal/fetch";
import { sealInterceptor } from "cardseal/undici";
import ky, { HTTPError } from "ky";
import { Agent, request, fetch as undiciFetch } from "undici";
import { answering, Sandbox, Wire } from "./support/sandbox.js";

const sandbox = await Sandbox.start();
const { apiKey, secret } = sandbox;
const envelope = new Envelope(secret);

/** A payload that no double holds. */
const PRECISE = '{"id":9007199254740993,"amount":1.10}';

/** Answers with the request's payload and headers, sealed. */
async function echo(): Promise<Wire> {
  const wire = await Wire.open();
  wire.always = ({ body }, response) => {
    const payload = new TextDecoder().decode(envelope.decrypt(JSON.parse(body).encrypted));
    response.writeHead(200, { "content-type": "text/plain", "x-request-id": "r-1" });
    response.end(envelope.sealResponse(payload.replace(/"request_timestamp":\d+,?/, "")));
  };
  return wire;
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => assert.fail(`it should have failed: ${inspect(value)}`),
    (error) => error,
  );
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await failure(promise);
  assert.ok(error instanceof EnvelopeError, inspect(error));
  return error.code;
}

test("fetch: every form of request, and a response that looks like plain JSON", async () => {
  const wire = await echo();
  const call = sealedFetch({ apiKey, secret, baseUrl: wire.url });
  const absolute = `${wire.url}/api/v1/cards/get`;
  const bytes = new TextEncoder().encode(PRECISE);
  const forms: [Parameters<typeof fetch>[0], RequestInit?][] = [
    ["/cards/get", { method: "POST", body: PRECISE }],
    ["cards/get", { method: "post", body: bytes }],
    [new URL(absolute), { method: "POST", body: bytes.buffer }],
    [new Request(absolute, { method: "POST", body: PRECISE })],
    [absolute, { method: "POST", body: new Blob([PRECISE]).stream(), duplex: "half" } as RequestInit],
    [absolute, { method: "POST", body: new Blob([PRECISE], { type: "application/json; charset=utf-8" }) }],
  ];
  for (const [input, init] of forms) {
    const response = await call(input, init);
    assert.equal(response.status, 200);
    assert.equal(response.url, absolute);
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.equal(response.headers.get("x-request-id"), "r-1");
    assert.equal(response.headers.get("content-length"), null);
    assert.equal(await response.text(), PRECISE);
  }
  assert.deepEqual(await (await call("/cards/get", { method: "POST" })).json(), {});
  assert.equal(new Set(wire.arrived.map(({ path }) => path)).size, 1);
});

test("fetch: headers of the caller go along, but not those of the sealing", async () => {
  const wire = await echo();
  const call = sealedFetch({ apiKey, secret, baseUrl: wire.url });
  const headers = {
    "API-KEY": "stranger",
    "Content-Type": "application/json",
    "x-trace": "t-1",
    "Idempotency-Key": "i-1",
  };
  await call("/cards/get", { method: "POST", body: "{}", headers });
  const [{ headers: sent }] = wire.arrived as [(typeof wire.arrived)[0]];
  assert.deepEqual(
    [sent["api-key"], sent["content-type"], sent["x-trace"], sent["idempotency-key"]],
    [apiKey, "application/json", "t-1", "i-1"],
  );
});

test("fetch: what is no call of the API is refused before it is sent", async () => {
  const wire = await echo();
  const call = sealedFetch({ apiKey, secret, baseUrl: wire.url });
  const post = { method: "POST", body: "{}" };
  assert.equal(await codeOf(call("/cards/get")), "invalid_option");
  assert.equal(await codeOf(call("/cards/get", { method: "PUT", body: "{}" })), "invalid_option");
  assert.equal(await codeOf(call("/cards/get?page=2", post)), "invalid_option");
  assert.equal(await codeOf(call("/cards/get", { method: "POST", body: new FormData() })), "invalid_option");
  assert.equal(
    await codeOf(call("/cards/get", { method: "POST", body: new URLSearchParams("a=1") })),
    "invalid_option",
  );
  assert.equal(await codeOf(call("https://api.example.com/cards/get", post)), "invalid_option");
  assert.equal(await codeOf(call("//api.example.com/cards/get", post)), "invalid_option");
  assert.equal(await codeOf(sealedFetch({ apiKey, secret })("/cards/get", post)), "invalid_option");
  assert.equal(await codeOf(call("/cards/get", { method: "POST", body: "amount=1" })), "invalid_payload");
  assert.deepEqual(wire.arrived, []);
});

test("fetch: statuses without a body, and copies of a response that keep the error", async () => {
  const wire = await echo();
  const call = sealedFetch({ apiKey, secret, baseUrl: wire.url, attempts: 1 });
  wire.next.push(answering(204));
  assert.equal(await codeOf(call("/cards/get", { method: "POST" })), "invalid_json");
  wire.next.push(answering(304));
  assert.equal(((await failure(call("/cards/get", { method: "POST" }))) as ApiError).status, 304);
  wire.next.push(answering(404, { "content-type": "application/json" }, '{"error":"API key not found"}'));
  const response = await call("/cards/get", { method: "POST" });
  assert.deepEqual(await response.clone().json(), { error: "API key not found" });
  assert.equal(apiErrorOf(response.clone())?.code, "api_key_not_found");
  assert.equal(apiErrorOf(response)?.code, "api_key_not_found");
  const { status, headers } = response;
  assert.deepEqual(
    [status, headers.get("content-type"), headers.get("content-length")],
    [404, "application/json", null],
  );
});

test("fetch: a sealed error shows what was sealed; an answer that is too large is not read to its end", async () => {
  const wire = await Wire.open();
  const small = new Envelope(secret, { maxBytes: 1_000 });
  const call = sealedFetch({ apiKey, envelope: small, baseUrl: wire.url, attempts: 1 });
  const sealed = { success: false, error: "No funds", error_slug: "insufficient_funds" };
  wire.next.push(answering(403, {}, envelope.sealResponse(sealed)));
  const response = await call("/cards/get", { method: "POST" });
  assert.deepEqual(await response.json(), sealed);
  assert.equal(apiErrorOf(response)?.slug, "insufficient_funds");
  wire.next.push((_, answer) => {
    answer.writeHead(200);
    const fill = (): void => {
      while (!answer.destroyed && answer.write("x".repeat(65_536)));
    };
    answer.on("drain", fill);
    fill();
  });
  assert.equal(await codeOf(call("/cards/get", { method: "POST" })), "too_large");
});

test("ky: its hooks see plain JSON, and its error has the API's", async () => {
  const seen: unknown[] = [];
  const api = ky.create({
    prefixUrl: sandbox.url,
    fetch: sealedFetch({ apiKey, secret, baseUrl: sandbox.url }),
    hooks: { afterResponse: [async (_, __, response) => void seen.push(apiErrorOf(response)?.code)] },
  });
  assert.equal(((await api.post("project/balance").json()) as { currency: string }).currency, "usdt");
  const error = await failure(api.post("cards/get", { json: { card_id: "card_nobody" } }).json());
  assert.ok(error instanceof HTTPError);
  assert.equal(apiErrorOf(error)?.code, "card_not_found");
  assert.deepEqual(seen, [undefined, "card_not_found"]);
});

test("axios: the config that comes back is the caller's, and nothing shows the API key", async () => {
  const wire = await echo();
  const api = axios.create({ baseURL: wire.url, adapter: sealedAdapter({ apiKey, secret, attempts: 1 }) });
  const response = await api.post("/cards/get", { card_id: "card_1" }, { headers: { "x-trace": "t-1" } });
  assert.deepEqual(response.data, { card_id: "card_1" });
  assert.equal(response.headers["content-type"], "application/json");
  assert.deepEqual([response.config.url, response.config.baseURL], ["/cards/get", wire.url]);
  assert.equal(response.config.data, '{"card_id":"card_1"}');
  assert.equal(wire.arrived[0]?.headers["x-trace"], "t-1");

  wire.next.push(answering(404, {}, '{"error":"API key not found"}'));
  const error = await failure(api.post("/cards/get", { card_id: "card_1" }));
  assert.ok(error instanceof AxiosError && axios.isAxiosError(error));
  assert.deepEqual(
    [error.code, error.status, error.response?.data],
    ["ERR_BAD_REQUEST", 404, { error: "API key not found" }],
  );
  assert.ok(error.cause instanceof ApiError && apiErrorOf(error) === error.cause);
  assert.deepEqual([error.config?.url, error.config?.data], ["/cards/get", '{"card_id":"card_1"}']);

  wire.next.push((_, answer) => answer.destroy());
  const broken = await failure(api.post("/cards/get", {}));
  assert.ok(broken instanceof AxiosError);
  assert.deepEqual([broken.code, broken.response, broken.config?.url], ["ECONNRESET", undefined, "/cards/get"]);
  assert.ok(broken.request, "code asks whether there was a request");
  wire.next.push((_, answer) => answer.destroy());
  const unknown = await failure(api.post("/cards/freeze", {}));
  assert.ok(unknown instanceof OutcomeUnknownError && unknown.cause instanceof AxiosError);
  assert.ok(
    ![response, error, broken, unknown].some((each) => inspect(each, { depth: 20, showHidden: true }).includes(apiKey)),
  );
});

test("axios: validateStatus, the time-out of an attempt, and both ways to cancel", async () => {
  const wire = await echo();
  const api = axios.create({ baseURL: wire.url, adapter: sealedAdapter({ apiKey, secret, attempts: 2 }) });
  wire.next.push(answering(404, {}, "nothing here"));
  const response = await api.post("/cards/get", {}, { validateStatus: () => true });
  assert.deepEqual([response.status, response.data], [404, "nothing here"]);
  assert.equal(apiErrorOf(response)?.status, 404);

  wire.next.push(() => undefined);
  assert.deepEqual((await api.post("/cards/get", { a: 1 }, { timeout: 200 })).data, { a: 1 });

  const source = axios.CancelToken.source();
  wire.next.push(() => source.cancel());
  assert.ok(
    (await failure(
      api.post("/cards/topup", {}, { cancelToken: source.token, headers: { "Idempotency-Key": "k" } }),
    )) instanceof CanceledError,
  );
  assert.ok(axios.isCancel(await failure(api.post("/cards/get", {}, { signal: AbortSignal.abort() }))));
  assert.equal(wire.arrived.length, 4);
});

test("axios: what is no call of the API is refused before it is sent", async () => {
  const wire = await echo();
  const api = axios.create({ baseURL: wire.url, adapter: sealedAdapter({ apiKey, secret }) });
  assert.equal(await codeOf(api.get("/cards/get")), "invalid_option");
  assert.equal(await codeOf(api.post("/cards/get", {}, { params: { page: 2 } })), "invalid_option");
  assert.equal(await codeOf(api.post("/cards/get", new FormData())), "invalid_option");
  assert.equal(await codeOf(api.post("/cards/get", {}, { responseType: "stream" })), "invalid_option");
  assert.equal(await codeOf(api.post("/cards/get", "amount=1")), "invalid_payload");
  assert.equal(await codeOf(api.post("/cards/topup", {})), "idempotency_key_required");
  assert.equal(await codeOf(api.post("/cards/get", {}, { baseURL: "" })), "invalid_option");
  assert.deepEqual((await api.post("/cards/get")).data, {});
  assert.equal(wire.arrived.length, 1);
});

test("undici: request with every form of headers and body, and fetch over the same dispatcher", async () => {
  const wire = await echo();
  const dispatcher = new Agent().compose(sealInterceptor({ apiKey, secret, attempts: 1 }));
  const url = `${wire.url}/api/v1/cards/get`;
  const both = { dispatcher, method: "POST" } as const;
  const answers = [
    await request(url, { ...both, body: PRECISE, headers: { "x-trace": "t-1" } }),
    await request(url, { ...both, body: Buffer.from(PRECISE), headers: ["x-trace", "t-1"] }),
    await request(url, {
      ...both,
      body: (await import("node:stream")).Readable.from([PRECISE]),
      headers: [["x-trace", "t-1"]].values() as never,
    }),
  ];
  for (const { statusCode, headers, body } of answers) {
    const { "content-type": type, "content-length": length, "x-request-id": id } = headers;
    assert.deepEqual([statusCode, type, length, id], [200, "application/json", String(PRECISE.length), "r-1"]);
    assert.equal(await body.text(), PRECISE);
  }
  assert.ok(wire.arrived.every(({ headers }) => headers["x-trace"] === "t-1"));

  const response = await undiciFetch(url, { dispatcher, method: "POST", body: PRECISE });
  assert.deepEqual([response.status, response.headers.get("content-type")], [200, "application/json"]);
  assert.equal(await response.text(), PRECISE);
  assert.equal(await codeOf(request(url, { dispatcher })), "invalid_option");
  assert.equal(await codeOf(request(`${url}?a=1`, { ...both, body: "{}" })), "invalid_option");
  assert.equal(await codeOf(request(url, { ...both, query: { a: 1 }, body: "{}" })), "invalid_option");
  assert.equal(wire.arrived.length, 4);
});

test("undici: a response that nobody reads holds nobody up", async () => {
  const wire = await echo();
  const dispatcher = new Agent().compose(sealInterceptor({ apiKey, secret }));
  const { body } = await request(`${wire.url}/api/v1/cards/get`, { dispatcher, method: "POST", body: PRECISE });
  body.on("error", () => undefined).destroy();
  await (await request(`${wire.url}/api/v1/cards/get`, { dispatcher, method: "POST" })).body.dump();
  await dispatcher.close();
});

test("a client's options are checked, and its environment", async () => {
  const make = (options: object) => () =>
    new Client({ baseUrl: "https://api.example.com", apiKey, secret, ...options });
  const codes = [
    make({ baseUrl: "https://api.example.com/api/v1" }),
    make({ baseUrl: "ftp://api.example.com" }),
    make({ baseUrl: "https://me:password@api.example.com" }),
    make({ baseUrl: "api.example.com" }),
    make({ attempts: 0 }),
    make({ deadlineMillis: 1.5 }),
    make({ attemptTimeoutMillis: 2 ** 31 }),
    make({ envelope }),
    make({ secret: undefined }),
    make({ retries: 3 }),
    () => Client.fromEnv(),
  ].map((call) => {
    try {
      return call();
    } catch (error) {
      assert.ok(!String(error).includes("password"));
      return (error as EnvelopeError).code;
    }
  });
  assert.deepEqual(codes, Array(codes.length).fill("invalid_option"));
  assert.throws(make({ secret: "short" }), { code: "invalid_key" });
  process.env.CARDSEAL_URL = sandbox.url;
  process.env.CARDSEAL_API_KEY = apiKey;
  process.env.CARDSEAL_SECRET = secret;
  const client = Client.fromEnv();
  assert.equal(inspect(client), `Client { baseUrl: '${sandbox.url}' }`);
  assert.equal((await client.call<{ currency: string }>("/project/balance")).currency, "usdt");
});

test("a client waits for an order until it has ended, and no longer than it may", async () => {
  const wire = await Wire.open();
  const client = new Client({ baseUrl: wire.url, apiKey, secret });
  const order = (status: string) => answering(200, {}, envelope.sealResponse({ order_id: "order_1", status }));
  wire.next.push(order("new"), order("a status of the next release"), order("failed"));
  assert.equal((await client.waitForOrder("order_1")).status, "failed");
  assert.deepEqual(
    wire.arrived.map(({ path, body }) => [path, envelope.open<{ order_id: string }>(body).order_id]),
    Array(3).fill(["/api/v1/orders/check", "order_1"]),
  );
  wire.next.push(order("processing"));
  const late = await failure(client.waitForOrder("order_1", { timeoutSeconds: 0 }));
  assert.ok(late instanceof DOMException && late.name === "TimeoutError", inspect(late));
  assert.match(late.message, /`processing`/);
  const controller = new AbortController();
  wire.next.push(order("new"), (arrived, response) => {
    order("new")(arrived, response);
    setImmediate(() => controller.abort());
  });
  const cancelled = await failure(client.waitForOrder("order_1", { signal: controller.signal }));
  assert.equal((cancelled as Error).name, "AbortError");
});
