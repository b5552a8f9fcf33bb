"""The examples in docstrings and in the README run, and every public name has one."""

from __future__ import annotations

import asyncio
import doctest
import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import REPOSITORY
from redis_server import redis_port
from sandbox import running

import cardseal

WITHOUT_EXAMPLE = {"DEFAULT_MAX_BYTES", "ENDPOINTS", "ERROR_CODES", "ERROR_SLUGS", "REPLAY_TTL_MS", "__version__"}


def documented() -> Iterator[tuple[str, Any]]:
    """Yield every public name, and every public name of a class."""
    yield "cardseal", cardseal
    for name in cardseal.__all__:
        thing = getattr(cardseal, name)
        if name in WITHOUT_EXAMPLE:
            continue
        yield name, thing
        if inspect.isclass(thing):
            for attribute in dir(thing):
                member = inspect.getattr_static(thing, attribute)
                if not attribute.startswith("_") and (callable(member) or inspect.isdatadescriptor(member)):
                    yield f"{name}.{attribute}", member


def examples(name: str, thing: Any) -> list[doctest.Example]:
    text = inspect.getdoc(thing) or ""
    return doctest.DocTestParser().get_examples(text, name)


INHERITED = {name for kind in (str, ValueError, Exception) for name in dir(kind)}
ADAPTERS = ("requests", "httpx", "aiohttp", "asgi", "wsgi", "redis")
ALL = {name: thing for name, thing in documented() if name.rpartition(".")[2] not in INHERITED}


@pytest.mark.parametrize("name", ADAPTERS)
def test_the_module_of_an_adapter_is_documented(name: str) -> None:
    module = importlib.import_module(f"cardseal.{name}")
    for public in module.__all__:
        assert inspect.getdoc(getattr(module, public)), public
    found = examples(name, module)
    assert found
    results = doctest.DocTestRunner(verbose=False).run(doctest.DocTest(found, {}, name, None, None, None))
    assert results.failed == 0


@pytest.mark.parametrize("name", ALL)
def test_the_examples_of_a_docstring_run(name: str) -> None:
    found = examples(name, ALL[name])
    test = doctest.DocTest(found, {}, name, None, None, None)
    results = doctest.DocTestRunner(verbose=False).run(test)
    assert results.failed == 0


@pytest.mark.parametrize("name", ALL)
def test_a_public_name_says_what_it_does(name: str) -> None:
    text = inspect.getdoc(ALL[name])
    assert text
    first = text.split("\n\n")[0]
    assert first.endswith((".", ":"))
    assert len(first.split()) <= 30, first


def test_every_function_and_class_has_an_example() -> None:
    without = [name for name, thing in ALL.items() if "." not in name and not examples(name, thing)]
    assert without == []
    methods = [f"Envelope.{name}" for name in dir(cardseal.Envelope) if not name.startswith("_")]
    without = [name for name in methods if callable(ALL[name]) and not examples(name, ALL[name])]
    assert without == []


def test_the_code_of_the_readme_runs() -> None:
    """Its blocks are one program, in their order; a comment behind an expression says what it gives."""
    pytest.importorskip("redis")
    text = (REPOSITORY / "packages/python/README.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 6
    for block in blocks:
        assert "SealAdapter(" not in block or len(block.splitlines()) <= 8
        assert "IdempotencyStore(" not in block or len([line for line in block.splitlines() if line]) <= 12
    with redis_port() as port, running("key_1", "your_api_secret_key_here") as sandbox:
        names: dict[str, Any] = {"__name__": "__main__", "REDIS_URL": f"redis://127.0.0.1:{port}"}
        checked = 0
        for number, block in enumerate(block.replace("https://api.example.com", sandbox.url) for block in blocks):
            code = compile(block, f"README.md, block {number + 1}", "exec")
            exec(code, names)
            for line in block.splitlines():
                expression, arrow, expected = line.partition("  # -> ")
                if arrow:
                    value = eval(expression, names)
                    assert repr(value) == expected, line
                    checked += 1
        assert asyncio.run(names["balance"]())["currency"] == "usdt"
        webhook = names["envelope"].seal_webhook({"type": "card.activated", "card_id": "card_1"})
        assert names["app"].test_client().post("/webhooks", data=webhook).json == {"success": True}
        for name in ("store", "client", "session"):
            names[name].close()
    assert checked >= 10


def test_the_python_of_the_repositorys_readme_runs() -> None:
    text = (REPOSITORY / "README.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        names: dict[str, Any] = {}
        exec(compile(block, "README.md", "exec"), names)
        assert names["request"].path == "/api/v1/cards/topup"
