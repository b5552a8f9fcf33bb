/** The key holder that everybody calls. */

import { type Body, bodyFields, limited, requestField, responseFields } from "./body.js";
import { type Core, clockOf, core, type Field, fields, type Operations, type Reply, text } from "./engine.js";
import { EnvelopeError } from "./errors.js";
import { arrayLength } from "./intrinsics.js";
import { nameClass } from "./names.js";
import { digits, onlyKnown, optional, string } from "./options.js";
import {
  type Data,
  isBytes,
  type JsonObject,
  type JsonText,
  type JsonValue,
  type JsonValueWithBigInts,
  jsonText,
  parseJson,
  wellFormed,
} from "./payload.js";

export type { Body } from "./body.js";

/** What stands before the nonce: a version byte (`"versioned"`, the default) or nothing (`"bare"`). Never guessed. */
export type Layout = "versioned" | "bare";

/** The options of an {@link Envelope} for a secret. */
export interface EnvelopeOptions {
  /** The layout to write and to read; `"versioned"` unless given. */
  readonly layout?: Layout | undefined;
  /** Older secrets that only open, at most four, tried in order: for the days of a rotation. */
  readonly openSecrets?: readonly string[] | undefined;
  /** The largest HTTP body in bytes, 1 to 4,294,967,295; 10 MiB unless given. */
  readonly maxBytes?: number | undefined;
}

/** The options of an {@link Envelope} for a raw key. */
export interface KeyOptions extends Omit<EnvelopeOptions, "openSecrets"> {
  /** Older raw keys that only open, at most four, tried in order. */
  readonly openKeys?: readonly Uint8Array[] | undefined;
}

/** How {@link Envelope.open} and its kin read numbers. */
export interface OpenOptions {
  /**
   * Whether integers beyond ±(2^53 − 1) become `BigInt`s. Without it they become the nearest number, as in `JSON.parse`.
   */
  readonly bigints?: boolean | undefined;
}

/** The option that makes a payload one with `BigInt`s. */
interface BigInts {
  readonly bigints: true;
}

/** The options of {@link Envelope.openRequest}. */
export interface OpenRequestOptions extends OpenOptions {
  /** The server's clock in microseconds since 1970; the wall clock unless given. */
  readonly nowMicros?: number | undefined;
  /** How far the request's clock may be from the server's, in seconds, 1 to 30; 30 unless given. */
  readonly windowSeconds?: number | undefined;
}

/** The options of {@link Envelope.openResponse}. */
export interface OpenResponseOptions extends OpenOptions {
  /** The sealed request that this answers, or its body. A response that is that same envelope is refused. */
  readonly request?: SealedRequest | string | Uint8Array | ArrayBuffer | undefined;
}

/** What goes into a request's headers. */
export interface SealRequestOptions {
  /** The API key: 1 to 255 printable ASCII characters without spaces. */
  readonly apiKey: string;
  /** The idempotency key: required on `/cards/create` and `/cards/topup`, sent wherever it is given. */
  readonly idempotencyKey?: string | undefined;
}

/** A request ready to be sent once. A retry is another one: same idempotency key, everything else anew. */
export interface SealedRequest {
  /** `API-KEY`, `Content-Type` and, where there is one, `Idempotency-Key`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The HTTP body. */
  readonly body: string;
  /** The normalised path to POST to, such as `/api/v1/cards/topup`. */
  readonly path: string;
  /** The stamp inside, in microseconds since 1970. */
  readonly timestampMicros: number;
  /** The nonce in front of the ciphertext, 24 bytes. */
  readonly nonce: Uint8Array;
  /** The idempotency key that is in the headers. */
  readonly idempotencyKey: string | undefined;
}

/** A request that a server has opened and whose timestamp is within the window. Nobody has claimed it yet. */
export interface OpenedRequest<T = JsonValue> {
  /** The JSON object. */
  readonly payload: T;
  /** Its `request_timestamp`, in microseconds since 1970. */
  readonly timestampMicros: number;
  /** The nonce it was sealed with, 24 bytes. */
  readonly nonce: Uint8Array;
  /** Which secret opened it: 0 for the one that seals, 1 and up for the older ones. */
  readonly keyIndex: number;
}

/** A webhook that a receiver has opened. */
export interface Webhook<T = JsonValue, Value = JsonValue> {
  /** The JSON object. */
  readonly payload: T;
  /** `type`, or `event_type`: whichever is a string, in this order. */
  readonly type: string | undefined;
  /** `timestamp`, whatever value it has. */
  readonly timestamp: Value | undefined;
  /** `delivery_id`, if it is a string and not empty. */
  readonly deliveryId: string | undefined;
  /** Tells repeats apart: delivery is at least once. Remember it, and answer a repeat like the first. */
  readonly dedupeKey: string;
  /** Which secret opened it: 0 for the one that seals, 1 and up for the older ones. */
  readonly keyIndex: number;
}

/**
 * Holds a key and seals and opens with it. Make one and keep it.
 *
 * Nothing prints the key: not `console.log`, `util.inspect`, `JSON.stringify`, `structuredClone` or `String`.
 *
 * @example
 * ```ts
 * import { Envelope } from "cardseal";
 *
 * const envelope = new Envelope("your_api_secret_key_here");
 * const body = envelope.seal({ card_id: "card_abc123" }); // {"encrypted":"Au3…"}
 * const payload = envelope.open<{ card_id: string }>(body);
 * console.log(payload.card_id); // card_abc123
 * ```
 */
export class Envelope {
  static {
    nameClass(Envelope, "Envelope");
  }

  /** The layout that it writes and reads. */
  readonly layout: Layout;

  /** The largest HTTP body, in bytes, that it writes and reads. */
  readonly maxBytes: number;

  readonly #key: HeldKey;

  /**
   * @param secret - The API secret, at least 8 bytes of UTF-8. It is not trimmed.
   * @param options - Layout, older secrets, size limit.
   * @throws EnvelopeError `invalid_key` for a secret that is missing, too short or cut inside a surrogate pair;
   * `invalid_option` for a layout, a number of older secrets or a `maxBytes` that is not possible.
   */
  constructor(secret: string, options?: EnvelopeOptions);
  /** @internal */
  constructor(secret: KeyMaterial, options: EnvelopeOptions);
  constructor(secret: string | KeyMaterial, options: EnvelopeOptions = {}) {
    this.#key = new HeldKey(secret instanceof KeyMaterial ? secret : secretMaterial(secret, options));
    this.layout = this.#key.layout;
    this.maxBytes = this.#key.maxBytes;
  }

  /**
   * An envelope for a raw key, which is used as it is.
   *
   * @param key - 32 bytes.
   * @param options - Layout, older keys, size limit.
   * @throws EnvelopeError `invalid_key` for any other length; `invalid_option` as for a secret.
   *
   * @example
   * ```ts
   * import { Envelope } from "cardseal";
   *
   * const envelope = Envelope.fromKey(new Uint8Array(32).fill(7), { layout: "bare" });
   * console.log(envelope.open(envelope.sealResponse([1, 2]))); // [ 1, 2 ]
   * ```
   */
  static fromKey(key: Uint8Array, options: KeyOptions = {}): Envelope {
    onlyKnown(options, "layout", "openKeys", "maxBytes");
    const { openKeys, ...common } = options;
    return new Envelope(keyMaterial(key, openKeys, common), common);
  }

  /**
   * Seals a request payload and returns the HTTP body. A `request_timestamp` is added as the first member unless one is
   * there.
   *
   * @param payload - An object, as `JSON.stringify` writes it; or JSON text, which is kept to the letter.
   * @returns The HTTP body, `{"encrypted":"…"}`.
   * @throws EnvelopeError `invalid_payload`, `already_sealed`, `invalid_timestamp`, `too_large`; `clock_unavailable`,
   * `entropy_unavailable`.
   * @throws TypeError for `undefined`, a function, a symbol, a promise, and for memory other than a `Uint8Array`.
   *
   * @example
   * ```ts
   * import { Envelope } from "cardseal";
   *
   * const envelope = new Envelope("your_api_secret_key_here");
   * const body = envelope.seal('{"request_timestamp": 1700000000000000, "card_id": "card_abc123"}');
   * console.log(envelope.open(body)); // { request_timestamp: 1700000000000000, card_id: 'card_abc123' }
   * ```
   */
  seal<P extends JsonObject | JsonText>(payload: P & Data<P>): string {
    return text(this.#key.seal("seal", payload));
  }

  /**
   * Opens a sealed body, whatever JSON value it holds. It has no timestamp rule: a server uses {@link openRequest}.
   *
   * @typeParam T - The type you expect; nothing checks it.
   * @throws EnvelopeError `too_large`, `invalid_json`, `envelope_not_found`, `invalid_envelope`, `unsupported_version`,
   * `decryption_failed`, `invalid_payload`, in this order.
   * @throws TypeError for a body that is neither text, bytes, nor an object, such as a response that nobody has read yet.
   *
   * @example
   * ```ts
   * import { Envelope } from "cardseal";
   *
   * const envelope = new Envelope("your_api_secret_key_here");
   * const body = envelope.sealResponse('{"id": 9007199254740993}');
   * console.log(envelope.open(body, { bigints: true })); // { id: 9007199254740993n }
   * ```
   */
  open<T = JsonValueWithBigInts>(body: Body, options: OpenOptions & BigInts): T;
  open<T = JsonValue>(body: Body, options?: OpenOptions): T;
  open<T>(body: Body, options: OpenOptions = {}): T {
    onlyKnown(options, "bigints");
    return parseJson(text(this.#key.call("open", ...bodyFields(body, this.maxBytes))), options.bigints) as T;
  }

  /**
   * Seals a request payload for a path: headers and body, ready to be sent once. Always stamps anew, and changes nothing
   * in the payload. A retry is sealed again, with the same idempotency key.
   *
   * @param path - A path or URL, `/cards/topup` for example; `/api/v1` is put before a path without a version.
   * @throws EnvelopeError `invalid_path`, `invalid_api_key`, `idempotency_key_required`, `invalid_idempotency_key`,
   * `invalid_payload`, `already_sealed`, `too_large`; `clock_unavailable`, `entropy_unavailable`.
   *
   * @example
   * ```ts
   * import { Envelope } from "cardseal";
   *
   * const envelope = new Envelope("your_api_secret_key_here");
   * const payload = { card_id: "card_abc123", amount: "10.00" };
   * const request = envelope.sealRequest("/cards/topup", payload, { apiKey: "key_1", idempotencyKey: "topup-invoice-42" });
   * console.log(request.path, request.headers["Idempotency-Key"]); // /api/v1/cards/topup topup-invoice-42
   * // await fetch(new URL(request.path, process.env.CARDSEAL_URL), { method: "POST", ...request });
   * ```
   */
  sealRequest<P extends JsonObject | JsonText>(
    path: string,
    payload: P & Data<P>,
    options: SealRequestOptions,
  ): SealedRequest {
    onlyKnown(options, "apiKey", "idempotencyKey");
    const { apiKey, idempotencyKey } = options;
    const reply = this.#key.seal(
      "sealRequest",
      payload,
      string(path, "path"),
      string(apiKey, "apiKey"),
      optional(idempotencyKey, string, "idempotencyKey"),
    );
    const [body, normalized, timestamp, nonce, ...headers] = fields(reply) as [
      string,
      string,
      string,
      Uint8Array,
      ...string[],
    ];
    return {
      headers: pairs(headers),
      body,
      path: normalized,
      timestampMicros: Number(timestamp),
      nonce,
      idempotencyKey,
    };
  }

  /**
   * Opens a response: gives the payload of a success, or throws which error it is.
   *
   * @typeParam T - The type you expect; nothing checks it.
   * @param status - The HTTP status.
   * @param body - The HTTP body, sealed or not: as it was received, or parsed by a framework.
   * @throws ApiError for whatever the API answers outside 2xx, and for a `success` of false.
   * @throws EnvelopeError with `status` and `failureClass`, for a 2xx answer that is not sealed as it should be
   * (`invalid_json`, `envelope_not_found`, `invalid_envelope`, `unsupported_version`, `decryption_failed`,
   * `invalid_payload`, `too_large`), and for `reflected_response`.
   * @throws TypeError for a body as in {@link open}, and for a `request` that is no sealed request.
   *
   * @example
   * ```ts
   * import { ApiError, Envelope } from "cardseal";
   *
   * const envelope = new Envelope("your_api_secret_key_here");
   * const answer = envelope.sealResponse({ success: false, error: "No funds", error_slug: "insufficient_funds" });
   * try {
   *   envelope.openResponse(403, answer);
   * } catch (error) {
   *   console.log(error instanceof ApiError && error.slug); // insufficient_funds
   * }
   * ```
   */
  openResponse<T = JsonValueWithBigInts>(
    status: number,
    body: Body | object,
    options: OpenResponseOptions & BigInts,
  ): T;
  openResponse<T = JsonValue>(status: number, body: Body | object, options?: OpenResponseOptions): T;
  openResponse<T>(status: number, body: Body | object, options: OpenResponseOptions = {}): T {
    onlyKnown(options, "request", "bigints");
    const { request, bigints } = options;
    return parseJson(this.openResponseText(status, body, request, bigints), bigints) as T;
  }

  /** @internal The payload of {@link openResponse} as the text that was sealed: no number is read and written again. */
  openResponseText(
    status: number,
    body: Body | object,
    request: OpenResponseOptions["request"],
    bigints?: boolean,
  ): string {
    const digitsOfStatus = digits(status, "status");
    const fieldsOfBody = responseFields(body, status, this.maxBytes);
    const reply = this.#key.call("openResponse", ...fieldsOfBody, digitsOfStatus, requestField(request));
    return fields(reply, status, bigints)[0] as string;
  }

  /**
   * Opens a request as a server does: every rule but the replay claims, which are {@link claimRequest}'s.
   *
   * @typeParam T - The type you expect; nothing checks it.
   * @throws EnvelopeError as {@link open}, then `timestamp_not_found`, `invalid_timestamp`, `timestamp_outside_window`
   * (with `skewMicros`); `invalid_option` for a window or a clock that is not possible; `clock_unavailable`.
   *
   * @example
   * ```ts
   * import { claimRequest, Envelope, MemoryReplayStore, replayKeys } from "cardseal";
   *
   * const envelope = new Envelope("your_api_secret_key_here");
   * const store = new MemoryReplayStore();
   *
   * async function receive(apiKey: string, path: string, body: string): Promise<string> {
   *   const request = envelope.openRequest<{ card_id: string }>(body);
   *   await claimRequest(store, replayKeys(apiKey, path, request));
   *   return envelope.sealResponse({ card_id: request.payload.card_id, status: "active" });
   * }
   *
   * const sealed = envelope.sealRequest("/cards/get", { card_id: "card_abc123" }, { apiKey: "key_1" });
   * console.log(envelope.open(await receive("key_1", sealed.path, sealed.body)));
   * // { card_id: 'card_abc123', status: 'active' }
   * ```
   */
  openRequest<T = JsonValueWithBigInts>(body: Body, options: OpenRequestOptions & BigInts): OpenedRequest<T>;
  openRequest<T = JsonValue>(body: Body, options?: OpenRequestOptions): OpenedRequest<T>;
  openRequest<T>(body: Body, options: OpenRequestOptions = {}): OpenedRequest<T> {
    onlyKnown(options, "nowMicros", "windowSeconds", "bigints");
    const { nowMicros, windowSeconds, bigints } = options;
    const opened = this.openRequestText(body, nowMicros, windowSeconds);
    return { ...opened, payload: parseJson(opened.payload, bigints) as T };
  }

  /** @internal A request as {@link openRequest} gives it, with its payload as the text that was sealed. */
  openRequestText(body: Body, nowMicros?: number, windowSeconds?: number): OpenedRequest<string> {
    const [payload, timestamp, nonce, keyIndex] = this.#fields(
      "openRequest",
      ...bodyFields(body, this.maxBytes),
      optional(nowMicros, digits, "nowMicros"),
      optional(windowSeconds, digits, "windowSeconds"),
    ) as [string, string, Uint8Array, string];
    return { payload, timestampMicros: Number(timestamp), nonce, keyIndex: Number(keyIndex) };
  }

  /**
   * Seals a response and returns the HTTP body. It gets no timestamp.
   *
   * @param payload - Any JSON value, as `JSON.stringify` writes it; a string or bytes are JSON text.
   * @throws EnvelopeError `invalid_payload`, `already_sealed`, `too_large`; `entropy_unavailable`.
   * @throws TypeError for `undefined`, a function, a symbol, a promise, and for memory other than a `Uint8Array`.
   *
   * @example
   * ```ts
   * import { Envelope } from "cardseal";
   *
   * const envelope = new Envelope("your_api_secret_key_here");
   * console.log(envelope.open(envelope.sealResponse(["card_abc123"]))); // [ 'card_abc123' ]
   * ```
   */
  sealResponse<P extends JsonObject | JsonText | JsonValue>(payload: P & Data<P>): string {
    return text(this.#key.seal("sealResponse", payload));
  }

  /**
   * Seals a webhook and returns the HTTP body. Nothing is added.
   *
   * @param payload - An object, as `JSON.stringify` writes it; or JSON text, which is kept to the letter.
   * @throws EnvelopeError `invalid_payload`, `already_sealed`, `too_large`; `entropy_unavailable`.
   * @throws TypeError for `undefined`, a function, a symbol, a promise, and for memory other than a `Uint8Array`.
   *
   * @example
   * ```ts
   * import { Envelope } from "cardseal";
   *
   * const envelope = new Envelope("your_api_secret_key_here");
   * const body = envelope.sealWebhook({ event_type: "card.activated", delivery_id: "d-1" });
   * console.log(envelope.openWebhook(body).dedupeKey); // id:d-1
   * ```
   */
  sealWebhook<P extends JsonObject | JsonText>(payload: P & Data<P>): string {
    return text(this.#key.seal("sealWebhook", payload));
  }

  /**
   * Opens a webhook. It has no timestamp rule; anything sealed with the same secret opens as one.
   *
   * Answer HTTP 200 with `{"success": true}`, to a repeat as well.
   *
   * @typeParam T - The type you expect; nothing checks it.
   * @throws EnvelopeError as {@link open}; `invalid_payload` also where the payload is no object.
   *
   * @example
   * ```ts
   * import { Envelope } from "cardseal";
   *
   * const envelope = new Envelope("your_api_secret_key_here");
   * const webhook = envelope.openWebhook(envelope.sealWebhook({ type: "card.frozen", delivery_id: "d-2" }));
   * console.log(webhook.type, webhook.dedupeKey); // card.frozen id:d-2
   * ```
   */
  openWebhook<T = JsonValueWithBigInts>(body: Body, options: OpenOptions & BigInts): Webhook<T, JsonValueWithBigInts>;
  openWebhook<T = JsonValue>(body: Body, options?: OpenOptions): Webhook<T>;
  openWebhook<T>(body: Body, options: OpenOptions = {}): Webhook<T> {
    onlyKnown(options, "bigints");
    const [payload, type, timestamp, deliveryId, dedupeKey, keyIndex] = this.#fields(
      "openWebhook",
      ...bodyFields(body, this.maxBytes),
    ) as [string, string | undefined, string | undefined, string | undefined, string, string];
    return {
      payload: parseJson(payload, options.bigints) as T,
      type,
      timestamp: timestamp === undefined ? undefined : parseJson(timestamp, options.bigints),
      deliveryId,
      dedupeKey,
      keyIndex: Number(keyIndex),
    };
  }

  /**
   * Encrypts any text or bytes into what goes under `encrypted`. No rule about payloads applies.
   *
   * @throws EnvelopeError `too_large`, `entropy_unavailable`; `invalid_payload` for text cut inside a surrogate pair.
   *
   * @example
   * ```ts
   * import { Envelope } from "cardseal";
   *
   * const envelope = new Envelope("your_api_secret_key_here");
   * const field = envelope.encrypt("any bytes");
   * console.log(new TextDecoder().decode(envelope.decrypt(field))); // any bytes
   * ```
   */
  encrypt(message: string | Uint8Array): string {
    if (typeof message !== "string" && !isBytes(message)) {
      throw new TypeError("the message is neither text nor bytes: encode it first");
    }
    return text(
      this.#key.call("encrypt", typeof message === "string" ? wellFormed(message, "invalid_payload") : message),
    );
  }

  /**
   * Opens the `encrypted` field alone: whatever bytes were encrypted.
   *
   * @throws EnvelopeError `too_large`, `invalid_envelope`, `unsupported_version`, `decryption_failed`.
   *
   * @example
   * ```ts
   * import { Envelope } from "cardseal";
   *
   * const envelope = new Envelope("your_api_secret_key_here");
   * console.log(envelope.decrypt(envelope.encrypt(new Uint8Array([1, 2])))); // Uint8Array(2) [ 1, 2 ]
   * ```
   */
  decrypt(field: string): Uint8Array {
    const sealed = limited(string(field, "field"), this.maxBytes, "invalid_envelope");
    return this.#fields("decrypt", sealed)[0] as Uint8Array;
  }

  #fields(operation: keyof Operations, ...given: readonly Field[]): readonly Field[] {
    return fields(this.#key.call(operation, ...given));
  }
}

/** What an engine makes a key of. */
class KeyMaterial {
  readonly operation: "fromSecret" | "fromKey";
  readonly fields: () => readonly Field[];

  constructor(operation: "fromSecret" | "fromKey", given: readonly Field[]) {
    this.operation = operation;
    this.fields = () => given; // in a closure: no printer looks into one
  }
}

function secretMaterial(secret: string, options: EnvelopeOptions): KeyMaterial {
  onlyKnown(options, "layout", "openSecrets", "maxBytes");
  const { openSecrets = [] } = options;
  const secrets = [secret, ...openSecrets].map((each) => {
    if (typeof each !== "string") {
      throw new EnvelopeError("invalid_key", "a secret is missing, or no string: hand one in");
    }
    return wellFormed(each, "invalid_key");
  });
  return material("fromSecret", secrets, options);
}

function keyMaterial(key: Uint8Array, openKeys: readonly Uint8Array[] = [], options: KeyOptions): KeyMaterial {
  const keys = [key, ...openKeys].map((each) => {
    if (!isBytes(each)) {
      throw new EnvelopeError("invalid_key", "a raw key is missing, or no `Uint8Array`: hand in 32 bytes");
    }
    // The caller may wipe its own. Not by `slice`: that of a `Buffer` is the same memory. Of nothing there is no copy.
    return core().engine.canTrap && arrayLength(each) > 0 ? new Uint8Array(each) : each;
  });
  return material("fromKey", keys, options);
}

function material(
  operation: "fromSecret" | "fromKey",
  [key, ...older]: readonly Field[],
  { layout, maxBytes }: Pick<EnvelopeOptions, "layout" | "maxBytes">,
): KeyMaterial {
  const options = [optional(layout, string, "layout"), optional(maxBytes, digits, "maxBytes")];
  // One more than the core takes is enough for it to refuse them.
  return new KeyMaterial(operation, [key, ...options, ...older.slice(0, MOST_FIELDS)]);
}

const MOST_FIELDS = 5;

/**
 * A key inside the engine, known here by a number.
 *
 * A WebAssembly instance that trapped is gone with all that was in its memory. So that the next call can go on with a new
 * one, the secret stays in a closure here as long as its envelope. Native code cannot trap: there, only the core has it.
 */
class HeldKey {
  readonly layout: Layout;
  readonly maxBytes: number;
  readonly #core: Core;
  readonly #renew: (() => void) | undefined;
  #handle = 0;
  #generation = 0;

  constructor(material: KeyMaterial) {
    this.#core = core();
    const { engine, operations } = this.#core;
    const take = (): readonly Field[] => {
      const reply = engine.call(operations[material.operation], 0, undefined, ...material.fields());
      const [handle, ...options] = fields(reply);
      this.#handle = Number(handle);
      this.#generation = engine.generation;
      RELEASES?.register(this, { core: this.#core, handle: this.#handle, generation: this.#generation });
      return options;
    };
    const [layout, maxBytes] = take();
    this.layout = layout as Layout;
    this.maxBytes = Number(maxBytes);
    this.#renew = engine.canTrap ? take : undefined;
  }

  call(operation: keyof Operations, ...given: readonly Field[]): Reply {
    const { engine, operations } = this.#core;
    if (this.#generation !== engine.generation) {
      this.#renew?.();
    }
    return engine.call(operations[operation], this.#handle, clockOf(engine), ...given);
  }

  /** An operation that seals: with the payload as it is, where the engine can, and with its JSON text otherwise. */
  seal(operation: keyof Operations, payload: unknown, ...given: readonly Field[]): Reply {
    const { engine, operations } = this.#core;
    const reply = engine.seal?.(operations[operation], this.#handle, clockOf(engine), payload, given);
    return reply ?? this.call(operation, jsonText(payload), ...given);
  }
}

/** Wipes the keys of envelopes that nobody has any more; some edge runtimes have no such registry. */
const RELEASES =
  typeof FinalizationRegistry === "undefined"
    ? undefined
    : new FinalizationRegistry<{ core: Core; handle: number; generation: number }>(({ core, handle, generation }) => {
        try {
          if (generation === core.engine.generation) {
            core.engine.call(core.operations.release, handle, undefined);
          }
        } catch {
          // Nobody called: an error here would end the process.
        }
      });

function pairs(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name, index) => (index % 2 ? [] : [[name, names[index + 1] ?? ""]])));
}
