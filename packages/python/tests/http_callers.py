"""Each adapter and the Client, behind one face, used as their documentation says."""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import Any

import aiohttp
import httpx
import httpx2
import requests

import cardseal
import cardseal.aiohttp
import cardseal.httpx
import cardseal.requests
from cardseal import ApiError

TIMEOUT = 10.0
"""Of an attempt, in seconds, unless a test is about it: more than a busy machine takes."""

Trusted = str | None
"""The file of a certificate that a caller trusts beside the system's."""


def tls(trusted: Trusted) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=trusted)


class Answered:
    """What a caller gets: status, body as JSON, the header fields, and the typed error."""

    def __init__(self, status: int, text: str, headers: dict[str, str], error: ApiError | None) -> None:
        self.status = status
        self.text = text
        self.headers = headers
        self.error = error

    @property
    def payload(self) -> Any:
        return json.loads(self.text)


class Requests:
    failures: tuple[type[Exception], ...] = (requests.RequestException,)

    def __init__(
        self, url: str, api_key: str, secret: Any, timeout: float = TIMEOUT, trusted: Trusted = None, **options: Any
    ) -> None:
        self.url = url
        self.timeout = timeout
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = trusted or True
        self.adapter = cardseal.requests.SealAdapter(api_key, secret, **options)
        self.session.mount(url, self.adapter)

    def call(self, path: str, payload: Any, key: str | None = None, **more: Any) -> Answered:
        headers = {} if key is None else {"Idempotency-Key": key}
        response = self.session.post(self.url + path, json=payload, headers=headers, timeout=self.timeout, **more)
        error = cardseal.requests.api_error(response)
        if error is None:
            response.raise_for_status()
        elif response.status_code >= 400:
            with_status = raises(requests.HTTPError, response.raise_for_status)
            assert with_status.response is response
        return Answered(response.status_code, response.text, dict(response.headers), error)

    def close(self) -> None:
        self.session.close()


class Httpx:
    library: Any = httpx

    def __init__(
        self, url: str, api_key: str, secret: Any, timeout: float = TIMEOUT, trusted: Trusted = None, **options: Any
    ) -> None:
        self.failures: tuple[type[Exception], ...] = (self.library.TransportError,)
        transport = cardseal.httpx.SealTransport(
            api_key, secret, transport=self.library.HTTPTransport(verify=tls(trusted), trust_env=False), **options
        )
        self.client = self.library.Client(base_url=url, transport=transport, timeout=timeout)

    def call(self, path: str, payload: Any, key: str | None = None, **more: Any) -> Answered:
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.seen(self.client.post(path, json=payload, headers=headers, **more))

    def seen(self, response: Any) -> Answered:
        error = cardseal.httpx.api_error(response)
        if error is None:
            response.raise_for_status()
        elif response.status_code >= 400:
            raises(self.library.HTTPStatusError, response.raise_for_status)
        assert response.elapsed is not None
        return Answered(response.status_code, response.text, dict(response.headers), error)

    def close(self) -> None:
        self.client.close()


class Httpx2(Httpx):
    library = httpx2


class HttpxAsync(Httpx):
    def __init__(
        self, url: str, api_key: str, secret: Any, timeout: float = TIMEOUT, trusted: Trusted = None, **options: Any
    ) -> None:
        self.failures = (self.library.TransportError,)
        self.loop = asyncio.new_event_loop()
        transport = cardseal.httpx.AsyncSealTransport(
            api_key, secret, transport=self.library.AsyncHTTPTransport(verify=tls(trusted), trust_env=False), **options
        )
        self.client = self.library.AsyncClient(base_url=url, transport=transport, timeout=timeout)

    def call(self, path: str, payload: Any, key: str | None = None, **more: Any) -> Answered:
        headers = {} if key is None else {"Idempotency-Key": key}
        response = self.client.post(path, json=payload, headers=headers, **more)
        return self.seen(self.loop.run_until_complete(response))

    def close(self) -> None:
        self.loop.run_until_complete(self.client.aclose())
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())  # as asyncio.run does
        self.loop.close()


class Httpx2Async(HttpxAsync):
    library = httpx2


class Aiohttp:
    failures: tuple[type[Exception], ...] = (aiohttp.ClientError,)

    def __init__(
        self, url: str, api_key: str, secret: Any, timeout: float = TIMEOUT, trusted: Trusted = None, **options: Any
    ) -> None:
        self.loop = asyncio.new_event_loop()
        middleware = cardseal.aiohttp.seal_middleware(api_key, secret, **options)

        async def session() -> aiohttp.ClientSession:
            limits = aiohttp.ClientTimeout(total=None, sock_connect=timeout, sock_read=timeout)
            connector = aiohttp.TCPConnector(ssl=tls(trusted))
            return aiohttp.ClientSession(url, middlewares=[middleware], timeout=limits, connector=connector)

        self.session = self.loop.run_until_complete(session())

    def call(self, path: str, payload: Any, key: str | None = None, **more: Any) -> Answered:
        headers = {} if key is None else {"Idempotency-Key": key}

        async def post() -> Answered:
            async with self.session.post(path, json=payload, headers=headers, **more) as response:
                error = cardseal.aiohttp.api_error(response)
                if error is None:
                    response.raise_for_status()
                elif response.status >= 400:
                    with_status = raises(aiohttp.ClientResponseError, response.raise_for_status)
                    assert "API-KEY" not in repr(with_status)
                text = await response.text()
                if error is None or error.encrypted:
                    assert await response.json() == json.loads(text)
                return Answered(response.status, text, dict(response.headers), error)

        return self.loop.run_until_complete(post())

    def close(self) -> None:
        self.loop.run_until_complete(self.session.close())
        self.loop.close()


class Client:
    failures: tuple[type[Exception], ...] = (OSError,)

    def __init__(
        self, url: str, api_key: str, secret: Any, timeout: float = TIMEOUT, trusted: Trusted = None, **options: Any
    ) -> None:
        context = None if trusted is None else tls(trusted)
        self.client = cardseal.Client(url, api_key, secret, timeout_seconds=timeout, ssl_context=context, **options)

    def call(self, path: str, payload: Any, key: str | None = None) -> Answered:
        try:
            return Answered(200, json.dumps(self.client.call(path, payload, key)), {}, None)
        except ApiError as error:
            if 300 <= error.status < 400:
                raise
            return Answered(error.status, json.dumps(error.payload), {}, error)

    def close(self) -> None:
        self.client.close()


CALLERS: dict[str, Any] = {
    "requests": Requests,
    "httpx": Httpx,
    "httpx-async": HttpxAsync,
    "httpx2": Httpx2,
    "httpx2-async": Httpx2Async,
    "aiohttp": Aiohttp,
    "client": Client,
}


def raises(kind: type[Exception], call: Any) -> Any:
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was not raised")
