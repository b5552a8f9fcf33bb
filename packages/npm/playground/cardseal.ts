/**
 * The module of the page in `examples/browser`: what the browser's entry has, and {@link inspect}.
 *
 * Its WebAssembly is a build of its own, and it stands outside of `src`: what is published does not grow by it.
 */

import { core, fields, type Operations, useEngine } from "../src/engine.js";
import { inlineWasm } from "../src/engines/inline.js";
import type { ErrorCode, Layout } from "../src/index.js";
import { wellFormed } from "../src/payload.js";

useEngine(inlineWasm);

export * from "../src/index.js";

/** What a body is compared with. */
export interface InspectOptions {
  /** The secret to open it with; without one it is looked at as far as one gets without. */
  readonly secret?: string | undefined;
  /** `"versioned"` unless given. */
  readonly layout?: Layout | undefined;
}

/** What a body is, and why it does not open. Nothing in it quotes what the envelope holds. */
export interface Report {
  readonly verdict: "opens_as_request" | "opens_not_as_request" | "well_formed" | "does_not_open";
  /** What stands in the way. */
  readonly code: ErrorCode | null;
  /** The verdict as a sentence. */
  readonly conclusion: string;
  readonly steps: readonly Step[];
}

/** One check, or one note. */
export interface Step {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "note";
  /** For a failure, why. */
  readonly code: ErrorCode | null;
  /** What was found, and what to do. */
  readonly detail: string;
}

/**
 * Says step by step what a body is, by the clock of this machine.
 *
 * @throws EnvelopeError `invalid_key`, `invalid_option`; `invalid_json` for text cut inside a surrogate pair.
 */
export function inspect(body: string, { secret, layout }: InspectOptions = {}): Report {
  const { engine, operations } = core();
  const { inspect } = operations as Operations & { readonly inspect: number };
  const text = wellFormed(body, "invalid_json");
  const key = secret === undefined ? undefined : wellFormed(secret, "invalid_key");
  const [report, conclusion] = fields(engine.call(inspect, 0, undefined, text, key, layout)) as [string, string];
  return { ...JSON.parse(report), conclusion };
}
