"""How a case is declared, computed and compared, and the fixed inputs that cases share."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from oracle import envelope
from oracle.refusal import Disagreement, Refusal

Fields = dict[str, Any]

SECRET = "your_api_secret_key_here"
OTHER_SECRET = "another_secret_for_tests"
OLD_SECRET = "secret_of_last_year"
OLDER_SECRET = "secret_of_the_year_before"
RAW_KEY = bytes(range(0x80, 0xA0))
OTHER_RAW_KEY = bytes(range(0xA0, 0xC0))
EXAMPLE_STAMP = 1_700_000_000_000_000
EXAMPLE_PAYLOAD = '{"request_timestamp":1700000000000000,"card_id":"card_abc123"}'
EXAMPLE_NONCE = bytes(range(24))
ENVELOPE_FIELDS = ("secret", "key_hex", "open_secrets", "open_keys_hex", "layout", "max_bytes")
BODY_FIELDS = ("body", "body_hex", "parsed_field")


@dataclass
class Family:
    """One JSON file: `compute` turns a case's inputs into its outputs, or raises Refusal."""

    stem: str
    about: str
    inputs: tuple[str, ...]
    compute: Callable[[Fields], Fields]
    cases: list[Fields] = field(default_factory=list)

    def case(self, name: str, rules: str, expect: str, /, want: Fields | None = None, **inputs: Any) -> None:
        """Declare a case. `rules` are SPEC ids parted by spaces; `want` are outputs known by hand."""
        unknown = set(inputs) - set(self.inputs)
        if unknown:
            raise Disagreement(f"{self.stem}: {name}: no such input: {', '.join(sorted(unknown))}")
        if not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", name):
            raise Disagreement(f"{self.stem}: {name}: a name is snake_case and has an area")
        computed = self.result(inputs)
        if computed["expect"] != expect:
            raise Disagreement(f"{self.stem}: {name}: declared {expect}, computed {computed['expect']}")
        for key, value in (want or {}).items():
            if key not in computed or computed[key] != value:
                raise Disagreement(f"{self.stem}: {name}: {key} should be {value!r}, computed {computed.get(key)!r}")
        ordered = {key: inputs[key] for key in self.inputs if key in inputs}
        del computed["expect"]
        self.cases.append({"name": name, "rules": rules.split(), "expect": expect, **ordered, **computed})

    def result(self, inputs: Fields) -> Fields:
        try:
            outputs = self.compute(inputs)
        except Refusal as refusal:
            return {"expect": refusal.code, **refusal.details}
        return {"expect": outputs.pop("expect", "ok"), **outputs}


def keyring_of(inputs: Fields) -> envelope.Keyring:
    """The keys and options of a case."""
    options: Fields = {}
    for given, wanted in (
        ("secret", "secret"),
        ("open_secrets", "open_secrets"),
        ("layout", "layout"),
        ("max_bytes", "max_bytes"),
    ):
        if given in inputs:
            options[wanted] = inputs[given]
    if "key_hex" in inputs:
        options["key"] = bytes.fromhex(inputs["key_hex"])
    if "open_keys_hex" in inputs:
        options["open_keys"] = [bytes.fromhex(key) for key in inputs["open_keys_hex"]]
    return envelope.keyring(**options)


def body_of(inputs: Fields) -> bytes:
    """The body's bytes; a parsed field has none."""
    return bytes.fromhex(inputs["body_hex"]) if "body_hex" in inputs else inputs["body"].encode("utf-8")


def open_input(inputs: Fields) -> envelope.OpenedText:
    """Open whichever body input a case has."""
    if len([name for name in BODY_FIELDS if name in inputs]) != 1:
        raise Disagreement("a case has exactly one body input")
    ring = keyring_of(inputs)
    if "parsed_field" in inputs:
        return envelope.open_parsed(ring, inputs["parsed_field"])
    return envelope.open_body(ring, body_of(inputs))


_used_nonces: dict[str, str] = {}


def nonce_for(seed: str) -> bytes:
    """A nonce that no other seed has."""
    nonce = hashlib.sha256(b"nonce of " + seed.encode()).digest()[:24]
    if nonce[0] == 2:  # a bare body that looks versioned is a case of its own
        nonce = b"\x03" + nonce[1:]
    return claim_nonce(nonce, seed)


def claim_nonce(nonce: bytes, seed: str) -> bytes:
    if _used_nonces.setdefault(nonce.hex(), seed) != seed:
        raise Disagreement(f"{seed}: nonce used by {_used_nonces[nonce.hex()]}")
    return nonce


def stamp_for(seed: str) -> int:
    """A timestamp that differs from case to case."""
    return EXAMPLE_STAMP + int.from_bytes(hashlib.sha256(b"stamp of " + seed.encode()).digest()[:5], "big")


def raw_for(
    seed: str,
    message: bytes | str,
    secret: str | bytes = SECRET,
    layout: str = "versioned",
    nonce: bytes | None = None,
) -> bytes:
    """The bytes of an envelope, with any message: also what `seal` would refuse."""
    ring = envelope.keyring(
        **({"secret": secret} if isinstance(secret, str) else {"key": secret}),
        layout=layout,
        max_bytes=envelope.LARGEST_MAX_BYTES,
    )
    data = message.encode("utf-8") if isinstance(message, str) else message
    nonce = nonce_for(seed) if nonce is None else claim_nonce(nonce, seed)
    return base64.b64decode(envelope.encrypt(ring, nonce, data))


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def field_for(seed: str, message: bytes | str, **how: Any) -> str:
    return b64(raw_for(seed, message, **how))


def wrap(encrypted: str) -> str:
    return '{"encrypted":"' + encrypted + '"}'


def body_for(seed: str, message: bytes | str, **how: Any) -> str:
    return wrap(field_for(seed, message, **how))


def flipped(data: bytes, at: int, bit: int = 0) -> bytes:
    """`data` with one bit changed."""
    changed = bytearray(data)
    changed[at] ^= 1 << bit
    return bytes(changed)
