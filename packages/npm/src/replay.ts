/** Has this request been seen? Keys to claim, and a store that remembers them. */

import { perform } from "./engine.js";
import { EnvelopeError } from "./errors.js";
import { nameClass } from "./names.js";
import { string } from "./options.js";
import { isBytes } from "./payload.js";
import { REPLAY_MAX_KEYS, REPLAY_TTL_MILLIS } from "./tables.js";

/** The two keys of a request that a server claims. */
export interface ReplayKeys {
  /** Hexadecimal SHA-256 of API key, path and timestamp. */
  readonly timestamp: string;
  /** Hexadecimal SHA-256 of API key and nonce: a captured body cannot be replayed on another path. */
  readonly nonce: string;
}

/** Remembers which keys have been claimed. Redis does so with `SET key 1 NX PX ttlMillis`. */
export interface ReplayStore {
  /**
   * Claims a key for `ttlMillis`, atomically; true means that nobody had it. A store that cannot answer throws, or rejects.
   */
  claim(key: string, ttlMillis: number): boolean | Promise<boolean>;
  /**
   * Claims several keys in one step, each whatever becomes of the others; true for each that nobody had. A store that processes
   * share needs it: of two copies that come at once, each can else take one key from the other, and both are refused.
   */
  claimAll?(keys: readonly string[], ttlMillis: number): readonly boolean[] | Promise<readonly boolean[]>;
}

/**
 * The keys of an opened request.
 *
 * @throws EnvelopeError `invalid_api_key`, `invalid_path`; `invalid_timestamp` beyond the year 2255.
 *
 * @example
 * ```ts
 * import { replayKeys } from "cardseal";
 *
 * const nonce = Uint8Array.from({ length: 24 }, (_, index) => index);
 * const keys = replayKeys("key_1", "/cards/topup", { timestampMicros: 1_700_000_000_000_000, nonce });
 * console.log(keys.timestamp.slice(0, 8), keys.nonce.slice(0, 8)); // b97a4dc6 5e75a8fd
 * ```
 */
export function replayKeys(
  apiKey: string,
  path: string,
  request: { readonly timestampMicros: number; readonly nonce: Uint8Array },
): ReplayKeys {
  const { timestampMicros, nonce } = request;
  if (!isBytes(nonce)) {
    throw new TypeError("`nonce` is no `Uint8Array`: hand in the opened request");
  }
  if (!Number.isSafeInteger(timestampMicros)) {
    throw new EnvelopeError(
      "invalid_timestamp",
      "a number does not hold this timestamp exactly: its keys would be wrong",
    );
  }
  const given = [string(apiKey, "apiKey"), string(path, "path"), String(timestampMicros), nonce];
  const [timestamp, byNonce] = perform("replayKeys", ...given) as [string, string];
  return { timestamp, nonce: byNonce };
}

/**
 * Claims both keys of a request; returns only if both were fresh. Both are claimed whatever the first says, so that a
 * second attempt under another path finds them.
 *
 * @throws EnvelopeError `replay_store_unavailable` if either claim could not be answered: the request must not run. Else
 * `duplicate_request` if either key was known.
 *
 * @example
 * ```ts
 * import { claimRequest, EnvelopeError, MemoryReplayStore } from "cardseal";
 *
 * const store = new MemoryReplayStore();
 * await claimRequest(store, { timestamp: "a", nonce: "b" });
 * try {
 *   await claimRequest(store, { timestamp: "a", nonce: "c" });
 * } catch (error) {
 *   if (error instanceof EnvelopeError) console.log(error.code); // duplicate_request
 * }
 * ```
 */
export async function claimRequest(store: ReplayStore, keys: ReplayKeys): Promise<void> {
  const claims = store.claimAll ? await claimTogether(store, keys) : await claimOneByOne(store, keys);
  if (claims.length !== 2) {
    throw new EnvelopeError("replay_store_unavailable", "the replay store does not answer: the request must not run");
  }
  if (!claims.every((isFresh) => isFresh === true)) {
    const advice = "seal it again, with the same idempotency key, and resend";
    throw new EnvelopeError("duplicate_request", `this request was received before: ${advice}`);
  }
}

/** The store's answers; fewer if it does not answer: its words are not ours to show, since they can hold its password. */
async function claimOneByOne(store: ReplayStore, keys: ReplayKeys): Promise<readonly boolean[]> {
  const claims: boolean[] = [];
  for (const key of [keys.timestamp, keys.nonce]) {
    try {
      claims.push(await store.claim(key, REPLAY_TTL_MILLIS));
    } catch {
      // counted by its absence; the other key is claimed nevertheless
    }
  }
  return claims;
}

async function claimTogether(store: ReplayStore, keys: ReplayKeys): Promise<readonly boolean[]> {
  try {
    return (await store.claimAll?.([keys.timestamp, keys.nonce], REPLAY_TTL_MILLIS)) ?? [];
  } catch {
    return [];
  }
}

/**
 * A replay store in memory, bounded, for one process. It never forgets a key before its time: when full of live keys it
 * refuses.
 *
 * It lives here and not in the core, because the memory of a WebAssembly instance does not survive a trap, and a store
 * that forgets lets a replay through.
 *
 * @example
 * ```ts
 * import { MemoryReplayStore, REPLAY_TTL_MILLIS } from "cardseal";
 *
 * const store = new MemoryReplayStore();
 * console.log(store.claim("key", REPLAY_TTL_MILLIS), store.claim("key", REPLAY_TTL_MILLIS)); // true false
 * ```
 */
export class MemoryReplayStore implements ReplayStore {
  static {
    nameClass(MemoryReplayStore, "MemoryReplayStore");
  }

  readonly #maxKeys: number;
  readonly #now: () => number;
  /** When each key is free again, in the order of claims. */
  readonly #expiries = new Map<string, number>();
  /** No key is free before: what a full store looks at, not at all its keys each time. */
  #earliest = Number.POSITIVE_INFINITY;

  /**
   * @param options - `maxKeys`: how many keys it holds, two a request; 2^20 unless given. `now`: its clock in milliseconds;
   * the wall clock unless given.
   * @throws EnvelopeError `invalid_option` for a `maxKeys` that is no whole number from 0 up.
   */
  constructor(options: { readonly maxKeys?: number | undefined; readonly now?: (() => number) | undefined } = {}) {
    const { maxKeys = REPLAY_MAX_KEYS, now = Date.now } = options;
    if (!Number.isSafeInteger(maxKeys) || maxKeys < 0) {
      throw new EnvelopeError("invalid_option", "`maxKeys` has to be a whole number from 0 up");
    }
    this.#maxKeys = maxKeys;
    this.#now = now;
  }

  /** How many keys it holds; those that expired since the last claim count. */
  get size(): number {
    return this.#expiries.size;
  }

  /**
   * Claims a key until `ttlMillis` from now; true means that nobody had it.
   *
   * @throws EnvelopeError `replay_store_unavailable` when the store is full.
   */
  claim(key: string, ttlMillis: number): boolean {
    const now = this.#now();
    const expiry = now + ttlMillis;
    if (!Number.isFinite(expiry)) {
      throw new EnvelopeError("replay_store_unavailable", "the replay store's clock gives no number: repair it");
    }
    this.#dropExpired(now);
    if ((this.#expiries.get(key) ?? now) > now) {
      return false;
    }
    this.#expiries.delete(key); // after a clock that went back, one that ended can stand behind one that did not
    if (this.#expiries.size >= this.#maxKeys && this.#earliest <= now) {
      this.#sweep(now);
    }
    if (this.#expiries.size >= this.#maxKeys) {
      throw new EnvelopeError(
        "replay_store_unavailable",
        "the replay store is full: give it more room, or spread the load",
      );
    }
    this.#expiries.set(key, expiry);
    this.#earliest = Math.min(this.#earliest, expiry);
    return true;
  }

  /** Also those behind a live one: they are there where a clock went back, or where keys are claimed for different times. */
  #sweep(now: number): void {
    this.#earliest = Number.POSITIVE_INFINITY;
    for (const [key, expiry] of this.#expiries) {
      if (expiry <= now) {
        this.#expiries.delete(key);
      } else {
        this.#earliest = Math.min(this.#earliest, expiry);
      }
    }
  }

  #dropExpired(now: number): void {
    for (const [key, expiry] of this.#expiries) {
      if (expiry > now) {
        return;
      }
      this.#expiries.delete(key);
    }
  }
}
