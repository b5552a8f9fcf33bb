/** What the types allow and what they refuse. Compiled, never run; an error that is expected and missing is an error. */

import {
  ApiError,
  type Body,
  CardIssueStatus,
  claimRequest,
  Envelope,
  EnvelopeError,
  type ErrorCode,
  type ErrorSlug,
  endpointKind,
  type JsonValue,
  type JsonValueWithBigInts,
  MemoryReplayStore,
  OrderStatus,
  type ReplayStore,
  replayKeys,
  type SealedRequest,
  shouldRetry,
  type validatePayload,
} from "cardseal";
import type * as wasm from "cardseal/wasm";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Equal<A, B>): void {}

interface Card {
  card_id: string;
}

const envelope = new Envelope("your_api_secret_key_here", {
  layout: "bare",
  openSecrets: ["the_old_secret"],
  maxBytes: 1,
});
Envelope.fromKey(new Uint8Array(32), { openKeys: [new Uint8Array(32)] });
// @ts-expect-error a secret is text
new Envelope(new Uint8Array(32));
// @ts-expect-error there are two layouts
new Envelope("your_api_secret_key_here", { layout: "guess" });
// @ts-expect-error names are in camel case
new Envelope("your_api_secret_key_here", { max_bytes: 1 });
// @ts-expect-error older keys belong to a key
new Envelope("your_api_secret_key_here", { openKeys: [] });
// @ts-expect-error a raw key is bytes
Envelope.fromKey("k".repeat(32));
// @ts-expect-error it cannot be changed
envelope.layout = "versioned";

const card: Card = { card_id: "card_abc123" };
same<ReturnType<typeof envelope.seal>, string>(true);
envelope.seal(card);
envelope.seal('{"a": 1}');
envelope.seal(Buffer.from("{}"));
// @ts-expect-error a request payload is an object
envelope.seal(5);
// @ts-expect-error nothing is no payload
envelope.seal(undefined);
// @ts-expect-error a promise is to be awaited
envelope.seal(Promise.resolve(card));
// @ts-expect-error a function has no JSON form
envelope.sealWebhook(() => card);
// @ts-expect-error an ArrayBuffer neither
envelope.sealRequest("/cards/get", new ArrayBuffer(8), { apiKey: "key_1" });
envelope.sealResponse(5);
envelope.sealResponse([card]);
// @ts-expect-error a BigInt has no JSON form
envelope.sealResponse(5n);

const bodies: Body[] = ["{}", new Uint8Array(1), Buffer.alloc(1), new ArrayBuffer(1), { encrypted: "AgAB" }];
same<ReturnType<typeof envelope.open<Card>>, Card>(true);
envelope.open<Card>(bodies[0] ?? "").card_id.toUpperCase();
// @ts-expect-error a body without the member is none
envelope.open({ sealed: "AgAB" });
// @ts-expect-error nor is a number
envelope.open(5);
// @ts-expect-error what was opened is not known unless it is said
envelope.open("{}").card_id;

const opened = envelope.open("{}", { bigints: true });
const sealed: SealedRequest = envelope.sealRequest("/cards/topup", card, { apiKey: "key_1", idempotencyKey: "i-1" });
same<typeof opened, JsonValueWithBigInts>(true);
// @ts-expect-error a BigInt may stand there
const withoutBigInts: JsonValue = opened;
void withoutBigInts;
envelope.openResponse(400, { error: "Duplicate request detected" });
// @ts-expect-error errors of the API come from answers
new ApiError(400, []);
const headers: Record<string, string> = sealed.headers;
new Headers(headers);
// @ts-expect-error an API key is needed
envelope.sealRequest("/cards/topup", card, {});
// @ts-expect-error the path comes first
envelope.sealRequest(card, "/cards/topup", { apiKey: "key_1" });
envelope.openResponse<Card>(200, sealed.body, { request: sealed }).card_id.toUpperCase();
// @ts-expect-error a status is a number
envelope.openResponse("200", sealed.body);

const request = envelope.openRequest<Card>(sealed.body, { nowMicros: 1, windowSeconds: 30 });
same<typeof request.timestampMicros, number>(true);
same<typeof request.payload, Card>(true);
claimRequest(new MemoryReplayStore(), replayKeys("key_1", "/cards/get", request)).then(() => undefined);
const store: ReplayStore = { claim: async (key, ttlMillis) => key.length > ttlMillis };
claimRequest(store, { timestamp: "a", nonce: "b" }).catch(() => undefined);
// @ts-expect-error a store says true or false
const lazy: ReplayStore = { claim: () => "OK" };
void lazy;

same<ReturnType<typeof validatePayload>, number | undefined>(true);
const webhook = envelope.openWebhook<Card>("{}");
same<typeof webhook.type, string | undefined>(true);

function judge(error: unknown): void {
  if (error instanceof EnvelopeError) {
    same<typeof error.code, ErrorCode>(true);
    // @ts-expect-error no such code
    error.code === "no_such_code";
    switch (error.code) {
      case "decryption_failed":
        break;
      default:
        break;
    }
  }
  if (error instanceof ApiError) {
    const code: string | undefined = error.code;
    const known: ErrorSlug = "insufficient_funds";
    void (code === known);
    shouldRetry({
      kind: endpointKind("/x"),
      failureClass: error.failureClass,
      code,
      sent: "yes",
      hasKey: true,
      attempt: 1,
    });
  }
  // @ts-expect-error a class that there is not
  shouldRetry({ kind: "read", failureClass: "always", sent: "yes", hasKey: true, attempt: 1 });
}
judge(new EnvelopeError("replay_store_unavailable", "the store is down: try again"));
// @ts-expect-error no such code
new EnvelopeError("no_such_code", "");

const status: string = "completed";
if (OrderStatus.isKnown(status)) {
  same<typeof status, OrderStatus>(true);
}
OrderStatus.canBecome("new", "processing");
OrderStatus.isTerminal("a status of the next release");
const issue: CardIssueStatus = "card_create_done";
CardIssueStatus.canBecome(issue, "completed");
// @ts-expect-error no such status
const wrong: OrderStatus = "refunded";
void wrong;

same<typeof wasm.Envelope, typeof Envelope>(true);
