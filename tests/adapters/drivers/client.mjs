// A client's driver (../README.md). Usage: node client.mjs fetch | ky | axios | undici | client

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

// The packages are those installed where it runs.
const require = createRequire(pathToFileURL(`${process.cwd()}/`));
const load = (name) => import(pathToFileURL(require.resolve(name)));

const { CARDSEAL_URL: baseUrl, CARDSEAL_API_KEY: apiKey, CARDSEAL_SECRET: secret } = process.env;
const options = { apiKey, secret, attemptTimeoutMillis: 2_000 };
const { ApiError, EnvelopeError } = require("cardseal");
const { apiErrorOf, OutcomeUnknownError } = require("cardseal/fetch");
const headersOf = (key) => (key === null ? {} : { "Idempotency-Key": key });

/** Each adapter's way to make a call: gives the payload, or throws. */
const ADAPTERS = {
  async fetch() {
    const fetch = require("cardseal/fetch").sealedFetch({ ...options, baseUrl });
    return async (path, payload, key) => {
      const response = await fetch(path, { method: "POST", headers: headersOf(key), body: JSON.stringify(payload) });
      if (!response.ok) throw apiErrorOf(response);
      return await response.json();
    };
  },
  async ky() {
    const { default: ky } = await load("ky");
    const { sealedFetch } = require("cardseal/fetch");
    const api = ky.create({ prefixUrl: baseUrl, timeout: false, fetch: sealedFetch({ ...options, baseUrl }) });
    return (path, json, key) => api.post(path.slice(1), { json, headers: headersOf(key) }).json();
  },
  async axios() {
    const adapter = require("cardseal/axios").sealedAdapter(options);
    const api = require("axios").create({ baseURL: baseUrl, adapter });
    return async (path, payload, key) => (await api.post(path, payload, { headers: headersOf(key) })).data;
  },
  async undici() {
    const { Agent, request } = require("undici");
    const dispatcher = new Agent().compose(require("cardseal/undici").sealInterceptor(options));
    return async (path, payload, key) => {
      const body = JSON.stringify(payload);
      const url = `${baseUrl}/api/v1${path}`;
      const response = await request(url, { dispatcher, method: "POST", headers: headersOf(key), body });
      const answer = await response.body.json().catch(() => undefined);
      if (response.statusCode !== 200) throw apiErrorOf(response);
      return answer;
    };
  },
  async client() {
    const client = new (require("cardseal/client").Client)({ ...options, baseUrl });
    return (path, payload, key) => client.call(path, payload, { idempotencyKey: key ?? undefined });
  },
};

function failure(error) {
  if (error instanceof OutcomeUnknownError) return { error: error.code, idempotency_key: error.idempotencyKey ?? null };
  if (error instanceof EnvelopeError) return { error: error.code };
  const apiError = apiErrorOf(error);
  return { error: apiError instanceof ApiError ? (apiError.code ?? `http_${apiError.status}`) : "transport" };
}

const call = await ADAPTERS[process.argv[2]]();
const underWay = new Set();
for await (const line of createInterface({ input: process.stdin })) {
  if (underWay.size === 16) await Promise.race(underWay);
  const { id, path, payload, idempotency_key } = JSON.parse(line);
  const made = call(path, payload, idempotency_key)
    .then((ok) => ({ ok }), failure)
    .then((outcome) => console.log(JSON.stringify({ id, ...outcome })))
    .finally(() => underWay.delete(made));
  underWay.add(made);
}
