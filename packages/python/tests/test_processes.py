"""Forks, threads and sub-processes: nonces never repeat, timestamps never within a process."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from conftest import key_of, nacl_open

import cardseal
from cardseal import Envelope

SECRET = "your_api_secret_key_here"


def seals(envelope: Envelope, count: int) -> list[tuple[bytes, int]]:
    sealed = []
    for _ in range(count):
        request = envelope.seal_request("/cards/get", {"card_id": "card_abc123"}, api_key="key_1")
        sealed.append((request.nonce, request.timestamp_micros))
    return sealed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_eight_forked_children_share_no_nonce() -> None:
    envelope = Envelope(SECRET)
    seals(envelope, 10)
    pipes = []
    for _ in range(8):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.close(reader)
                lines = [f"{nonce.hex()} {stamp}\n" for nonce, stamp in seals(envelope, 1_000)]
                with os.fdopen(writer, "w") as pipe:
                    pipe.writelines(lines)
                status = 0
            finally:
                os._exit(status)
        os.close(writer)
        pipes.append((child, reader))
    nonces: list[str] = []
    for child, reader in pipes:
        with os.fdopen(reader) as pipe:
            rows = [line.split() for line in pipe]
        assert os.waitpid(child, 0)[1] == 0
        stamps = [int(stamp) for _, stamp in rows]
        assert len(stamps) == 1_000
        assert all(earlier < later for earlier, later in itertools.pairwise(stamps))
        nonces += [nonce for nonce, _ in rows]
    assert len(set(nonces)) == 8_000


def test_the_nonce_told_is_the_nonce_used() -> None:
    envelope = Envelope(SECRET)
    request = envelope.seal_request("/cards/get", {}, api_key="key_1")
    assert nacl_open(request.body[14:-2], key_of(SECRET))[0] == request.nonce


def in_threads(count: int, work: Any) -> None:
    failures: list[BaseException] = []

    def guarded(index: int) -> None:
        try:
            work(index)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_eight_threads_share_no_timestamp() -> None:
    stamps: list[list[int]] = [[] for _ in range(8)]

    def work(index: int) -> None:
        stamps[index] = [cardseal.timestamp_micros() for _ in range(10_000)]

    in_threads(8, work)
    for own in stamps:
        assert all(earlier < later for earlier, later in itertools.pairwise(own))
    assert len(set().union(*stamps)) == 80_000


def test_threads_share_an_envelope_with_short_and_long_bodies() -> None:
    envelope = Envelope(SECRET)

    def work(index: int) -> None:
        for size in (10, 40_000, 100, 100_000) * 25:
            payload = {"thread": index, f"name_{index}": ["x" * size, {"size": size, "é": "é" * (size // 10)}]}
            opened = envelope.open_request(envelope.seal(payload)).payload
            del opened["request_timestamp"]
            assert opened == payload

    in_threads(8, work)


def test_other_threads_run_while_a_long_body_is_sealed_and_opened() -> None:
    envelope = Envelope(SECRET, max_bytes=2**30)
    text = '{"document":"' + "x" * (32 << 20) + '"}'
    body = envelope.seal_response(text)
    for work in (lambda: envelope.seal_response(text), lambda: envelope.decrypt(body[14:-2])):
        done = threading.Event()
        thread = threading.Thread(target=lambda work=work, done=done: (work(), done.set()))
        interval = sys.getswitchinterval()
        # Nobody is made to give the lock away: this thread runs meanwhile only if the other one lets it.
        sys.setswitchinterval(1_000)
        try:
            thread.start()
            turns = 0
            while not done.is_set():
                time.sleep(0)
                turns += 1
        finally:
            sys.setswitchinterval(interval)
        thread.join()
        assert turns > 20


def in_child(queue: Any, body: str) -> None:
    queue.put(Envelope(SECRET).open(body))


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_sub_processes_seal_and_open(method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip("this system cannot start processes so")
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    process = context.Process(target=in_child, args=(queue, Envelope(SECRET).seal_response([1])))
    process.start()
    assert queue.get(timeout=60) == [1]
    process.join(60)
    assert process.exitcode == 0


def test_importing_takes_none_of_the_slow_modules() -> None:
    program = "import sys; before = set(sys.modules); import cardseal; print(*sorted(set(sys.modules) - before))"
    result = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.split())
    assert loaded >= {"cardseal", "cardseal._native"}
    assert loaded <= {
        "cardseal",
        "cardseal._native",
        "cardseal._errors",
        "cardseal._status",
        "cardseal._statuses",
        "__future__",
    }


SUB_INTERPRETER = """
try:
    import _xxsubinterpreters as interpreters
except ImportError:
    import _interpreters as interpreters
import cardseal

def fails():
    try:
        cardseal.Envelope("short")
    except cardseal.EnvelopeError as error:
        return error.code

assert fails() == "invalid_key"
other = interpreters.create()
attempt = "try:\\n    import cardseal\\nexcept ImportError as error:\\n    pass\\nelse:\\n    raise SystemExit('imported')"
outcome = interpreters.run_string(other, attempt)
assert outcome is None, outcome
interpreters.destroy(other)
assert fails() == "invalid_key"
print("done")
"""


def test_a_second_interpreter_of_the_process_is_refused() -> None:
    result = subprocess.run([sys.executable, "-c", SUB_INTERPRETER], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout.strip()) == (0, "done"), result.stderr


SMALL_STACK = """
import threading
import cardseal
envelope = cardseal.Envelope("your_api_secret_key_here")
text = '{"a":' * 127 + "1" + "}" * 127
value = envelope.open(envelope.seal_response(text))
results = []
threading.stack_size(65_536)
thread = threading.Thread(target=lambda: results.append(envelope.open(envelope.seal_response(value)) == value))
thread.start()
thread.join()
print(results)
"""


def test_a_stack_of_64_kib_is_enough_for_the_deepest_payload() -> None:
    result = subprocess.run([sys.executable, "-c", SMALL_STACK], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout.strip()) == (0, "[True]"), result.stderr
