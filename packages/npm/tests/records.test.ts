/** Idempotency records: by the clock of a real Redis, between clients and processes, and where it does not answer. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, test } from "node:test";
import { inspect } from "node:util";
import { fingerprint, IDEMPOTENCY_LEASE_MILLIS, IDEMPOTENCY_TTL_MILLIS } from "cardseal";
import { type IdempotencyStore, MemoryIdempotencyStore, RedisIdempotencyStore } from "cardseal/server";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { expected, type Given, type Step, take, verdict } from "./support/records.js";
import { redisServer } from "./support/redis.js";
import { load } from "./support/vectors.js";

const server = await redisServer();
const skip = server === undefined && "redis-server is missing";
const url = server?.url ?? "redis://127.0.0.1:1";
const ioredis = new Redis(url, { maxRetriesPerRequest: 0, lazyConnect: true }).on("error", () => undefined);
const nodeRedis = createClient({ url }).on("error", () => undefined);
if (server) {
  await Promise.all([ioredis.connect(), nodeRedis.connect()]);
}
after(() => {
  ioredis.disconnect();
  nodeRedis.destroy();
});

const stores = (): readonly (readonly [name: string, store: IdempotencyStore])[] => [
  ["ioredis", new RedisIdempotencyStore(ioredis)],
  ["node-redis", new RedisIdempotencyStore(nodeRedis)],
];

const PREFIX = "cardseal:idempotency:";
const PRINT = fingerprint("/cards/topup", { card_id: "card_abc123", amount: "10.00" });
const BODY = '{"order_id":"o-1","note":"ä 漢 👩‍💻"}';

/** What Redis does not show: it has no bound of its own, and nobody waits for seven days. */
const LEFT_OUT = [
  "records_store_of_one_record",
  "records_store_full",
  "records_store_full_of_given_back_ones",
  "records_store_full_answers_what_it_knows",
  "records_store_full_begins_again_what_was_given_back",
  "records_store_full_forgets_what_ended",
  "records_forgotten_after_the_answer",
  "records_known_one_milli_before",
  "records_forgotten_without_an_answer",
  "records_known_without_an_answer",
  "records_completed_when_forgotten",
  "records_completed_again_is_kept_longer",
];

/** Moves the leases to where a step finds them: the time that a test takes must not end one. */
async function moveLeases(leases: ReadonlyMap<string, number>, now: number): Promise<void> {
  const [seconds, micros] = (await ioredis.time()).map(Number) as [number, number];
  const redisNow = seconds * 1_000 + Math.floor(micros / 1_000);
  for (const [record, leaseEnd] of leases) {
    if (await ioredis.hexists(record, "lease_end")) {
      const left = leaseEnd - now;
      const slack = left > 0 ? 600_000 : 0;
      const moved = redisNow + left + slack - Number(await ioredis.hget(record, "lease_end"));
      await ioredis.hincrby(record, "lease_end", moved);
    }
  }
}

for (const [name, store] of stores()) {
  test(`vectors of records in Redis, by ${name}`, { skip }, async () => {
    const cases = load("records").filter((given) => given.peek("operation") === "steps");
    const within = cases.filter((given) => !LEFT_OUT.includes(given.name));
    assert.equal(cases.length - within.length, 12);
    assert.ok(within.length >= 45, `${within.length} cases`);
    for (const given of within) {
      await ioredis.flushall();
      const leases = new Map<string, number>();
      /** The store's token for each of the vector's, in the order in which they were given. */
      const tokens = new Map<string, string>();
      let last: Given = { result: "" };
      for (const step of given.take("steps") as unknown as readonly Step[]) {
        await moveLeases(leases, step.now_millis);
        last = await take(store, step, step.token && (tokens.get(step.token) ?? step.token));
        const { token, ...rest } = last;
        const { token: token_, ...wanted } = expected(step);
        assert.deepEqual(rest, wanted, `${given.name}: ${inspect(step)}`);
        if (token !== undefined && token_ !== undefined) {
          const [record, number] = token_.split(":") as [string, string];
          leases.set(PREFIX + record, step.now_millis + (step.lease_millis ?? 0));
          assert.equal(token.split(":")[0], record, given.name);
          for (const [theirs, own] of tokens) {
            const [of, before] = theirs.split(":") as [string, string];
            const order = [Number(number) - Number(before), Number(token.split(":")[1]) - Number(own.split(":")[1])];
            assert.ok(of !== record || Math.sign(order[0] as number) === Math.sign(order[1] as number), given.name);
          }
          tokens.set(token_, token);
        }
      }
      assert.equal(verdict(last), given.expect, given.name);
    }
  });
}

test("of a hundred begins at once one is new, in memory and in Redis", { skip }, async () => {
  const memory = new MemoryIdempotencyStore();
  const [[, first], [, second]] = stores() as [[string, IdempotencyStore], [string, IdempotencyStore]];
  for (const [name, pair] of [
    ["memory", [memory, memory]],
    ["redis", [first, second]],
  ] as const) {
    const begun = await Promise.all(
      Array.from({ length: 100 }, (_, index) => pair[index % 2]?.begin("key_1", "hundred", PRINT)),
    );
    const states = begun.map((each) => each?.state);
    assert.equal(states.filter((state) => state === "new").length, 1, name);
    assert.equal(states.filter((state) => state === "in_progress").length, 99, name);
  }
});

test("what one store begins another one completes, and a third one shows", { skip }, async () => {
  const [[, first], [, second]] = stores() as [[string, IdempotencyStore], [string, IdempotencyStore]];
  const begun = await first.begin("key_1", "shared", PRINT);
  assert.ok(begun.state === "new");
  const [record] = begun.token.split(":");
  const life = async () => Number(await ioredis.pttl(PREFIX + record));
  const isAbout = (millis: number, wanted: number) => millis > wanted - 60_000 && millis <= wanted;
  assert.ok(isAbout(await life(), IDEMPOTENCY_LEASE_MILLIS + IDEMPOTENCY_TTL_MILLIS));
  assert.equal(await second.complete(begun.token, 200, BODY), true);
  assert.ok(isAbout(await life(), IDEMPOTENCY_TTL_MILLIS));
  const third = new RedisIdempotencyStore(ioredis, { timeoutMillis: 5_000 });
  assert.deepEqual(await third.begin("key_1", "shared", PRINT), { state: "replay", status: 200, body: BODY });
  assert.equal(await third.giveBack(begun.token), false);
  assert.deepEqual(Object.keys(await ioredis.hgetall(PREFIX + record)).sort(), [
    "body",
    "fingerprint",
    "lease_end",
    "number",
    "status",
  ]);
});

test("a lease, a fingerprint and a type are checked before anything is asked", async () => {
  const asked: string[][] = [];
  const client = { sendCommand: async (words: string[]) => asked.push(words) };
  for (const store of [new RedisIdempotencyStore(client), new MemoryIdempotencyStore()]) {
    for (const lease of [0, -1, 0.5, Number.NaN, 86_400_001]) {
      await assert.rejects(store.begin("key_1", "k", PRINT, lease), { code: "invalid_option" });
    }
    await assert.rejects(store.takeOver("key_1", "k", "ä"), { code: "invalid_option" });
    await assert.rejects(store.begin("key_1", "k\n", PRINT), { code: "invalid_idempotency_key" });
    await assert.rejects(store.begin(1 as never, "k", PRINT), TypeError);
    await assert.rejects(store.complete(`${"0".repeat(64)}:1`, 200.5, ""), { code: "invalid_option" });
    await assert.rejects(store.complete(`${"0".repeat(64)}:1`, 200, undefined as never), TypeError);
    await assert.rejects(store.giveBack(`${"0".repeat(64)}:1\n`), { code: "invalid_option" });
  }
  assert.deepEqual(asked, []);
  assert.throws(() => new MemoryIdempotencyStore({ maxRecords: -1 }), { code: "invalid_option" });
  assert.throws(() => new MemoryIdempotencyStore({ maxKeys: 1 } as never), { code: "invalid_option" });
  assert.throws(() => new RedisIdempotencyStore(client, { timeout: 1 } as never), { code: "invalid_option" });
  const broken = new MemoryIdempotencyStore({ now: () => Number.NaN });
  await assert.rejects(broken.begin("key_1", "k", PRINT), { code: "replay_store_unavailable" });
});

test("a store in memory that is full forgets what has ended, wherever it stands", async () => {
  let now = 1_700_000_000_000;
  const store = new MemoryIdempotencyStore({ maxRecords: 2, now: () => now });
  const begin = async (key: string, lease: number) => (await store.begin("key_1", key, PRINT, lease)).state;
  assert.deepEqual([await begin("long", 86_400_000), await begin("short", 1)], ["new", "new"]);
  await assert.rejects(begin("more", 1), { code: "replay_store_unavailable" });
  now += IDEMPOTENCY_TTL_MILLIS + 1;
  assert.deepEqual([await begin("more", 1), await begin("long", 1), store.size], ["new", "outcome_unknown", 2]);
  assert.ok(!inspect(store, { depth: 9, showHidden: true }).includes("key_1"));
});

test("what is no record, and a Redis that does not answer, begin nothing, and show no answer", { skip }, async () => {
  const begun = await (stores()[0] as [string, IdempotencyStore])[1].begin("key_1", "odd", PRINT);
  assert.ok(begun.state === "new");
  await ioredis.set(PREFIX + begun.token.split(":")[0], "no hash");
  const refuses = async (store: IdempotencyStore) => {
    for (const step of [
      () => store.begin("key_1", "odd", PRINT),
      () => store.takeOver("key_1", "odd", PRINT),
      () => store.complete(begun.token, 200, BODY),
      () => store.giveBack(begun.token),
    ]) {
      const error: unknown = await step().then(
        (given) => assert.fail(`it gives ${inspect(given)}`),
        (error) => error,
      );
      assert.equal((error as { code?: string }).code, "replay_store_unavailable");
      assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes("order_id"));
    }
  };
  for (const [, store] of stores()) {
    await refuses(store);
  }
  for (const reply of [null, "new", [], ["new"], ["new", null], ["replay", "200"], ["replay", "x", ""], ["later"]]) {
    await refuses(new RedisIdempotencyStore({ sendCommand: async () => reply }));
  }
  server?.process.kill("SIGKILL");
  await once(server?.process as NonNullable<typeof server>["process"], "exit");
  for (const client of [ioredis, nodeRedis]) {
    await refuses(new RedisIdempotencyStore(client, { timeoutMillis: 200 }));
  }
});
