"""Replay keys and claims, idempotency keys, the fingerprint, the clock and the nonce pool: SPEC sections 13 to 17."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

from .refusal import Refusal
from .request import check_api_key, check_idempotency_key, normalize_path
from .strict_json import NotStrictJson, Value, canonical, read

REPLAY_TTL_MILLIS = 70_000
DEFAULT_MAX_KEYS = 2**20
RECORD_TTL_MILLIS = 604_800_000
DEFAULT_MAX_RECORDS = 65_536
CLOCK_TOLERANCE_MICROS = 5_000_000
LARGEST_SAFE_INTEGER = 2**53 - 1
NONCE_BYTES = 24


def hash_of(*parts: bytes) -> bytes:
    """SHA-256 over length-prefixed parts."""
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()


def replay_keys(api_key: str, path: str, timestamp_micros: int, nonce: bytes) -> tuple[str, str]:
    """(timestamp key, nonce key)"""
    key = check_api_key(api_key).encode()
    url = normalize_path(path).encode()
    return (
        hash_of(b"cardseal replay timestamp v1", key, url, str(timestamp_micros).encode()).hex(),
        hash_of(b"cardseal replay nonce v1", key, nonce).hex(),
    )


@dataclass
class ReplayStore:
    """A bounded store in memory: key → when it was claimed."""

    max_keys: int = DEFAULT_MAX_KEYS
    claimed_at: dict[str, int] = field(default_factory=dict)

    def claim(self, key: str, now_millis: int) -> bool:
        """True if the key was fresh and is now claimed."""
        if key in self.claimed_at and self.is_live(key, now_millis):
            return False
        if len(self.claimed_at) >= self.max_keys:
            self.claimed_at = {k: t for k, t in self.claimed_at.items() if self.is_live(k, now_millis)}
        if key not in self.claimed_at and len(self.claimed_at) >= self.max_keys:
            raise Refusal("replay_store_unavailable")
        self.claimed_at[key] = now_millis
        return True

    def is_live(self, key: str, now_millis: int) -> bool:
        return now_millis < self.claimed_at[key] + REPLAY_TTL_MILLIS

    def claim_request(self, timestamp_key: str, nonce_key: str, now_millis: int) -> str:
        """Both claims, always; then one verdict."""
        verdicts = []
        for key in (timestamp_key, nonce_key):
            try:
                verdicts.append("ok" if self.claim(key, now_millis) else "duplicate_request")
            except Refusal as refusal:
                verdicts.append(refusal.code)
        return next((v for v in ("replay_store_unavailable", "duplicate_request") if v in verdicts), "ok")


def derive_idempotency_key(namespace: str, identifier: str) -> str:
    if not namespace or not identifier:
        raise Refusal("invalid_idempotency_key")
    return uuid_text(hash_of(b"cardseal idempotency key v1", namespace.encode(), identifier.encode())[:16], version=8)


def random_idempotency_key(random: bytes) -> str:
    return uuid_text(random, version=4)


def uuid_text(data: bytes, version: int) -> str:
    octets = bytearray(data)
    octets[6] = octets[6] & 0x0F | version << 4
    octets[8] = octets[8] & 0x3F | 0x80
    digits = octets.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def fingerprint(path: str, payload: str) -> tuple[str, str]:
    """(canonical JSON, fingerprint)"""
    normalized = normalize_path(path)
    text = canonical(object_of(payload))
    return text, hash_of(b"cardseal fingerprint v1", normalized.encode(), text.encode()).hex()


def record_key(api_key: str, idempotency_key: str) -> str:
    check_api_key(api_key)
    check_idempotency_key(idempotency_key)
    return hash_of(b"cardseal idempotency record v1", api_key.encode(), idempotency_key.encode()).hex()


@dataclass
class RecordStore:
    """Idempotency records in memory: record key → the fields that a hash in Redis has, and `end`."""

    max_records: int = DEFAULT_MAX_RECORDS
    records: dict[str, dict[str, Any]] = field(default_factory=dict)

    def begin(self, key: str, fingerprint: str, lease: int, now: int, *, takes_over: bool = False) -> dict[str, Any]:
        """`result`, and with it `token`, or `status` and `body`."""
        if not 1 <= lease <= 86_400_000 or not re.fullmatch(r"[!-~]{1,255}", fingerprint):
            raise Refusal("invalid_option")
        record = self.live(key, now)
        if record is not None and "fingerprint" in record:
            if record["fingerprint"] != fingerprint:
                return {"result": "conflict"}
            if "status" in record:
                return {"result": "replay", "status": record["status"], "body": record["body"]}
            if now < record["lease_end"]:
                return {"result": "in_progress"}
            if not takes_over:
                return {"result": "outcome_unknown"}
        if record is None and len(self.records) >= self.max_records:
            raise Refusal("replay_store_unavailable")
        number = max(now, (record or {}).get("number", -1) + 1)
        lease_end = now + lease
        self.records[key] = {
            "fingerprint": fingerprint,
            "number": number,
            "lease_end": lease_end,
            "end": lease_end + RECORD_TTL_MILLIS,
        }
        return {"result": "new", "token": f"{key}:{number}"}

    def complete(self, token: str, status: int, body: str, now: int) -> str:
        if not 100 <= status <= 599:
            raise Refusal("invalid_option")
        record = self.held(token, now)
        if record is None or (record.get("status", status), record.get("body", body)) != (status, body):
            return "stale"
        record.update(status=status, body=body, end=now + RECORD_TTL_MILLIS)
        return "stored"

    def give_back(self, token: str, now: int) -> str:
        record = self.held(token, now)
        if record is None or "status" in record:
            return "stale"
        del record["fingerprint"], record["lease_end"]
        record["end"] = now + RECORD_TTL_MILLIS
        return "stored"

    def held(self, token: str, now: int) -> dict[str, Any] | None:
        """The record whose holder has this token."""
        if not re.fullmatch(r"[0-9a-f]{64}:(0|[1-9][0-9]*)", token):
            raise Refusal("invalid_option")
        key, number = token.split(":")
        record = self.live(key, now)
        return record if record is not None and "fingerprint" in record and record["number"] == int(number) else None

    def live(self, key: str, now: int) -> dict[str, Any] | None:
        self.records = {known: record for known, record in self.records.items() if now < record["end"]}
        return self.records.get(key)


def object_of(payload: str) -> Value:
    try:
        root = read(payload.encode())
    except NotStrictJson as error:
        raise Refusal("invalid_payload") from error
    if root.kind != "object":
        raise Refusal("invalid_payload")
    return root


@dataclass
class Clock:
    """Strictly increasing stamps; `shared` is the pair found in a JavaScript realm."""

    offset_micros: int = 0
    shared: list[float] | None = None
    last: tuple[int, int] | None = None

    def stamp(self, wall_micros: int) -> int:
        if wall_micros <= 0:
            raise Refusal("clock_unavailable")
        stamp = wall_micros + self.offset_micros
        last = self.shared_state(wall_micros) if self.shared is not None else self.last
        if last is not None:
            last_stamp, last_wall = last
            if wall_micros >= last_wall - CLOCK_TOLERANCE_MICROS:
                stamp = max(stamp, last_stamp + 1)
        self.last = (stamp, wall_micros)
        if self.shared is not None:
            self.shared = [stamp, wall_micros]
        return stamp

    def shared_state(self, wall_micros: int) -> tuple[int, int] | None:
        """The shared pair, unless it cannot be believed."""
        assert self.shared is not None
        if not all(isinstance(n, int) and 0 <= n <= LARGEST_SAFE_INTEGER for n in self.shared):
            return None
        last_stamp, last_wall = (int(n) for n in self.shared)
        too_far_ahead = last_stamp > wall_micros + self.offset_micros + CLOCK_TOLERANCE_MICROS
        if too_far_ahead and last_wall <= wall_micros:
            return None
        return last_stamp, last_wall


@dataclass
class NoncePool:
    """Random bytes handed in from outside, given out once."""

    rest: bytes = b""
    last_refill: bytes | None = None

    def refill(self, data: bytes) -> None:
        if not data or len(data) % NONCE_BYTES:
            raise Refusal("entropy_unavailable")
        digest = hashlib.sha256(data).digest()
        nonces = [data[at : at + NONCE_BYTES] for at in range(0, len(data), NONCE_BYTES)]
        if digest == self.last_refill or any(map(bytes.__eq__, nonces, nonces[1:])):
            raise Refusal("entropy_unavailable")
        self.last_refill = digest
        self.rest = data

    def take(self) -> bytes:
        if not self.rest:
            raise Refusal("entropy_unavailable")
        nonce, self.rest = self.rest[:NONCE_BYTES], self.rest[NONCE_BYTES:]
        return nonce
