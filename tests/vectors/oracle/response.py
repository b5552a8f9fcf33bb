"""What a client makes of an answer, and when it tries again: SPEC sections 18 to 21."""

from __future__ import annotations

from dataclasses import dataclass

from .envelope import Keyring, nonce_of_body, open_body
from .refusal import Refusal
from .strict_json import NotStrictJson, Value, read
from .tables import ERROR_SLUGS, PLAIN_ERRORS

MESSAGE_MEMBERS = ("error", "detail", "message", "msg")
MESSAGE_CODE_POINTS = 200
UNICODE_WHITE_SPACE = "".join(
    map(
        chr,
        [*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000],
    )
)


@dataclass
class ApiError(Exception):
    """The service said no."""

    slug: str | None
    code: str | None
    message: str
    failure_class: str
    encrypted: bool
    payload: str | None


@dataclass
class EnvelopeError(Exception):
    """What arrived cannot be taken for an answer."""

    code: str
    failure_class: str


def open_response(ring: Keyring, status: int, body: bytes, request: str | None = None) -> str:
    """The payload's text, or raise ApiError or EnvelopeError."""
    success = 200 <= status <= 299
    if len(body) > ring.max_bytes:
        raise EnvelopeError("too_large", "transient") if success else unreadable(status)
    if request is not None and is_reflection(ring, request, body):
        raise EnvelopeError("reflected_response", "never")
    try:
        opened = open_body(ring, body)
    except Refusal as refusal:
        if not success:
            raise plain_error(status, body) from refusal
        if not is_envelope(body) and says_no(body):
            raise plain_error(status, body) from refusal
        raise EnvelopeError(refusal.code, "transient") from refusal
    if success and not has_success_false(opened.root):
        return opened.text
    raise sealed_error(status, opened.text, opened.root)


def is_reflection(ring: Keyring, request: str, body: bytes) -> bool:
    nonce = nonce_of_body(ring, request.encode("utf-8"))
    return nonce is not None and nonce == nonce_of_body(ring, body)


def is_envelope(body: bytes) -> bool:
    try:
        return has_string_encrypted(read(body))
    except NotStrictJson:
        return False


def has_string_encrypted(root: Value) -> bool:
    field = root.member("encrypted")
    return field is not None and field.kind == "string"


def has_success_false(root: Value) -> bool:
    success = root.member("success")
    return success is not None and success.spelling == "false"


def says_no(body: bytes) -> bool:
    """A plain 2xx body that reports an error all the same."""
    text, root = read_leniently(body)
    return (root is not None and has_success_false(root)) or plain_text(text, root) in PLAIN_ERRORS


def sealed_error(status: int, text: str, root: Value) -> ApiError:
    slug_member = root.member("error_slug")
    slug = slug_member.string or None if slug_member is not None and slug_member.kind == "string" else None
    message = clean(first_message(root) or "") or no_message(status)
    return ApiError(slug, slug, message, failure_class(status, slug=slug), True, text)


def plain_error(status: int, body: bytes) -> ApiError:
    text, root = read_leniently(body)
    found = plain_text(text, root)
    known = PLAIN_ERRORS.get(found) if found is not None else None
    code = known[1] if known is not None else None
    message = clean(found or "") or no_message(status)
    return ApiError(None, code, message, failure_class(status, text_code=code), False, None)


def unreadable(status: int) -> ApiError:
    return ApiError(None, None, no_message(status), failure_class(status), False, None)


def read_leniently(body: bytes) -> tuple[str, Value | None]:
    """Text with replacements and without byte order mark, and its value if it is strict JSON."""
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    try:
        return text, read(text.encode("utf-8"))
    except NotStrictJson:
        return text, None


def plain_text(text: str, root: Value | None) -> str | None:
    """The text of a plain error before cleaning; None where it must not be shown."""
    if root is not None:
        if has_string_encrypted(root):
            return None
        if root.kind == "string":
            return root.string
        message = first_message(root)
        if message is not None:
            return message
    return None if '"encrypted"' in text else text.strip(UNICODE_WHITE_SPACE)


def first_message(root: Value) -> str | None:
    members = (root.member(name) for name in MESSAGE_MEMBERS)
    return next((m.string for m in members if m is not None and m.kind == "string"), None)


def clean(message: str) -> str:
    visible = "".join(c for c in message if not (c < "\x20" or "\x7f" <= c <= "\x9f"))
    return visible.strip(UNICODE_WHITE_SPACE)[:MESSAGE_CODE_POINTS]


def no_message(status: int) -> str:
    return f"http status {status}"


def failure_class(status: int, text_code: str | None = None, slug: str | None = None) -> str:
    if text_code is not None:
        return "reseal" if text_code in ("duplicate_request", "timestamp_outside_window") else "never"
    if slug == "topup_attempts_exceeded":
        return "later"
    if slug in ERROR_SLUGS:
        return "transient" if ERROR_SLUGS[slug] >= 500 else "never"
    return "transient" if status in (408, 425, 429) or 500 <= status <= 599 else "never"


def should_retry(kind: str, failure: str, code: str | None, sent: str, has_key: bool, attempt: int) -> str:
    if failure in ("never", "later"):
        return "stop"
    repeatable = kind == "read" or (kind == "keyed" and has_key)
    if not repeatable and sent != "no":
        return "outcome_unknown"
    if failure == "transient":
        return "retry_after_backoff"
    limit = 1 if code == "timestamp_outside_window" else 3
    return "retry_now" if max(attempt, 1) <= limit else "stop"
