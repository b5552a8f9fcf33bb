"""Middlewares for WSGI: Flask, Django and whatever else speaks it. They need no dependency.

>>> from cardseal import Envelope, MemoryReplayStore
>>> from cardseal.wsgi import SealMiddleware
>>> envelopes = {"key_1": Envelope("your_api_secret_key_here")}
>>> def app(environ, start_response): ...
>>> app = SealMiddleware(app, envelopes.get, MemoryReplayStore())
"""

from __future__ import annotations

import http
import io

from cardseal._server import (
    LOG,
    NO_ACCESS,
    Gate,
    NoAccess,
    Reply,
    broken_body,
    check_length,
    check_media,
    check_size,
    check_webhook_method,
    claim,
    handled,
    logged,
    not_handled,
    opened_webhook,
)
from cardseal._webhooks import MemoryWebhookStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from cardseal import Envelope, Webhook
    from cardseal.types import ReplayStore, WebhookStore

__all__ = ["NO_ACCESS", "MemoryWebhookStore", "NoAccess", "SealMiddleware", "WebhookMiddleware"]


class SealMiddleware:
    """Opens requests before an application and seals its answers; behind it all is plain JSON.

    ``envelope_of`` is a function that gives the Envelope of an API key; NO_ACCESS for one that may not use the API;
    None for one that nobody has. ``store`` keeps replay claims: a MemoryReplayStore for one process, a
    RedisReplayStore for several. ``endpoints`` are paths; those of the API unless given. Other paths pass by
    untouched, or are 404 if ``refuse_others``. Bodies may have the ``max_bytes`` of the Envelope. The header
    ``Idempotency-Key`` is there where an endpoint needs it, and of the right form; what became of the request that came
    first under it is for the application to know.

    The application finds the opened request as ``environ["cardseal.request"]``. An exception that it raises, and an
    answer that is no JSON, is a sealed ``internal_error``, and logged under ``cardseal``.
    """

    def __init__(
        self,
        app: WSGIApplication,
        envelope_of: Callable[[str], Envelope | NoAccess | None],
        store: ReplayStore,
        *,
        endpoints: Iterable[str] | None = None,
        refuse_others: bool = False,
    ) -> None:
        self._app = app
        self._envelope_of = envelope_of
        self._store = store
        self._gate = Gate(endpoints, refuse_others)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        try:
            paths = self._gate.begin(environ["REQUEST_METHOD"], _path(environ), environ.get("SCRIPT_NAME", ""))
            if paths is None:
                return self._app(environ, start_response)
            reply, headers = self._answer(*paths, environ)
        except Reply as early:
            reply, headers = early, []
        return _send(start_response, reply, headers)

    def _answer(self, endpoint: str, path: str, environ: WSGIEnvironment) -> tuple[Reply, list[tuple[str, str]]]:
        api_key = environ.get("HTTP_API_KEY")
        envelope = self._gate.envelope(None if api_key is None else self._envelope_of(api_key))
        body = _body(environ, envelope.max_bytes)
        check_media(environ.get("CONTENT_TYPE"), environ.get("HTTP_CONTENT_ENCODING"))
        request, text, keys = self._gate.open(envelope, api_key or "", endpoint, body)
        claim(self._store, keys)
        key = environ.get("HTTP_IDEMPOTENCY_KEY")
        self._gate.check_key(envelope, api_key or "", endpoint, [] if key is None else [key])

        inner = {name: value for name, value in environ.items() if name not in _OF_THE_ENVELOPE}
        inner["PATH_INFO"] = path.removeprefix(environ.get("SCRIPT_NAME", ""))
        inner["CONTENT_TYPE"], inner["CONTENT_LENGTH"] = "application/json", str(len(text))
        inner["wsgi.input"] = io.BytesIO(text)
        inner["cardseal.request"] = request
        answer = _Answer()
        try:
            answer.read(self._app(inner, answer.start))
        except Exception:
            LOG.exception("an endpoint failed")
            return self._gate.internal_error(envelope), []
        sealed = self._gate.seal(envelope, answer.status, answer.body)
        return sealed, answer.headers if sealed.status == answer.status else []


class WebhookMiddleware:
    """Receives the webhooks that come to a path, and calls a function once for each; the rest passes by.

    ``on_webhook`` takes the Webhook. When it returns, the sender is told so; when it raises, or when ``store`` does not
    answer, the sender comes again. ``store`` knows what has been handled: a MemoryWebhookStore for one process, a
    RedisWebhookStore for several.
    """

    def __init__(
        self,
        app: WSGIApplication,
        path: str,
        envelope: Envelope,
        on_webhook: Callable[[Webhook], object],
        store: WebhookStore,
    ) -> None:
        self._app = app
        self._path = path
        self._envelope = envelope
        self._on_webhook = on_webhook
        self._store = store

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        if _path(environ) != self._path:
            return self._app(environ, start_response)
        try:
            check_webhook_method(environ["REQUEST_METHOD"])
            reply = self._handle(opened_webhook(self._envelope, _body(environ, self._envelope.max_bytes)))
        except Reply as early:
            reply = early
        return _send(start_response, reply, [])

    def _handle(self, webhook: Webhook) -> Reply:
        key = webhook.dedupe_key
        try:
            begun = self._store.begin(key)
        except Exception:
            LOG.exception("the store of webhooks does not answer")
            return not_handled(503)
        if begun != "new":
            return handled() if begun == "handled" else not_handled(503)
        try:
            self._on_webhook(webhook)
        except BaseException as error:
            with logged("a webhook was not given back"):
                self._store.give_back(key)
            if not isinstance(error, Exception):
                raise
            LOG.exception("a webhook was not handled")
            return not_handled(500)
        with logged("a webhook was not remembered"):
            self._store.finish(key)
        return handled()


_OF_THE_ENVELOPE = {
    "HTTP_ACCEPT_ENCODING",  # an answer must not be compressed before it is sealed
    "HTTP_CONTENT_ENCODING",
    "HTTP_TRANSFER_ENCODING",
    "wsgi.input_terminated",
}


class _Answer:
    """Keeps what an application answers."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[str, str]] = []
        self.body = b""

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        self.status, self.headers = int(status.split(" ", 1)[0]), headers
        return self._write

    def read(self, chunks: Iterable[bytes]) -> None:
        try:
            self.body += b"".join(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()

    def _write(self, data: bytes) -> None:
        self.body += data


def _path(environ: WSGIEnvironment) -> str:
    """Give the decoded path, by which the code behind is chosen."""
    path: str = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return path


def _body(environ: WSGIEnvironment, max_bytes: int) -> bytes:
    """Read a body, as long as it is not too large."""
    announced = environ.get("CONTENT_LENGTH") or None
    check_length(announced, max_bytes)
    if announced is None and not environ.get("wsgi.input_terminated"):
        return b""  # WSGI says nothing about where such a body ends
    length = max_bytes + 1 if announced is None else int(announced)
    body: bytes = environ["wsgi.input"].read(length)
    check_size(len(body), max_bytes)
    if announced is not None and len(body) < length:
        raise broken_body()
    return body


def _send(start_response: StartResponse, reply: Reply, headers: list[tuple[str, str]]) -> list[bytes]:
    gone = {"content-type", "content-length", "content-encoding", "transfer-encoding"}
    kept = [(name, value) for name, value in headers if name.lower() not in gone]
    try:
        reason = http.HTTPStatus(reply.status).phrase
    except ValueError:
        reason = "Unknown"
    start_response(f"{reply.status} {reason}", [*kept, *reply.headers, ("Content-Length", str(len(reply.body)))])
    return [reply.body]
