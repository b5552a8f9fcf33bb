"""What a middleware decides (SPEC.md, section 26), without I/O: shared by ASGI and WSGI."""

from __future__ import annotations

import contextlib
import json
import logging

from cardseal._errors import EnvelopeError
from cardseal._native import (
    ENDPOINTS,
    ERROR_SLUGS,
    REPLAY_TTL_MS,
    Envelope,
    claim_request,
    normalize_path,
    opened_request,
    record_key,
    replay_keys,
    required_headers,
    server_answer,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cardseal import ReplayKeys, Request, Webhook
    from cardseal.types import ReplayStore

LOG = logging.getLogger("cardseal")


INTERNAL_ERROR = "something broke inside the server: its log has the cause"
KEY_MISSING = "this endpoint needs the header Idempotency-Key"
KEY_BROKEN = "the header Idempotency-Key has to be 1 to 255 printable ASCII characters without spaces, once"


class NoAccess:
    """The type of NO_ACCESS, for annotations."""

    def __repr__(self) -> str:
        return "NO_ACCESS"


NO_ACCESS = NoAccess()
"""What ``envelope_of`` gives for an API key that is known and may not use the API."""


class Reply(Exception):  # noqa: N818 - most of them are no errors
    """An answer that ends a request early: raised where it is found, and sent."""

    def __init__(self, status: int, body: str, *headers: tuple[str, str]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body.encode()
        self.headers = [("Content-Type", "application/json"), *headers]


class Gate:
    """The order of checks before the code behind a middleware runs.

    ``begin``, ``envelope``, the body's checks, ``open``, ``claim``, ``check_key``, and then ``seal`` for the answer. A
    step that ends the request raises Reply.
    """

    def __init__(self, endpoints: Iterable[str] | None, refuses_others: bool) -> None:
        self._endpoints = frozenset(normalize_path(path) for path in (ENDPOINTS if endpoints is None else endpoints))
        self._refuses_others = refuses_others

    def begin(self, method: str, path: str, root: str) -> tuple[str, str] | None:
        """Give the normalised path of an endpoint, and the path to go on with; None for a request that passes by.

        ``path`` is the decoded one by which the code behind is chosen, so that no other spelling of it leads there
        unsealed; nor does it with what the application is mounted at, ``root``, before it or as its beginning.
        """
        for before in ("", root):
            endpoint = self._endpoint(path.removeprefix(before))
            if endpoint is not None:
                if method != "POST":
                    raise _plain(405, "Every endpoint takes POST alone", ("Allow", "POST"))
                return endpoint, before + endpoint
        if self._refuses_others:
            raise _plain(404, "There is no such endpoint")
        return None

    def _endpoint(self, path: str) -> str | None:
        try:
            # Nothing is put before a path that comes over the wire: it is whole.
            normalized = normalize_path(path) if path.startswith("/api/") else None
        except EnvelopeError:
            return None
        return normalized if normalized in self._endpoints else None

    def envelope(self, found: Envelope | NoAccess | None) -> Envelope:
        """Judge what the owner's function found for the API key."""
        if found is None:
            raise documented("api_key_not_found")
        if isinstance(found, NoAccess):
            raise documented("access_denied")
        return found

    def open(self, envelope: Envelope, api_key: str, path: str, body: bytes) -> tuple[Request, bytes, ReplayKeys]:
        """Open a request: with it come its JSON text, and what is to be claimed before anything happens."""
        try:
            request, text = opened_request(envelope, body)
            return request, text, replay_keys(api_key, path, request)
        except EnvelopeError as error:
            raise documented(error.code) from error

    def check_key(self, envelope: Envelope, api_key: str, path: str, given: list[str]) -> None:
        """Refuse an endpoint that charges without an idempotency key, and a header that is none."""
        if not given and "Idempotency-Key" in required_headers(path):
            raise _sealed(envelope, "idempotency_key_required", KEY_MISSING)
        try:
            for key in given:
                record_key(api_key, key)
        except EnvelopeError as error:
            raise _sealed(envelope, "invalid_request", KEY_BROKEN) from error
        if len(given) > 1:
            raise _sealed(envelope, "invalid_request", KEY_BROKEN)

    def seal(self, envelope: Envelope, status: int, body: bytes) -> Reply:
        """Seal an answer of the code behind; one that is no JSON is a fault in it."""
        try:
            return Reply(status, envelope.seal_response(body))
        except EnvelopeError as error:
            LOG.error("the answer of an endpoint is no JSON that can be sealed: %s", error)
            return self.internal_error(envelope)

    def internal_error(self, envelope: Envelope) -> Reply:
        """Give the sealed answer to a fault inside the server."""
        return _sealed(envelope, "internal_error", INTERNAL_ERROR)


def check_length(announced: str | None, max_bytes: int) -> None:
    """Refuse a body by the length that it announces, before it is read."""
    if announced is not None and announced.isascii() and announced.isdigit():
        check_size(int(announced[:20]), max_bytes)


def check_size(size: int, max_bytes: int) -> None:
    """Refuse a body by as much of it as is here."""
    if size > max_bytes:
        raise documented("too_large")


def check_media(media_type: str | None, encoding: str | None) -> None:
    """Refuse what is not said to be JSON as it is."""
    is_json = media_type is not None and media_type.partition(";")[0].strip().lower() == "application/json"
    if not is_json or (encoding or "identity").strip().lower() != "identity":
        raise _plain(415, "The body has to be application/json without a content encoding")


def broken_body() -> Reply:
    """Give the answer to a body that is shorter than it was said to be."""
    return _plain(400, "The body ended before its time")


def claim(store: ReplayStore, keys: ReplayKeys) -> None:
    """Claim a request's keys, or say why it may not be executed."""
    claim_all = getattr(store, "claim_all", None)
    try:
        claim_request(_claimed_together(claim_all, keys) if claim_all else store, keys)
    except EnvelopeError as error:
        if error.code == "replay_store_unavailable":
            LOG.error("the replay store does not answer", exc_info=error.__cause__)
        raise documented(error.code) from error


def _claimed_together(claim_all: Callable[[list[str], int], list[bool]], keys: ReplayKeys) -> Claimed:
    # A store that processes share: of two copies that come at once, each could else take one key from the other.
    try:
        return Claimed(dict(zip(keys, claim_all(list(keys), REPLAY_TTL_MS), strict=True)))
    except Exception as error:
        return Claimed(dict.fromkeys(keys, error))


class Claimed:
    """Answers of a store that are there already, awaited or given together, for the core to judge."""

    def __init__(self, answers: dict[str, bool | Exception]) -> None:
        self._answers = answers

    def claim(self, key: str, _ttl_ms: int, /) -> bool:
        answer = self._answers[key]
        if isinstance(answer, Exception):
            raise answer
        return answer


def documented(code: str) -> Reply:
    """Give the plain answer to a code (SPEC.md, sections 12 and 19)."""
    status, text = server_answer(code) or (500, "The server cannot answer")
    return _plain(status, text)


def opened_webhook(envelope: Envelope, body: bytes) -> Webhook:
    """Open a webhook; what does not open is 400."""
    try:
        return envelope.open_webhook(body)
    except EnvelopeError as error:
        raise documented(error.code) from error


def handled() -> Reply:
    """Give the answer that the sender of a webhook waits for."""
    return Reply(200, '{"success":true}')


def not_handled(status: int) -> Reply:
    """Give an answer after which the sender of a webhook comes again."""
    return _plain(status, "The webhook is not handled yet")


@contextlib.contextmanager
def logged(message: str) -> Iterator[None]:
    """Log what goes wrong once a webhook's fate is decided: it must not change the answer."""
    try:
        yield
    except Exception:
        LOG.exception(message)


def check_webhook_method(method: str) -> None:
    """Refuse everything but POST."""
    if method != "POST":
        raise _plain(405, "A webhook is a POST", ("Allow", "POST"))


def _sealed(envelope: Envelope, slug: str, message: str) -> Reply:
    error = {"success": False, "error": message, "error_slug": slug}
    return Reply(ERROR_SLUGS[slug], envelope.seal_response(error))


def _plain(status: int, text: str, *headers: tuple[str, str]) -> Reply:
    return Reply(status, json.dumps({"error": text}), *headers)
