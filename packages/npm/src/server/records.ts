/** Idempotency records: what became of a request whose idempotency key comes again (SPEC.md, section 14). */

import {
  EnvelopeError,
  IDEMPOTENCY_LEASE_MAX_MILLIS,
  IDEMPOTENCY_LEASE_MILLIS,
  IDEMPOTENCY_MAX_RECORDS,
  IDEMPOTENCY_TTL_MILLIS,
  internals,
} from "cardseal";

/** What a request finds that begins under its idempotency key. */
export type Begun =
  /** Nothing: carry it out, then complete the record with this token. */
  | { readonly state: "new"; readonly token: string }
  /** This answer, of the request that came first. */
  | { readonly state: "replay"; readonly status: number; readonly body: string }
  /** Another that is being carried out: let it come again. */
  | { readonly state: "in_progress" }
  /** Another request: this key was used for something else. */
  | { readonly state: "conflict" }
  /** One that was begun, and of which nobody said how it ended: look into your own books, then take it over. */
  | { readonly state: "outcome_unknown" };

/**
 * Remembers what became of requests, by their idempotency keys. Each step is atomic. A store that cannot answer rejects with
 * `replay_store_unavailable`: what was to begin must not be carried out.
 */
export interface IdempotencyStore {
  /**
   * Begins a request, or says what is known of it.
   *
   * @param fingerprint - Of path and payload: `fingerprint`. Another one under the same key is a conflict.
   * @param leaseMillis - How long it may take before nobody knows what became of it; 1 ms to a day, a minute unless given.
   */
  begin(apiKey: string, idempotencyKey: string, fingerprint: string, leaseMillis?: number): Promise<Begun>;
  /** As `begin`, but begins also where a lease ended without an answer: for who has looked at what was left. */
  takeOver(apiKey: string, idempotencyKey: string, fingerprint: string, leaseMillis?: number): Promise<Begun>;
  /** Stores the answer; false if the token is not the record's any more, or another answer is there already. */
  complete(token: string, status: number, body: string): Promise<boolean>;
  /** Says that nothing was done, so that the request can begin again; false as with `complete`. */
  giveBack(token: string): Promise<boolean>;
}

/**
 * Idempotency records in memory, bounded, for one process that may forget them when it ends. One that is full begins nothing.
 *
 * @example
 * ```ts
 * import { fingerprint } from "cardseal";
 * import { MemoryIdempotencyStore } from "cardseal/server";
 *
 * const store = new MemoryIdempotencyStore();
 * const print = fingerprint("/cards/topup", { card_id: "card_abc123", amount: "10.00" });
 * const begun = await store.begin("key_1", "topup-invoice-42", print);
 * if (begun.state === "new") await store.complete(begun.token, 200, '{"order_id":"o-1"}');
 * console.log(await store.begin("key_1", "topup-invoice-42", print));
 * // { state: 'replay', status: 200, body: '{"order_id":"o-1"}' }
 * ```
 */
export class MemoryIdempotencyStore implements IdempotencyStore {
  static {
    internals.nameClass(MemoryIdempotencyStore, "MemoryIdempotencyStore");
  }

  readonly #maxRecords: number;
  readonly #now: () => number;
  /** By their keys, in the order of their last change. */
  readonly #records = new Map<string, MemoryRecord>();
  /** No record is forgotten before: what a full store looks at, not at all its records each time. */
  #earliest = Number.POSITIVE_INFINITY;

  /**
   * @param options - `maxRecords`: how many records it holds; 65,536 unless given. `now`: its clock in milliseconds; the wall
   * clock unless given.
   * @throws EnvelopeError `invalid_option` for a `maxRecords` that is no whole number from 0 up.
   */
  constructor(options: { readonly maxRecords?: number | undefined; readonly now?: (() => number) | undefined } = {}) {
    internals.onlyKnown(options, "maxRecords", "now");
    const { maxRecords = IDEMPOTENCY_MAX_RECORDS, now = Date.now } = options;
    internals.digits(maxRecords, "maxRecords");
    this.#maxRecords = maxRecords;
    this.#now = now;
  }

  /** How many records it holds; those that ended since the last step can count. */
  get size(): number {
    return this.#records.size;
  }

  /**
   * @throws EnvelopeError `invalid_api_key`, `invalid_idempotency_key`; `invalid_option` for a lease or a fingerprint that is
   * none; `replay_store_unavailable` when the store is full.
   */
  async begin(apiKey: string, idempotencyKey: string, fingerprint: string, leaseMillis?: number): Promise<Begun> {
    return this.#begin("begin", await startOf(apiKey, idempotencyKey, fingerprint, leaseMillis));
  }

  /** @throws EnvelopeError as {@link begin}. */
  async takeOver(apiKey: string, idempotencyKey: string, fingerprint: string, leaseMillis?: number): Promise<Begun> {
    return this.#begin("take_over", await startOf(apiKey, idempotencyKey, fingerprint, leaseMillis));
  }

  /** @throws EnvelopeError `invalid_option` for a status outside 100 to 599, and for what is no token. */
  async complete(token: string, status: number, body: string): Promise<boolean> {
    const answer = answerOf(status, body);
    return this.#change(token, (record) => {
      const { answer: stored = answer } = record;
      const isStored = stored.status === answer.status && stored.body === answer.body;
      return isStored ? { ...record, answer } : undefined;
    });
  }

  /** @throws EnvelopeError `invalid_option` for what is no token. */
  async giveBack(token: string): Promise<boolean> {
    return this.#change(token, ({ number, answer }) => (answer ? undefined : { number }));
  }

  /** One piece without waiting: that is what makes it atomic. */
  #begin(step: Step, { key, fingerprint, leaseMillis }: Start): Begun {
    const now = this.#time();
    const known = this.#known(key, now);
    const { begun, answer } = known ?? {};
    if (begun) {
      if (begun.fingerprint !== fingerprint) {
        return { state: "conflict" };
      }
      if (answer) {
        return { state: "replay", ...answer };
      }
      if (now < begun.leaseEnd) {
        return { state: "in_progress" };
      }
      if (step === "begin") {
        return { state: "outcome_unknown" };
      }
    }
    if (!known && !this.#hasRoom(now)) {
      const advice = "give it more room, or keep them in Redis";
      throw new EnvelopeError("replay_store_unavailable", `the store of idempotency records is full: ${advice}`);
    }
    const number = known ? Math.max(now, known.number + 1) : now;
    const leaseEnd = now + leaseMillis;
    this.#keep(key, { number, begun: { fingerprint, leaseEnd } }, leaseEnd);
    return { state: "new", token: tokenOf(key, String(number)) };
  }

  #change(token: string, step: (record: Changed) => Changed | undefined): boolean {
    const [key, number] = partsOf(token);
    const now = this.#time();
    const record = this.#known(key, now);
    const changed = record?.begun && String(record.number) === number ? step(record) : undefined;
    if (changed) {
      this.#keep(key, changed, now);
    }
    return changed !== undefined;
  }

  #keep(key: string, record: Changed, since: number): void {
    const end = since + IDEMPOTENCY_TTL_MILLIS;
    this.#records.delete(key);
    this.#records.set(key, { ...record, end });
    this.#earliest = Math.min(this.#earliest, end);
  }

  #known(key: string, now: number): MemoryRecord | undefined {
    for (const [first, { end }] of this.#records) {
      if (end > now) {
        break;
      }
      this.#records.delete(first);
    }
    const record = this.#records.get(key);
    if (record && record.end <= now) {
      this.#records.delete(key); // behind one with a longer lease, or after a clock that went back
      return undefined;
    }
    return record;
  }

  #hasRoom(now: number): boolean {
    if (this.#records.size >= this.#maxRecords && this.#earliest <= now) {
      this.#earliest = Number.POSITIVE_INFINITY;
      for (const [key, { end }] of this.#records) {
        if (end <= now) {
          this.#records.delete(key);
        } else {
          this.#earliest = Math.min(this.#earliest, end);
        }
      }
    }
    return this.#records.size < this.#maxRecords;
  }

  /** Whole milliseconds: they become the numbers of tokens. */
  #time(): number {
    const now = Math.floor(this.#now());
    if (!Number.isSafeInteger(now) || now < 0) {
      throw new EnvelopeError("replay_store_unavailable", "the idempotency store's clock gives no number: repair it");
    }
    return now;
  }
}

/** What begins a request; as the script of Redis calls it. */
export type Step = "begin" | "take_over";

/** What a request begins with, checked. */
export interface Start {
  /** The record's key: that of the API key and the idempotency key together. */
  readonly key: string;
  readonly fingerprint: string;
  readonly leaseMillis: number;
}

/** Checks what a store is asked to begin. */
export async function startOf(
  apiKey: string,
  idempotencyKey: string,
  fingerprint: string,
  leaseMillis = IDEMPOTENCY_LEASE_MILLIS,
): Promise<Start> {
  for (const [text, name, code] of [
    [apiKey, "apiKey", "invalid_api_key"],
    [idempotencyKey, "idempotencyKey", "invalid_idempotency_key"],
  ] as const) {
    if (!isKey(internals.string(text, name))) {
      throw new EnvelopeError(code, `\`${name}\` is no key: use 1 to 255 printable ASCII characters without spaces`);
    }
  }
  internals.digits(leaseMillis, "leaseMillis");
  if (leaseMillis < 1 || leaseMillis > IDEMPOTENCY_LEASE_MAX_MILLIS) {
    throw new EnvelopeError("invalid_option", "a lease has to be from 1 millisecond to a day");
  }
  if (!isKey(internals.string(fingerprint, "fingerprint"))) {
    const advice = "make one with `fingerprint`, of path and payload";
    throw new EnvelopeError("invalid_option", `there is no fingerprint: ${advice}`);
  }
  return { key: await keyOf(apiKey, idempotencyKey), fingerprint, leaseMillis };
}

/** Checks an answer to keep. */
export function answerOf(status: number, body: string): StoredAnswer {
  internals.digits(status, "status");
  if (status < 100 || status > 599) {
    throw new EnvelopeError("invalid_option", "the status of an answer has to be from 100 to 599");
  }
  return { status, body: internals.string(body, "body") };
}

/** What whoever carries a request out holds. */
export function tokenOf(key: string, number: string): string {
  return `${key}:${number}`;
}

/** The record's key in a token, and its number. */
export function partsOf(token: string): [key: string, number: string] {
  const [, key, number] = TOKEN.exec(internals.string(token, "token")) ?? [];
  if (key === undefined || number === undefined) {
    const advice = "give the one that `begin` gave";
    throw new EnvelopeError("invalid_option", `this is no token of an idempotency record: ${advice}`);
  }
  return [key, number];
}

/** Whether a text can be an API key or an idempotency key. */
export function isKey(text: string): boolean {
  return /^[!-~]{1,255}$/.test(text);
}

/** An answer that is kept. */
export interface StoredAnswer {
  readonly status: number;
  readonly body: string;
}

interface Changed {
  readonly number: number;
  /** Nothing once it was given back. */
  readonly begun?: { readonly fingerprint: string; readonly leaseEnd: number };
  readonly answer?: StoredAnswer;
}

interface MemoryRecord extends Changed {
  /** When it is forgotten. */
  readonly end: number;
}

/** The parts are ASCII: each of their characters is a byte. */
async function keyOf(apiKey: string, idempotencyKey: string): Promise<string> {
  const parts = ["cardseal idempotency record v1", apiKey, idempotencyKey];
  const bytes = parts.flatMap((part) => [0, 0, 0, part.length, ...new TextEncoder().encode(part)]);
  const digest = await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const TOKEN = /^([0-9a-f]{64}):(0|[1-9][0-9]{0,18})$/;
