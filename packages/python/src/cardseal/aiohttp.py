"""Seals beneath aiohttp: a client middleware, and plain JSON above. It needs aiohttp 3.12 or newer.

>>> import aiohttp
>>> from cardseal.aiohttp import seal_middleware
>>> async def main():
...     seal = seal_middleware("key_1", "your_api_secret_key_here")
...     async with aiohttp.ClientSession("https://api.example.com", middlewares=[seal]) as session:
...         pass
"""

from __future__ import annotations

import asyncio

from cardseal._http import ATTEMPTS, DEADLINE_SECONDS, AttemptEvent, Caller

try:
    import aiohttp
    from aiohttp import ClientHandlerType, ClientMiddlewareType
except ImportError:
    raise ImportError("cardseal.aiohttp needs aiohttp 3.12 or newer: pip install 'cardseal[aiohttp]'") from None

from multidict import CIMultiDict, CIMultiDictProxy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from cardseal import ApiError, Envelope, SealedRequest
    from cardseal._http import Answer
    from cardseal.types import Sent

__all__ = ["AttemptEvent", "api_error", "seal_middleware"]


def seal_middleware(
    api_key: str,
    secret: str | Envelope,
    *,
    attempts: int = ATTEMPTS,
    deadline_seconds: float = DEADLINE_SECONDS,
    on_attempt: Callable[[AttemptEvent], object] | None = None,
    correct_clock: Callable[[float], object] | None = None,
) -> ClientMiddlewareType:
    """Give a middleware that seals every request of a session, opens the answers, and tries again what may be.

    ``secret`` is the API secret, or an Envelope made of it. A call is a POST of JSON; its idempotency key is the header
    ``Idempotency-Key``. It ends after ``attempts`` attempts, or where the next wait would end ``deadline_seconds`` or
    later after its start. Of the session's timeouts ``total`` bounds the call, ``sock_connect`` and ``sock_read`` an
    attempt. ``on_attempt`` is called with an AttemptEvent after each. In a list of middlewares it comes last: one
    behind it that tries again would send the same bytes.

    With ``correct_clock``, over https, a request that was refused for its time sets this process's stamps right by the
    ``Date`` of the answer; it is called with the offset in seconds, and by default nothing is corrected.

    The caller gets a ClientResponse of plain JSON with the API's status, to be had by ``read``, ``text`` and ``json``;
    ``api_error(response)`` is its error, typed.

    The calls raise OutcomeUnknownError where they may or may not have been carried out; EnvelopeError for what cannot
    be sealed, and for a success that does not open; ApiError for a redirect; what aiohttp raises for the transport.
    """
    caller = Caller(api_key, secret, attempts, deadline_seconds, on_attempt, correct_clock)

    async def seal(request: aiohttp.ClientRequest, handler: ClientHandlerType) -> aiohttp.ClientResponse:
        call = caller.begin(
            request.method,
            str(request.url),
            await request.body.as_bytes() if isinstance(request.body, aiohttp.Payload) else request.body,
            content_type=request.headers.get("Content-Type"),
            idempotency_key=request.headers.get("Idempotency-Key"),
        )
        while True:
            await _put(call.seal(), request)
            try:
                response = await handler(request)
                content = await _content(response, call.max_bytes)
            except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
                # aiohttp's own time-outs are errors of the client; the other one ends the call, whatever is tried.
                is_last = isinstance(error, asyncio.TimeoutError) and not isinstance(error, aiohttp.ClientError)
                wait = call.failed(error, sent=_sent(error), is_last=is_last)
            else:
                retry_after, date = response.headers.get("Retry-After"), response.headers.get("Date")
                wait = call.answered(response.status, content, retry_after=retry_after, date=date)
            if wait is None:
                answer = call.result()
                return _opened(response, answer)
            await asyncio.sleep(wait)

    return seal


def api_error(response: aiohttp.ClientResponse) -> ApiError | None:
    """Give the error of the API that a response is, or None for a success."""
    error: ApiError | None = getattr(response, "_cardseal_error", None)
    return error


async def _put(sealed: SealedRequest, request: aiohttp.ClientRequest) -> None:
    """Make the caller's request into one attempt."""
    request.compress = None
    request.headers.pop("Content-Encoding", None)
    request.headers.update(sealed.headers)
    request.headers["Accept-Encoding"] = "identity"
    request.url = request.url.with_path(sealed.path)
    await request.update_body(sealed.body.encode())


async def _content(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """Read an answer, up to one byte more than are allowed."""
    content = bytearray()
    try:
        async for chunk in response.content.iter_any():
            content += chunk
            if len(content) > max_bytes:
                break
    finally:
        response.close()  # what was read to its end is back in the pool already
    return bytes(content)


def _sent(error: Exception) -> Sent:
    """Whether a failed attempt may have arrived: it cannot where there was no connection."""
    before = (
        aiohttp.ClientConnectorError,
        aiohttp.ClientHttpProxyError,
        aiohttp.ConnectionTimeoutError,
        aiohttp.ServerFingerprintMismatch,
    )
    return "no" if isinstance(error, before) else "unknown"


def _opened(response: aiohttp.ClientResponse, answer: Answer) -> aiohttp.ClientResponse:
    """Make the response that came into what the caller sees. aiohttp has no public way to do that."""
    headers = CIMultiDict(answer.headers(response.headers.items()))
    response._body = answer.content
    response._headers = CIMultiDictProxy(headers)
    response._raw_headers = tuple((name.encode(), value.encode()) for name, value in headers.items())
    info = response.request_info  # stands in the repr of aiohttp's errors
    public = CIMultiDict((name, value) for name, value in info.headers.items() if name.upper() != "API-KEY")
    response._request_info = aiohttp.RequestInfo(info.url, info.method, CIMultiDictProxy(public), info.real_url)
    response._cache.clear()
    response._cardseal_error = answer.error  # type: ignore[attr-defined]
    return response
