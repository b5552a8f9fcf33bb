"""Seals beneath requests: mount a ``SealAdapter``, and write plain JSON as ever.

>>> import requests
>>> from cardseal.requests import SealAdapter
>>> session = requests.Session()
>>> session.mount("https://api.example.com/", SealAdapter("key_1", "your_api_secret_key_here"))
"""

from __future__ import annotations

import contextlib
import time
from urllib.parse import urlsplit

from cardseal._errors import EnvelopeError
from cardseal._http import ATTEMPTS, DEADLINE_SECONDS, AttemptEvent, Caller

try:
    import requests
except ModuleNotFoundError:
    raise ImportError("cardseal.requests needs requests: pip install 'cardseal[requests]'") from None

from requests.adapters import DEFAULT_POOLBLOCK, DEFAULT_POOLSIZE, HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.util import Retry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from cardseal import ApiError, Envelope, SealedRequest
    from cardseal._http import Answer

__all__ = ["AttemptEvent", "SealAdapter", "api_error"]


class SealAdapter(HTTPAdapter):
    """Seals every request of a session, opens the answers, and tries again what may be tried again.

    ``secret`` is the API secret, or an Envelope made of it. A call is a POST of JSON; its idempotency key is the header
    ``Idempotency-Key``. It ends after ``attempts`` attempts, or where the next wait would end ``deadline_seconds`` or
    later after its start; ``timeout`` is that of an attempt, so do give one. ``on_attempt`` is called with an
    AttemptEvent after each. The rest is as in HTTPAdapter, without ``max_retries``: urllib3 would send the same bytes
    again.

    With ``correct_clock``, over https, a request that was refused for its time sets this process's stamps right by the
    ``Date`` of the answer; it is called with the offset in seconds, and by default nothing is corrected.

    The caller gets a Response of plain JSON with the API's status; ``api_error(response)`` is its error, typed.

    Raises OutcomeUnknownError where the call may or may not have been carried out; EnvelopeError for what cannot be
    sealed, and for a success that does not open; ApiError for a redirect; what requests raises for the transport.
    """

    def __init__(
        self,
        api_key: str,
        secret: str | Envelope,
        *,
        attempts: int = ATTEMPTS,
        deadline_seconds: float = DEADLINE_SECONDS,
        on_attempt: Callable[[AttemptEvent], object] | None = None,
        correct_clock: Callable[[float], object] | None = None,
        pool_connections: int = DEFAULT_POOLSIZE,
        pool_maxsize: int = DEFAULT_POOLSIZE,
        pool_block: bool = DEFAULT_POOLBLOCK,
    ) -> None:
        self._caller = Caller(api_key, secret, attempts, deadline_seconds, on_attempt, correct_clock)
        super().__init__(pool_connections=pool_connections, pool_maxsize=pool_maxsize, pool_block=pool_block)

    @property
    def max_retries(self) -> Retry:
        """None at all: re-sent bytes are a replay. Whatever is assigned here, urllib3 sends once."""
        return _NO_RETRIES

    @max_retries.setter
    def max_retries(self, retries: object) -> None:
        pass

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Make the call with all its attempts."""
        call = self._caller.begin(
            request.method or "",
            request.url or "",
            _payload(request.body),
            content_type=_text(request.headers.get("Content-Type")),
            idempotency_key=_text(request.headers.get("Idempotency-Key")),
        )
        while True:
            attempt, body = _sealed(request, call.seal())
            try:
                response = super().send(attempt, True, timeout, verify, cert, proxies)
                content = _content(response, call.max_bytes)
            except _BROKEN as error:
                wait = call.failed(error, sent="unknown" if body.was_taken else "no")
            else:
                retry_after, date = response.headers.get("Retry-After"), response.headers.get("Date")
                wait = call.answered(response.status_code, content, retry_after=retry_after, date=date)
            if wait is None:
                answer = call.result()
                return _opened(response, answer, request)
            time.sleep(wait)


def api_error(response: requests.Response) -> ApiError | None:
    """Give the error of the API that a response is, or None for a success."""
    error: ApiError | None = getattr(response, "_cardseal_error", None)
    return error


_NO_RETRIES = Retry(0, read=False)

_BROKEN = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


class _Body:
    """A sealed body that knows whether a connection has asked for it: if none has, there was none."""

    def __init__(self, body: bytes) -> None:
        self.was_taken = False
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        self.was_taken = True
        yield self._body


def _sealed(request: requests.PreparedRequest, sealed: SealedRequest) -> tuple[requests.PreparedRequest, _Body]:
    """Give one attempt: the caller's request with the sealed one's path, headers and body."""
    data = sealed.body.encode()
    attempt, body = requests.PreparedRequest(), _Body(data)
    attempt.method, attempt.hooks = request.method, request.hooks
    attempt._cookies = request._cookies  # `copy` would copy the whole jar for each attempt
    attempt.url = request.url or ""
    if not attempt.url.endswith(sealed.path):  # a fragment, or another spelling of the path
        attempt.url = urlsplit(attempt.url)._replace(path=sealed.path, fragment="").geturl()
    attempt.headers = request.headers.copy()
    attempt.headers.update(sealed.headers)
    attempt.headers["Accept-Encoding"] = "identity"
    attempt.headers.pop("Transfer-Encoding", None)
    attempt.headers["Content-Length"] = str(len(data))
    attempt.body = body
    return attempt, body


def _content(response: requests.Response, max_bytes: int) -> bytes:
    """Read an answer, up to one byte more than are allowed."""
    content = bytearray()
    with contextlib.closing(response):  # what was read to its end goes back to the pool all the same
        for chunk in response.iter_content(65536):
            content += chunk
            if len(content) > max_bytes:
                break
    return bytes(content)


def _opened(response: requests.Response, answer: Answer, request: requests.PreparedRequest) -> requests.Response:
    """Make the response that came into what the caller sees."""
    response._content = answer.content
    response._content_consumed = True
    response.headers = CaseInsensitiveDict(answer.headers(response.headers.items()))
    response.encoding = "utf-8" if answer.is_opened else response.encoding
    response.request = request
    response._cardseal_error = answer.error  # type: ignore[attr-defined]
    return response


def _payload(body: Any) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    raise EnvelopeError("invalid_option", "the body is a stream: hand the payload over as `json`")


def _text(header: str | bytes | None) -> str | None:
    return header.decode("latin-1") if isinstance(header, bytes) else header
