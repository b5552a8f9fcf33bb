"""Stores in Redis, for servers of several processes: they remember requests, webhooks and answers.

>>> from cardseal.redis import RedisReplayStore
>>> store = RedisReplayStore.from_url("redis://127.0.0.1:6379")
"""

from __future__ import annotations

from cardseal._errors import EnvelopeError
from cardseal._native import (
    IDEMPOTENCY_LEASE_MILLIS,
    IDEMPOTENCY_SCRIPT,
    IDEMPOTENCY_TTL_MILLIS,
    Begun,
    check_record,
    record_key,
    recorded_body,
    token_parts,
)
from cardseal._webhooks import LEASE_SECONDS, REMEMBER_SECONDS

try:
    import redis
except ModuleNotFoundError:
    raise ImportError("cardseal.redis needs redis: pip install 'cardseal[redis]'") from None

import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.client import NEVER_DECODE
from redis.retry import Retry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from typing_extensions import Self

    from cardseal.types import WebhookState

__all__ = [
    "AsyncRedisIdempotencyStore",
    "AsyncRedisReplayStore",
    "AsyncRedisWebhookStore",
    "RedisIdempotencyStore",
    "RedisReplayStore",
    "RedisWebhookStore",
]

REPLAY_PREFIX = "cardseal:replay:"
WEBHOOK_PREFIX = "cardseal:webhook:"
IDEMPOTENCY_PREFIX = "cardseal:idempotency:"


class _Store:
    """What the stores have in common but for awaiting."""

    _library: Any
    _retry: Any

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    def from_url(cls, url: str, *, timeout_seconds: float = 1.0, **options: Any) -> Self:
        """Make one with a client of its own: each command has ``timeout_seconds``, and is sent once.

        ``options`` are the constructor's.
        """
        client = cls._library.from_url(
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            # A command sent again after a lost answer would find its own claim, and call a fresh request a duplicate.
            retry=cls._retry(NoBackoff(), 0),
        )
        return cls(client, **options)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class _Synchronous(_Store):
    _library = redis.Redis
    _retry = Retry

    def close(self) -> None:
        """Close the client's connections."""
        self._client.close()


class _Asynchronous(_Store):
    _library = redis.asyncio.Redis
    _retry = AsyncRetry

    async def aclose(self) -> None:
        """Close the client's connections."""
        await self._client.aclose()


class RedisReplayStore(_Synchronous):
    """A replay store that processes share, for ``claim_request`` and the WSGI middleware.

    ``client`` is a ``redis.Redis`` with a time-out and without retries, as ``from_url`` makes it. A claim that Redis
    does not answer raises, and the request is refused. Call ``check`` once at the start.
    """

    def claim(self, key: str, ttl_ms: int) -> bool:
        """Claim a key for so many milliseconds; True means that nobody had it. Raises what redis raises."""
        return self._client.set(REPLAY_PREFIX + key, 1, nx=True, px=ttl_ms) is not None

    def claim_all(self, keys: Iterable[str], ttl_ms: int) -> list[bool]:
        """Claim several keys in one step; True for each that nobody had. Raises what redis raises."""
        with self._client.pipeline(transaction=True) as transaction:
            for key in keys:
                transaction.set(REPLAY_PREFIX + key, 1, nx=True, px=ttl_ms)
            return [answer is not None for answer in transaction.execute()]

    def check(self) -> None:
        """Raise EnvelopeError with ``invalid_option`` if Redis would forget claims when it is full."""
        _check_policy(self._client.info("memory"))


class AsyncRedisReplayStore(_Asynchronous):
    """The same for ``redis.asyncio.Redis`` and the ASGI middleware."""

    async def claim(self, key: str, ttl_ms: int) -> bool:
        """Claim a key for so many milliseconds; True means that nobody had it. Raises what redis raises."""
        return await self._client.set(REPLAY_PREFIX + key, 1, nx=True, px=ttl_ms) is not None

    async def claim_all(self, keys: Iterable[str], ttl_ms: int) -> list[bool]:
        """Claim several keys in one step; True for each that nobody had. Raises what redis raises."""
        async with self._client.pipeline(transaction=True) as transaction:
            for key in keys:
                transaction.set(REPLAY_PREFIX + key, 1, nx=True, px=ttl_ms)
            return [answer is not None for answer in await transaction.execute()]

    async def check(self) -> None:
        """Raise EnvelopeError with ``invalid_option`` if Redis would forget claims when it is full."""
        _check_policy(await self._client.info("memory"))


class RedisWebhookStore(_Synchronous):
    """Remembers handled webhooks for processes that share it: see MemoryWebhookStore for the options."""

    def __init__(
        self, client: Any, *, lease_seconds: float = LEASE_SECONDS, remember_seconds: float = REMEMBER_SECONDS
    ) -> None:
        super().__init__(client)
        self._lease_ms, self._remember_ms = int(lease_seconds * 1000), int(remember_seconds * 1000)

    def begin(self, dedupe_key: str) -> WebhookState:
        """Take a webhook up: ``"new"``; or ``"busy"`` or ``"handled"``, as another delivery of it is."""
        key = WEBHOOK_PREFIX + dedupe_key
        if self._client.set(key, "busy", nx=True, px=self._lease_ms):
            return "new"
        return _state(self._client.get(key))

    def finish(self, dedupe_key: str) -> None:
        """Remember that a webhook has been handled."""
        self._client.set(WEBHOOK_PREFIX + dedupe_key, "handled", px=self._remember_ms)

    def give_back(self, dedupe_key: str) -> None:
        """Forget a webhook whose handler failed, so that it can come again."""
        self._client.delete(WEBHOOK_PREFIX + dedupe_key)


class AsyncRedisWebhookStore(_Asynchronous):
    """The same for ``redis.asyncio.Redis`` and the ASGI middleware."""

    def __init__(
        self, client: Any, *, lease_seconds: float = LEASE_SECONDS, remember_seconds: float = REMEMBER_SECONDS
    ) -> None:
        super().__init__(client)
        self._lease_ms, self._remember_ms = int(lease_seconds * 1000), int(remember_seconds * 1000)

    async def begin(self, dedupe_key: str) -> WebhookState:
        """Take a webhook up: ``"new"``; or ``"busy"`` or ``"handled"``, as another delivery of it is."""
        key = WEBHOOK_PREFIX + dedupe_key
        if await self._client.set(key, "busy", nx=True, px=self._lease_ms):
            return "new"
        return _state(await self._client.get(key))

    async def finish(self, dedupe_key: str) -> None:
        """Remember that a webhook has been handled."""
        await self._client.set(WEBHOOK_PREFIX + dedupe_key, "handled", px=self._remember_ms)

    async def give_back(self, dedupe_key: str) -> None:
        """Forget a webhook whose handler failed, so that it can come again."""
        await self._client.delete(WEBHOOK_PREFIX + dedupe_key)


class RedisIdempotencyStore(_Synchronous):
    """Idempotency records that processes share: see MemoryIdempotencyStore for what the steps mean.

    ``client`` is as in RedisReplayStore. A step that Redis does not answer raises what redis raises, and nothing may be
    carried out; time is Redis's own clock.
    """

    def begin(
        self, api_key: str, idempotency_key: str, fingerprint: str, *, lease_ms: int = IDEMPOTENCY_LEASE_MILLIS
    ) -> Begun:
        """Begin a request, or say what is known of it. Raises EnvelopeError as MemoryIdempotencyStore does."""
        return self._begin("begin", api_key, idempotency_key, fingerprint, lease_ms)

    def take_over(
        self, api_key: str, idempotency_key: str, fingerprint: str, *, lease_ms: int = IDEMPOTENCY_LEASE_MILLIS
    ) -> Begun:
        """Begin a request also where a lease ended without an answer: for who has looked at what was left."""
        return self._begin("take_over", api_key, idempotency_key, fingerprint, lease_ms)

    def complete(self, token: str, status: int, body: str | bytes) -> bool:
        """Store the answer; False if the token is not the record's any more, or another answer is there already."""
        return _is_stored(self._run(*_complete(token, status, body)))

    def give_back(self, token: str) -> bool:
        """Say that nothing was done, so that the request can begin again; False as with ``complete``."""
        return _is_stored(self._run(*_give_back(token)))

    def check(self) -> None:
        """Raise EnvelopeError with ``invalid_option`` if Redis would forget records when it is full."""
        _check_policy(self._client.info("memory"))

    def _begin(self, step: str, api_key: str, idempotency_key: str, fingerprint: str, lease_ms: int) -> Begun:
        key, words = _begin(step, api_key, idempotency_key, fingerprint, lease_ms)
        return _begun(key, self._run(key, words))

    def _run(self, key: str, words: list[Any]) -> Any:
        return self._client.execute_command(*_script(key, words), **_AS_IT_IS)


class AsyncRedisIdempotencyStore(_Asynchronous):
    """The same for ``redis.asyncio.Redis``."""

    async def begin(
        self, api_key: str, idempotency_key: str, fingerprint: str, *, lease_ms: int = IDEMPOTENCY_LEASE_MILLIS
    ) -> Begun:
        """Begin a request, or say what is known of it. Raises EnvelopeError as MemoryIdempotencyStore does."""
        return await self._begin("begin", api_key, idempotency_key, fingerprint, lease_ms)

    async def take_over(
        self, api_key: str, idempotency_key: str, fingerprint: str, *, lease_ms: int = IDEMPOTENCY_LEASE_MILLIS
    ) -> Begun:
        """Begin a request also where a lease ended without an answer: for who has looked at what was left."""
        return await self._begin("take_over", api_key, idempotency_key, fingerprint, lease_ms)

    async def complete(self, token: str, status: int, body: str | bytes) -> bool:
        """Store the answer; False if the token is not the record's any more, or another answer is there already."""
        return _is_stored(await self._run(*_complete(token, status, body)))

    async def give_back(self, token: str) -> bool:
        """Say that nothing was done, so that the request can begin again; False as with ``complete``."""
        return _is_stored(await self._run(*_give_back(token)))

    async def check(self) -> None:
        """Raise EnvelopeError with ``invalid_option`` if Redis would forget records when it is full."""
        _check_policy(await self._client.info("memory"))

    async def _begin(self, step: str, api_key: str, idempotency_key: str, fingerprint: str, lease_ms: int) -> Begun:
        key, words = _begin(step, api_key, idempotency_key, fingerprint, lease_ms)
        return _begun(key, await self._run(key, words))

    async def _run(self, key: str, words: list[Any]) -> Any:
        return await self._client.execute_command(*_script(key, words), **_AS_IT_IS)


_AS_IT_IS = {NEVER_DECODE: True}
"""A body stays bytes, whatever the client makes of other answers."""


def _begin(step: str, api_key: str, idempotency_key: str, fingerprint: str, lease_ms: int) -> tuple[str, list[Any]]:
    key = record_key(api_key, idempotency_key)
    check_record(fingerprint, lease_ms)
    return key, [step, fingerprint, int(lease_ms), IDEMPOTENCY_TTL_MILLIS]


def _complete(token: str, status: int, body: str | bytes) -> tuple[str, list[Any]]:
    key, number = token_parts(token)
    return key, ["complete", number, IDEMPOTENCY_TTL_MILLIS, int(status), recorded_body(status, body)]


def _give_back(token: str) -> tuple[str, list[Any]]:
    key, number = token_parts(token)
    return key, ["give_back", number, IDEMPOTENCY_TTL_MILLIS]


def _script(key: str, words: list[Any]) -> list[Any]:
    return ["EVAL", IDEMPOTENCY_SCRIPT, 1, IDEMPOTENCY_PREFIX + key, *words]


def _begun(key: str, answer: Any) -> Begun:
    state, *rest = answer
    try:
        if state == b"new":
            return Begun("new", token=f"{key}:{rest[0].decode()}")
        if state == b"replay":
            return Begun("replay", status=int(rest[0]), body=rest[1])
        return Begun(state.decode())
    except ValueError:
        raise EnvelopeError("replay_store_unavailable", "what is under the key is no idempotency record") from None


def _is_stored(answer: Any) -> bool:
    return bool(answer == [b"stored"])


def _state(value: Any) -> WebhookState:
    return "handled" if value in (b"handled", "handled") else "busy"


def _check_policy(memory: Any) -> None:
    policy = memory["maxmemory_policy"]
    if policy != "noeviction":
        message = f"the maxmemory-policy of Redis is `{policy}`, which forgets claims: set it to `noeviction`"
        raise EnvelopeError("invalid_option", message)
