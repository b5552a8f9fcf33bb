/** Numbers and texts among the options, in the form that the core reads. The core says which of them are in range. */

import { EnvelopeError } from "./errors.js";

/** A whole number in decimal digits; `invalid_option` for any other number, `TypeError` for what is none. */
export function digits(value: number, name: string): string {
  if (typeof value !== "number") {
    throw new TypeError(`\`${name}\` is no number: hand in a whole one`);
  }
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new EnvelopeError("invalid_option", `\`${name}\` has to be a whole number from 0 up`);
  }
  return String(value);
}

/** A string; `TypeError` for anything else. */
export function string(value: string, name: string): string {
  if (typeof value !== "string") {
    throw new TypeError(`\`${name}\` is no string: hand in text`);
  }
  return value;
}

/** What `read` makes of a value, if there is one. */
export function optional<T, R>(value: T | undefined, read: (value: T, name: string) => R, name: string): R | undefined {
  return value === undefined ? undefined : read(value, name);
}

/** Refuses an option that nobody reads: a misspelt one would be without effect, and without a word. */
export function onlyKnown(options: object, ...known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new EnvelopeError(
      "invalid_option",
      `there is no such option here: use ${known.map((name) => `\`${name}\``).join(", ")}`,
    );
  }
}
