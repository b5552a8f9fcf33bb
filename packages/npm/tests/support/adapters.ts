/** Every adapter in one form: used as its README says, and what it gives made comparable. */

import assert from "node:assert/strict";
import axios from "axios";
import { sealedAdapter } from "cardseal/axios";
import { type AttemptEvent, apiErrorOf, Client } from "cardseal/client";
import { sealedFetch } from "cardseal/fetch";
import { sealInterceptor } from "cardseal/undici";
import ky from "ky";
import { Agent, request } from "undici";

export interface AdapterOptions {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly secret: string;
  readonly attempts?: number;
  readonly deadlineMillis?: number;
  readonly attemptTimeoutMillis?: number;
  readonly onAttempt?: (event: AttemptEvent) => void;
  readonly onClockCorrection?: (offsetMillis: number) => void;
}

export interface Given {
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

/** Makes a call: gives the payload's text, or throws the `ApiError` or whatever else the call ended with. */
export type MakeCall = (path: string, payload: object, given?: Given) => Promise<string>;

/** A client, and what of it a program could print. */
export type Adapter = (options: AdapterOptions) => { readonly call: MakeCall; readonly printable: unknown };

export const ADAPTERS: Readonly<Record<string, Adapter>> = {
  fetch(options) {
    const fetch = sealedFetch(options);
    return {
      printable: fetch,
      call: async (path, payload, { idempotencyKey, signal } = {}) => {
        const headers: Record<string, string> =
          idempotencyKey === undefined ? {} : { "Idempotency-Key": idempotencyKey };
        const body = JSON.stringify(payload);
        const response = await fetch(path, { method: "POST", headers, body, ...(signal && { signal }) });
        return textOf(response);
      },
    };
  },

  ky(options) {
    const api = ky.create({ prefixUrl: options.baseUrl, fetch: sealedFetch(options), timeout: false });
    return {
      printable: api,
      call: async (path, json, { idempotencyKey, signal } = {}) => {
        const headers: Record<string, string> =
          idempotencyKey === undefined ? {} : { "Idempotency-Key": idempotencyKey };
        try {
          return await api.post(path.slice(1), { json, headers, ...(signal && { signal }) }).text();
        } catch (error) {
          throw apiErrorOf(error) ?? error;
        }
      },
    };
  },

  axios({ baseUrl, ...options }) {
    const api = axios.create({ baseURL: baseUrl, adapter: sealedAdapter(options), transformResponse: (text) => text });
    return {
      printable: api.defaults,
      call: async (path, payload, { idempotencyKey, signal } = {}) => {
        const headers: Record<string, string> =
          idempotencyKey === undefined ? {} : { "Idempotency-Key": idempotencyKey };
        try {
          return (await api.post(path, payload, { headers, ...(signal && { signal }) })).data;
        } catch (error) {
          throw apiErrorOf(error) ?? error;
        }
      },
    };
  },

  undici({ baseUrl, ...options }) {
    const dispatcher = new Agent().compose(sealInterceptor(options));
    return {
      printable: dispatcher,
      call: async (path, payload, { idempotencyKey, signal } = {}) => {
        const headers: Record<string, string> =
          idempotencyKey === undefined ? {} : { "Idempotency-Key": idempotencyKey };
        const body = JSON.stringify(payload);
        const url = `${baseUrl}/api/v1${path}`;
        const answer = await request(url, { dispatcher, method: "POST", headers, body, ...(signal && { signal }) });
        const text = await answer.body.text();
        const error = apiErrorOf(answer);
        assert.equal(error?.status ?? 200, answer.statusCode);
        if (error) {
          throw error;
        }
        return text;
      },
    };
  },

  client(options) {
    const client = new Client(options);
    return {
      printable: client,
      call: async (path, payload, given = {}) => JSON.stringify(await client.call(path, payload, given)),
    };
  },
};

async function textOf(response: Response): Promise<string> {
  const text = await response.text();
  const error = apiErrorOf(response);
  assert.equal(error?.status ?? 200, response.status);
  if (error) {
    throw error;
  }
  return text;
}
