"""Claiming requests: in memory, in stores of one's own, in a real Redis."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from redis_server import redis_port

import cardseal
from cardseal import REPLAY_TTL_MS, Envelope, EnvelopeError, MemoryReplayStore, ReplayKeys, claim_request, replay_keys


@pytest.fixture
def keys(envelope: Envelope) -> ReplayKeys:
    return replay_keys("key_1", "/cards/get", envelope.open_request(envelope.seal({"card_id": "card_abc123"})))


class Store:
    """A store that answers as it is told."""

    def __init__(self, *answers: Any) -> None:
        self.answers = iter(answers)
        self.claims: list[tuple[str, int]] = []

    def claim(self, key: str, ttl_ms: int) -> Any:
        self.claims.append((key, ttl_ms))
        answer = next(self.answers)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def code_of(store: Any, keys: ReplayKeys) -> str:
    with pytest.raises(EnvelopeError) as refused:
        claim_request(store, keys)
    return refused.value.code


def test_keys_are_two_and_belong_to_api_key_path_and_request(envelope: Envelope) -> None:
    request = envelope.open_request(envelope.seal({}))
    keys = replay_keys("key_1", "https://api.example.com/api/v1/cards/get?x=1", request)
    assert list(keys) == [keys.timestamp, keys.nonce]
    assert len(keys) == 2
    assert keys == replay_keys("key_1", "/cards/get", request)
    assert hash(keys) == hash(replay_keys("key_1", "/cards/get", request))
    other_path = replay_keys("key_1", "/cards/freeze", request)
    assert (other_path.nonce, other_path != keys) == (keys.nonce, True)
    assert other_path.timestamp != keys.timestamp
    for api_key, path, code in (("", "/cards/get", "invalid_api_key"), ("key_1", "/", "invalid_path")):
        with pytest.raises(EnvelopeError) as refused:
            replay_keys(api_key, path, request)
        assert refused.value.code == code
    with pytest.raises(TypeError):
        replay_keys("key_1", "/cards/get", envelope.seal_request("/cards/get", {}, api_key="k"))  # type: ignore[arg-type]


def test_both_keys_are_claimed_whatever_the_first_says(keys: ReplayKeys) -> None:
    for answers, code in (
        ((True, False), "duplicate_request"),
        ((False, True), "duplicate_request"),
        ((False, False), "duplicate_request"),
        ((OSError("down"), True), "replay_store_unavailable"),
        ((True, OSError("down")), "replay_store_unavailable"),
        ((False, OSError("down")), "replay_store_unavailable"),
    ):
        store = Store(*answers)
        assert code_of(store, keys) == code
        assert store.claims == [(keys.timestamp, 70_000), (keys.nonce, 70_000)]
    store = Store(True, True)
    assert claim_request(store, keys) is None  # type: ignore[func-returns-value]
    assert REPLAY_TTL_MS == 70_000


def test_the_cause_of_a_store_that_fails_is_kept(keys: ReplayKeys) -> None:
    down = OSError("down")
    with pytest.raises(EnvelopeError) as refused:
        claim_request(Store(down, True), keys)
    assert refused.value.__cause__ is down
    own = EnvelopeError("replay_store_unavailable", "the store says so itself")
    with pytest.raises(EnvelopeError) as refused:
        claim_request(Store(own, True), keys)
    assert refused.value is own
    interrupted = Store(KeyboardInterrupt(), True)
    with pytest.raises(KeyboardInterrupt):
        claim_request(interrupted, keys)
    assert len(interrupted.claims) == 1


def test_what_is_no_store_is_a_type_error(keys: ReplayKeys) -> None:
    class Asynchronous:
        async def claim(self, key: str, ttl_ms: int) -> bool:
            return True

    with pytest.raises(TypeError, match="await an asynchronous store's claims yourself"):
        claim_request(Asynchronous(), keys)  # type: ignore[arg-type]
    for answer in (None, 1, "yes"):
        with pytest.raises(TypeError, match="has to return a bool"):
            claim_request(Store(answer, answer), keys)
    with pytest.raises(EnvelopeError, match="does not answer"):
        claim_request(object(), keys)  # type: ignore[arg-type]


def test_an_asynchronous_store_is_awaited_by_its_caller(keys: ReplayKeys) -> None:
    memory = MemoryReplayStore()

    class Asynchronous:
        async def claim(self, key: str, ttl_ms: int) -> bool:
            await asyncio.sleep(0)
            return memory.claim(key, ttl_ms)

    async def is_fresh() -> bool:
        store = Asynchronous()
        return all([await store.claim(key, REPLAY_TTL_MS) for key in keys])

    assert asyncio.run(is_fresh())
    assert not asyncio.run(is_fresh())


def test_the_store_in_memory_forgets_in_time_and_never_before() -> None:
    store = MemoryReplayStore(max_keys=3)
    assert bool(store)
    for key in ("a", "b", "c"):
        assert store.claim(key, 1_000, now_ms=5_000)
    assert len(store) == 3
    with pytest.raises(EnvelopeError) as refused:
        store.claim("d", 1_000, now_ms=5_999)
    assert refused.value.code == "replay_store_unavailable"
    assert not store.claim("a", 1_000, now_ms=5_999)
    assert store.claim("a", 1_000, now_ms=6_000)
    assert len(store) == 1
    for wrong in (-1, 2**70):
        with pytest.raises(EnvelopeError) as refused:
            store.claim("e", wrong)
        assert refused.value.code == "invalid_option"


def test_of_many_threads_one_gets_the_key() -> None:
    store = MemoryReplayStore()
    winners: list[int] = []
    barrier = threading.Barrier(8)

    def claim_all(thread: int) -> None:
        barrier.wait()
        for number in range(2_000):
            if store.claim(f"key {number}", REPLAY_TTL_MS):
                winners.append(number)

    threads = [threading.Thread(target=claim_all, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(winners) == list(range(2_000))


@pytest.fixture(scope="module")
def redis_client() -> Iterator[Any]:
    redis = pytest.importorskip("redis")
    with redis_port() as port:
        client = redis.Redis(host="127.0.0.1", port=port)
        yield client
        client.close()


def test_three_lines_make_a_store_of_redis(redis_client: Any, keys: ReplayKeys) -> None:
    class RedisStore:
        def claim(self, key: str, ttl_ms: int) -> bool:
            return bool(redis_client.set(f"cardseal:replay:{key}", 1, nx=True, px=ttl_ms))

    claim_request(RedisStore(), keys)
    assert code_of(RedisStore(), keys) == "duplicate_request"
    lifetimes = [redis_client.pttl(f"cardseal:replay:{key}") for key in keys]
    assert all(0 < lifetime <= cardseal.REPLAY_TTL_MS for lifetime in lifetimes)
