"""A user's file, for mypy alone: what it reveals and refuses is part of the contract."""

from __future__ import annotations

import dataclasses
import decimal
from typing import Any

import aiohttp
import httpx
import requests
from starlette.applications import Starlette
from starlette.middleware import Middleware

import cardseal
import cardseal.aiohttp
import cardseal.httpx
from cardseal import (
    ApiError,
    Client,
    Envelope,
    EnvelopeError,
    MemoryIdempotencyStore,
    MemoryReplayStore,
    OrderStatus,
    OutcomeUnknownError,
    Webhook,
    asgi,
    wsgi,
)
from cardseal.redis import (
    AsyncRedisIdempotencyStore,
    AsyncRedisReplayStore,
    RedisIdempotencyStore,
    RedisReplayStore,
    RedisWebhookStore,
)
from cardseal.requests import AttemptEvent, SealAdapter, api_error
from cardseal.types import AsyncIdempotencyStore, Body, ErrorCode, IdempotencyStore, JsonValue, ReplayStore


@dataclasses.dataclass
class Order:
    order_id: str


def client(envelope: Envelope, status: int, answer: bytes) -> str:
    request = envelope.seal_request("/cards/topup", {"card_id": "c"}, api_key="k", idempotency_key="i")
    headers: dict[str, str] = request.headers
    try:
        order: dict[str, str] = envelope.open_response(status, answer, request=request)
    except ApiError as error:
        slug: str | None = error.slug
        value: JsonValue = error.payload
        return f"{slug} {value} {headers}"
    except EnvelopeError as error:
        code: ErrorCode = error.code
        if code == "decryption_failed":
            return "wrong secret"
        raise
    state = OrderStatus(order["status"])
    ended: bool = state.is_terminal or state.can_become(OrderStatus.FAILED)
    return f"{state} {ended}"


def server(envelope: Envelope, body: Body, store: ReplayStore) -> str:
    request = envelope.open_request(body, window_seconds=10)
    payload: dict[str, Any] = request.payload
    cardseal.claim_request(store, cardseal.replay_keys("k", "/cards/get", request))
    envelope.seal(Order("o-1"))
    return envelope.seal_response({"amount": decimal.Decimal(payload["amount"])}, default=str)


def charged(records: IdempotencyStore, payload: str) -> tuple[int, bytes | str]:
    begun = records.begin("key_1", "topup-1", cardseal.fingerprint("/cards/topup", payload), lease_ms=5_000)
    if begun.state == "outcome_unknown":
        begun = records.take_over("key_1", "topup-1", cardseal.fingerprint("/cards/topup", payload))
    if begun.token is not None:
        is_stored: bool = records.complete(begun.token, 200, "{}")
        return (200, "{}") if is_stored or records.give_back(begun.token) else (503, b"")
    if begun.status is not None and begun.body is not None:
        return begun.status, begun.body
    if begun.state == "nwe":  # type: ignore[comparison-overlap]
        return 500, b""
    return (400, b"") if begun.state == "conflict" else (503, b"")


async def remembered(records: AsyncIdempotencyStore) -> bool:
    begun = await records.begin("key_1", "topup-1", "print")
    return begun.token is not None and await records.complete(begun.token, 200, b"{}")


def on_clock(offset_seconds: float) -> None:
    print(offset_seconds)


def called(client: Client) -> str | None:
    try:
        client.call("/cards/topup", {"card_id": "c"}, "key")
    except OutcomeUnknownError as error:
        return error.idempotency_key
    return str(client.wait_for_order("o")["status"])


def on_attempt(event: AttemptEvent) -> float | None:
    return event.wait_seconds


async def adapted(url: str) -> ApiError | None:
    session = requests.Session()
    session.mount(
        url, SealAdapter("key_1", Envelope("a secret"), on_attempt=on_attempt, attempts=3, correct_clock=on_clock)
    )
    httpx.Client(transport=cardseal.httpx.SealTransport("key_1", "a secret", transport=httpx.HTTPTransport()))
    httpx.AsyncClient(transport=cardseal.httpx.AsyncSealTransport("key_1", "a secret", deadline_seconds=5))
    seal = cardseal.aiohttp.seal_middleware("key_1", "a secret")
    async with aiohttp.ClientSession(middlewares=[seal]) as other, other.post(url) as response:
        unlike: ApiError | None = cardseal.aiohttp.api_error(response)
    return unlike or api_error(session.post(url, json={}))


async def envelope_of(api_key: str) -> Envelope | asgi.NoAccess | None:
    return asgi.NO_ACCESS if api_key == "blocked" else None


def handled(webhook: Webhook) -> None:
    print(webhook.dedupe_key)


def served(flask: Any, envelopes: dict[str, Envelope], url: str) -> list[object]:
    shared = RedisReplayStore.from_url(url, timeout_seconds=0.5)
    sealed = wsgi.SealMiddleware(flask, envelopes.get, shared, refuse_others=True)
    return [
        wsgi.WebhookMiddleware(sealed, "/hooks", envelopes["key_1"], handled, RedisWebhookStore.from_url(url)),
        asgi.SealMiddleware(Starlette(), envelope_of, AsyncRedisReplayStore.from_url(url)),
        Starlette(middleware=[Middleware(asgi.SealMiddleware, envelope_of, MemoryReplayStore())]),
    ]


server(Envelope("a secret"), "", MemoryReplayStore())
charged(MemoryIdempotencyStore(), "{}")
charged(RedisIdempotencyStore.from_url("redis://127.0.0.1"), "{}")
remembered(AsyncRedisIdempotencyStore.from_url("redis://127.0.0.1"))  # type: ignore[unused-coroutine]

Envelope(b"a secret")  # type: ignore[arg-type]
Envelope("a secret", "bare")  # type: ignore[call-arg]
Envelope("a secret", layout="other")  # type: ignore[arg-type]
Envelope("a secret", open_secrets="older_secret")  # type: ignore[arg-type]
Envelope("a secret").open(7)  # type: ignore[arg-type]
Envelope("a secret").seal(7)  # type: ignore[arg-type]
Envelope("a secret").seal(None)  # type: ignore[arg-type]
Envelope("a secret").seal_request("/cards/get", {})  # type: ignore[call-arg]
Client("https://api.example.com", "key_1")  # type: ignore[call-arg]
Client("https://api.example.com", "key_1", "a secret").call("/cards/get", 7)  # type: ignore[arg-type]
SealAdapter("key_1", "a secret", max_retries=3)  # type: ignore[call-arg]
cardseal.should_retry("sometimes", "never")  # type: ignore[arg-type]
cardseal.claim_request(object(), cardseal.replay_keys("k", "/", Envelope("a secret").open_request("")))  # type: ignore[arg-type]
Envelope("a secret").max_bytes = 5  # type: ignore[misc]
if OrderStatus.NEW.can_become:  # type: ignore[truthy-function]
    pass
