"""The driver of Python's HTTP adapters, after ../README.md: `client.py requests|httpx|httpx-async|aiohttp|client`."""

import asyncio
import contextlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from cardseal import ApiError, EnvelopeError, OutcomeUnknownError

URL, API_KEY, SECRET = (os.environ[f"CARDSEAL_{name}"] for name in ("URL", "API_KEY", "SECRET"))
AT_ONCE = 16
TIMEOUT = 2


async def main(adapter):
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(AT_ONCE + 1))
    places, tasks = asyncio.Semaphore(AT_ONCE), []
    async with ADAPTERS[adapter]() as call:
        while line := await asyncio.to_thread(sys.stdin.readline):
            await places.acquire()
            tasks.append(asyncio.create_task(answer(call, json.loads(line), places)))
        await asyncio.gather(*tasks)


async def answer(call, task, places):
    try:
        ended = {"ok": await call(task["path"], task["payload"], task["idempotency_key"])}
    except OutcomeUnknownError as error:
        ended = {"error": error.code, "idempotency_key": error.idempotency_key}
    except ApiError as error:
        ended = {"error": error.code or f"http_{error.status}"}
    except EnvelopeError as error:
        ended = {"error": error.code}
    except Exception as error:  # each library has its own
        print(repr(error), file=sys.stderr)
        ended = {"error": "transport"}
    print(json.dumps({"id": task["id"], **ended}), flush=True)
    places.release()


@contextlib.asynccontextmanager
async def use_client():
    from cardseal import Client

    with Client(URL, API_KEY, SECRET, timeout_seconds=TIMEOUT, pool_size=AT_ONCE) as client:
        yield lambda *words: asyncio.to_thread(client.call, *words)


@contextlib.asynccontextmanager
async def use_requests():
    import requests

    from cardseal.requests import SealAdapter, api_error

    def call(path, payload, key):
        return opened(session.post(URL + path, json=payload, headers=headers(key), timeout=TIMEOUT), api_error)

    with requests.Session() as session:
        session.mount(URL, SealAdapter(API_KEY, SECRET, pool_maxsize=AT_ONCE))
        yield lambda *words: asyncio.to_thread(call, *words)


@contextlib.asynccontextmanager
async def use_httpx():
    import httpx

    from cardseal.httpx import SealTransport, api_error

    def call(path, payload, key):
        return opened(client.post(path, json=payload, headers=headers(key)), api_error)

    with httpx.Client(base_url=URL, transport=SealTransport(API_KEY, SECRET), timeout=TIMEOUT) as client:
        yield lambda *words: asyncio.to_thread(call, *words)


@contextlib.asynccontextmanager
async def use_httpx_async():
    import httpx

    from cardseal.httpx import AsyncSealTransport, api_error

    async def call(path, payload, key):
        return opened(await client.post(path, json=payload, headers=headers(key)), api_error)

    transport = AsyncSealTransport(API_KEY, SECRET)
    async with httpx.AsyncClient(base_url=URL, transport=transport, timeout=TIMEOUT) as client:
        yield call


@contextlib.asynccontextmanager
async def use_aiohttp():
    import aiohttp

    from cardseal.aiohttp import api_error, seal_middleware

    async def call(path, payload, key):
        async with session.post(path, json=payload, headers=headers(key)) as response:
            if (error := api_error(response)) is not None:
                raise error
            return await response.json()

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=TIMEOUT, sock_read=TIMEOUT)
    seal = seal_middleware(API_KEY, SECRET)
    async with aiohttp.ClientSession(URL, middlewares=[seal], timeout=timeout) as session:
        yield call


def headers(key):
    return {} if key is None else {"Idempotency-Key": key}


def opened(response, api_error):
    if (error := api_error(response)) is not None:
        raise error
    return response.json()


ADAPTERS = {
    "requests": use_requests,
    "httpx": use_httpx,
    "httpx-async": use_httpx_async,
    "aiohttp": use_aiohttp,
    "client": use_client,
}

if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
