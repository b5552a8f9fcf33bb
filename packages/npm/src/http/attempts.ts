/**
 * The attempts of a call (SPEC.md, section 27): each sealed anew, judged, and followed by another one where the rules say so.
 *
 * It sends nothing itself. An adapter hands in how one sealed request is exchanged for an answer.
 */

import {
  ApiError,
  BACKOFF_FIRST_MILLIS,
  BACKOFF_LONGEST_MILLIS,
  CLOCK_CORRECTION_MAX_MILLIS,
  CLOCK_CORRECTION_PAUSE_MILLIS,
  Envelope,
  EnvelopeError,
  endpointKind,
  type FailureClass,
  internals,
  normalizePath,
  RETRY_ATTEMPTS,
  RETRY_DEADLINE_MILLIS,
  type SealedRequest,
  shouldRetry,
} from "cardseal";
import { neverConnected } from "./connect.js";
import { OutcomeUnknownError } from "./errors.js";

/** Who calls, and how often an attempt may follow another. */
export type CallerOptions = Credentials & {
  /** How many attempts a call has at most; 8 unless given. */
  readonly attempts?: number | undefined;
  /**
   * A call ends where its next wait would end so many milliseconds or more after its start; 60,000 unless given. It does not
   * break off an attempt.
   */
  readonly deadlineMillis?: number | undefined;
  /** How long an attempt may take, in milliseconds; one that takes longer may have arrived. 60,000 unless given. */
  readonly attemptTimeoutMillis?: number | undefined;
  /** Told what became of each attempt. What it throws is dropped: it must not hide what became of the call. */
  readonly onAttempt?: ((event: AttemptEvent) => void) | undefined;
  /**
   * Lets a server at an `https` address correct this process's clock, by its header `Date`, where it refuses a request for its
   * timestamp: by at most 15 minutes, and once a minute. From then on it moves every timestamp that is sealed here, those of
   * other clients too. Told by how many milliseconds the server is ahead; what it throws is dropped. Without it no clock is
   * corrected. In Node, Deno and Bun alone: in browsers and on edge runtimes it is `invalid_option`.
   */
  readonly onClockCorrection?: ((offsetMillis: number) => void) | undefined;
};

/** The API key, and either the secret or an envelope made of it. */
export type Credentials = {
  /** The API key: 1 to 255 printable ASCII characters without spaces. */
  readonly apiKey: string;
} & (
  | {
      /** The API secret. */
      readonly secret: string;
      readonly envelope?: undefined;
    }
  | {
      /** The envelope that seals and opens, for what a secret alone does not say: layout, older secrets, size limit. */
      readonly envelope: Envelope;
      readonly secret?: undefined;
    }
);

/** What became of one attempt: for logs and metrics. No payload, key, secret or header is in it. */
export interface AttemptEvent {
  /** The normalised path, such as `/api/v1/cards/topup`. */
  readonly path: string;
  /** Its number, from 1. */
  readonly attempt: number;
  /** The HTTP status, if there was an answer. */
  readonly status?: number;
  /** The class of its failure; nothing for a success, `"never"` for an attempt that the caller cancelled. */
  readonly failureClass?: FailureClass;
  /** The code of its failure, if that has one. */
  readonly code?: string;
  /** The wait before the next attempt, in milliseconds; nothing if there is none. */
  readonly waitMillis?: number;
}

/** What an exchange has to give: everything beside it is the adapter's own. */
export interface Answer {
  readonly status: number;
  readonly body: Uint8Array | string;
  /** The header `Retry-After`. */
  readonly retryAfter?: string | null | undefined;
  /** The header `Date`. */
  readonly date?: string | null | undefined;
}

/** Sends a sealed request once, and reads the answer. It follows no redirect, repeats nothing, and stops with the signal. */
export type Exchange<A extends Answer> = (request: SealedRequest, signal: AbortSignal) => Promise<A>;

/** A call, before it is sealed. */
export interface Call {
  readonly path: string;
  /** Whether it goes to an `https` address: nobody but the server then says what its clock shows. */
  readonly isSecure: boolean;
  /** What `sealRequest` takes; nothing, or no bytes, counts as `{}`. */
  readonly payload: unknown;
  readonly idempotencyKey: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The answer with which a call ended: a payload as the text that was sealed, or the API's error. */
export type Ended<A extends Answer> =
  | { readonly answer: A; readonly text: string; readonly error?: undefined }
  | { readonly answer: A; readonly error: ApiError };

/** Makes calls. Its secrets are in private fields: no printer looks into those. */
export class Caller {
  readonly #envelope: Envelope;
  readonly #apiKey: string;
  readonly #attempts: number;
  readonly #deadlineMillis: number;
  readonly #attemptTimeoutMillis: number;
  readonly #onAttempt: CallerOptions["onAttempt"];
  readonly #onClockCorrection: CallerOptions["onClockCorrection"];

  /** @param more - The names of the options that the adapter itself reads. */
  constructor(options: CallerOptions, ...more: readonly string[]) {
    internals.onlyKnown(options, ...OPTIONS, ...more);
    const { secret, envelope, apiKey, onAttempt, onClockCorrection } = options;
    if ((secret === undefined) === (envelope === undefined)) {
      throw new EnvelopeError("invalid_option", "a caller has one key: hand in either `secret` or `envelope`");
    }
    if (onClockCorrection && !isServerSide()) {
      const advice = "leave `onClockCorrection` away, and set the system's clock";
      throw new EnvelopeError("invalid_option", `the clock is corrected in Node, Deno and Bun alone: ${advice}`);
    }
    this.#envelope = envelope ?? new Envelope(secret as string);
    this.#apiKey = internals.string(apiKey, "apiKey");
    this.#attempts = within(options.attempts ?? RETRY_ATTEMPTS, "attempts", 1);
    this.#deadlineMillis = within(options.deadlineMillis ?? RETRY_DEADLINE_MILLIS, "deadlineMillis", 0);
    this.#attemptTimeoutMillis = within(
      options.attemptTimeoutMillis ?? RETRY_DEADLINE_MILLIS,
      "attemptTimeoutMillis",
      1,
    );
    this.#onAttempt = onAttempt;
    this.#onClockCorrection = onClockCorrection;
  }

  /** The most bytes of an answer that count: one more is enough to know that it is too large. */
  get maxBytes(): number {
    return this.#envelope.maxBytes;
  }

  /**
   * Makes a call, with as many attempts as it takes.
   *
   * @throws EnvelopeError for what cannot be sealed, and for a success that does not open; ApiError for a redirect;
   * OutcomeUnknownError; the reason of the signal; or what the exchange threw last.
   */
  async call<A extends Answer>(call: Call, exchange: Exchange<A>): Promise<Ended<A>> {
    const { idempotencyKey, signal } = call;
    const path = normalizePath(call.path);
    const kind = endpointKind(path);
    const payload = textOf(call.payload);
    const startedAt = performance.now();
    let mayHaveArrived = false;
    const outcomeOf = (cause: unknown, attempts: number): unknown =>
      kind !== "read" && mayHaveArrived ? new OutcomeUnknownError(path, idempotencyKey, attempts, cause) : cause;

    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      let sealed: SealedRequest;
      try {
        sealed = this.#envelope.sealRequest(path, payload, { apiKey: this.#apiKey, idempotencyKey });
      } catch (error) {
        throw outcomeOf(error, attempt - 1); // the host failed in between: what was sent before stays unsettled
      }
      const end = await this.#attempt(sealed, signal, exchange);
      const event = { path, attempt, ...(end.answer && { status: end.answer.status }) };
      if (end.failure === undefined) {
        this.#report(event);
        return { answer: end.answer, text: end.text };
      }
      if (call.isSecure && end.failure.code === "timestamp_outside_window") {
        this.#correctClock(end.answer?.date);
      }
      const { error, failureClass, code, sent } = end.failure;
      if (sent !== "no") {
        mayHaveArrived = true;
      }
      const hasKey = idempotencyKey !== undefined;
      const decision = end.isCancelled ? "stop" : shouldRetry({ kind, failureClass, code, sent, hasKey, attempt });
      const wait =
        decision === "retry_now"
          ? 0
          : decision === "retry_after_backoff"
            ? Math.max(backoffMillis(attempt), millisAskedFor(end.answer?.retryAfter))
            : undefined;
      const isOver =
        wait === undefined || attempt >= this.#attempts || performance.now() - startedAt + wait >= this.#deadlineMillis;
      this.#report({ ...event, failureClass, ...(code && { code }), ...(!isOver && { waitMillis: wait }) });
      if (!isOver) {
        await pause(wait, signal);
        continue;
      }
      const isUnsettled = failureClass === "transient" || failureClass === "reseal";
      const seen = isUnsettled ? outcomeOf(error, attempt) : error;
      if (seen === error && error instanceof ApiError && end.answer && !isRedirect(end.answer)) {
        return { answer: end.answer, error };
      }
      throw seen;
    }
  }

  async #attempt<A extends Answer>(
    sealed: SealedRequest,
    signal: AbortSignal | undefined,
    exchange: Exchange<A>,
  ): Promise<AttemptEnd<A>> {
    let answer: A;
    try {
      answer = await bounded(signal, this.#attemptTimeoutMillis, (inner) => exchange(sealed, inner));
    } catch (error) {
      if (signal?.aborted) {
        return { isCancelled: true, failure: { error: signal.reason, failureClass: "never", sent: "unknown" } };
      }
      const sent = neverConnected(error) ? "no" : "unknown";
      return { failure: { error, failureClass: "transient", sent } };
    }
    try {
      return { answer, text: this.#envelope.openResponseText(answer.status, answer.body, sealed) };
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof EnvelopeError)) {
        throw error;
      }
      const { code, failureClass = "transient" } = error;
      return { answer, failure: { error, failureClass, code, sent: "yes" } };
    }
  }

  /** By what the answer that came just now says of the server's clock. */
  #correctClock(date: string | null | undefined): void {
    if (!this.#onClockCorrection || !HTTP_DATE.test(date ?? "")) {
      return;
    }
    // A date counts whole seconds: in the middle of one it is least wrong.
    const offsetMillis = Date.parse(date as string) + 500 - Date.now();
    const isLately = performance.now() - correctedAt < CLOCK_CORRECTION_PAUSE_MILLIS;
    if (isLately || !(Math.abs(offsetMillis) <= CLOCK_CORRECTION_MAX_MILLIS)) {
      return;
    }
    correctedAt = performance.now();
    internals.correctClock(Math.round(offsetMillis * 1_000));
    tell(this.#onClockCorrection, offsetMillis);
  }

  #report(event: AttemptEvent): void {
    tell(this.#onAttempt, event);
  }
}

/** Tells a listener, and drops what it throws. */
function tell<T>(listener: ((told: T) => void) | undefined, told: T): void {
  try {
    // Also of one that is asynchronous, whatever its type says: a rejection would end a process of Node's.
    Promise.resolve(listener?.(told)).catch(() => undefined);
  } catch {
    // See the options.
  }
}

/** Whether this is Node, Deno or Bun: no page may move the clock by which another of its scripts seals. */
function isServerSide(): boolean {
  const { process } = globalThis as { process?: { versions?: { node?: unknown } } };
  return typeof process?.versions?.node === "string";
}

/** When a clock was corrected last, by whatever client: it is one clock. */
let correctedAt = Number.NEGATIVE_INFINITY;

/** The one form of a date that servers send. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** What a caller of an answer sees instead of the sealed body: the payload, what a sealed error holds, or a plain error as it came. */
export function plainBody({ answer, error, ...opened }: Ended<Answer>): {
  readonly body: Uint8Array | string;
  readonly isOpened: boolean;
} {
  const text = error ? error.payloadText() : (opened as { text: string }).text;
  return text === undefined ? { body: answer.body, isOpened: false } : { body: text, isOpened: true };
}

/** Headers that spoke of the sealed body, and of no other; `Content-Type` too where that was opened. */
export function isOfSealedBody(header: string, isOpened: boolean): boolean {
  const name = header.toLowerCase();
  return OF_TRANSFER.includes(name) || (isOpened && name === "content-type");
}

/** Headers that a request has from its sealing, or from the transport: the caller's own would be wrong. */
export function isOfSealing(header: string): boolean {
  return OF_SEALING.includes(header.toLowerCase());
}

/** Refuses a request that is no call of the API. */
export function checkRequest(method: string | undefined, contentType: string | null | undefined, query: string): void {
  if (method?.toUpperCase() !== "POST") {
    throw new EnvelopeError("invalid_option", "the method is not POST: every endpoint takes POST alone");
  }
  if (query !== "") {
    throw new EnvelopeError("invalid_option", "the URL has a query, which nothing seals: move it into the payload");
  }
  // A string goes as text/plain unless its sender says otherwise: whether it is JSON is then the core's to say.
  if (contentType && !/^\s*(application\/json|text\/plain)\s*(;|$)/i.test(contentType)) {
    throw new EnvelopeError("invalid_option", "the body is not application/json: hand the payload over as JSON");
  }
}

/** The origin that a base URL is. */
export function originOf(baseUrl: string): string {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  const isOrigin = url && /^https?:$/.test(url.protocol) && !url.username && !url.password;
  if (!isOrigin || url.pathname !== "/" || url.search || url.hash) {
    // It is not quoted: there can be a password in it.
    const advice = "use one such as `https://api.example.com`, without path and credentials";
    throw new EnvelopeError("invalid_option", `the base URL is no origin: ${advice}`);
  }
  return url.origin;
}

/** The longest wait after an attempt: doubled with each, up to a limit. */
export function longestBackoffMillis(attempt: number): number {
  return Math.min(BACKOFF_FIRST_MILLIS * 2 ** (attempt - 1), BACKOFF_LONGEST_MILLIS);
}

/** Waits, or ends at once with the signal. */
export function pause(millis: number, signal: AbortSignal | undefined): Promise<void> {
  return bounded(signal, undefined, (inner) => {
    return new Promise((resume) => {
      const timer = setTimeout(resume, millis);
      inner.addEventListener("abort", () => clearTimeout(timer));
    });
  });
}

interface Failure {
  readonly error: unknown;
  readonly failureClass: FailureClass;
  readonly code?: string | undefined;
  readonly sent: "no" | "yes" | "unknown";
}

type AttemptEnd<A extends Answer> =
  | { readonly answer: A; readonly text: string; readonly failure?: undefined; readonly isCancelled?: undefined }
  | { readonly answer?: A; readonly failure: Failure; readonly isCancelled?: boolean };

/** One text for all attempts: what the caller does to its object meanwhile changes none of them. */
function textOf(payload: unknown): string | Uint8Array {
  const text = payload === undefined ? "" : internals.jsonText(payload);
  return text.length === 0 ? "{}" : text;
}

/** A random part, so that many clients do not come back at once; as `backoff_millis` of the core. */
function backoffMillis(attempt: number): number {
  return Math.floor(Math.random() * longestBackoffMillis(attempt));
}

/** What a header `Retry-After` asks for: whole seconds, or a date; 0 for anything else. */
function millisAskedFor(retryAfter: string | null | undefined): number {
  const text = retryAfter?.trim() ?? "";
  if (/^\d+$/.test(text)) {
    return Number(text) * 1_000;
  }
  const date = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? 0 : Math.max(0, date - Date.now());
}

/**
 * Lets something run until it ends, its time is over, or the signal says so: whatever it makes of that itself.
 *
 * Not by `AbortSignal.any`, which is younger than the browsers and the Node that this package supports.
 */
async function bounded<T>(
  signal: AbortSignal | undefined,
  millis: number | undefined,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let cancel = (): void => undefined;
  const ended = new Promise<never>((_, reject) => {
    const end = (reason: unknown): void => {
      reject(reason);
      controller.abort(reason);
    };
    cancel = () => end(signal?.reason);
    signal?.addEventListener("abort", cancel);
    if (millis !== undefined) {
      const late = "the attempt took too long: it may have arrived";
      timer = setTimeout(() => end(new DOMException(late, "TimeoutError")), millis);
    }
  });
  try {
    return await Promise.race([act(controller.signal), ended]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", cancel);
  }
}

/** HTTP stacks would follow one that they see. */
function isRedirect({ status }: Answer): boolean {
  return status >= 300 && status <= 399;
}

/** A whole number that a timer takes. */
function within(value: number, name: string, least: number): number {
  internals.digits(value, name);
  if (value < least || value > MOST_MILLIS) {
    throw new EnvelopeError("invalid_option", `\`${name}\` is out of range: use ${least} to ${MOST_MILLIS}`);
  }
  return value;
}

const MOST_MILLIS = 2 ** 31 - 1;

const OPTIONS = [
  "secret",
  "envelope",
  "apiKey",
  "attempts",
  "deadlineMillis",
  "attemptTimeoutMillis",
  "onAttempt",
  "onClockCorrection",
];

const OF_TRANSFER = ["content-length", "content-encoding", "transfer-encoding"];

const OF_SEALING = [
  ...OF_TRANSFER,
  "api-key",
  "content-type",
  "idempotency-key",
  "connection",
  "expect",
  "host",
  "keep-alive",
];
