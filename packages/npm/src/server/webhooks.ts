/** The receiver of webhooks: opens them, drops repeats, answers what the sender waits for. */

import {
  type Envelope,
  EnvelopeError,
  internals,
  WEBHOOK_LEASE_MILLIS,
  WEBHOOK_TTL_MILLIS,
  type Webhook,
} from "cardseal";
import { Reply, report } from "./gate.js";

/** What is known of a webhook: nothing yet, that it is being handled, or that it was. */
export type WebhookState = "new" | "busy" | "handled";

/** Remembers which webhooks were handled: each comes at least once. */
export interface WebhookStore {
  /** Takes a webhook up for so long, atomically, and says `"new"`; or says what another delivery of it is. */
  begin(dedupeKey: string, leaseMillis: number): WebhookState | Promise<WebhookState>;
  /** Remembers for so long that it was handled. */
  finish(dedupeKey: string, rememberMillis: number): void | Promise<void>;
  /** Forgets it: its handler failed, and it may come again. */
  giveBack(dedupeKey: string): void | Promise<void>;
}

/** The options of a receiver. */
export interface WebhookOptions {
  /** What opens them. */
  readonly envelope: Envelope;
  /** What remembers them: `RedisWebhookStore` for several processes, `MemoryWebhookStore` for one. */
  readonly store: WebhookStore;
  /**
   * Called once for each webhook. What it throws makes the sender come again. If the process dies meanwhile, or if it takes
   * longer than the lease, it is called again.
   */
  readonly handle: (webhook: Webhook) => unknown;
  /** How long a handler may take before it is given up for dead, in milliseconds; 60,000 unless given. */
  readonly leaseMillis?: number | undefined;
  /** How long a handled webhook is remembered, in milliseconds; a day unless given. */
  readonly rememberMillis?: number | undefined;
  /** Told what the handler or the store threw; `console.error` unless given. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/**
 * Remembers the webhooks that one process has handled.
 *
 * @example
 * ```ts
 * import { MemoryWebhookStore } from "cardseal/server";
 *
 * const store = new MemoryWebhookStore();
 * console.log(store.begin("id:d-1", 60_000), store.begin("id:d-1", 60_000)); // new busy
 * ```
 */
export class MemoryWebhookStore implements WebhookStore {
  static {
    internals.nameClass(MemoryWebhookStore, "MemoryWebhookStore");
  }

  readonly #known = new Map<string, { readonly state: "busy" | "handled"; readonly end: number }>();

  /** Takes a webhook up for so long. */
  begin(dedupeKey: string, leaseMillis: number): WebhookState {
    const now = performance.now();
    for (const [key, { end }] of this.#known) {
      if (end <= now) {
        this.#known.delete(key);
      }
    }
    const known = this.#known.get(dedupeKey);
    if (!known) {
      this.#known.set(dedupeKey, { state: "busy", end: now + leaseMillis });
    }
    return known?.state ?? "new";
  }

  /** Remembers that a webhook was handled. */
  finish(dedupeKey: string, rememberMillis: number): void {
    this.#known.set(dedupeKey, { state: "handled", end: performance.now() + rememberMillis });
  }

  /** Forgets a webhook that was not handled. */
  giveBack(dedupeKey: string): void {
    this.#known.delete(dedupeKey);
  }
}

/** Receives webhooks, whatever they come by. */
export class Receiver {
  readonly #options: WebhookOptions;

  constructor(options: WebhookOptions) {
    const names = ["envelope", "store", "handle", "leaseMillis", "rememberMillis", "onError"];
    internals.onlyKnown(options, ...names);
    this.#options = options;
  }

  /** The most bytes of a webhook that count. */
  get maxBytes(): number {
    return this.#options.envelope.maxBytes;
  }

  async receive(method: string, body: unknown): Promise<Reply> {
    const { envelope, store, handle, onError } = this.#options;
    const { leaseMillis = WEBHOOK_LEASE_MILLIS, rememberMillis = WEBHOOK_TTL_MILLIS } = this.#options;
    if (method !== "POST") {
      return Reply.plain(405, "A webhook is a POST", { allow: "POST" });
    }
    let webhook: Webhook;
    try {
      webhook = envelope.openWebhook((body ?? "") as { encrypted: unknown });
    } catch (error) {
      if (!(error instanceof EnvelopeError)) {
        throw error;
      }
      return Reply.to(error.code);
    }
    const { dedupeKey } = webhook;
    try {
      const state = await store.begin(dedupeKey, leaseMillis);
      if (state !== "new") {
        return state === "handled" ? HANDLED : NOT_YET; // the one that is being handled may still fail
      }
    } catch (error) {
      report(onError, error);
      return NOT_YET;
    }
    try {
      await handle(webhook);
    } catch (error) {
      report(onError, error);
      await this.#remember(() => store.giveBack(dedupeKey));
      return Reply.plain(500, "The webhook was not handled");
    }
    await this.#remember(() => store.finish(dedupeKey, rememberMillis));
    return HANDLED;
  }

  /** A store that fails now changes no answer: the lease ends by itself, and the sender comes at least once. */
  async #remember(act: () => unknown): Promise<void> {
    try {
      await act();
    } catch (error) {
      report(this.#options.onError, error);
    }
  }
}

const HANDLED = /* @__PURE__ */ new Reply(200, '{"success":true}');
const NOT_YET = /* @__PURE__ */ Reply.plain(503, "The webhook is not handled yet");
