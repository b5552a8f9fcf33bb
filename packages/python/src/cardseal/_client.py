"""A client of the API that needs nothing but the standard library."""

from __future__ import annotations

import http.client
import os
import selectors
import threading
import time

from cardseal._errors import ApiError, EnvelopeError
from cardseal._http import ATTEMPTS, DEADLINE_SECONDS, AttemptEvent, Call, Caller
from cardseal._native import backoff_millis
from cardseal._statuses import OrderStatus

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self

    from cardseal import Envelope, SealedRequest
    from cardseal.types import Payload


class Client:
    """Calls the API: seals, sends, opens, and tries again what may be tried again. Safe to share by threads.

    ``base_url`` is the origin, without ``/api/v1``; ``secret`` the API secret, or an Envelope made of it. A call ends
    after ``attempts`` attempts, or where the next wait would end ``deadline_seconds`` or later after its start;
    ``timeout_seconds`` bounds each silence of an attempt. ``on_attempt`` is called with an AttemptEvent after each.
    With ``correct_clock``, over https, a request that was refused for its time sets this process's stamps right by the
    ``Date`` of the answer; it is called with the offset in seconds, and by default nothing is corrected.
    ``pool_size`` connections are kept open; ``ssl_context`` stands in for the default one, which trusts whom the system
    trusts. Proxies of the environment are not used.

    Raises EnvelopeError with ``invalid_key``, ``invalid_option``.

    >>> from cardseal import Client
    >>> with Client("https://api.example.com", "key_1", "your_api_secret_key_here") as client:
    ...     client
    Client(base_url='https://api.example.com')
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        secret: str | Envelope,
        *,
        attempts: int = ATTEMPTS,
        deadline_seconds: float = DEADLINE_SECONDS,
        on_attempt: Callable[[AttemptEvent], object] | None = None,
        correct_clock: Callable[[float], object] | None = None,
        timeout_seconds: float = 30.0,
        pool_size: int = 8,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._caller = Caller(api_key, secret, attempts, deadline_seconds, on_attempt, correct_clock)
        self._pool = _Pool(base_url, timeout_seconds, pool_size, ssl_context)

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """Make one of the variables ``CARDSEAL_URL``, ``CARDSEAL_API_KEY`` and ``CARDSEAL_SECRET``.

        ``options`` are the constructor's. Raises EnvelopeError with ``invalid_option`` for a variable that is not set.
        """
        values = []
        for name in ("CARDSEAL_URL", "CARDSEAL_API_KEY", "CARDSEAL_SECRET"):
            value = os.environ.get(name)
            if not value:
                raise EnvelopeError("invalid_option", f"the environment variable {name} is not set: export it")
            values.append(value)
        return cls(*values, **options)

    def call(
        self,
        path: str,
        payload: Payload | None = None,
        idempotency_key: str | None = None,
        *,
        default: Callable[[Any], object] | None = None,
    ) -> Any:
        """Make a call with all its attempts, and return the payload of its success.

        ``payload`` and ``default`` are as in ``Envelope.seal_request``; none is ``{}``. ``idempotency_key`` is required
        on ``/cards/create`` and ``/cards/topup``: keep it, and call again with the same.

        Raises ApiError for what the API answers; OutcomeUnknownError where the call may or may not have been carried
        out; EnvelopeError for what cannot be sealed, or for a success that does not open; OSError for the transport.
        """
        payload = {} if payload is None else payload
        is_https = self._pool.base_url.startswith("https:")
        call = Call(
            self._caller, path, payload, idempotency_key, is_https=is_https, default=default, read=_read_objects
        )
        while True:
            request = call.seal()
            connection = None
            try:
                connection = self._pool.connect()
            except OSError as error:
                wait = call.failed(error, sent="no")
            else:
                try:
                    status, headers, body = self._pool.exchange(connection, request, call.max_bytes)
                except OSError as error:
                    wait = call.failed(error, sent="unknown")
                else:
                    retry_after, date = headers.get("Retry-After"), headers.get("Date")
                    wait = call.answered(status, body, retry_after=retry_after, date=date)
            if wait is None:
                answer = call.result()
                if answer.error is not None:
                    raise answer.error
                return answer.content
            time.sleep(wait)

    def wait_for_order(self, order_id: str, timeout_seconds: float = 60.0) -> dict[str, Any]:
        """Ask ``/orders/check`` until an order has come to its end, and return the order.

        Raises TimeoutError if that takes longer than ``timeout_seconds``, and what ``call`` raises.
        """
        started, asked = time.monotonic(), 0
        while True:
            order = self.call("/orders/check", {"order_id": order_id})
            status = OrderStatus(order["status"])
            if status.is_terminal:
                return dict(order)
            asked += 1
            pause = (
                backoff_millis(asked, 2**32 - 1) / 1000
            )  # the longest of that step: nobody else waits for this order
            if time.monotonic() - started + pause >= timeout_seconds:
                raise TimeoutError(f"the order is still {status!s} after {timeout_seconds} s: ask again later")
            time.sleep(pause)

    def close(self) -> None:
        """Close the connections that are not in use; another call opens new ones."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client(base_url={self._pool.base_url!r})"


def _read_objects(envelope: Envelope, status: int, body: bytes, request: SealedRequest) -> tuple[Any, ApiError | None]:
    try:
        return envelope.open_response(status, body, request=request), None
    except ApiError as error:
        return error.payload, error


class _Pool:
    """Connections to one origin that are kept open between calls."""

    def __init__(self, base_url: str, timeout: float, size: int, ssl_context: ssl.SSLContext | None) -> None:
        scheme, _, authority = base_url.partition("://")
        authority = authority.removesuffix("/")
        try:
            is_origin = scheme in ("http", "https") and authority and not set(authority) & set("/?#@")
            http.client.HTTPConnection(authority)  # reads the port
        except http.client.InvalidURL:
            is_origin = False
        if not is_origin:
            message = "`base_url` is no origin: use one such as `https://api.example.com`, without a path"
            raise EnvelopeError("invalid_option", message)
        self.base_url = f"{scheme}://{authority}"
        self._authority = authority
        self._timeout = timeout
        self._size = size
        self._ssl_context = ssl_context
        if scheme == "https" and ssl_context is None:
            import ssl

            self._ssl_context = ssl.create_default_context()
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._idle: list[http.client.HTTPConnection] = []

    def connect(self) -> http.client.HTTPConnection:
        """Give a connection that is open at this moment. An OSError means that nothing was sent."""
        while (connection := self._take()) is not None:
            if _is_open(connection):
                return connection
            connection.close()
        if self._ssl_context is None:
            connection = http.client.HTTPConnection(self._authority, timeout=self._timeout)
        else:
            connection = http.client.HTTPSConnection(self._authority, timeout=self._timeout, context=self._ssl_context)
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        return connection

    def exchange(
        self, connection: http.client.HTTPConnection, request: SealedRequest, max_bytes: int
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Send a request and read its answer: status, headers, and the body, up to one byte over ``max_bytes``."""
        is_reusable = False
        try:
            connection.request("POST", request.path, request.body.encode(), _headers(request.headers))
            response = connection.getresponse()
            body = response.read(max_bytes + 1)
            if response.length and len(body) <= max_bytes:
                raise http.client.IncompleteRead(body, response.length)  # given a limit, http.client does not say so
            is_reusable = response.isclosed() and not response.will_close
            return response.status, response.headers, body
        except http.client.HTTPException as error:
            if isinstance(error, OSError):
                raise
            raise ConnectionError("the answer is no HTTP, or broke off: look at the cause") from error
        finally:
            if not is_reusable or not self._give_back(connection):
                connection.close()

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self) -> http.client.HTTPConnection | None:
        with self._lock:
            if self._process != os.getpid():
                self._process, self._idle = os.getpid(), []  # the parent talks on those
            return self._idle.pop() if self._idle else None

    def _give_back(self, connection: http.client.HTTPConnection) -> bool:
        with self._lock:
            has_room = len(self._idle) < self._size
            if has_room:
                self._idle.append(connection)
            return has_room


def _headers(sealed: Mapping[str, str]) -> dict[str, str]:
    from cardseal import __version__

    return {**sealed, "Accept": "application/json", "User-Agent": f"cardseal-python/{__version__}"}


def _is_open(connection: http.client.HTTPConnection) -> bool:
    """Whether an idle connection is still open: one that has something to read was closed, or is out of step."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        return not selector.select(0)
