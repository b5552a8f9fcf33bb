"""Idempotency records, in memory and in a real Redis: SPEC.md, section 14."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
import redis.asyncio
from conftest import REPOSITORY
from record_steps import declared, outcome
from redis_server import redis_port

from cardseal import Begun, EnvelopeError, MemoryIdempotencyStore, fingerprint
from cardseal._native import IDEMPOTENCY_LEASE_MILLIS, IDEMPOTENCY_SCRIPT, IDEMPOTENCY_TTL_MILLIS, record_key
from cardseal.redis import AsyncRedisIdempotencyStore, RedisIdempotencyStore

PRINT = fingerprint("/cards/topup", {"card_id": "card_abc123", "amount": "10.00"})
ANSWER = b'{"order_id":"o-1"}'
READS_CLOCK = 'redis.call("TIME")'


class Awaited:
    """An asynchronous store, whose calls wait."""

    def __init__(self, store: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.store = store
        self.loop = loop

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.store, name)

        async def call(*words: Any, **more: Any) -> Any:
            return await method(*words, **more)

        return lambda *words, **more: self.loop.run_until_complete(call(*words, **more))


class Clocked:
    """A client under which the script reads the time that a test says, and is itself in all else."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.now_millis = 0

    def execute_command(self, command: str, script: str, *words: Any, **options: Any) -> Any:
        assert (command, script) == ("EVAL", IDEMPOTENCY_SCRIPT)
        seconds, millis = divmod(self.now_millis, 1_000)
        script = script.replace(READS_CLOCK, f'{{ "{seconds}", "{millis}000" }}')
        return self.client.execute_command(command, script, *words, **options)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with redis_port() as port:
        yield port


@pytest.fixture
def inspector(port: int) -> Iterator[Any]:
    """What looks into Redis, which is empty at first."""
    with redis.Redis(port=port) as client:
        client.flushall()
        yield client


KINDS = ["sync", "async", "decoding"]
Make = Callable[[Any], Any]


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest, port: int, inspector: Any) -> Iterator[Callable[..., Any]]:
    """Make a store with a client of its own, or with what a function makes of that."""
    loop = asyncio.new_event_loop()
    close: list[Callable[[], Any]] = []

    def make(around: Make = lambda client: client) -> Any:
        if request.param == "async":
            asynchronous = redis.asyncio.Redis(port=port)
            close.append(lambda: loop.run_until_complete(asynchronous.aclose()))
            return Awaited(AsyncRedisIdempotencyStore(around(asynchronous)), loop)
        client = redis.Redis(port=port, decode_responses=request.param == "decoding")
        close.append(client.close)
        return RedisIdempotencyStore(around(client))

    yield make
    for step in close:
        step()
    loop.close()


FULL = {
    "records_store_of_one_record",
    "records_store_full",
    "records_store_full_of_given_back_ones",
    "records_store_full_answers_what_it_knows",
    "records_store_full_begins_again_what_was_given_back",
    "records_store_full_forgets_what_ended",
}
FORGOTTEN = {
    "records_forgotten_after_the_answer",
    "records_forgotten_without_an_answer",
    "records_completed_when_forgotten",
}


def test_redis_does_what_the_vectors_say(make: Any, inspector: Any) -> None:
    """But for the bound of a store in memory, and for time-outs of a week, which are Redis's own."""
    assert IDEMPOTENCY_SCRIPT.count(READS_CLOCK) == 1
    cases = json.loads((REPOSITORY / "tests/vectors/records.json").read_bytes())["cases"]
    cases = [case for case in cases if case["operation"] == "steps"]
    names = {case["name"] for case in cases}
    assert names >= FULL | FORGOTTEN
    assert {case["name"] for case in cases if "max_records" in case} == FULL
    clocks: list[Clocked] = []

    def clocked(client: Any) -> Clocked:
        clocks.append(Clocked(client))
        return clocks[-1]

    store, taken = make(clocked), 0
    [clock] = clocks
    for case in cases:
        if case["name"] in FULL | FORGOTTEN:
            continue
        inspector.flushall()
        for step in case["steps"]:
            clock.now_millis = step["now_millis"]
            assert outcome(store, step) == declared(step), (case["name"], step)
            taken += 1
    assert len(cases) - len(FULL | FORGOTTEN) >= 54
    assert taken >= 130


def test_redis_goes_by_its_own_clock(make: Any, inspector: Any) -> None:
    store, key = make(), "cardseal:idempotency:" + record_key("key_1", "k")
    first = store.begin("key_1", "k", PRINT, lease_ms=86_400_000)
    assert store.begin("key_1", "k", PRINT).state == "in_progress"
    assert IDEMPOTENCY_TTL_MILLIS < inspector.pttl(key) <= IDEMPOTENCY_TTL_MILLIS + 86_400_000
    inspector.hincrby(key, "lease_end", -86_400_000)
    assert store.begin("key_1", "k", PRINT).state == "outcome_unknown"
    second = store.take_over("key_1", "k", PRINT)
    assert second.state == "new"
    assert number(second) > number(first)
    seconds, _ = inspector.time()
    assert abs(number(second) - seconds * 1_000) < 60_000
    lease_end = int(inspector.hget(key, "lease_end"))
    # The number is the clock's, or the one after the last where both were given in the same millisecond.
    assert lease_end - number(second) in (IDEMPOTENCY_LEASE_MILLIS, IDEMPOTENCY_LEASE_MILLIS - 1)
    assert not store.complete(first.token, 200, ANSWER), "it was taken over"
    assert store.complete(second.token, 200, ANSWER)
    assert 0 < inspector.pttl(key) <= IDEMPOTENCY_TTL_MILLIS
    assert store.begin("key_1", "k", PRINT).body == ANSWER


def test_what_one_begins_another_completes(port: int, inspector: Any) -> None:
    body = bytes(range(256))
    one, other = (RedisIdempotencyStore.from_url(f"redis://127.0.0.1:{port}") for _ in range(2))
    decoding = RedisIdempotencyStore(redis.Redis(port=port, decode_responses=True))
    one.check()
    begun = one.begin("key_1", "k", PRINT)
    assert begun.token is not None
    assert other.begin("key_1", "k", PRINT).state == "in_progress"
    assert other.complete(begun.token, 201, body)
    assert not one.give_back(begun.token)

    async def seen() -> Begun:
        store = AsyncRedisIdempotencyStore.from_url(f"redis://127.0.0.1:{port}")
        await store.check()
        begun = await store.begin("key_1", "k", PRINT)
        await store.aclose()
        return begun

    for replay in (one.begin("key_1", "k", PRINT), decoding.begin("key_1", "k", PRINT), asyncio.run(seen())):
        assert (replay.state, replay.status, replay.body) == ("replay", 201, body)
    for store in (one, other, decoding):
        store.close()


def test_of_a_hundred_at_once_one_is_new(port: int, inspector: Any) -> None:
    shared = [RedisIdempotencyStore.from_url(f"redis://127.0.0.1:{port}", timeout_seconds=30) for _ in range(4)]
    memory: list[Any] = [MemoryIdempotencyStore()]
    for stores in (memory, shared):
        states = list[str]()
        barrier = threading.Barrier(100)

        def begin(store: Any, states: list[str], barrier: threading.Barrier) -> None:
            barrier.wait()
            states.append(store.begin("key_1", "k", PRINT).state)

        threads = [
            threading.Thread(target=begin, args=(stores[number % len(stores)], states, barrier))
            for number in range(100)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(states) == ["in_progress"] * 99 + ["new"]
    for store in shared:
        store.close()

    async def at_once() -> list[str]:
        store = AsyncRedisIdempotencyStore.from_url(f"redis://127.0.0.1:{port}", timeout_seconds=30)
        begun = await asyncio.gather(*[store.begin("key_1", "other", PRINT) for _ in range(100)])
        await store.aclose()
        return sorted(one.state for one in begun)

    assert asyncio.run(at_once()) == ["in_progress"] * 99 + ["new"]


def test_without_an_answer_of_redis_nothing_begins() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent_port = silent.getsockname()[1]
        silence = RedisIdempotencyStore.from_url(f"redis://127.0.0.1:{silent_port}", timeout_seconds=0.2)
        with pytest.raises(redis.TimeoutError):
            silence.begin("key_1", "k", PRINT)
        silence.close()
    with redis_port() as port:
        store = RedisIdempotencyStore.from_url(f"redis://127.0.0.1:{port}")
        begun = store.begin("key_1", "k", PRINT)
        assert begun.token is not None
    token = begun.token
    steps: list[Callable[[], Any]] = [
        lambda: store.begin("key_1", "k", PRINT),
        lambda: store.take_over("key_1", "k", PRINT),
        lambda: store.complete(token, 200, ANSWER),
        lambda: store.give_back(token),
    ]
    for step in steps:
        with pytest.raises(redis.ConnectionError):
            step()
    store.close()

    async def asynchronously() -> None:
        store = AsyncRedisIdempotencyStore.from_url(f"redis://127.0.0.1:{port}")
        with pytest.raises(redis.ConnectionError):
            await store.begin("key_1", "k", PRINT)
        await store.aclose()

    asyncio.run(asynchronously())


def test_what_is_no_record_is_no_answer(make: Any, inspector: Any) -> None:
    store, key = make(), "cardseal:idempotency:" + record_key("key_1", "k")
    inspector.hset(key, mapping={"fingerprint": PRINT, "number": "1", "status": "none", "body": "secret"})
    with pytest.raises(EnvelopeError, match="no idempotency record") as refused:
        store.begin("key_1", "k", PRINT)
    assert refused.value.code == "replay_store_unavailable"
    inspector.delete(key)
    inspector.set(key, "something else")
    with pytest.raises(redis.ResponseError):
        store.begin("key_1", "k", PRINT)


def test_a_redis_that_forgets_is_refused(make: Any, inspector: Any) -> None:
    store = make()
    store.check()
    inspector.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.raises(EnvelopeError, match="set it to `noeviction`"):
        store.check()
    inspector.config_set("maxmemory-policy", "noeviction")


def test_the_store_in_memory_goes_by_the_systems_clock() -> None:
    store = MemoryIdempotencyStore()
    assert bool(store)
    begun = store.begin("key_1", "k", PRINT)
    assert begun.token is not None
    lease_end = number(begun) + IDEMPOTENCY_LEASE_MILLIS
    assert store.begin("key_1", "k", PRINT, now_ms=lease_end - 1).state == "in_progress"
    assert store.begin("key_1", "k", PRINT, now_ms=lease_end).state == "outcome_unknown"
    assert store.give_back(begun.token)
    assert len(store) == 1
    assert repr(store) == "MemoryIdempotencyStore(records=1)"


def test_wrong_options_are_refused_before_anything_is_asked() -> None:
    nowhere = RedisIdempotencyStore.from_url("redis://127.0.0.1:1")
    token = record_key("key_1", "k") + ":1"
    for store in (MemoryIdempotencyStore(), nowhere):
        wrong: list[tuple[str, Callable[[Any], Any]]] = [
            ("invalid_api_key", lambda store: store.begin("key 1", "k", PRINT)),
            ("invalid_idempotency_key", lambda store: store.begin("key_1", "", PRINT)),
            ("invalid_option", lambda store: store.begin("key_1", "k", PRINT, lease_ms=-1)),
            ("invalid_option", lambda store: store.take_over("key_1", "k", PRINT, lease_ms=86_400_001)),
            ("invalid_option", lambda store: store.take_over("key_1", "k", "é")),
            ("invalid_option", lambda store: store.complete(token, 65_736, ANSWER)),
            ("invalid_option", lambda store: store.complete(token, 200, "\ud800")),
            ("invalid_option", lambda store: store.complete("4111", 200, ANSWER)),
            ("invalid_option", lambda store: store.give_back(token + " ")),
        ]
        for code, step in wrong:
            with pytest.raises(EnvelopeError) as refused:
                step(store)
            assert refused.value.code == code
            assert "4111" not in str(refused.value)
        with pytest.raises(TypeError, match="has to be a str or bytes"):
            store.complete(token, 200, 7)  # type: ignore[arg-type]
    nowhere.close()


def test_what_begin_gives_cannot_be_anything_else() -> None:
    token = record_key("key_1", "k") + ":1"
    assert repr(Begun("new", token=token)) == f"Begun(state='new', token='{token}')"
    assert repr(Begun("replay", status=200, body="4111")) == "Begun(state='replay', status=200, body_bytes=4)"
    for alone in ("in_progress", "conflict", "outcome_unknown"):
        begun = Begun(alone)
        assert (begun.state, begun.token, begun.status, begun.body) == (alone, None, None, None)
        assert repr(begun) == f"Begun(state='{alone}')"
    wrong: list[dict[str, Any]] = [
        {"state": "new"},
        {"state": "new", "token": "4111"},
        {"state": "replay", "status": 200},
        {"state": "replay", "status": 99, "body": b""},
        {"state": "conflict", "token": token},
        {"state": "stale"},
    ]
    for words in wrong:
        with pytest.raises(EnvelopeError) as refused:
            Begun(**words)
        assert refused.value.code == "invalid_option"


def number(begun: Begun) -> int:
    """The number of a token, which callers have no use for."""
    assert begun.token is not None
    return int(begun.token.partition(":")[2])
