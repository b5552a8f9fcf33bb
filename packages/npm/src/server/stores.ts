/** Stores that processes share, in Redis. */

import { EnvelopeError, IDEMPOTENCY_TTL_MILLIS, internals, type ReplayStore } from "cardseal";
import {
  answerOf,
  type Begun,
  type IdempotencyStore,
  partsOf,
  type Start,
  type Step,
  startOf,
  tokenOf,
} from "./records.js";
import { IDEMPOTENCY_SCRIPT } from "./script.js";
import type { WebhookState, WebhookStore } from "./webhooks.js";

/** A client of Redis: one of ioredis, or of node-redis. It is asked for commands, nothing else. */
export type RedisClient =
  | { call(command: string, ...words: string[]): Promise<unknown> }
  | { sendCommand(words: string[]): Promise<unknown> };

/** The options of the stores in Redis. */
export interface RedisOptions {
  /** How long Redis may take for a command, in milliseconds; then it counts as one that does not answer. 1,000 unless given. */
  readonly timeoutMillis?: number | undefined;
}

/**
 * A replay store that processes share. A claim that Redis does not answer is rejected, and the request refused.
 *
 * A client that sends a command again after a lost answer would find its own claim, and call a fresh request a duplicate: give
 * ioredis `maxRetriesPerRequest: 0`. Call {@link check} once at the start.
 *
 * @example
 * ```ts
 * import { RedisReplayStore } from "cardseal/server";
 *
 * // import { createClient } from "redis"; const client = await createClient({ url: "redis://127.0.0.1" }).connect();
 * const client = { sendCommand: async (words: string[]) => (words[0] === "EVAL" ? [1] : null) };
 * console.log(await new RedisReplayStore(client).claim("key", 70_000)); // true
 * ```
 */
export class RedisReplayStore implements ReplayStore {
  static {
    internals.nameClass(RedisReplayStore, "RedisReplayStore");
  }

  readonly #run: Run;

  constructor(client: RedisClient, options: RedisOptions = {}) {
    this.#run = runnerOf(client, options);
  }

  /** Claims a key for so many milliseconds; true means that nobody had it. Rejects if Redis does not answer. */
  async claim(key: string, ttlMillis: number): Promise<boolean> {
    const [isFresh] = await this.claimAll([key], ttlMillis);
    return isFresh === true;
  }

  /** Claims several keys in one step; true for each that nobody had. Rejects if Redis does not answer. */
  async claimAll(keys: readonly string[], ttlMillis: number): Promise<readonly boolean[]> {
    const names = keys.map((key) => `cardseal:replay:${key}`);
    const answers = await this.#run("EVAL", CLAIM_ALL, String(names.length), ...names, String(ttlMillis));
    return (answers as readonly unknown[]).map((answer) => answer === 1);
  }

  /** @throws EnvelopeError `invalid_option` if Redis would forget claims when it is full. */
  async check(): Promise<void> {
    const policy = /^maxmemory_policy:(\S+)/m.exec(String(await this.#run("INFO", "memory")))?.[1];
    if (policy !== "noeviction") {
      const message = `the maxmemory-policy of Redis is \`${policy}\`, which forgets claims: set it to \`noeviction\``;
      throw new EnvelopeError("invalid_option", message);
    }
  }
}

/** One script is one step: 1 for each key that nobody had, else 0. */
const CLAIM_ALL = `local fresh = {}
for place, key in ipairs(KEYS) do
  fresh[place] = redis.call("SET", key, 1, "NX", "PX", ARGV[1]) and 1 or 0
end
return fresh`;

/** Remembers handled webhooks for processes that share it: see `MemoryWebhookStore`. */
export class RedisWebhookStore implements WebhookStore {
  static {
    internals.nameClass(RedisWebhookStore, "RedisWebhookStore");
  }

  readonly #run: Run;

  constructor(client: RedisClient, options: RedisOptions = {}) {
    this.#run = runnerOf(client, options);
  }

  /** Takes a webhook up for so long. */
  async begin(dedupeKey: string, leaseMillis: number): Promise<WebhookState> {
    const key = WEBHOOK_PREFIX + dedupeKey;
    if ((await this.#run("SET", key, "busy", "NX", "PX", String(leaseMillis))) !== null) {
      return "new";
    }
    return String(await this.#run("GET", key)) === "handled" ? "handled" : "busy";
  }

  /** Remembers that a webhook was handled. */
  async finish(dedupeKey: string, rememberMillis: number): Promise<void> {
    await this.#run("SET", WEBHOOK_PREFIX + dedupeKey, "handled", "PX", String(rememberMillis));
  }

  /** Forgets a webhook that was not handled. */
  async giveBack(dedupeKey: string): Promise<void> {
    await this.#run("DEL", WEBHOOK_PREFIX + dedupeKey);
  }
}

/**
 * Idempotency records that processes share: see `MemoryIdempotencyStore`. By Redis's clock; on a server that must not forget
 * when it is full, which `RedisReplayStore` checks.
 *
 * A client that sends a command again after a lost answer finds `in_progress` instead of `new`: give ioredis
 * `maxRetriesPerRequest: 0`. Redis's own words for a failure are not passed on: the stored answers stand beside them.
 *
 * @example
 * ```ts
 * import { fingerprint } from "cardseal";
 * import { RedisIdempotencyStore } from "cardseal/server";
 *
 * // import { createClient } from "redis"; const client = await createClient({ url: "redis://127.0.0.1" }).connect();
 * const client = { sendCommand: async () => ["new", "1700000000000"] };
 * const store = new RedisIdempotencyStore(client);
 * console.log((await store.begin("key_1", "topup-invoice-42", fingerprint("/cards/topup", {}))).state); // new
 * ```
 */
export class RedisIdempotencyStore implements IdempotencyStore {
  static {
    internals.nameClass(RedisIdempotencyStore, "RedisIdempotencyStore");
  }

  readonly #run: Run;

  constructor(client: RedisClient, options: RedisOptions = {}) {
    this.#run = runnerOf(client, options);
  }

  /**
   * @throws EnvelopeError `invalid_api_key`, `invalid_idempotency_key`; `invalid_option` for a lease or a fingerprint that is
   * none; `replay_store_unavailable` if Redis does not answer.
   */
  async begin(apiKey: string, idempotencyKey: string, fingerprint: string, leaseMillis?: number): Promise<Begun> {
    return this.#begin("begin", await startOf(apiKey, idempotencyKey, fingerprint, leaseMillis));
  }

  /** @throws EnvelopeError as {@link begin}. */
  async takeOver(apiKey: string, idempotencyKey: string, fingerprint: string, leaseMillis?: number): Promise<Begun> {
    return this.#begin("take_over", await startOf(apiKey, idempotencyKey, fingerprint, leaseMillis));
  }

  /**
   * @throws EnvelopeError `invalid_option` for a status outside 100 to 599, and for what is no token;
   * `replay_store_unavailable` if Redis does not answer.
   */
  async complete(token: string, status: number, body: string): Promise<boolean> {
    const answer = answerOf(status, body);
    return this.#change("complete", token, String(answer.status), answer.body);
  }

  /** @throws EnvelopeError `invalid_option` for what is no token; `replay_store_unavailable` if Redis does not answer. */
  async giveBack(token: string): Promise<boolean> {
    return this.#change("give_back", token);
  }

  async #begin(step: Step, { key, fingerprint, leaseMillis }: Start): Promise<Begun> {
    const words = [step, fingerprint, String(leaseMillis), String(IDEMPOTENCY_TTL_MILLIS)];
    const [state, first = "", body] = await this.#step(key, ...words);
    if (state === "new" && NUMBER.test(first)) {
      return { state, token: tokenOf(key, first) };
    }
    if (state === "replay" && STATUS.test(first) && body !== undefined) {
      return { state, status: Number(first), body };
    }
    if (state === "in_progress" || state === "conflict" || state === "outcome_unknown") {
      return { state };
    }
    throw noRecord();
  }

  async #change(step: string, token: string, ...answer: readonly string[]): Promise<boolean> {
    const [key, number] = partsOf(token);
    const [outcome] = await this.#step(key, step, number, String(IDEMPOTENCY_TTL_MILLIS), ...answer);
    if (outcome !== "stored" && outcome !== "stale") {
      throw noRecord();
    }
    return outcome === "stored";
  }

  async #step(key: string, ...words: readonly string[]): Promise<readonly string[]> {
    let reply: unknown;
    try {
      reply = await this.#run("EVAL", IDEMPOTENCY_SCRIPT, "1", `cardseal:idempotency:${key}`, ...words);
    } catch {
      const message = "the store of idempotency records does not answer: nothing may be carried out";
      throw new EnvelopeError("replay_store_unavailable", message);
    }
    return Array.isArray(reply) ? reply.map((word) => String(word ?? "")) : [];
  }
}

function noRecord(): EnvelopeError {
  const message = "what is under the key is no idempotency record: look into Redis";
  return new EnvelopeError("replay_store_unavailable", message);
}

type Run = (...words: [command: string, ...words: string[]]) => Promise<unknown>;

/** In a closure: a client's options hold its password. */
function runnerOf(client: RedisClient, options: RedisOptions): Run {
  internals.onlyKnown(options, "timeoutMillis");
  const { timeoutMillis = 1_000 } = options;
  const send = (words: [string, ...string[]]): Promise<unknown> =>
    "call" in client ? client.call(...words) : client.sendCommand(words);
  return async (...words) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    // A client that has lost its connection keeps commands until it has another one: nobody waits so long.
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("Redis does not answer")), timeoutMillis);
    });
    try {
      return await Promise.race([send(words), late]);
    } finally {
      clearTimeout(timer);
    }
  };
}

const NUMBER = /^[1-9][0-9]{0,18}$/;
const STATUS = /^[1-5][0-9]{2}$/;
const WEBHOOK_PREFIX = "cardseal:webhook:";
