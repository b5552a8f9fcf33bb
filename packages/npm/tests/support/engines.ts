/** The package as it is installed, once with each engine. */

import assert from "node:assert/strict";
import * as native from "cardseal";
import * as wasm from "cardseal/wasm";

export type Api = typeof native;

/** What entries for HTTP take from the core's, and nobody else may count on. */
export interface Internals {
  readonly internals: { correctClock(offsetMicros: number): void };
}

/** Both engines by name, each really the one it is said to be. */
export const ENGINES: readonly (readonly [name: string, api: Api])[] = [
  ["napi", native],
  ["wasm", wasm],
];

for (const [name, api] of ENGINES) {
  assert.equal(api.engineName(), name, "the native code does not load: its tests would test WebAssembly twice");
}

export const SECRET = "your_api_secret_key_here";

/** The code of the EnvelopeError that a call throws; a test failure for anything else. */
export function codeOf(api: Api, call: () => unknown): string {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof api.EnvelopeError, `an EnvelopeError was expected, not ${error}`);
    assert.match(error.message, /^[a-z`].*[^.] \([a-z_]+\)$/u);
    assert.ok(!error.message.includes("\n") && error.message.endsWith(`(${error.code})`), error.message);
    return error.code;
  }
  return "ok";
}
