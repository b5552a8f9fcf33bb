"""What several tests use."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from nacl.secret import SecretBox

from cardseal import Envelope

REPOSITORY = Path(__file__).resolve().parents[3]
SECRET = "your_api_secret_key_here"

# How many times as many random cases as usual: `cargo xtask test --full` sets it.
EFFORT = int(os.environ.get("CARDSEAL_EFFORT", "1"))


@pytest.fixture
def envelope() -> Envelope:
    return Envelope(SECRET)


def key_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def nacl_seal(message: bytes, key: bytes, nonce: bytes | None = None, layout: str = "versioned") -> str:
    """Make a field as the protocol's own example does."""
    sealed = bytes(SecretBox(key).encrypt(message, nonce))
    return base64.b64encode(b"\x02" * (layout == "versioned") + sealed).decode()


def nacl_open(field: str, key: bytes, layout: str = "versioned") -> tuple[bytes, bytes]:
    """Give nonce and message of a field."""
    data = base64.b64decode(field, validate=True)
    if layout == "versioned":
        assert data[:1] == b"\x02"
        data = data[1:]
    return data[:24], SecretBox(key).decrypt(data)


def body_of(field: str) -> str:
    return '{"encrypted":"' + field + '"}'


def field_of(body: str) -> str:
    value = json.loads(body)
    assert list(value) == ["encrypted"]
    field = value["encrypted"]
    assert isinstance(field, str)
    assert body_of(field) == body, "no white space, no escapes"
    return field


def same(one: Any, other: Any) -> bool:
    """Equal in value, type and order, all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other) or (one != one and other != other)
