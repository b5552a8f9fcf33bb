// A server's driver (../README.md). Usage: node server.mjs web | express | express-parsed | fastify | hono

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// The packages are those installed where it runs.
const require = createRequire(pathToFileURL(`${process.cwd()}/`));

const { CARDSEAL_API_KEY, CARDSEAL_SECRET, CARDSEAL_REDIS } = process.env;
const { Envelope, MemoryReplayStore } = require("cardseal");
const { MemoryWebhookStore, RedisReplayStore, RedisWebhookStore } = require("cardseal/server");

const envelope = new Envelope(CARDSEAL_SECRET);
const redis = CARDSEAL_REDIS && new (require("ioredis").Redis)(CARDSEAL_REDIS, { maxRetriesPerRequest: 0 });
redis?.on("error", () => undefined); // each command says so itself
const options = {
  envelopeOf: (apiKey) => (apiKey === CARDSEAL_API_KEY ? envelope : undefined),
  store: redis ? new RedisReplayStore(redis) : new MemoryReplayStore(),
  onError: () => undefined,
};
const receiver = {
  envelope,
  store: redis ? new RedisWebhookStore(redis) : new MemoryWebhookStore(),
  onError: () => undefined,
  handle: ({ payload, dedupeKey }) => {
    if (payload.refuse) throw new Error("refused");
    events.push(dedupeKey);
  },
};

const events = [];
let count = 0;
function answer({ request_timestamp, ...payload }) {
  count++;
  if (payload.raise) throw new Error("raised");
  return payload.answer ?? { status: 200, body: { seen: payload } };
}

/** Each framework's server: gives something with `listen`. */
const FRAMEWORKS = {
  web() {
    const { sealed, webhookHandler } = require("cardseal/server");
    const receive = webhookHandler(receiver);
    const handle = sealed(options, async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/webhooks") return receive(request);
      if (pathname === "/count") return Response.json(count);
      if (pathname === "/events") return Response.json(events);
      const { status, body } = answer(await request.json());
      return Response.json(body, { status });
    });
    return createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const { method, headers, url } = request;
      const body = method === "GET" ? undefined : Buffer.concat(chunks);
      const given = await handle(new Request(`http://${headers.host}${url}`, { method, headers, body }));
      response.writeHead(given.status, Object.fromEntries(given.headers)).end(Buffer.from(await given.arrayBuffer()));
    });
  },
  express(parses = false) {
    const express = require("express");
    const { sealMiddleware, webhookMiddleware } = require("cardseal/express");
    const app = express();
    if (parses) app.use(express.json({ limit: "20mb" }));
    app.use("/webhooks", webhookMiddleware(receiver));
    app.get("/count", (_, response) => void response.json(count));
    app.get("/events", (_, response) => void response.json(events));
    app.use(sealMiddleware(options));
    app.post("/api/*path", (request, response) => {
      const { status, body } = answer(request.body);
      response.status(status).json(body);
    });
    return createServer(app);
  },
  "express-parsed": () => FRAMEWORKS.express(true),
  async fastify() {
    const { sealPlugin, webhookRoute } = require("cardseal/fastify");
    const app = require("fastify")();
    app.post("/webhooks", webhookRoute(receiver));
    app.get("/count", async () => count);
    app.get("/events", async () => events);
    await app.register(async (scope) => {
      await scope.register(sealPlugin, options);
      scope.all("/api/*", async (request, reply) => {
        const { status, body } = answer(request.body);
        return reply.code(status).send(body);
      });
    });
    await app.ready();
    return app.server;
  },
  hono() {
    const { Hono } = require("hono");
    const { getRequestListener } = require("@hono/node-server");
    const { sealMiddleware, webhookHandler } = require("cardseal/hono");
    const receive = webhookHandler(receiver);
    const app = new Hono();
    app.post("/webhooks", (context) => receive(context.req.raw));
    app.get("/count", (context) => context.json(count));
    app.get("/events", (context) => context.json(events));
    app.use(sealMiddleware(options));
    app.post("/api/*", async (context) => {
      const { status, body } = answer(await context.req.json());
      return context.json(body, status);
    });
    return createServer(getRequestListener(app.fetch));
  },
};

const server = await FRAMEWORKS[process.argv[2]]();
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })));
process.stdin.resume().on("end", () => process.exit());
