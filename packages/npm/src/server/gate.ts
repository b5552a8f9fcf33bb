/**
 * What stands before a server's own code (SPEC.md, section 26): the checks in their order, and the sealing of what is answered.
 *
 * It knows no framework: what it is given are texts and bytes, what it gives are answers to send.
 */

import {
  claimRequest,
  ENDPOINTS,
  type Envelope,
  EnvelopeError,
  ERROR_SLUGS,
  type ErrorSlug,
  endpointKind,
  internals,
  normalizePath,
  type ReplayStore,
  replayKeys,
} from "cardseal";
import { ANSWERS } from "./answers.js";
import { isKey } from "./records.js";

/** The options of a middleware. */
export interface SealOptions {
  /**
   * Whose key it is: the envelope to use, `"no_access"` for one that is known and may not use the API, nothing for a stranger.
   * The key is as it came; it can be any text.
   */
  readonly envelopeOf: (apiKey: string) => Found | Promise<Found>;
  /** Where claims are kept: `RedisReplayStore` for several processes, `MemoryReplayStore` for one. */
  readonly store: ReplayStore;
  /** The paths that travel sealed; those of the documents unless given. */
  readonly endpoints?: Iterable<string> | undefined;
  /** What happens to every other path: it passes by untouched (`"pass"`), or is a 404 (`"refuse"`). `"pass"` unless given. */
  readonly others?: "pass" | "refuse" | undefined;
  /** How far a request's clock may be from the server's, in seconds, 1 to 30; 30 unless given. */
  readonly windowSeconds?: number | undefined;
  /** Told what was thrown inside the server, or could not be sealed; `console.error` unless given. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** What {@link SealOptions.envelopeOf} gives. */
export type Found = Envelope | "no_access" | undefined;

/** An answer, ready to be sent. Thrown where it ends a request early. */
export class Reply {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, body: string, headers: Record<string, string> = {}) {
    this.status = status;
    this.body = body;
    this.headers = { "content-type": JSON_TYPE, ...headers };
  }

  /** A plain error. */
  static plain(status: number, text: string, headers?: Record<string, string>): Reply {
    return new Reply(status, JSON.stringify({ error: text }), headers);
  }

  /** The plain answer to a code. */
  static to(code: string): Reply {
    const { status, text } = ANSWERS[code] ?? { status: 500, text: "The server cannot answer" };
    return Reply.plain(status, text);
  }
}

/** A request whose headers are read, before its body is. */
export interface Head {
  readonly method: string;
  /** The path as it came, without the query; where a router has taken a prefix away, also what it left. */
  readonly paths: readonly string[];
  /** A header by its name in lower case; several of one name are joined with a comma. */
  readonly header: (name: string) => string | undefined;
}

/** A request that may run. */
export interface Passed {
  readonly envelope: Envelope;
  /** The opened payload, with its stamp: the plain request. */
  readonly text: string;
}

/** The checks. */
export class Gate {
  readonly #options: SealOptions;
  readonly #endpoints: ReadonlySet<string>;
  readonly #lookalikes: ReadonlySet<string>;

  constructor(options: SealOptions) {
    internals.onlyKnown(options, "envelopeOf", "store", "endpoints", "others", "windowSeconds", "onError");
    this.#options = options;
    this.#endpoints = new Set([...(options.endpoints ?? Object.keys(ENDPOINTS))].map((path) => normalizePath(path)));
    this.#lookalikes = new Set([...this.#endpoints].map(lookalike));
  }

  /** The endpoint's normalised path; nothing for a request that passes by untouched. Throws a {@link Reply}. */
  endpoint({ method, paths }: Head): string | undefined {
    const endpoint = paths.map(normalized).find((path) => path !== undefined && this.#endpoints.has(path));
    if (endpoint === undefined) {
      // Routers take other spellings for the same path: one of those must not lead past the checks.
      if (this.#options.others === "refuse" || paths.some((path) => this.#lookalikes.has(lookalike(path)))) {
        throw Reply.plain(404, "There is no such endpoint");
      }
      return undefined;
    }
    if (method !== "POST") {
      throw Reply.plain(405, "Every endpoint takes POST alone", { allow: "POST" });
    }
    return endpoint;
  }

  /**
   * Every check behind the path, up to the replay claims and the idempotency key. Throws a {@link Reply}.
   *
   * @param read - Reads the body, of which no more than one byte over the limit is wanted: or the object that a framework has
   * made of it.
   */
  async pass(endpoint: string, { header }: Head, read: (maxBytes: number) => Promise<unknown>): Promise<Passed> {
    const apiKey = header("api-key");
    const envelope = apiKey === undefined ? undefined : await this.#options.envelopeOf(apiKey);
    if (apiKey === undefined || envelope === undefined) {
      throw Reply.to("api_key_not_found");
    }
    if (envelope === "no_access") {
      throw Reply.to("access_denied");
    }
    if (Number(header("content-length")) > envelope.maxBytes) {
      throw Reply.to("too_large");
    }
    const body = await read(envelope.maxBytes);
    if (sizeOf(body) > envelope.maxBytes) {
      throw Reply.to("too_large"); // before the media type
    }
    const isJson = header("content-type")?.split(";", 1)[0]?.trim().toLowerCase() === JSON_TYPE;
    if (!isJson || (header("content-encoding") ?? "identity").toLowerCase() !== "identity") {
      throw Reply.plain(415, "The body has to be application/json without a content encoding");
    }
    try {
      // Where a framework has found nothing in a body, there is none.
      const given = typeof body === "object" && body !== null ? body : typeof body === "string" ? body : "";
      const request = envelope.openRequestText(given as { encrypted: unknown }, undefined, this.#options.windowSeconds);
      await claimRequest(this.#options.store, replayKeys(apiKey, endpoint, request));
      checkIdempotencyKey(envelope, endpoint, header("idempotency-key"));
      return { envelope, text: request.payload };
    } catch (error) {
      if (!(error instanceof EnvelopeError)) {
        throw error;
      }
      if (ANSWERS[error.code]?.status !== 400) {
        this.report(error);
      }
      throw Reply.to(error.code);
    }
  }

  /** Seals an answer of the code behind; one that is no JSON is an error in it. */
  seal({ envelope }: Passed, status: number, body: string | Uint8Array): Reply {
    try {
      return new Reply(status, envelope.sealResponse(body));
    } catch (error) {
      return this.failed({ envelope }, error);
    }
  }

  /** The sealed answer to an error inside the server. */
  failed({ envelope }: Pick<Passed, "envelope">, error: unknown): Reply {
    this.report(error);
    return sealedError(envelope, "internal_error", "Internal error");
  }

  /** The answer to whatever was thrown before a request could run. */
  refusal(thrown: unknown): Reply {
    if (thrown instanceof Reply) {
      return thrown;
    }
    this.report(thrown);
    return Reply.to("");
  }

  report(error: unknown): void {
    report(this.#options.onError, error);
  }
}

/** The key that the code behind charges by; where there were several headers, it is their list, which is no key. */
function checkIdempotencyKey(envelope: Envelope, endpoint: string, key: string | undefined): void {
  if (key === undefined && endpointKind(endpoint) === "keyed") {
    const message = "This endpoint needs the header Idempotency-Key";
    throw sealedError(envelope, "idempotency_key_required", message);
  }
  if (key !== undefined && !isKey(key)) {
    const message = "The header Idempotency-Key has to be 1 to 255 printable ASCII characters without spaces, once";
    throw sealedError(envelope, "invalid_request", message);
  }
}

function sealedError(envelope: Envelope, slug: ErrorSlug, message: string): Reply {
  return new Reply(ERROR_SLUGS[slug], envelope.sealResponse({ success: false, error: message, error_slug: slug }));
}

/** Tells the owner of an error, whatever comes of it. */
export function report(onError: SealOptions["onError"], error: unknown): void {
  try {
    (onError ?? console.error)(error);
  } catch {
    // The answer goes out all the same.
  }
}

/** Headers of a plain request or answer that the other one must not have. */
export function isOfBody(header: string): boolean {
  return OF_BODY.includes(header.toLowerCase());
}

/** Reads chunks up to one byte more than is allowed: enough to know that it is too much. */
export async function bytesOf(chunks: AsyncIterable<Uint8Array> | null, maxBytes: number): Promise<Uint8Array> {
  const read: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks ?? []) {
    read.push(chunk);
    length += chunk.length;
    if (length > maxBytes) {
      break;
    }
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of read) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Nothing is put before a path that comes over the wire: it is whole. */
function normalized(path: string): string | undefined {
  try {
    return path.startsWith("/api/") ? normalizePath(path) : undefined;
  } catch {
    return undefined;
  }
}

/** How the most lenient of routers reads a path: decoded, in any case, with slashes and parameters that it does not count. */
function lookalike(path: string): string {
  let decoded = path;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    // No router decodes it either.
  }
  return decoded.toLowerCase().replace(/;.*$/, "").replace(/\/+/g, "/").replace(/\/$/, "");
}

function sizeOf(body: unknown): number {
  return typeof body === "string" || body instanceof Uint8Array ? body.length : 0;
}

export const JSON_TYPE = "application/json";

/** An `ETag` of the plain body would tell something of it. */
const OF_BODY = ["content-length", "content-encoding", "content-type", "transfer-encoding", "etag"];
