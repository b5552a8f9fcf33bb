"""The adapters and the Client against the reference server, through a proxy that breaks things: SPEC.md, section 27."""

from __future__ import annotations

import asyncio
import email.utils
import inspect
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import httpx
import pytest
import requests
from http_callers import CALLERS, TIMEOUT
from sandbox import Behaviour, Proxy, Sandbox, answering, closing, raw, reflecting, running
from urllib3.util import Retry

import cardseal
import cardseal.aiohttp
import cardseal.httpx
import cardseal.requests
from cardseal import ApiError, Client, Envelope, EnvelopeError, OutcomeUnknownError

TOPUP = {"card_id": "card_1", "amount": "20.00"}


@pytest.fixture(scope="module")
def started() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(started: Sandbox) -> Sandbox:
    started.reset()
    return started


@pytest.fixture
def proxy(sandbox: Sandbox) -> Iterator[Proxy]:
    proxy = Proxy(sandbox.url)
    yield proxy
    proxy.close()


class Subject:
    """The caller under test, with what it reported."""

    def __init__(self, kind: str, url: str, sandbox: Sandbox, **options: Any) -> None:
        self.kind = kind
        self.events: list[Any] = []
        self.caller = CALLERS[kind](url, sandbox.api_key, sandbox.secret, on_attempt=self.events.append, **options)
        self.call = self.caller.call
        self.failures = self.caller.failures

    def waits(self) -> list[float | None]:
        return [event.wait_seconds for event in self.events]


@pytest.fixture(params=CALLERS)
def subject(request: pytest.FixtureRequest, proxy: Proxy, sandbox: Sandbox) -> Iterator[Subject]:
    subject = Subject(request.param, proxy.url, sandbox)
    yield subject
    subject.caller.close()


@pytest.fixture(params=CALLERS)
def make(request: pytest.FixtureRequest, proxy: Proxy, sandbox: Sandbox) -> Iterator[Any]:
    """Make subjects with options."""
    made: list[Subject] = []

    def make(**options: Any) -> Subject:
        made.append(Subject(request.param, proxy.url, sandbox, **options))
        return made[-1]

    yield make
    for subject in made:
        subject.caller.close()


def card(subject: Subject) -> str:
    """Make a card that can be topped up."""
    user = {"external_user_id": "user_1"}
    holder = {"subprovider_code": "sandbox", "first_name": "A", "last_name": "B", "birth_date": "1990-01-01"}
    contact = {"email": "a@example.com", "phone_number_full": "+10000000000", "country_iso": "US"}
    assert subject.call("/users/create", user).status == 200
    assert subject.call("/cardholders/create", {**user, **holder, **contact}).status == 200
    order = subject.call("/cards/create", {**user, "product_code": "virtual_usd", "amount": "10.00"}, "create-1")
    assert order.status == 200, order.text
    for _ in range(200):
        state = subject.call("/orders/check", {"order_id": order.payload["order_id"]}).payload
        if state["status"] == "completed":
            return str(state["card_id"])
        time.sleep(0.02)
    raise TimeoutError("the card is not issued")


def test_a_call_travels_sealed_and_comes_back_as_plain_json(subject: Subject, proxy: Proxy, sandbox: Sandbox) -> None:
    answer = subject.call("/project/balance", {"note": "none of your business"})
    assert (answer.status, answer.payload["available"], answer.error) == (200, "1000.00", None)
    [request] = proxy.requests
    assert (request.method, request.target) == ("POST", "/api/v1/project/balance")
    assert request.headers["api-key"] == sandbox.api_key
    assert request.headers["content-type"] == "application/json"
    assert list(json.loads(request.body)) == ["encrypted"]
    assert b"business" not in request.body
    if answer.headers:
        names = {name.lower(): value for name, value in answer.headers.items()}
        assert names["content-type"] == "application/json"
        assert names.get("content-length", str(len(answer.text))) == str(len(answer.text))
    [event] = subject.events
    assert (event.path, event.attempt, event.status) == ("/api/v1/project/balance", 1, 200)
    assert (event.failure_class, event.code, event.wait_seconds) == (None, None, None)


def test_an_error_of_the_api_keeps_its_status_and_is_typed(subject: Subject) -> None:
    answer = subject.call("/cards/get", {"card_id": "card_none"})
    assert answer.status == 404
    assert answer.payload["error_slug"] == "card_not_found"
    assert answer.error is not None
    assert (answer.error.slug, answer.error.encrypted, answer.error.failure_class) == ("card_not_found", True, "never")
    assert answer.error.payload == answer.payload
    assert [event.code for event in subject.events] == ["card_not_found"]


def test_each_attempt_is_sealed_anew_with_the_same_key(subject: Subject, proxy: Proxy, sandbox: Sandbox) -> None:
    card_id = card(subject)
    before = len(proxy.requests)
    sandbox.fault("status", status=503, when="before", count=2, path="/cards/topup")
    answer = subject.call("/cards/topup", {"card_id": card_id, "amount": "20.00"}, "topup-7")
    assert answer.status == 200
    sent = proxy.requests[before:]
    assert len(sent) == 3
    assert {request.headers["idempotency-key"] for request in sent} == {"topup-7"}
    assert len({request.body for request in sent}) == 3
    opened = [Envelope(sandbox.secret).open(request.body) for request in sent]
    assert len({payload.pop("request_timestamp") for payload in opened}) == 3
    assert opened == [{"card_id": card_id, "amount": "20.00"}] * 3
    assert [event.status for event in subject.events[-3:]] == [503, 503, 200]
    assert all(wait is not None for wait in subject.waits()[-3:-1])


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_answer_is_asked_for_again_and_charged_once(subject: Subject, sandbox: Sandbox, when: str) -> None:
    card_id = card(subject)
    sandbox.fault("drop", when=when, path="/cards/topup")
    answer = subject.call("/cards/topup", {"card_id": card_id, "amount": "20.00"}, "topup-8")
    assert answer.status == 200
    assert [event.status for event in subject.events[-2:]] == [None, 200]
    assert subject.events[-2].failure_class == "transient"
    assert [order["order_type"] for order in sandbox.orders()].count("card_topup") == 1, sandbox.orders()


def test_a_duplicate_is_sealed_again_at_once(subject: Subject, sandbox: Sandbox) -> None:
    sandbox.fault("plain", code="duplicate_request", count=2)
    assert subject.call("/project/balance", {}).status == 200
    assert subject.waits() == [0.0, 0.0, None]
    assert [event.code for event in subject.events] == ["duplicate_request", "duplicate_request", None]


def test_retry_after_is_waited_for(subject: Subject, proxy: Proxy) -> None:
    soon = email.utils.formatdate(time.time() + 2, usegmt=True)
    proxy.behaviours = [answering(429, "slow down", Retry_After="1"), answering(503, Retry_After=soon)]
    assert subject.call("/project/balance", {}).status == 200
    first, second, last = subject.waits()
    assert first == 1.0
    assert second is not None
    assert 0.0 <= second <= 2.0
    assert last is None


def test_a_page_of_html_is_no_success(make: Any, proxy: Proxy) -> None:
    subject = make(attempts=2)
    page = answering(200, "<html>welcome</html>", Content_Type="text/html")
    proxy.behaviours = [page, page]
    with pytest.raises(EnvelopeError) as raised:
        subject.call("/project/balance", {})
    assert (raised.value.code, raised.value.status) == ("invalid_json", 200)
    proxy.behaviours = [answering(502, "<html>bad gateway</html>", Content_Type="text/html")]
    assert subject.call("/project/balance", {}).status == 200
    proxy.behaviours = [answering(404, "<html>nothing</html>", Content_Type="text/html")]
    answer = subject.call("/project/balance", {})
    assert answer.status == 404
    assert answer.error is not None
    assert (answer.error.encrypted, answer.error.message) == (False, "<html>nothing</html>")
    if answer.headers:
        assert answer.text == "<html>nothing</html>"
        assert {name.lower(): value for name, value in answer.headers.items()}["content-type"] == "text/html"


@pytest.mark.parametrize("kind", ["flipped_tag", "bad_version", "other_key"])
def test_a_success_that_does_not_open_is_an_unknown_outcome(subject: Subject, sandbox: Sandbox, kind: str) -> None:
    sandbox.fault(kind, path="/users/create")
    with pytest.raises(OutcomeUnknownError) as raised:
        subject.call("/users/create", {"external_user_id": "user_2"})
    assert isinstance(raised.value.__cause__, EnvelopeError)
    assert [request["path"] for request in sandbox.journal()].count("/api/v1/users/create") == 1


def test_what_is_sealed_already_is_refused(subject: Subject, proxy: Proxy) -> None:
    with pytest.raises(EnvelopeError) as refused:
        subject.call("/project/balance", {"encrypted": "AgAA"})
    assert refused.value.code == "already_sealed"
    assert proxy.requests == []


def test_a_call_that_charges_needs_a_key(subject: Subject, proxy: Proxy) -> None:
    for key, code in ((None, "idempotency_key_required"), ("two words", "invalid_idempotency_key")):
        with pytest.raises(EnvelopeError) as refused:
            subject.call("/cards/topup", TOPUP, key)
        assert refused.value.code == code
    assert proxy.requests == []


@pytest.mark.parametrize("key", [None, "freeze-1"])
@pytest.mark.parametrize("behaviour", [answering(503), closing, answering(400, "Duplicate request detected")])
def test_an_unsafe_call_that_may_have_arrived_is_never_sent_again(
    subject: Subject, proxy: Proxy, behaviour: Behaviour, key: str | None
) -> None:
    proxy.behaviours = [behaviour]
    with pytest.raises(OutcomeUnknownError) as raised:
        subject.call("/cards/freeze", {"card_id": "card_1"}, key)
    error = raised.value
    assert (error.code, error.path, error.attempts) == ("outcome_unknown", "/api/v1/cards/freeze", 1)
    assert error.idempotency_key == key
    assert error.__cause__ is not None
    assert "call again" in str(error)
    assert "same idempotency key" not in str(error)
    assert len(proxy.requests) == 1
    assert subject.waits() == [None]


def test_an_unknown_outcome_carries_the_key(make: Any, proxy: Proxy) -> None:
    subject = make(attempts=3)
    proxy.behaviours = [closing, answering(503), closing]
    with pytest.raises(OutcomeUnknownError) as raised:
        subject.call("/cards/topup", TOPUP, "topup-9")
    error = raised.value
    assert (error.path, error.idempotency_key, error.attempts) == ("/api/v1/cards/topup", "topup-9", 3)
    assert isinstance(error.__cause__, subject.failures)
    assert "same idempotency key" in str(error)
    assert len(proxy.requests) == 3


def test_a_read_that_ends_gives_its_last_failure(make: Any, proxy: Proxy) -> None:
    subject = make(attempts=2)
    proxy.behaviours = [answering(503), closing]
    with pytest.raises(subject.failures):
        subject.call("/project/balance", {})
    proxy.behaviours = [answering(503), answering(200, "{}")]
    with pytest.raises(EnvelopeError, match="was not sealed"):
        subject.call("/project/balance", {})
    proxy.behaviours = [closing, answering(503, "not now")]
    answer = subject.call("/project/balance", {})
    assert answer.status == 503
    assert answer.error is not None
    assert (answer.error.code, answer.error.message) == (None, "not now")


def test_what_never_left_is_tried_again_and_leaves_no_unknown_outcome(
    request: pytest.FixtureRequest, make: Any, sandbox: Sandbox
) -> None:
    kind = request.node.callspec.params["make"]
    with Proxy_gone() as url:
        subject = Subject(kind, url, sandbox, attempts=2)
        with pytest.raises(subject.failures):
            subject.call("/cards/freeze", {"card_id": "card_1"})
        subject.caller.close()
    assert [event.attempt for event in subject.events] == [1, 2]
    assert [event.failure_class for event in subject.events] == ["transient"] * 2


class Proxy_gone:  # noqa: N801 - reads as what it is
    """An address at which nobody listens."""

    def __enter__(self) -> str:
        proxy = Proxy("http://127.0.0.1:1")
        proxy.close()
        return proxy.url

    def __exit__(self, *_: object) -> None:
        pass


def test_a_handshake_that_fails_was_no_call(request: pytest.FixtureRequest, make: Any, sandbox: Sandbox) -> None:
    kind = request.node.callspec.params["make"]
    proxy = Proxy(sandbox.url)  # speaks no TLS
    subject = Subject(kind, proxy.url.replace("http:", "https:"), sandbox, attempts=2)
    with pytest.raises(subject.failures):
        subject.call("/cards/freeze", {"card_id": "card_1"})
    subject.caller.close()
    proxy.close()
    assert [event.attempt for event in subject.events] == [1, 2]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_error_and_never_followed(subject: Subject, proxy: Proxy, status: int) -> None:
    proxy.behaviours = [answering(status, Location=proxy.url + "/api/v1/project/balance")]
    follow: dict[str, Any] = {"follow_redirects": True} if "httpx" in subject.kind else {}
    with pytest.raises(ApiError) as raised:
        subject.call("/cards/freeze", {"card_id": "card_1"}, **follow)
    assert (raised.value.status, raised.value.failure_class) == (status, "never")
    assert len(proxy.requests) == 1


def test_the_own_request_is_no_answer(subject: Subject, proxy: Proxy) -> None:
    proxy.behaviours = [reflecting]
    with pytest.raises(EnvelopeError) as raised:
        subject.call("/project/balance", {})
    assert raised.value.code == "reflected_response"
    assert len(proxy.requests) == 1


def test_a_call_ends_with_its_deadline(make: Any, proxy: Proxy) -> None:
    subject = make(deadline_seconds=5)
    proxy.behaviours = [answering(503, Retry_After="5")]
    assert subject.call("/project/balance", {}).status == 503
    proxy.behaviours = [answering(503, Retry_After="99999999999999999999")]
    with pytest.raises(OutcomeUnknownError):
        subject.call("/cards/topup", TOPUP, "topup-1")
    assert len(proxy.requests) == 2
    subject = make(deadline_seconds=0)
    proxy.behaviours = [closing]
    with pytest.raises(subject.failures):
        subject.call("/project/balance", {})


def test_a_call_ends_after_its_attempts(make: Any, proxy: Proxy) -> None:
    subject = make(attempts=4)
    proxy.behaviours = [answering(400, "Duplicate request detected")] * 3 + [answering(503)]
    assert subject.call("/project/balance", {}).status == 503
    assert len(proxy.requests) == 4
    proxy.behaviours = [answering(400, "Duplicate request detected")] * 4
    answer = make().call("/project/balance", {})
    assert answer.error is not None
    assert (answer.error.code, len(proxy.requests)) == ("duplicate_request", 8), "three times sealed again, not more"


def test_the_limits_are_the_cores() -> None:
    options = inspect.signature(cardseal.requests.SealAdapter).parameters
    assert (options["attempts"].default, options["deadline_seconds"].default) == (8, 60.0)


@pytest.mark.parametrize(
    "broken",
    [
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b'{"encrypted":"A'),
        raw(b'HTTP/1.1 403 No\r\nContent-Length: 500\r\n\r\n{"error": "no'),
        raw(b"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
        raw(b"SSH-2.0-OpenSSH\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"),
    ],
    ids=["short", "short-error", "chunk", "no-http", "no-gzip"],
)
def test_an_answer_that_breaks_off_is_no_answer(subject: Subject, proxy: Proxy, broken: Behaviour) -> None:
    proxy.behaviours = [broken]
    with pytest.raises(OutcomeUnknownError):
        subject.call("/cards/freeze", {"card_id": "card_1"})
    assert len(proxy.requests) == 1
    proxy.behaviours = [broken]
    assert subject.call("/project/balance", {}).status == 200


def test_silence_ends_an_attempt(make: Any, proxy: Proxy) -> None:
    subject = make(timeout=0.5)
    released = threading.Event()

    def silent(_client: Any, _request: Any) -> bool:
        released.wait(30)
        return False

    proxy.behaviours = [silent]
    answer = subject.call("/project/balance", {})
    released.set()
    assert answer.status == 200
    assert (subject.events[0].status, subject.events[-1].status) == (None, 200)
    assert subject.events[0].failure_class == "transient"


def test_a_body_that_is_too_large_is_not_read_to_its_end(
    request: pytest.FixtureRequest, proxy: Proxy, sandbox: Sandbox
) -> None:
    for kind in CALLERS:
        envelope = Envelope(sandbox.secret, max_bytes=1000)
        caller = CALLERS[kind](proxy.url, sandbox.api_key, envelope, attempts=1)
        endless = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b" " * 200_000)
        proxy.behaviours = [endless]
        with pytest.raises(EnvelopeError) as raised:
            caller.call("/project/balance", {})
        caller.close()
        assert raised.value.code == "too_large", kind


def rest(subject: Subject, seconds: float) -> None:
    loop = getattr(subject.caller, "loop", None)
    if loop is None:
        time.sleep(seconds)
    else:
        loop.run_until_complete(asyncio.sleep(seconds))  # one that stands still sees nothing


def test_connections_are_kept_and_a_stale_one_harms_nobody(subject: Subject, proxy: Proxy) -> None:
    for _ in range(3):
        assert subject.call("/project/balance", {}).status == 200
    assert proxy.connections == 1

    def last(client: Any, request: Any) -> bool:
        answering(404, "Said, and closed")(client, request)
        return False

    proxy.behaviours = [last]
    assert subject.call("/project/balance", {}).status == 404
    rest(subject, 1)  # for the end of the connection to arrive, and to be seen
    answer = subject.call("/cards/freeze", {"card_id": "card_1", "external_user_id": "u"})
    assert answer.error is not None
    assert answer.error.encrypted, "the unsafe call arrived, on a new connection"
    assert proxy.connections == 2


def test_events_and_errors_hold_no_secret(make: Any, proxy: Proxy, sandbox: Sandbox) -> None:
    subject = make(attempts=2)
    proxy.behaviours = [closing, answering(503, "try later")]
    error: Any = None
    try:
        subject.call("/cards/topup", {"card_id": "card_4111", "amount": "20.00"}, "key-4111")
    except OutcomeUnknownError as raised:
        error = raised
    assert error is not None
    texts = [repr(event) for event in subject.events] + [str(error), repr(error.__cause__), str(error.__cause__)]
    for name in ("caller", "adapter", "client", "session"):
        texts.append(repr(getattr(subject.caller, name, None)))
    for text in texts:
        for hidden in (sandbox.secret, sandbox.api_key, "4111"):
            assert hidden not in text, text


def test_what_a_listener_raises_does_not_hide_the_answer(
    request: pytest.FixtureRequest, proxy: Proxy, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    def listener(_event: Any) -> None:
        raise RuntimeError("the metrics are down")

    for kind in CALLERS:
        caller = CALLERS[kind](proxy.url, sandbox.api_key, sandbox.secret, on_attempt=listener)
        assert caller.call("/project/balance", {}).status == 200
        caller.close()
    assert [record.name for record in caplog.records].count("cardseal") == len(CALLERS)


@pytest.mark.parametrize("option", [{"attempts": 0}, {"deadline_seconds": -1}, {"deadline_seconds": float("nan")}])
def test_options_are_checked(option: dict[str, Any]) -> None:
    makers: list[Any] = [
        lambda *words, **options: Client("http://127.0.0.1:1", *words, **options),
        cardseal.requests.SealAdapter,
        cardseal.httpx.SealTransport,
        cardseal.httpx.AsyncSealTransport,
        cardseal.aiohttp.seal_middleware,
    ]
    for make in makers:
        with pytest.raises(EnvelopeError) as refused:
            make("key_1", "your_api_secret_key_here", **option)
        assert refused.value.code == "invalid_option"


def test_threads_share_a_client(proxy: Proxy, sandbox: Sandbox) -> None:
    with Client(proxy.url, sandbox.api_key, sandbox.secret, pool_size=2) as client:
        answers: list[Any] = []

        def work() -> None:
            for _ in range(10):
                answers.append(client.call("/project/balance")["available"])

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == ["1000.00"] * 60


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_takes_no_connection_of_its_parent(proxy: Proxy, sandbox: Sandbox) -> None:
    script = (
        "import os, sys, cardseal\n"
        "client = cardseal.Client.from_env()\n"
        "client.call('/project/balance')\n"
        "child = os.fork()\n"
        "client.call('/project/balance')\n"
        "if child: sys.exit(os.waitpid(child, 0)[1])\n"
    )
    environment = {
        **os.environ,
        "CARDSEAL_URL": proxy.url,
        "CARDSEAL_API_KEY": sandbox.api_key,
        "CARDSEAL_SECRET": sandbox.secret,
    }
    subprocess.run([sys.executable, "-c", script], env=environment, check=True, timeout=60)
    assert len(proxy.requests) == 3
    assert proxy.connections == 2


def test_a_client_of_the_environment(proxy: Proxy, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"URL": proxy.url, "API_KEY": sandbox.api_key, "SECRET": sandbox.secret}
    for name in values:
        monkeypatch.delenv(f"CARDSEAL_{name}", raising=False)
    for name, value in values.items():
        with pytest.raises(EnvelopeError, match=f"CARDSEAL_{name} is not set") as refused:
            Client.from_env()
        assert refused.value.code == "invalid_option"
        monkeypatch.setenv(f"CARDSEAL_{name}", value)
    with Client.from_env(attempts=1) as client:
        assert client.call("/project/balance")["currency"] == "usdt"


def test_the_client_waits_for_an_order(proxy: Proxy, sandbox: Sandbox) -> None:
    subject = Subject("client", proxy.url, sandbox)
    card_id = card(subject)
    client: Client = subject.caller.client
    order = client.call("/cards/topup", {"card_id": card_id, "amount": "20.00"}, "topup-10")
    assert client.wait_for_order(order["order_id"], timeout_seconds=20)["status"] == "completed"
    processing = answering(200, Envelope(sandbox.secret).seal_response({"order_id": "o", "status": "processing"}))
    proxy.behaviours = [processing, processing]
    assert client.wait_for_order(order["order_id"], timeout_seconds=20)["status"] == "completed"
    assert proxy.behaviours == []
    proxy.behaviours = [processing]
    with pytest.raises(TimeoutError, match="still processing"):
        client.wait_for_order(order["order_id"], timeout_seconds=0)
    subject.caller.close()


@pytest.mark.parametrize(
    "url", ["", "api.example.com", "ftp://host", "https://host/api/v1", "https://u:p@host", "https://host:x"]
)
def test_a_base_url_is_an_origin(url: str) -> None:
    with pytest.raises(EnvelopeError) as refused:
        Client(url, "key_1", "your_api_secret_key_here")
    assert refused.value.code == "invalid_option"
    assert repr(Client("https://host/", "key_1", "your_api_secret_key_here")) == "Client(base_url='https://host')"


def test_only_posts_of_json_without_a_query_pass(proxy: Proxy, sandbox: Sandbox) -> None:
    session = requests.Session()
    session.mount(proxy.url, cardseal.requests.SealAdapter(sandbox.api_key, sandbox.secret))
    transport = cardseal.httpx.SealTransport(sandbox.api_key, sandbox.secret)
    client = httpx.Client(base_url=proxy.url, transport=transport)

    async def asynchronously(method: str, **more: Any) -> None:
        seal = cardseal.aiohttp.seal_middleware(sandbox.api_key, sandbox.secret)
        async with aiohttp.ClientSession(proxy.url, middlewares=[seal]) as session:
            await session.request(method, "/project/balance", **more)

    def httpx_call(method: str, **more: Any) -> Any:
        if isinstance(more.get("data"), str):
            more["content"] = more.pop("data")
        return client.request(method, "/project/balance", **more)

    calls: list[Any] = [
        lambda method, **more: session.request(method, proxy.url + "/project/balance", **more),
        httpx_call,
        lambda method, **more: asyncio.run(asynchronously(method, **more)),
    ]
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("GET", {}),
        ("PUT", {"json": {}}),
        ("POST", {"json": {}, "params": {"page": "2"}}),
        ("POST", {"data": {"a": "form"}}),
        ("POST", {"data": "{}", "headers": {"Content-Type": "text/plain"}}),
    ]
    for call in calls:
        for method, more in wrong:
            with pytest.raises(EnvelopeError) as refused:
                call(method, **dict(more))
            assert refused.value.code == "invalid_option"
    assert proxy.requests == []
    for call in calls[:2]:
        assert call("POST").json()["available"] == "1000.00", "no body is an empty payload"
    asyncio.run(asynchronously("POST"))
    assert len(proxy.requests) == 3
    client.close()
    session.close()


def test_no_retry_of_urllib3s_is_let_through(proxy: Proxy, sandbox: Sandbox) -> None:
    with pytest.raises(TypeError):
        cardseal.requests.SealAdapter(sandbox.api_key, sandbox.secret, max_retries=3)  # type: ignore[call-arg]
    adapter = cardseal.requests.SealAdapter(sandbox.api_key, sandbox.secret)
    adapter.max_retries = Retry(5, status_forcelist=[503], allowed_methods=None, backoff_factor=0)
    session = requests.Session()
    session.mount(proxy.url, adapter)
    for behaviour in (closing, answering(503), answering(503, Retry_After="0")):
        proxy.behaviours = [behaviour]
        proxy.requests.clear()
        with pytest.raises(OutcomeUnknownError):
            session.post(proxy.url + "/cards/freeze", json={"card_id": "card_1"}, timeout=TIMEOUT)
        assert len(proxy.requests) == 1
    session.close()


def test_a_response_of_requests_is_whole(proxy: Proxy, sandbox: Sandbox) -> None:
    session = requests.Session()
    session.mount(proxy.url, cardseal.requests.SealAdapter(sandbox.api_key, sandbox.secret))
    with session.post(proxy.url + "/project/balance", json={"a": 1}, stream=True, timeout=TIMEOUT) as response:
        assert b"".join(response.iter_content(7)) == response.content
        assert response.request.body == b'{"a": 1}', "the request as the caller made it"
        assert sandbox.api_key not in str(response.request.headers)
    session.close()


def test_numbers_arrive_as_the_server_wrote_them(proxy: Proxy, sandbox: Sandbox) -> None:
    text = '{"rate":1.10,"big":12345678901234567890123,"tiny":1e-7}'
    for kind in CALLERS.keys() - {"client"}:
        proxy.behaviours = [answering(200, Envelope(sandbox.secret).seal_response(text))]
        caller = CALLERS[kind](proxy.url, sandbox.api_key, sandbox.secret)
        assert caller.call("/project/balance", {}).text == text
        caller.close()


@pytest.mark.parametrize("kind", ["httpx-async", "httpx2-async", "aiohttp"])
def test_a_cancelled_call_ends_at_once(kind: str, proxy: Proxy, sandbox: Sandbox) -> None:
    subject = Subject(kind, proxy.url, sandbox)
    released = threading.Event()

    def silent(_client: Any, _request: Any) -> bool:
        released.wait(30)
        return False

    async def call(behaviour: Behaviour) -> None:
        proxy.behaviours = [behaviour]
        post = getattr(subject.caller, "client", None) or subject.caller.session
        task = asyncio.ensure_future(post.post("/project/balance", json={}))
        while not subject.events and len(proxy.requests) == before:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    for behaviour in (silent, answering(503, Retry_After="50")):
        before = len(proxy.requests)
        subject.caller.loop.run_until_complete(call(behaviour))
        assert len(proxy.requests) == before + 1
    released.set()
    subject.caller.close()


def test_the_total_time_of_aiohttp_ends_the_call(proxy: Proxy, sandbox: Sandbox) -> None:
    released = threading.Event()

    def silent(_client: Any, _request: Any) -> bool:
        released.wait(30)
        return False

    events: list[Any] = []

    async def call(path: str) -> None:
        seal = cardseal.aiohttp.seal_middleware(sandbox.api_key, sandbox.secret, on_attempt=events.append)
        timeout = aiohttp.ClientTimeout(total=0.3)
        async with aiohttp.ClientSession(proxy.url, middlewares=[seal], timeout=timeout) as session:
            await session.post(path, json={})

    proxy.behaviours = [silent, silent]
    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(call("/project/balance"))
    with pytest.raises(OutcomeUnknownError):
        asyncio.run(call("/cards/freeze"))
    released.set()
    assert len(proxy.requests) == 2
    assert [event.wait_seconds for event in events] == [None, None]


def test_a_clock_that_is_wrong_is_tried_once_more(subject: Subject, sandbox: Sandbox) -> None:
    sandbox.clock(offset_millis=3_600_000)
    answer = subject.call("/project/balance", {})
    sandbox.clock(offset_millis=0)
    assert answer.error is not None
    assert answer.error.code == "timestamp_outside_window"
    assert len(subject.events) == 2


@pytest.mark.parametrize("name", ["requests", "httpx", "aiohttp"])
def test_a_missing_library_is_named_with_its_extra(name: str) -> None:
    script = (
        f"import sys\nsys.modules.update(dict.fromkeys(['requests', 'httpx', 'httpx2', 'aiohttp']))\n"
        f"import cardseal.{name}"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    lines = ended.stderr.splitlines()
    assert lines[-1].startswith(f"ImportError: cardseal.{name} needs {name}")
    assert f"pip install 'cardseal[{name}]'" in lines[-1]
    assert "During handling" not in ended.stderr


def test_the_package_imports_no_http_and_no_tls() -> None:
    script = (
        "import sys\nbefore = set(sys.modules)\nimport cardseal\nprint(*set(sys.modules) - before)\n"
        "cardseal.Client\nprint('http.client' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    modules, later = ended.stdout.splitlines()
    ours = {name for name in modules.split() if name.partition(".")[0] == "cardseal"}
    assert ours == {"cardseal", "cardseal._errors", "cardseal._native", "cardseal._status", "cardseal._statuses"}
    heavy = {"dataclasses", "email", "enum", "http.client", "logging", "selectors", "socket", "ssl", "typing"}
    assert not heavy & set(modules.split())
    assert later == "True"
