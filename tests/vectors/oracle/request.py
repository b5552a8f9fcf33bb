"""Windows, paths, headers and opened requests: SPEC sections 7, 9, 10 and 11."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .envelope import OpenedText
from .refusal import Refusal
from .sealing import STAMP_NAME, timestamp_of
from .tables import ENDPOINTS, KEY_REQUIRED

WIDEST_WINDOW_SECONDS = 30

_PRINTABLE = re.compile(r"[\x21-\x7e]{1,255}")
_SCHEME_AND_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*", re.ASCII)
_VERSION_PREFIX = re.compile(r"/api/v[0-9]+(?=/|\Z)", re.ASCII)
_PATH_CHARACTERS = re.compile(r"[\x21-\x7e]+")


def check_window(timestamp_micros: int, now_micros: int, window_seconds: int = WIDEST_WINDOW_SECONDS) -> None:
    if not 1 <= window_seconds <= WIDEST_WINDOW_SECONDS:
        raise Refusal("invalid_option")
    skew = timestamp_micros - now_micros
    if abs(skew) > window_seconds * 1_000_000:
        raise Refusal("timestamp_outside_window", skew_micros=skew)


def request_timestamp(opened: OpenedText) -> int:
    """The stamp of an opened request: object root, member present, grammar."""
    if opened.root.kind != "object":
        raise Refusal("invalid_payload")
    stamp = opened.root.member(STAMP_NAME)
    if stamp is None:
        raise Refusal("timestamp_not_found")
    return timestamp_of(stamp)


def check_api_key(api_key: str) -> str:
    if _PRINTABLE.fullmatch(api_key) is None:
        raise Refusal("invalid_api_key")
    return api_key


def check_idempotency_key(key: str) -> str:
    if _PRINTABLE.fullmatch(key) is None:
        raise Refusal("invalid_idempotency_key")
    return key


@dataclass(frozen=True)
class RequestHead:
    """What a sealed request has beside its body."""

    headers: list[list[str]]
    normalized_path: str


def request_head(path: str, api_key: str, idempotency_key: str | None) -> RequestHead:
    normalized = normalize_path(path)
    headers = [["API-KEY", check_api_key(api_key)], ["Content-Type", "application/json"]]
    if idempotency_key is not None:
        headers.append(["Idempotency-Key", check_idempotency_key(idempotency_key)])
    elif normalized in KEY_REQUIRED:
        raise Refusal("idempotency_key_required")
    return RequestHead(headers, normalized)


def normalize_path(path: str) -> str:
    origin = _SCHEME_AND_AUTHORITY.match(path)
    if origin is not None:
        path = path[origin.end() :]
    path = re.split(r"[?#]", path, maxsplit=1)[0].rstrip("/")
    if not path:
        raise Refusal("invalid_path")
    if not path.startswith("/"):
        path = "/" + path
    prefix = _VERSION_PREFIX.match(path)
    if prefix is None:
        path = "/api/v1" + path
    elif prefix.end() == len(path):
        raise Refusal("invalid_path")
    if _PATH_CHARACTERS.fullmatch(path) is None or "%" in path or "\\" in path:
        raise Refusal("invalid_path")
    if any(segment in ("", ".", "..") for segment in path[1:].split("/")):
        raise Refusal("invalid_path")
    return path


def endpoint_kind(normalized_path: str) -> str:
    return ENDPOINTS.get(normalized_path, "unsafe")
