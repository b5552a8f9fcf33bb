"""Middlewares for ASGI: Starlette, FastAPI, Django and whatever else speaks it. They need no dependency.

>>> from cardseal import Envelope, MemoryReplayStore
>>> from cardseal.asgi import SealMiddleware
>>> envelopes = {"key_1": Envelope("your_api_secret_key_here")}
>>> async def app(scope, receive, send): ...
>>> app = SealMiddleware(app, envelopes.get, MemoryReplayStore())
"""

from __future__ import annotations

import inspect

from cardseal._native import REPLAY_TTL_MS
from cardseal._server import (
    LOG,
    NO_ACCESS,
    Claimed,
    Gate,
    NoAccess,
    Reply,
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
    from collections.abc import Awaitable, Callable, Iterable, MutableMapping
    from typing import Any, TypeAlias

    from cardseal import Envelope, ReplayKeys, Webhook
    from cardseal.types import AsyncReplayStore, AsyncWebhookStore, ReplayStore, WebhookStore

    Scope: TypeAlias = MutableMapping[str, Any]
    Message: TypeAlias = MutableMapping[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[Message]]
    Send: TypeAlias = Callable[[Message], Awaitable[None]]
    App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
    Found: TypeAlias = Envelope | NoAccess | None

__all__ = ["NO_ACCESS", "MemoryWebhookStore", "NoAccess", "SealMiddleware", "WebhookMiddleware"]


class SealMiddleware:
    """Opens requests before an application and seals its answers; behind it all is plain JSON.

    ``envelope_of`` is a function, asynchronous or not, that gives the Envelope of an API key; NO_ACCESS for one that
    may not use the API; None for one that nobody has. ``store`` keeps replay claims: a MemoryReplayStore for one
    process, an AsyncRedisReplayStore for several. ``endpoints`` are paths; those of the API unless given. Other paths
    pass by untouched, or are 404 if ``refuse_others``. Bodies may have the ``max_bytes`` of the Envelope. The header
    ``Idempotency-Key`` is there where an endpoint needs it, and of the right form; what became of the request that came
    first under it is for the application to know.

    The application finds the opened request as ``scope["cardseal.request"]``. An exception that it raises, and an
    answer that is no JSON, is a sealed ``internal_error``, and logged under ``cardseal``.
    """

    def __init__(
        self,
        app: App,
        envelope_of: Callable[[str], Found | Awaitable[Found]],
        store: ReplayStore | AsyncReplayStore,
        *,
        endpoints: Iterable[str] | None = None,
        refuse_others: bool = False,
    ) -> None:
        self._app = app
        self._envelope_of = envelope_of
        self._store = store
        self._gate = Gate(endpoints, refuse_others)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        try:
            paths = self._gate.begin(scope["method"], scope["path"], scope.get("root_path", ""))
            if paths is None:
                return await self._app(scope, receive, send)
            reply, headers = await self._answer(*paths, scope, receive)
        except Reply as early:
            reply, headers = early, []
        except _Disconnected:
            return None
        await _send(send, reply, headers)

    async def _answer(
        self, endpoint: str, path: str, scope: Scope, receive: Receive
    ) -> tuple[Reply, list[tuple[bytes, bytes]]]:
        headers = scope["headers"]
        api_key = _only(headers, b"api-key")
        found = None if api_key is None else self._envelope_of(api_key)
        envelope = self._gate.envelope(await _value(found))
        body = await _body(headers, receive, envelope.max_bytes)
        check_media(_only(headers, b"content-type"), _joined(headers, b"content-encoding"))
        request, text, keys = self._gate.open(envelope, api_key or "", endpoint, body)
        await self._claim(keys)
        self._gate.check_key(envelope, api_key or "", endpoint, _all(headers, b"idempotency-key"))

        inner = dict(scope)
        inner["path"], inner["raw_path"] = path, path.encode()
        inner["headers"] = _plain_headers(headers, len(text))
        inner["cardseal.request"] = request
        answer = _Answer()
        try:
            await self._app(inner, _Once(text, receive), answer.send)
        except Exception:
            LOG.exception("an endpoint failed")
            return self._gate.internal_error(envelope), []
        sealed = self._gate.seal(envelope, answer.status, answer.body)
        return sealed, answer.headers if sealed.status == answer.status else []

    async def _claim(self, keys: ReplayKeys) -> None:
        answers: dict[str, bool | Exception] = {}
        if claim_all := getattr(self._store, "claim_all", None):
            try:
                answers.update(zip(keys, await _value(claim_all(list(keys), REPLAY_TTL_MS)), strict=True))
            except Exception as error:
                answers.update(dict.fromkeys(keys, error))
        else:
            for key in keys:
                try:
                    answers[key] = await _value(self._store.claim(key, REPLAY_TTL_MS))
                except Exception as error:
                    answers[key] = error
        claim(Claimed(answers), keys)


class WebhookMiddleware:
    """Receives the webhooks that come to a path, and calls a function once for each; the rest passes by.

    ``on_webhook`` takes the Webhook, and may be asynchronous. When it returns, the sender is told so; when it raises,
    or when ``store`` does not answer, the sender comes again. ``store`` knows what has been handled: a
    MemoryWebhookStore for one process, an AsyncRedisWebhookStore for several.
    """

    def __init__(
        self,
        app: App,
        path: str,
        envelope: Envelope,
        on_webhook: Callable[[Webhook], object],
        store: WebhookStore | AsyncWebhookStore,
    ) -> None:
        self._app = app
        self._path = path
        self._envelope = envelope
        self._on_webhook = on_webhook
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["path"] != self._path:
            return await self._app(scope, receive, send)
        try:
            check_webhook_method(scope["method"])
            body = await _body(scope["headers"], receive, self._envelope.max_bytes)
            reply = await self._handle(opened_webhook(self._envelope, body))
        except Reply as early:
            reply = early
        except _Disconnected:
            return None
        await _send(send, reply, [])

    async def _handle(self, webhook: Webhook) -> Reply:
        key = webhook.dedupe_key
        try:
            begun = await _value(self._store.begin(key))
        except Exception:
            LOG.exception("the store of webhooks does not answer")
            return not_handled(503)
        if begun != "new":
            return handled() if begun == "handled" else not_handled(503)
        try:
            await _value(self._on_webhook(webhook))
        except BaseException as error:  # a cancelled handler has failed too
            with logged("a webhook was not given back"):
                await _value(self._store.give_back(key))
            if not isinstance(error, Exception):
                raise
            LOG.exception("a webhook was not handled")
            return not_handled(500)
        with logged("a webhook was not remembered"):
            await _value(self._store.finish(key))
        return handled()


class _Disconnected(Exception):  # noqa: N818 - it ends a request, quietly
    """The client is gone before its body was here."""


class _Once:
    """Gives the opened body, and afterwards what the server gives."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


class _Answer:
    """Keeps what an application sends."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [(bytes(name), bytes(value)) for name, value in message.get("headers", [])]
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")


async def _value(result: Any) -> Any:
    """Give what a function of the owner's gave, asynchronous or not."""
    return await result if inspect.isawaitable(result) else result


async def _body(headers: list[tuple[bytes, bytes]], receive: Receive, max_bytes: int) -> bytes:
    """Read a body, as long as it is not too large."""
    check_length(_only(headers, b"content-length"), max_bytes)
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Disconnected
        body += message.get("body", b"")
        check_size(len(body), max_bytes)
        if not message.get("more_body", False):
            return bytes(body)


async def _send(send: Send, reply: Reply, headers: list[tuple[bytes, bytes]]) -> None:
    gone = {b"content-type", b"content-length", b"content-encoding", b"transfer-encoding"}
    kept = [(name, value) for name, value in headers if name.lower() not in gone]
    own = [(name.lower().encode(), value.encode()) for name, value in reply.headers]
    length = (b"content-length", str(len(reply.body)).encode())
    await send({"type": "http.response.start", "status": reply.status, "headers": [*kept, *own, length]})
    await send({"type": "http.response.body", "body": reply.body})


def _only(headers: list[tuple[bytes, bytes]], name: bytes) -> str | None:
    """Give the value of a header that is there once."""
    values = _all(headers, name)
    return values[0] if len(values) == 1 else None


def _joined(headers: list[tuple[bytes, bytes]], name: bytes) -> str | None:
    return ", ".join(_all(headers, name)) or None


def _all(headers: list[tuple[bytes, bytes]], name: bytes) -> list[str]:
    return [value.decode("latin-1") for given, value in headers if given.lower() == name]


def _plain_headers(headers: list[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    """Give a request's headers as they are without an envelope; an answer is not compressed before it is sealed."""
    gone = {b"content-type", b"content-length", b"content-encoding", b"transfer-encoding", b"accept-encoding"}
    kept = [(name, value) for name, value in headers if name.lower() not in gone]
    return [*kept, (b"content-type", b"application/json"), (b"content-length", str(length).encode())]
