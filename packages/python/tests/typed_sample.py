"""A user's file, for mypy alone: what it reveals and refuses is part of the contract."""

from __future__ import annotations

import dataclasses
import decimal
from typing import Any

import cardseal
from cardseal import ApiError, Envelope, EnvelopeError, MemoryReplayStore, OrderStatus
from cardseal.types import Body, ErrorCode, JsonValue, ReplayStore


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


server(Envelope("a secret"), "", MemoryReplayStore())

Envelope(b"a secret")  # type: ignore[arg-type]
Envelope("a secret", "bare")  # type: ignore[call-arg]
Envelope("a secret", layout="other")  # type: ignore[arg-type]
Envelope("a secret", open_secrets="older_secret")  # type: ignore[arg-type]
Envelope("a secret").open(7)  # type: ignore[arg-type]
Envelope("a secret").seal(7)  # type: ignore[arg-type]
Envelope("a secret").seal(None)  # type: ignore[arg-type]
Envelope("a secret").seal_request("/cards/get", {})  # type: ignore[call-arg]
cardseal.should_retry("sometimes", "never")  # type: ignore[arg-type]
cardseal.claim_request(object(), cardseal.replay_keys("k", "/", Envelope("a secret").open_request("")))  # type: ignore[arg-type]
Envelope("a secret").max_bytes = 5  # type: ignore[misc]
if OrderStatus.NEW.can_become:  # type: ignore[truthy-function]
    pass
