"""Keys, options, byte layouts, the base64 field and the HTTP body: SPEC sections 2 to 5, and `open` of section 11."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from .refusal import Refusal
from .strict_json import NotStrictJson, Value, read

MIN_SECRET_BYTES = 8
KEY_BYTES = 32
MAX_OPEN_KEYS = 4
DEFAULT_MAX_BYTES = 10 * 1024 * 1024
LARGEST_MAX_BYTES = 4_294_967_295
NONCE_BYTES = 24
TAG_BYTES = 16
BODY_FRAME_BYTES = len('{"encrypted":""}')
VERSION = {"versioned": b"\x02", "bare": b""}


@dataclass(frozen=True)
class Keyring:
    """The keys in the order they are tried (the first also seals) and the options."""

    keys: tuple[bytes, ...]
    layout: str
    max_bytes: int


@dataclass(frozen=True)
class Opened:
    """What came out of a field whose tag was right."""

    message: bytes
    nonce: bytes
    key_index: int


@dataclass(frozen=True)
class OpenedText:
    """An opened plaintext that the reader accepts."""

    text: str
    root: Value
    nonce: bytes
    key_index: int


def keyring(
    secret: str | None = None,
    key: bytes | None = None,
    open_secrets: Sequence[str] | None = None,
    open_keys: Sequence[bytes] | None = None,
    layout: str = "versioned",
    max_bytes: int = DEFAULT_MAX_BYTES,
) -> Keyring:
    """Check keys and options."""
    if (secret is None) == (key is None):
        raise ValueError("a keyring is made from a secret or from a key")
    if secret is not None:
        if open_keys is not None:
            raise Refusal("invalid_option")
        older = list(open_secrets or ())
        keys = [derive_key(secret), *map(derive_key, older)]
    else:
        if open_secrets is not None:
            raise Refusal("invalid_option")
        older_keys = list(open_keys or ())
        keys = [check_key(key or b""), *map(check_key, older_keys)]
    if len(keys) - 1 > MAX_OPEN_KEYS or layout not in VERSION or not 1 <= max_bytes <= LARGEST_MAX_BYTES:
        raise Refusal("invalid_option")
    return Keyring(tuple(keys), layout, max_bytes)


def derive_key(secret: str) -> bytes:
    data = secret.encode("utf-8")
    if len(data) < MIN_SECRET_BYTES:
        raise Refusal("invalid_key")
    return hashlib.sha256(data).digest()


def check_key(key: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise Refusal("invalid_key")
    return key


def encrypt(ring: Keyring, nonce: bytes, message: bytes) -> str:
    """Message → field."""
    overhead = len(VERSION[ring.layout]) + NONCE_BYTES + TAG_BYTES
    field_bytes = 4 * -(-(overhead + len(message)) // 3)
    check_size(ring, BODY_FRAME_BYTES + field_bytes)
    box = SecretBox(ring.keys[0]).encrypt(message, nonce).ciphertext
    field = base64.b64encode(VERSION[ring.layout] + nonce + box).decode("ascii")
    assert len(field) == field_bytes
    return field


def seal_text(ring: Keyring, nonce: bytes, text: str) -> str:
    """JSON text that was checked already → body."""
    return '{"encrypted":"' + encrypt(ring, nonce, text.encode("utf-8")) + '"}'


def decrypt(ring: Keyring, field: str) -> Opened:
    """Field → message."""
    check_size(ring, BODY_FRAME_BYTES + len(field.encode("utf-8")))
    return open_field(ring, field)


def open_field(ring: Keyring, field: str) -> Opened:
    data = decode_base64(field)
    version = VERSION[ring.layout]
    if len(data) < len(version) + NONCE_BYTES + TAG_BYTES:
        raise Refusal("invalid_envelope")
    if not data.startswith(version):
        raise Refusal("unsupported_version")
    nonce = data[len(version) :][:NONCE_BYTES]
    box = data[len(version) + NONCE_BYTES :]
    for index, key in enumerate(ring.keys):
        try:
            return Opened(SecretBox(key).decrypt(box, nonce), nonce, index)
        except CryptoError:
            continue
    raise Refusal("decryption_failed")


_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)?", re.ASCII)


def decode_base64(field: str) -> bytes:
    """Standard alphabet, padded, and only the one spelling that encoding gives."""
    if _BASE64.fullmatch(field) is None:
        raise Refusal("invalid_envelope")
    data = base64.b64decode(field)
    if base64.b64encode(data).decode("ascii") != field:
        raise Refusal("invalid_envelope")
    return data


def open_body(ring: Keyring, body: bytes) -> OpenedText:
    """Body → plaintext that is strict JSON with any root."""
    check_size(ring, len(body))
    return strict_text(open_field(ring, field_of_body(body)))


def open_parsed(ring: Keyring, field: str) -> OpenedText:
    """The `encrypted` string of a body that somebody parsed already → plaintext."""
    return strict_text(decrypt(ring, field))


def field_of_body(body: bytes) -> str:
    try:
        root = read(body)
    except NotStrictJson as error:
        raise Refusal("invalid_json") from error
    field = root.member("encrypted")
    if field is None:
        raise Refusal("envelope_not_found")
    if field.kind != "string":
        raise Refusal("invalid_envelope")
    return field.string


def nonce_of_body(ring: Keyring, body: bytes) -> bytes | None:
    """The nonce that a body shows, or None if it shows none. Opens nothing."""
    try:
        data = decode_base64(field_of_body(body))
    except Refusal:
        return None
    version_bytes = len(VERSION[ring.layout])
    if len(data) < version_bytes + NONCE_BYTES + TAG_BYTES:
        return None
    return data[version_bytes:][:NONCE_BYTES]


def strict_text(opened: Opened) -> OpenedText:
    try:
        root = read(opened.message)
    except NotStrictJson as error:
        raise Refusal("invalid_payload") from error
    return OpenedText(root.text, root, opened.nonce, opened.key_index)


def check_size(ring: Keyring, size: int) -> None:
    if size > ring.max_bytes:
        raise Refusal("too_large")
