"""Mutated bodies and payloads by the thousand: an EnvelopeError, an ApiError, or a TypeError for a wrong type, no more."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from conftest import EFFORT, body_of, key_of, nacl_seal

import cardseal
from cardseal import ApiError, Envelope, EnvelopeError

SECRET = "your_api_secret_key_here"
CASES = 20_000 * EFFORT


def mutated(text: bytes, chance: random.Random) -> bytes:
    """Change, drop, double or insert a few bytes."""
    data = bytearray(text)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[at : at + chance.choice((1, 1, 10))]
            case 2:
                data[at:at] = chance.choice(
                    (
                        b'"',
                        b"\\",
                        b"{",
                        b"}",
                        b"[",
                        b",",
                        b":",
                        b"=",
                        b" ",
                        b"\\u0000",
                        b"\\ud800",
                        b"1e999",
                        b"-",
                        b"0",
                    )
                )
            case 3:
                data[at:at] = data[at : at + 8]
            case _:
                data = data[:at]
    return bytes(data)


def texts(chance: random.Random) -> bytes:
    value = {
        "request_timestamp": chance.choice((cardseal.timestamp_micros(), "1700000000000000", None)),
        "card_id": "card_abc123",
        "amounts": [1.5, -2, 10**25, "é\n", None, True],
        "nested": {"a": {"b": [[], {}]}},
    }
    return json.dumps(value, ensure_ascii=chance.random() < 0.5).encode()


def forms(data: bytes, chance: random.Random) -> Any:
    """Hand the bytes over in one of the ways in which callers do."""
    match chance.randrange(6):
        case 0:
            return data.decode(errors="surrogateescape")
        case 1:
            return bytearray(data)
        case 2:
            return memoryview(data)
        case 3:
            return {"encrypted": data.decode(errors="surrogateescape")}
        case _:
            return data


def objects(chance: random.Random, depth: int = 0) -> Any:
    """Build a payload with something odd in it now and then."""
    odd: list[Callable[[], Any]] = [
        object,
        lambda: {1, 2},
        lambda: b"bytes",
        lambda: float("nan"),
        lambda: float("inf"),
        lambda: 10 ** chance.randrange(300, 400),
        lambda: "\ud800",
        lambda: {1: 2},
        lambda: {"\udfff": 1},
        lambda: {None: 1},
        lambda: 1j,
        lambda: range(3),
        lambda: Envelope,
        lambda: chance,
        lambda: iter([1]),
    ]
    if depth > 6 or chance.random() < 0.3:
        if chance.random() < 0.05:
            return chance.choice(odd)()
        return chance.choice((None, True, 0, -(2**63), 2**64, 1.5, "", "text", "é\n"))
    children = [objects(chance, depth + 1) for _ in range(chance.randrange(5))]
    if chance.random() < 0.4:
        return tuple(children) if chance.random() < 0.3 else children
    names = ("request_timestamp", "encrypted", "data", "a", "é", '"')
    return {chance.choice(names): child for child in children}


def verdict(call: Callable[[], Any]) -> str:
    try:
        call()
    except EnvelopeError as error:
        assert error.code in cardseal.ERROR_CODES
        return error.code
    except ApiError as error:
        return f"api error {error.status}"
    return "ok"


def test_mutated_bodies_and_payloads_end_in_a_code() -> None:
    chance = random.Random(20_261_125)
    envelope = Envelope(SECRET, open_secrets=["an older secret"])
    key = key_of(SECRET)
    counts: Counter[str] = Counter()
    for number in range(CASES):
        inside = texts(chance)
        if number % 3 == 0:
            inside = mutated(inside, chance)
        body = body_of(nacl_seal(inside, key)).encode()
        if number % 3 == 1:
            body = mutated(body, chance)
        given = forms(body, chance)
        payload = objects(chance) if number % 2 else forms(mutated(inside, chance) if number % 20 else body, chance)
        for call in (
            lambda given=given: envelope.open(given),
            lambda given=given: envelope.open_request(given),
            lambda given=given: envelope.open_webhook(given),
            lambda given=given, body=body: envelope.open_response(chance.choice((200, 400, 500)), given, request=body),
            lambda payload=payload: envelope.seal(payload),
            lambda payload=payload: envelope.seal_response(payload),
            lambda payload=payload: envelope.seal_request("/cards/get", payload, api_key="k"),
            lambda payload=payload: cardseal.fingerprint("/cards/get", payload),
        ):
            counts[verdict(call)] += 1
    for code in (
        "ok",
        "already_sealed",
        "decryption_failed",
        "envelope_not_found",
        "invalid_envelope",
        "invalid_json",
        "invalid_payload",
        "invalid_timestamp",
        "reflected_response",
        "timestamp_not_found",
        "timestamp_outside_window",
        "api error 500",
    ):
        assert counts[code] >= 20, (code, counts)


def test_wrong_types_are_type_errors() -> None:
    envelope = Envelope(SECRET)
    calls: list[Callable[[Any], Any]] = [
        Envelope,
        Envelope.from_key,
        envelope.open,
        envelope.open_request,
        envelope.open_webhook,
        lambda wrong: envelope.open_response(200, wrong),
        lambda wrong: envelope.open_response(wrong, b""),
        envelope.encrypt,
        envelope.decrypt,
        lambda wrong: envelope.seal_request(wrong, {}, api_key="k"),
        lambda wrong: envelope.seal_request("/cards/get", {}, api_key=wrong),
        cardseal.normalize_path,
        cardseal.endpoint_kind,
        cardseal.required_headers,
        lambda wrong: cardseal.derive_idempotency_key(wrong, "id"),
        lambda wrong: cardseal.derive_idempotency_key("namespace", wrong),
        lambda wrong: cardseal.should_retry(wrong, "never"),
        lambda wrong: cardseal.should_retry("read", wrong),
        lambda wrong: cardseal.fingerprint(wrong, {}),
        lambda wrong: cardseal.replay_keys("k", "/cards/get", wrong),
        lambda wrong: cardseal.claim_request(cardseal.MemoryReplayStore(), wrong),
        lambda wrong: cardseal.MemoryReplayStore().claim(wrong, 1),
        lambda wrong: cardseal.MemoryReplayStore().claim("k", wrong),
        lambda wrong: cardseal.OrderStatus("new").can_become(wrong),
    ]
    for call in calls:
        for wrong in (None, 1.5, object(), [object()], Envelope):
            try:
                call(wrong)
            except TypeError:
                continue
            raise AssertionError(f"{call} takes {wrong!r}")


GROWTH = """
import cardseal
envelope = cardseal.Envelope("your_api_secret_key_here")
body = envelope.seal({"a": [1, {"b": "c"}]})
broken = body[:60] + ("A" if body[60] != "A" else "B") + body[61:]
twice = {"encrypted": envelope.encrypt('{"a":[{"name":1}],"b":1,"b":2}')}

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

def fail(count):
    for number in range(count):
        try:
            envelope.open(twice if number % 2 else broken)
        except cardseal.EnvelopeError as error:
            assert error.code == ("invalid_payload" if number % 2 else "decryption_failed")
        else:
            raise SystemExit("it opened")

fail(100_000)
before = resident()
fail(900_000)
print(resident() - before)
"""


def test_a_million_failures_leave_nothing_behind() -> None:
    result = subprocess.run([sys.executable, "-c", GROWTH], capture_output=True, text=True, check=True)
    assert int(result.stdout) <= 1 << 20
