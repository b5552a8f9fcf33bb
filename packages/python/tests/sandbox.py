"""The reference server, and a proxy before it that shows what really travels and breaks what it is told to."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import socketserver
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import REPOSITORY


class Sandbox:
    """A running `cardseal sandbox`, and its control plane."""

    def __init__(self, start: dict[str, Any]) -> None:
        self.url: str = start["url"]
        self.api_key: str = start["api_key"]
        self.secret: str = start["secret"]
        self._control = start["control"]

    def fault(self, kind: str, **more: Any) -> None:
        self._ask("POST", "faults", {"kind": kind, "count": 1, **more})

    def journal(self) -> list[dict[str, Any]]:
        """Give the requests since the last reset, as the server took them."""
        requests: list[dict[str, Any]] = self._ask("GET", "journal")["journal"]
        return requests

    def orders(self) -> list[dict[str, Any]]:
        orders: list[dict[str, Any]] = self._ask("GET", "orders")["orders"]
        return orders

    def clock(self, **change: Any) -> None:
        self._ask("POST", "clock", change)

    def reset(self) -> None:
        self._ask("POST", "reset", {})

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._control['token']}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._control['url']}/control/{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


@contextlib.contextmanager
def running(api_key: str = "", secret: str = "") -> Iterator[Sandbox]:
    """Start one; without an API key and a secret it makes them up."""
    command = [_tool(), "sandbox", "--json", "--quiet", "--control", "--step-ms", "0"]
    environment = {**os.environ, "CARDSEAL_API_KEY": api_key, "CARDSEAL_SECRET": secret}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    assert process.stdout is not None
    try:
        yield Sandbox(json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


def _tool() -> str:
    """Give the command line tool: where CARDSEAL_CLI says it is, or as cargo builds it."""
    if "CARDSEAL_CLI" in os.environ:
        return os.environ["CARDSEAL_CLI"]
    words = ["cargo", "build", "--locked", "-p", "cardseal-cli", "--message-format=json"]
    try:
        built = subprocess.run(words, cwd=REPOSITORY, capture_output=True, check=True)
    except FileNotFoundError:
        pytest.skip("cargo is not installed, and CARDSEAL_CLI names no command line tool")
    messages = [json.loads(line) for line in built.stdout.splitlines()]
    found = [message["executable"] for message in messages if message.get("target", {}).get("name") == "cardseal"]
    return str(next(path for path in found if path))


class Recorded:
    """A request as it arrived at the proxy."""

    def __init__(self, head: bytes, body: bytes) -> None:
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = first.split(" ")
        pairs = [line.partition(": ")[::2] for line in lines if line]
        self.headers = {name.lower(): value for name, value in pairs}
        assert len(self.headers) == len(pairs), "no header comes twice"
        self.body = body


Behaviour = Callable[[socket.socket, Recorded], bool]
"""Answers a request, and says whether the connection stays."""


class Proxy:
    """Records every request; the next ones are answered by `behaviours`, the others by the server behind."""

    def __init__(self, target: str) -> None:
        host, _, port = target.removeprefix("http://").partition(":")
        self.requests: list[Recorded] = []
        self.connections = 0
        self.behaviours: list[Behaviour] = []
        proxy = self

        def forwarding(client: socket.socket, request: Recorded) -> bool:
            answer = forwarded(host, int(port), request)
            client.sendall(answer)
            return bool(answer)

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                proxy.connections += 1
                with contextlib.suppress(OSError), self.request.makefile("rb") as stream:
                    while (request := read_request(stream)) is not None:
                        proxy.requests.append(request)
                        behaviour = proxy.behaviours.pop(0) if proxy.behaviours else None
                        if not (behaviour or forwarding)(self.request, request):
                            return

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def read_request(stream: Any) -> Recorded | None:
    head = b""
    if stream.peek(1)[:1] == b"\x16":
        return None  # the first byte of a TLS handshake, which nobody here understands
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return None
        head += line
    request = Recorded(head, b"")
    request.body = stream.read(int(request.headers["content-length"]))
    return request


def forwarded(host: str, port: int, request: Recorded) -> bytes:
    """Give the server's answer to a request, on a connection of its own."""
    kept = {**request.headers, "host": f"{host}:{port}", "connection": "close"}
    head = "".join(f"{name}: {value}\r\n" for name, value in kept.items())
    with socket.create_connection((host, port), timeout=30) as server:
        server.sendall(f"{request.method} {request.target} HTTP/1.1\r\n{head}\r\n".encode() + request.body)
        answer = b""
        while chunk := server.recv(65536):
            answer += chunk
    return answer.replace(b"connection: close\r\n", b"")


def answering(status: int, body: bytes | str = b"", **headers: str) -> Behaviour:
    """Answer so, and keep the connection."""
    data = body.encode() if isinstance(body, str) else body
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} Said\r\nContent-Length: {len(data)}\r\n{lines}\r\n".encode()

    def behaviour(client: socket.socket, _: Recorded) -> bool:
        client.sendall(head + data)
        return True

    return behaviour


def raw(data: bytes) -> Behaviour:
    """Send these bytes, and close."""

    def behaviour(client: socket.socket, _: Recorded) -> bool:
        client.sendall(data)
        return False

    return behaviour


def closing(_client: socket.socket, _request: Recorded) -> bool:
    """Close without an answer."""
    return False


def reflecting(client: socket.socket, request: Recorded) -> bool:
    """Answer with the request's own body."""
    return answering(200, request.body)(client, request)
