"""Timestamps' grammar, payload checks and the stamp: SPEC sections 7 and 8."""

from __future__ import annotations

import re

from .refusal import Refusal
from .strict_json import WHITE_SPACE, NotStrictJson, Value, read

STAMP_NAME = "request_timestamp"
LARGEST_TIMESTAMP = 2**63 - 1

_DECIMAL = re.compile(r"0|[1-9][0-9]*", re.ASCII)


def read_payload(text: str, any_root: bool = False) -> Value:
    """Strict JSON that is no sealed body; outer white space is dropped."""
    try:
        root = read(text.strip(WHITE_SPACE).encode("utf-8"))
    except NotStrictJson as error:
        raise Refusal("invalid_payload") from error
    if root.kind != "object" and not any_root:
        raise Refusal("invalid_payload")
    if len(root.members) == 1 and root.members[0][0] == "encrypted" and root.members[0][1].kind == "string":
        raise Refusal("already_sealed")
    return root


def timestamp_of(value: Value) -> int:
    """The µs that a `request_timestamp` value stands for."""
    if value.kind == "number":
        digits = value.spelling
    elif value.kind == "string":
        digits = value.string
    else:
        raise Refusal("invalid_timestamp")
    if _DECIMAL.fullmatch(digits) is None or int(digits) > LARGEST_TIMESTAMP:
        raise Refusal("invalid_timestamp")
    return int(digits)


def validate_payload(text: str) -> int | None:
    """The stamp of a payload that could be sealed, None if it has none yet."""
    stamp = read_payload(text).member(STAMP_NAME)
    return None if stamp is None else timestamp_of(stamp)


def plaintext_for_seal(text: str, timestamp_micros: int) -> str:
    """`seal`: keep a stamp that is there, else insert one."""
    root = read_payload(text)
    stamp = root.member(STAMP_NAME)
    if stamp is None:
        return insert_stamp(root, timestamp_micros)
    timestamp_of(stamp)
    return root.text


def plaintext_for_seal_request(text: str, timestamp_micros: int) -> str:
    """`seal_request`: replace a stamp that is there, else insert one."""
    root = read_payload(text)
    stamp = root.member(STAMP_NAME)
    if stamp is None:
        return insert_stamp(root, timestamp_micros)
    return root.text[: stamp.start] + str(timestamp_micros) + root.text[stamp.end :]


def insert_stamp(root: Value, timestamp_micros: int) -> str:
    comma = "," if root.members else ""
    return f'{{"{STAMP_NAME}":{timestamp_micros}{comma}{root.text[1:]}'
