"""A clock that is wrong, set right by a real TLS server's Date: SPEC.md, section 27."""

from __future__ import annotations

import contextlib
import email.utils
import http.server
import json
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import SECRET
from http_callers import CALLERS

import cardseal
from cardseal import Envelope, EnvelopeError, OutcomeUnknownError
from cardseal._http import CORRECTIONS

API_KEY = "key_1"
ENVELOPE = Envelope(SECRET)


class Server:
    """A server whose clock is off by so many seconds, and which judges requests by that clock."""

    def __init__(self, certificate: Path | None) -> None:
        self.skew_seconds = 0.0
        self.date: str | None = None
        """What it says in the place of its time."""
        self.requests: list[str] = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                status, body = server.answer(self.path, self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def date_time_string(self, timestamp: float | None = None) -> str:
                return server.date or email.utils.formatdate(time.time() + server.skew_seconds, usegmt=True)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def answer(self, path: str, body: bytes) -> tuple[int, bytes]:
        self.requests.append(path)
        now = int((time.time() + self.skew_seconds) * 1_000_000)
        try:
            request = ENVELOPE.open_request(body, now_micros=now)
        except EnvelopeError as error:
            text = cardseal._native.server_answer(error.code)
            assert text is not None
            return text[0], json.dumps({"error": text[1]}).encode()
        skew = request.timestamp_micros - now
        return 200, ENVELOPE.seal_response({"skew_micros": skew}).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A throwaway certificate for the loopback address, and its key, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    about = ["-subj", "/CN=loopback", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(["openssl", "req", "-x509", *kind, *files, *about], check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_text((folder / "key.pem").read_text() + (folder / "certificate.pem").read_text())
    return both


@pytest.fixture
def server(certificate: Path) -> Iterator[Server]:
    server = Server(certificate)
    yield server
    server.close()


@pytest.fixture(autouse=True)
def systems_clock() -> Iterator[None]:
    """Whatever a test has done to the clock of the process ends with it."""
    CORRECTIONS.forget()
    yield
    CORRECTIONS.forget()


class Subject:
    def __init__(self, kind: str, url: str, certificate: Path, *, is_asked: bool = True) -> None:
        self.offsets: list[float] = []
        self.events: list[Any] = []
        asked: dict[str, Any] = {"correct_clock": self.offsets.append} if is_asked else {}
        trusted = str(certificate.parent / "certificate.pem") if url.startswith("https:") else None
        self.caller = CALLERS[kind](url, API_KEY, SECRET, trusted=trusted, on_attempt=self.events.append, **asked)

    def codes(self) -> list[str | None]:
        return [event.code for event in self.events]


@pytest.fixture(params=CALLERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@contextlib.contextmanager
def calling(kind: str, url: str, certificate: Path, **options: Any) -> Iterator[Subject]:
    subject = Subject(kind, url, certificate, **options)
    try:
        yield subject
    finally:
        subject.caller.close()


OUTSIDE = "timestamp_outside_window"


@pytest.mark.parametrize("skew", [300, -300])
def test_a_wrong_clock_is_set_right_where_that_is_asked_for(
    kind: str, server: Server, certificate: Path, skew: int
) -> None:
    server.skew_seconds = skew
    with calling(kind, server.url, certificate, is_asked=False) as subject:
        answer = subject.caller.call("/project/balance", {})
        assert answer.error is not None
        assert (answer.error.code, subject.codes()) == (OUTSIDE, [OUTSIDE, OUTSIDE])
    with calling(kind, server.url, certificate) as subject:
        assert abs(subject.caller.call("/project/balance", {}).payload["skew_micros"]) < 25_000_000
        assert subject.codes() == [OUTSIDE, None]
        assert subject.events[0].wait_seconds == 0
        [offset] = subject.offsets
        assert abs(offset - skew) < 20
        assert subject.caller.call("/project/balance", {}).status == 200
        assert subject.codes() == [OUTSIDE, None, None], "from then on it is right"
        assert len(subject.offsets) == 1
    assert abs(cardseal.timestamp_micros() / 1_000_000 - time.time() - skew) < 20, "for the whole process"


def test_over_plain_http_nobody_is_believed(kind: str, certificate: Path) -> None:
    server = Server(None)
    server.skew_seconds = 300
    with calling(kind, server.url, certificate) as subject:
        answer = subject.caller.call("/project/balance", {})
        assert answer.error is not None
        assert (answer.error.code, subject.codes(), subject.offsets) == (OUTSIDE, [OUTSIDE, OUTSIDE], [])
    server.close()


def test_a_date_too_far_away_is_not_believed(kind: str, server: Server, certificate: Path) -> None:
    for skew in (960, -960):
        server.skew_seconds = skew
        with calling(kind, server.url, certificate) as subject:
            answer = subject.caller.call("/project/balance", {})
            assert answer.error is not None
            assert (answer.error.code, subject.codes(), subject.offsets) == (OUTSIDE, [OUTSIDE, OUTSIDE], [])
    server.skew_seconds = 840
    with calling(kind, server.url, certificate) as subject:
        assert subject.caller.call("/project/balance", {}).status == 200


def test_there_is_one_correction_a_minute(kind: str, server: Server, certificate: Path) -> None:
    server.skew_seconds = 300
    with calling(kind, server.url, certificate) as subject:
        assert subject.caller.call("/project/balance", {}).status == 200
        server.skew_seconds = -300
        answer = subject.caller.call("/project/balance", {})
        assert answer.error is not None
        assert answer.error.code == OUTSIDE
        assert len(subject.offsets) == 1
        with calling(kind, server.url, certificate) as other:
            assert other.caller.call("/project/balance", {}).status == 400, "nor by another of the same process"
            assert other.offsets == []


def test_the_offset_is_the_date_and_half_a_second(server: Server, certificate: Path) -> None:
    said = int(time.time()) + 300
    server.skew_seconds, server.date = 300, email.utils.formatdate(said, usegmt=True)
    with calling("client", server.url, certificate) as subject:
        before = time.time()
        subject.caller.call("/project/balance", {})
        after = time.time()
        [offset] = subject.offsets
    assert said + 0.5 - after <= offset <= said + 0.5 - before


def test_the_limits_of_a_correction(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr("cardseal._http.time", SimpleNamespace(monotonic=lambda: now))
    assert not CORRECTIONS.take_over(900.001)
    assert not CORRECTIONS.take_over(-900.001)
    assert CORRECTIONS.take_over(-900.0), "what was refused is no correction"
    now += 59.999
    assert not CORRECTIONS.take_over(900.0)
    now = 1_060.0
    assert CORRECTIONS.take_over(900.0)


@pytest.mark.parametrize(
    "date", ["soon", "Sun, 06 Nov 1994 08:49:37", "Xxx, 99 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"]
)
def test_what_is_no_date_is_not_believed(server: Server, certificate: Path, date: str) -> None:
    server.skew_seconds, server.date = 300, date
    with calling("client", server.url, certificate) as subject:
        assert subject.caller.call("/project/balance", {}).status == 400
        assert subject.offsets == []


def test_an_unsafe_call_is_not_sent_again_but_the_next_is_right(kind: str, server: Server, certificate: Path) -> None:
    server.skew_seconds = 300
    with calling(kind, server.url, certificate) as subject:
        with pytest.raises(OutcomeUnknownError):
            subject.caller.call("/cards/freeze", {"card_id": "card_1"})
        assert (len(server.requests), len(subject.offsets)) == (1, 1)
        assert subject.caller.call("/cards/freeze", {"card_id": "card_1"}).status == 200


def test_what_the_listener_raises_changes_nothing(
    server: Server, certificate: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def listener(_offset: float) -> None:
        raise RuntimeError("the metrics are down")

    server.skew_seconds = 300
    trusted = str(certificate.parent / "certificate.pem")
    caller = CALLERS["client"](server.url, API_KEY, SECRET, trusted=trusted, correct_clock=listener)
    assert caller.call("/project/balance", {}).status == 200
    caller.close()
    assert [record.getMessage() for record in caplog.records] == ["`correct_clock` failed"]
