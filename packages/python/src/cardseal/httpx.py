"""Seals beneath httpx: a transport around a transport, and plain JSON above. httpx2 takes the same ones.

>>> import httpx
>>> from cardseal.httpx import SealTransport
>>> transport = SealTransport("key_1", "your_api_secret_key_here")
>>> client = httpx.Client(base_url="https://api.example.com", transport=transport)

With httpx2, name the transport to wrap: ``SealTransport(…, transport=httpx2.HTTPTransport())``.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time

from cardseal._http import ATTEMPTS, DEADLINE_SECONDS, AttemptEvent, Caller

try:
    import httpx
except ModuleNotFoundError:
    try:
        import httpx2 as httpx  # type: ignore[no-redef]
    except ModuleNotFoundError:
        raise ImportError("cardseal.httpx needs httpx: pip install 'cardseal[httpx]'") from None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from cardseal import ApiError, Envelope, SealedRequest
    from cardseal._http import Answer, Call
    from cardseal.types import Sent

__all__ = ["AsyncSealTransport", "AttemptEvent", "SealTransport", "api_error"]


class SealTransport(httpx.BaseTransport):
    """Seals every request of a client, opens the answers, and tries again what may be tried again.

    ``secret`` is the API secret, or an Envelope made of it; ``transport`` sends, an HTTPTransport unless given, and
    must not try again by itself. A call is a POST of JSON; its idempotency key is the header ``Idempotency-Key``. It
    ends after ``attempts`` attempts, or where the next wait would end ``deadline_seconds`` or later after its start;
    the client's ``timeout`` is that of an attempt. ``on_attempt`` is called with an AttemptEvent after each.

    With ``correct_clock``, over https, a request that was refused for its time sets this process's stamps right by the
    ``Date`` of the answer; it is called with the offset in seconds, and by default nothing is corrected.

    The caller gets a Response of plain JSON with the API's status; ``api_error(response)`` is its error, typed.

    Raises OutcomeUnknownError where the call may or may not have been carried out; EnvelopeError for what cannot be
    sealed, and for a success that does not open; ApiError for a redirect; what httpx raises for the transport.
    """

    def __init__(
        self,
        api_key: str,
        secret: str | Envelope,
        *,
        transport: httpx.BaseTransport | None = None,
        attempts: int = ATTEMPTS,
        deadline_seconds: float = DEADLINE_SECONDS,
        on_attempt: Callable[[AttemptEvent], object] | None = None,
        correct_clock: Callable[[float], object] | None = None,
    ) -> None:
        self._caller = Caller(api_key, secret, attempts, deadline_seconds, on_attempt, correct_clock)
        self._transport = transport or httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Make the call with all its attempts."""
        library, call = _begin(self._caller, request, request.read())
        while True:
            attempt = _sealed(library, request, call.seal())
            try:
                response = self._transport.handle_request(attempt)
                try:
                    content = bytearray()
                    for chunk in response.iter_bytes():
                        content += chunk
                        if len(content) > call.max_bytes:
                            break
                finally:
                    response.close()
            except library.UnsupportedProtocol:
                raise  # a URL that no attempt makes better
            except (library.TransportError, library.DecodingError) as error:
                wait = call.failed(error, sent=_sent(library, error))
            else:
                retry_after, date = response.headers.get("Retry-After"), response.headers.get("Date")
                wait = call.answered(response.status_code, bytes(content), retry_after=retry_after, date=date)
            if wait is None:
                answer = call.result()
                return _opened(library, response, answer, request)
            time.sleep(wait)

    def close(self) -> None:
        """Close the transport beneath."""
        self._transport.close()


class AsyncSealTransport(httpx.AsyncBaseTransport):
    """The same for an asynchronous client: see SealTransport."""

    def __init__(
        self,
        api_key: str,
        secret: str | Envelope,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        attempts: int = ATTEMPTS,
        deadline_seconds: float = DEADLINE_SECONDS,
        on_attempt: Callable[[AttemptEvent], object] | None = None,
        correct_clock: Callable[[float], object] | None = None,
    ) -> None:
        self._caller = Caller(api_key, secret, attempts, deadline_seconds, on_attempt, correct_clock)
        self._transport = transport or httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Make the call with all its attempts."""
        library, call = _begin(self._caller, request, await request.aread())
        while True:
            attempt = _sealed(library, request, call.seal())
            try:
                response = await self._transport.handle_async_request(attempt)
                try:
                    content = bytearray()
                    pieces: Any = response.aiter_bytes()  # a generator, which may be left before its end
                    async with contextlib.aclosing(pieces) as chunks:
                        async for chunk in chunks:
                            content += chunk
                            if len(content) > call.max_bytes:
                                break
                finally:
                    await response.aclose()
            except library.UnsupportedProtocol:
                raise  # a URL that no attempt makes better
            except (library.TransportError, library.DecodingError) as error:
                wait = call.failed(error, sent=_sent(library, error))
            else:
                retry_after, date = response.headers.get("Retry-After"), response.headers.get("Date")
                wait = call.answered(response.status_code, bytes(content), retry_after=retry_after, date=date)
            if wait is None:
                answer = call.result()
                return _opened(library, response, answer, request)
            await asyncio.sleep(wait)

    async def aclose(self) -> None:
        """Close the transport beneath."""
        await self._transport.aclose()


def api_error(response: httpx.Response) -> ApiError | None:
    """Give the error of the API that a response is, or None for a success."""
    error: ApiError | None = response.extensions.get("cardseal_error")
    return error


def _begin(caller: Caller, request: httpx.Request, body: bytes) -> tuple[Any, Call]:
    """Begin a call. Also gives the library that the request is of: httpx, or httpx2, which has the same names."""
    library = sys.modules[type(request.url).__module__.partition(".")[0]]
    headers = request.headers
    call = caller.begin(
        request.method,
        str(request.url),
        body,
        content_type=headers.get("Content-Type"),
        idempotency_key=headers.get("Idempotency-Key"),
    )
    return library, call


def _sealed(library: Any, request: httpx.Request, sealed: SealedRequest) -> httpx.Request:
    """Give one attempt: the caller's request with the sealed one's path, headers and body."""
    headers = request.headers.copy()
    for name in ("Content-Length", "Transfer-Encoding"):
        headers.pop(name, None)  # httpx sets them for the sealed body
    headers.update(sealed.headers)
    headers["Accept-Encoding"] = "identity"
    url = request.url.copy_with(raw_path=sealed.path.encode(), fragment=None)
    attempt: httpx.Request = library.Request(
        "POST", url, headers=headers, content=sealed.body.encode(), extensions=request.extensions
    )
    return attempt


def _sent(library: Any, error: Exception) -> Sent:
    """Whether a failed attempt may have arrived: it cannot where there was no connection."""
    before = (library.ConnectError, library.ConnectTimeout, library.PoolTimeout, library.ProxyError)
    return "no" if isinstance(error, before) else "unknown"


def _opened(library: Any, response: httpx.Response, answer: Answer, request: httpx.Request) -> httpx.Response:
    """Make the response that the caller sees of the one that came."""
    extensions: dict[str, Any] = {"cardseal_error": answer.error}
    for name in ("http_version", "reason_phrase"):
        if name in response.extensions:
            extensions[name] = response.extensions[name]
    opened: httpx.Response = library.Response(
        answer.status,
        headers=answer.headers(response.headers.multi_items()),
        stream=library.ByteStream(answer.content),
        request=request,
        extensions=extensions,
    )
    return opened
