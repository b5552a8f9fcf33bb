"""The middlewares in real frameworks behind real servers: SPEC.md, section 26."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import wsgiref.util
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import redis
from conftest import REPOSITORY, SECRET
from redis_server import redis_port
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

import cardseal.httpx
from cardseal import ApiError, Client, Envelope, EnvelopeError, MemoryReplayStore, asgi, wsgi
from cardseal.redis import AsyncRedisReplayStore, RedisReplayStore, RedisWebhookStore
from cardseal.wsgi import MemoryWebhookStore

API_KEY = "key_1"
ENVELOPE = Envelope(SECRET)
PATH = "/api/v1/cards/get"
FRAMEWORKS = ["starlette", "fastapi", "flask", "django"]


class Server:
    """A driver of tests/adapters, and what it says of itself."""

    def __init__(self, url: str) -> None:
        self.url = url

    def count(self) -> int:
        return int(self.ask("/count"))

    def events(self) -> list[str]:
        return list(self.ask("/events"))

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def post(
        self, path: str, body: str | bytes, method: str = "POST", **changed: str | None
    ) -> tuple[int, bytes, dict[str, str]]:
        headers: dict[str, str | None] = {"API-KEY": API_KEY, "Content-Type": "application/json"}
        headers.update({name.replace("_", "-"): value for name, value in changed.items()})
        given = {name: value for name, value in headers.items() if value is not None}
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=10)
        with contextlib.closing(connection):
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}


@contextlib.contextmanager
def serving(framework: str, redis_url: str = "") -> Iterator[Server]:
    environment = {
        **os.environ,
        "CARDSEAL_API_KEY": API_KEY,
        "CARDSEAL_SECRET": SECRET,
        "CARDSEAL_REDIS": redis_url,
        "PYTHONWARNINGS": "default",
    }
    driver = REPOSITORY / "tests/adapters/drivers/server.py"
    process = subprocess.Popen(
        [sys.executable, str(driver), framework],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Server(json.loads(process.stdout.readline())["url"])
    finally:
        process.stdin.close()
        assert process.wait(timeout=30) == 0
        process.stdout.close()


@pytest.fixture(scope="module", params=FRAMEWORKS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(request.param) as server:
        yield server


def refused(server: Server, *words: Any, **changed: str | None) -> tuple[int, str]:
    """Give status and text of a plain error, after which nothing has run."""
    before = server.count()
    status, body, headers = server.post(*words, **changed)
    assert server.count() == before
    assert headers["content-type"] == "application/json"
    error = json.loads(body)
    assert list(error) == ["error"]
    return status, error["error"]


def test_the_client_talks_to_it(server: Server) -> None:
    with Client(server.url, API_KEY, SECRET, attempts=1) as client:
        assert client.call(PATH, {"card_id": "card_1"}) == {"seen": {"card_id": "card_1"}}
        answer = {"answer": {"status": 404, "body": {"success": False, "error": "no", "error_slug": "card_not_found"}}}
        with pytest.raises(ApiError) as raised:
            client.call(PATH, answer)
    assert (raised.value.status, raised.value.slug, raised.value.encrypted) == (404, "card_not_found", True)


def test_an_answer_is_sealed_with_its_status(server: Server) -> None:
    for status in (200, 201, 422, 503):
        body = ENVELOPE.seal({"answer": {"status": status, "body": {"a": [1]}}})
        got, answer, headers = server.post(PATH, body)
        assert got == status
        assert ENVELOPE.open(answer) == {"a": [1]}
        assert headers["content-length"] == str(len(answer))


def test_what_fails_behind_it_is_a_sealed_internal_error(server: Server) -> None:
    sealed_already = {"answer": {"status": 200, "body": {"encrypted": "AgAA"}}}
    for payload in ({"raise": True}, sealed_already):
        status, answer, _ = server.post(PATH, ENVELOPE.seal(payload))
        assert (status, ENVELOPE.open(answer)["error_slug"]) == (500, "internal_error")


def test_the_order_of_its_checks(server: Server) -> None:
    body = ENVELOPE.seal({"card_id": "card_1"})
    huge: dict[str, str | None] = {"Content_Length": str(ENVELOPE.max_bytes + 1), "Content_Type": "text/plain"}
    text = "text/plain"
    assert refused(server, PATH, body, "PUT", API_KEY=None)[0] == 405
    for api_key in (None, "key_2"):
        assert refused(server, PATH, body, API_KEY=api_key, **huge) == (404, "API key not found")
    assert refused(server, PATH, body, **huge)[0] == 413
    assert refused(server, PATH, "no JSON", Content_Type=text)[0] == 415
    assert refused(server, PATH, body, Content_Encoding="gzip")[0] == 415
    for wrong, said in (
        ("no JSON", "Encrypted payload not found"),
        ("{}", "Encrypted payload not found"),
        ('{"encrypted": "AgAA"}', "Invalid encrypted payload format"),
        (Envelope("another secret").seal({}), "Invalid encrypted payload format"),
        (ENVELOPE.seal_response({}), "Request timestamp not found in encrypted payload"),
        (ENVELOPE.seal_response({"request_timestamp": "now"}), "Invalid timestamp format"),
        (ENVELOPE.seal({"request_timestamp": 1}), "Request timestamp outside allowed window"),
    ):
        assert refused(server, PATH, wrong, Content_Type="Application/JSON; charset=utf-8") == (400, said)
    assert server.post(PATH, body)[0] == 200, "nothing above has claimed it"
    assert refused(server, PATH, body) == (400, "Duplicate request detected")
    assert refused(server, "/api/v1/cards/freeze", body) == (400, "Duplicate request detected"), "the nonce is known"


KEYED = "/api/v1/cards/topup"


def test_the_idempotency_key_is_judged_last(server: Server) -> None:
    before = server.count()
    too_long = "k" * 256
    for path, key, slug in (
        (KEYED, None, "idempotency_key_required"),
        ("/api/v1/cards/create", None, "idempotency_key_required"),
        (KEYED, "", "invalid_request"),
        (KEYED, "two words", "invalid_request"),
        (KEYED, "caf\u00e9", "invalid_request"),
        (KEYED, too_long, "invalid_request"),
        (PATH, too_long, "invalid_request"),
    ):
        body = ENVELOPE.seal({})
        status, answer, headers = server.post(path, body, Idempotency_Key=key)
        assert (status, headers["content-type"]) == (400, "application/json"), (path, key)
        error = ENVELOPE.open(answer)
        assert list(error) == ["success", "error", "error_slug"]
        assert (error["success"], error["error_slug"]) == (False, slug)
        assert too_long not in error["error"]
        assert refused(server, path, body) == (400, "Duplicate request detected"), "it has been claimed"
    assert server.count() == before
    for path, key in ((KEYED, "k" * 255), (KEYED, "topup-1"), (PATH, "any-1"), (PATH, None)):
        assert server.post(path, ENVELOPE.seal({}), Idempotency_Key=key)[0] == 200
    assert server.count() == before + 4


def test_two_idempotency_keys_are_none() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("it was let through")

    sealed = asgi.SealMiddleware(app, {API_KEY: ENVELOPE}.get, MemoryReplayStore())
    twice = [(b"idempotency-key", b"a"), (b"idempotency-key", b"b")]
    headers = [(b"api-key", API_KEY.encode()), (b"content-type", b"application/json"), *twice]
    scope = {"type": "http", "method": "POST", "path": KEYED, "headers": headers}
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": ENVELOPE.seal({}).encode()}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(sealed(scope, receive, send))
    assert sent[0]["status"] == 400
    assert ENVELOPE.open(sent[1]["body"])["error_slug"] == "invalid_request"


def test_another_spelling_of_a_path_leads_nowhere_else(server: Server) -> None:
    plain = json.dumps({"card_id": "card_1"})
    for path in (PATH + "/", "/api/v1/cards%2Fget", "/api/v1/%63ards/get"):
        assert refused(server, path, plain) == (400, "Encrypted payload not found")
        assert server.post(path, ENVELOPE.seal({}))[0] == 200


def test_what_is_no_endpoint_passes_by(server: Server) -> None:
    status, body, _ = server.post("/api/v1/other", json.dumps({"request_timestamp": 1, "a": 1}), API_KEY=None)
    assert (status, json.loads(body)) == (200, {"seen": {"a": 1}})


def test_of_many_that_send_the_same_one_gets_through(server: Server) -> None:
    body, before, statuses = ENVELOPE.seal({}), server.count(), list[int]()
    threads = [threading.Thread(target=lambda: statuses.append(server.post(PATH, body)[0])) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [400] * 11
    assert server.count() == before + 1


def test_a_webhook_is_handled_once(server: Server) -> None:
    handled = b'{"success":true}'
    webhook = {"type": "card.activated", "delivery_id": "d-1"}
    for _ in range(2):
        assert server.post("/webhooks", ENVELOPE.seal_webhook(webhook))[:2] == (200, handled)
    assert server.events() == ["id:d-1"]
    for _ in range(2):
        assert server.post("/webhooks", ENVELOPE.seal_webhook({"delivery_id": "d-2", "refuse": True}))[0] == 500
    assert server.post("/webhooks", ENVELOPE.seal_webhook({"delivery_id": "d-2"}))[:2] == (200, handled), "given back"
    assert server.events() == ["id:d-1", "id:d-2"]
    assert server.post("/webhooks", Envelope("another secret").seal_webhook(webhook))[0] == 400
    assert server.post("/webhooks", ENVELOPE.seal_response([]))[0] == 400
    assert server.post("/webhooks", "", "PUT")[0] == 405
    assert server.events() == ["id:d-1", "id:d-2"]


@pytest.mark.parametrize("framework", ["starlette", "flask"])
def test_processes_share_their_claims_in_redis(framework: str) -> None:
    with redis_port() as port:
        url = f"redis://127.0.0.1:{port}"
        with serving(framework, url) as one, serving(framework, url) as other:
            body, webhook = ENVELOPE.seal({}), ENVELOPE.seal_webhook({"delivery_id": "d-1"})
            assert one.post(PATH, body)[0] == 200
            assert refused(other, PATH, body) == (400, "Duplicate request detected")
            assert [server.post("/webhooks", webhook)[0] for server in (one, other)] == [200, 200]
            assert (one.events(), other.events()) == (["id:d-1"], [])


@pytest.mark.parametrize("framework", ["starlette", "flask"])
def test_without_an_answer_of_redis_nothing_happens(framework: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        with serving(framework, url) as server:
            assert refused(server, PATH, ENVELOPE.seal({}))[0] == 503
            assert server.post("/webhooks", ENVELOPE.seal_webhook({}))[0] == 503
            assert server.events() == []


def test_a_late_answer_of_redis_is_never_taken_for_another() -> None:
    """A claim that timed out, or was cancelled, leaves no connection on which its answer comes later."""
    with redis_port() as port, redis.Redis(port=port) as pause:
        url = f"redis://127.0.0.1:{port}"
        store = RedisReplayStore.from_url(url, timeout_seconds=0.2)
        store.check()
        assert store.claim("known", 70_000)
        assert store.claim_all(["known", "one", "two"], 70_000) == [False, True, True]
        pause.execute_command("CLIENT", "PAUSE", "600", "ALL")
        with pytest.raises(redis.TimeoutError):
            store.claim("late", 70_000)
        time.sleep(0.8)
        assert [store.claim("known", 70_000), store.claim("fresh", 70_000)] == [False, True]
        assert 0 < pause.pttl("cardseal:replay:fresh") <= 70_000
        store.close()

        async def cancelled() -> list[bool]:
            store = AsyncRedisReplayStore.from_url(url, timeout_seconds=5)
            await store.check()
            assert not await store.claim("known", 70_000)
            assert await store.claim_all(["known", "three"], 70_000) == [False, True]
            pause.execute_command("CLIENT", "PAUSE", "400", "ALL")
            claim = asyncio.ensure_future(store.claim("dropped", 70_000))
            await asyncio.sleep(0.1)
            claim.cancel()
            with pytest.raises(asyncio.CancelledError):
                await claim
            answers = [await store.claim("known", 70_000), await store.claim("new", 70_000)]
            await store.aclose()
            return answers

        assert asyncio.run(cancelled()) == [False, True]
        pause.config_set("maxmemory-policy", "allkeys-lru")
        store = RedisReplayStore.from_url(url)
        with pytest.raises(EnvelopeError, match="set it to `noeviction`"):
            store.check()
        store.close()


def test_a_webhook_that_is_being_handled_is_not_said_to_be() -> None:
    with redis_port() as port:
        shared = RedisWebhookStore.from_url(f"redis://127.0.0.1:{port}", lease_seconds=0.3)
        for store in (MemoryWebhookStore(lease_seconds=0.3), shared):
            assert [store.begin("id:1"), store.begin("id:1")] == ["new", "busy"]
            store.give_back("id:1")
            assert store.begin("id:1") == "new"
            time.sleep(0.5)
            assert store.begin("id:1") == "new", "the lease has ended"
            store.finish("id:1")
            time.sleep(0.5)
            assert store.begin("id:1") == "handled"
        shared.close()


def test_who_may_not_and_what_is_no_endpoint() -> None:
    passed: list[str] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        passed.append(environ["PATH_INFO"])
        start_response("200 OK", [])
        return [b"{}"]

    def ask(middleware: Any, path: str, root: str = "") -> str:
        environ: dict[str, Any] = {"SCRIPT_NAME": root, "PATH_INFO": path, "REQUEST_METHOD": "POST"}
        environ["HTTP_API_KEY"] = API_KEY
        wsgiref.util.setup_testing_defaults(environ)
        said: list[str] = []
        b"".join(middleware(environ, lambda status, headers: said.append(status)))
        return said[0]

    store = MemoryReplayStore()
    refusing = wsgi.SealMiddleware(app, lambda _: wsgi.NO_ACCESS, store, endpoints=["/own/call"], refuse_others=True)
    assert ask(refusing, "/api/v1/own/call") == "403 Forbidden"
    assert ask(refusing, PATH) == "404 Not Found"
    assert ask(refusing, "/elsewhere") == "404 Not Found"
    passing = wsgi.SealMiddleware(app, lambda _: wsgi.NO_ACCESS, store)
    assert ask(passing, PATH) == "403 Forbidden"
    assert ask(passing, "/elsewhere") == "200 OK"
    assert passed == ["/elsewhere"]
    for root, path in (("/service", PATH), ("/api/v1", "/cards/get"), ("/service", PATH + "/")):
        assert ask(passing, path, root) == "403 Forbidden", "mounted somewhere, it lets nothing through unsealed"
    assert repr(wsgi.NO_ACCESS) == "NO_ACCESS"


@pytest.mark.parametrize(("root", "path"), [("/service", "/service" + PATH), ("/api/v1", PATH), ("", PATH)])
def test_a_mounted_application_gets_the_path_that_it_knows(root: str, path: str) -> None:
    async def api(request: Any) -> Any:
        return JSONResponse({"path": request.url.path})

    routes = [Route(path.removeprefix(root), api, methods=["POST"])]
    sealed = asgi.SealMiddleware(Starlette(routes=routes), {API_KEY: ENVELOPE}.get, MemoryReplayStore())
    app = Starlette(routes=[Mount(root, sealed)])

    async def post() -> Any:
        transport = httpx.ASGITransport(app)
        seal = cardseal.httpx.AsyncSealTransport(API_KEY, SECRET, transport=transport)
        async with httpx.AsyncClient(transport=seal, base_url="http://service") as client:
            sealed_path = await client.post(PATH, json={})
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return sealed_path, await client.post(path, json={})

    answer, unsealed = asyncio.run(post())
    assert unsealed.status_code == 404
    assert unsealed.json() == {"error": "API key not found"}
    if path == PATH:
        assert answer.json() == {"path": PATH}
