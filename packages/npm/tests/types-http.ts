/** What the types of the entries for HTTP allow and what they refuse. Compiled, never run. */

import axios, { type AxiosAdapter } from "axios";
import { type ApiError, Envelope } from "cardseal";
import { sealedAdapter } from "cardseal/axios";
import { type AttemptEvent, Client, type Order, OutcomeUnknownError } from "cardseal/client";
import { type apiErrorOf, sealedFetch } from "cardseal/fetch";
import { sealInterceptor } from "cardseal/undici";
import ky from "ky";
import { Agent } from "undici";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Equal<A, B>): void {}

const apiKey = "key_1";
const secret = "your_api_secret_key_here";
const envelope = new Envelope(secret);

same<ReturnType<typeof sealedFetch>, typeof fetch>(true);
ky.create({ fetch: sealedFetch({ apiKey, envelope, fetch, baseUrl: "https://api.example.com", attempts: 3 }) });
// @ts-expect-error a key is needed: a secret, or an envelope
sealedFetch({ apiKey });
// @ts-expect-error one of the two
sealedFetch({ apiKey, secret, envelope });
// @ts-expect-error an API key is needed
sealedFetch({ secret });
// @ts-expect-error no such option
sealedFetch({ apiKey, secret, retries: 3 });

same<ReturnType<typeof sealedAdapter>, AxiosAdapter>(true);
axios.create({ adapter: sealedAdapter({ apiKey, secret, adapter: "fetch" }) });
// @ts-expect-error the address is axios's own `baseURL`
sealedAdapter({ apiKey, secret, baseUrl: "https://api.example.com" });

new Agent().compose(sealInterceptor({ apiKey, secret, onAttempt: (event) => same<typeof event, AttemptEvent>(true) }));
// @ts-expect-error a listener is told, not asked
sealInterceptor({ apiKey, secret, onAttempt: (event: string) => event });
sealInterceptor({ apiKey, secret, onClockCorrection: (offset) => same<typeof offset, number>(true) });

const client = new Client({ baseUrl: "https://api.example.com", apiKey, secret });
// @ts-expect-error an origin is needed
new Client({ apiKey, secret });
// @ts-expect-error the environment gives it
Client.fromEnv({ secret });
interface Balance {
  available: string;
}
export async function calls(): Promise<void> {
  same<Balance, Awaited<ReturnType<typeof client.call<Balance>>>>(true);
  (await client.call<Balance>("/project/balance")).available.toUpperCase();
  // @ts-expect-error nobody has said what it holds
  (await client.call("/project/balance")).available;
  await client.call("/cards/get", '{"card_id":"card_1"}', { signal: AbortSignal.timeout(1_000) });
  // @ts-expect-error options come by name
  await client.call("/cards/topup", {}, "topup-7");
  const order = await client.waitForOrder("order_1", { timeoutSeconds: 5 });
  same<typeof order, Order>(true);
  order.status.toUpperCase();
}

export function judge(error: unknown): void {
  same<ReturnType<typeof apiErrorOf>, ApiError | undefined>(true);
  if (error instanceof OutcomeUnknownError) {
    same<typeof error.code, "outcome_unknown">(true);
    same<typeof error.idempotencyKey, string | undefined>(true);
    // @ts-expect-error it is not for others to change
    error.attempts = 1;
  }
}

declare const event: AttemptEvent;
// @ts-expect-error no payload is in an event
event.payload;
