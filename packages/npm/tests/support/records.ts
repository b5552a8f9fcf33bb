/** The steps of tests/vectors/records.json, taken on a store. */

import assert from "node:assert/strict";
import { EnvelopeError } from "cardseal";
import type { Begun, IdempotencyStore } from "cardseal/server";

/** A step: what it is given, then what it gives. */
export interface Step {
  readonly step: string;
  readonly now_millis: number;
  readonly result: string;
  readonly api_key?: string;
  readonly idempotency_key?: string;
  readonly fingerprint?: string;
  readonly lease_millis?: number;
  readonly token?: string;
  readonly status?: number;
  readonly body?: string;
}

/** What a step gives. */
export type Given = Pick<Step, "result" | "token" | "status" | "body">;

/** Takes a step; `token` is the store's own for the one that stands in it. */
export async function take(store: IdempotencyStore, step: Step, token = step.token): Promise<Given> {
  try {
    switch (step.step) {
      case "begin":
      case "take_over": {
        const { api_key = "", idempotency_key = "", fingerprint = "", lease_millis } = step;
        const given = [api_key, idempotency_key, fingerprint, lease_millis] as const;
        return named(await (step.step === "begin" ? store.begin(...given) : store.takeOver(...given)));
      }
      case "complete":
        return stored(await store.complete(token ?? "", step.status as number, step.body as string));
      case "give_back":
        return stored(await store.giveBack(token ?? ""));
      default:
        return assert.fail(`unknown step ${step.step}`);
    }
  } catch (error) {
    assert.ok(error instanceof EnvelopeError, String(error));
    return { result: error.code };
  }
}

/** What a step has to give. */
export function expected({ step, result, token, status, body }: Step): Given {
  const isBegin = step === "begin" || step === "take_over";
  return {
    result,
    ...(isBegin && result === "new" && { token }),
    ...(isBegin && result === "replay" && { status, body }),
  };
}

/** What a case expects whose last step gives this. */
export function verdict({ result }: Given): string {
  return ["new", "replay", "stored"].includes(result) ? "ok" : result;
}

function named({ state, ...more }: Begun): Given {
  return { result: state, ...more };
}

function stored(isStored: boolean): Given {
  return { result: isStored ? "stored" : "stale" };
}
