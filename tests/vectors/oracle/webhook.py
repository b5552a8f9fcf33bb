"""Opened webhooks: SPEC section 22."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from .envelope import OpenedText
from .refusal import Refusal
from .strict_json import Value, canonical


@dataclass(frozen=True)
class Webhook:
    """What a receiver needs to act once."""

    plaintext: str
    type: str | None
    timestamp: str | None
    delivery_id: str | None
    dedupe_key: str
    key_index: int


def webhook_of(opened: OpenedText) -> Webhook:
    root = opened.root
    if root.kind != "object":
        raise Refusal("invalid_payload")
    kind = string_member(root, "type")
    timestamp = root.member("timestamp")
    delivery_id = string_member(root, "delivery_id") or None
    if delivery_id is not None:
        dedupe_key = "id:" + delivery_id
    else:
        dedupe_key = "sha256:" + hashlib.sha256(canonical(root).encode("utf-8")).hexdigest()
    return Webhook(
        plaintext=opened.text,
        type=kind if kind is not None else string_member(root, "event_type"),
        timestamp=None if timestamp is None else timestamp.spelling,
        delivery_id=delivery_id,
        dedupe_key=dedupe_key,
        key_index=opened.key_index,
    )


def string_member(root: Value, name: str) -> str | None:
    value = root.member(name)
    return value.string if value is not None and value.kind == "string" else None
