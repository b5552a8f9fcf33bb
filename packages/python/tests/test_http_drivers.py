"""The drivers of tests/adapters say what their contract asks for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from conftest import REPOSITORY
from sandbox import Proxy, answering, closing, running

DRIVERS = REPOSITORY / "tests/adapters/drivers"


@pytest.mark.parametrize("adapter", ["requests", "httpx", "httpx-async", "aiohttp", "client"])
def test_the_driver_of_an_adapter(adapter: str) -> None:
    calls: list[tuple[str, dict[str, Any], str | None, dict[str, Any]]] = [
        ("/project/balance", {}, None, {"ok": {"available": "1000.00", "currency": "usdt"}}),
        ("/cards/get", {"card_id": "card_none"}, None, {"error": "card_not_found"}),
        ("/cards/topup", {}, None, {"error": "idempotency_key_required"}),
        ("/project/balance", {"encrypted": "AgAA"}, None, {"error": "already_sealed"}),
    ]
    unknown = {"error": "outcome_unknown", "idempotency_key": "key-1"}
    with running() as sandbox:
        assert driven(adapter, sandbox, sandbox.url, calls) == [expected for *_, expected in calls]
        proxy = Proxy(sandbox.url)
        proxy.behaviours = [closing]
        assert driven(adapter, sandbox, proxy.url, [("/cards/freeze", {}, "key-1", {})]) == [unknown]
        proxy.behaviours = [answering(403, "<html>")]
        assert driven(adapter, sandbox, proxy.url, [("/cards/freeze", {}, None, {})]) == [{"error": "http_403"}]
        proxy.close()


def driven(adapter: str, sandbox: Any, url: str, calls: list[Any]) -> list[dict[str, Any]]:
    lines = [
        json.dumps({"id": number, "path": path, "payload": payload, "idempotency_key": key})
        for number, (path, payload, key, _) in enumerate(calls)
    ]
    credentials = {"CARDSEAL_URL": url, "CARDSEAL_API_KEY": sandbox.api_key, "CARDSEAL_SECRET": sandbox.secret}
    ended = subprocess.run(
        [sys.executable, str(DRIVERS / "client.py"), adapter],
        input="\n".join(lines) + "\n",
        env={**os.environ, **credentials},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    answers = sorted((json.loads(line) for line in ended.stdout.splitlines()), key=lambda answer: int(answer["id"]))
    assert [answer.pop("id") for answer in answers] == list(range(len(calls))), ended.stderr
    return answers
