"""The package as such: its names, its types, its version."""

from __future__ import annotations

import importlib.metadata
import inspect
import typing

import pytest
from conftest import REPOSITORY

import cardseal
from cardseal import _codes, types


def test_all_names_are_there_and_no_others() -> None:
    public = {
        name for name, thing in vars(cardseal).items() if not name.startswith("_") and not inspect.ismodule(thing)
    }
    assert set(cardseal.__all__) == public - {"TYPE_CHECKING"} | {"__version__", "Client"}
    assert cardseal.Client.__module__ == "cardseal._client"
    with pytest.raises(AttributeError, match="has no attribute 'Sever'"):
        cardseal.Sever  # type: ignore[attr-defined]  # noqa: B018


def test_the_version_is_everywhere_the_same() -> None:
    workspace = (REPOSITORY / "Cargo.toml").read_text()
    version = workspace.partition('\nversion = "')[2].partition('"')[0]
    assert cardseal.__version__ == version
    assert importlib.metadata.version("cardseal") == version
    assert f"## [{version}]" in (REPOSITORY / "CHANGELOG.md").read_text()
    needed = importlib.metadata.requires("cardseal") or []
    assert [requirement for requirement in needed if "extra ==" not in requirement] == []


def test_the_types_name_what_the_core_knows() -> None:
    assert list(typing.get_args(_codes.ErrorCode)) == list(cardseal.ERROR_CODES)
    kinds, classes = typing.get_args(types.EndpointKind), typing.get_args(types.FailureClass)
    assert set(cardseal.ENDPOINTS.values()) == set(kinds)
    decisions = {
        cardseal.should_retry(kind, failure_class, sent=sent, has_key=has_key, attempt=attempt)
        for kind in kinds
        for failure_class in classes
        for sent in typing.get_args(types.Sent)
        for has_key in (True, False)
        for attempt in (1, 4)
    }
    assert decisions == set(typing.get_args(types.RetryDecision))
    for layout in typing.get_args(types.Layout):
        assert cardseal.Envelope("a secret", layout=layout).layout == layout
    for wrong in ("", "Read", "\ud800"):
        with pytest.raises(cardseal.EnvelopeError) as refused:
            cardseal.should_retry(wrong, "never")  # type: ignore[arg-type]
        assert refused.value.code == "invalid_option"


def test_the_tables_cannot_be_changed() -> None:
    for table in (cardseal.ERROR_CODES, cardseal.ERROR_SLUGS, cardseal.ENDPOINTS):
        with pytest.raises(TypeError):
            table["new"] = 1  # type: ignore[index]
    assert cardseal.ERROR_SLUGS["insufficient_funds"] == 403
    assert cardseal.ENDPOINTS["/api/v1/cards/topup"] == "keyed"
    assert len(cardseal.ERROR_SLUGS) >= 37


def test_a_status_is_a_string_with_a_model() -> None:
    status = cardseal.OrderStatus("new")
    assert (status, hash(status), repr(status)) == ("new", hash("new"), "OrderStatus('new')")
    assert status == cardseal.OrderStatus.NEW
    assert status.can_become(cardseal.OrderStatus.ACTIVATING)
    assert not status.can_become("completed")
    for no_status in (None, 1, b"new"):
        with pytest.raises(TypeError, match="a OrderStatus is made of a str"):
            cardseal.OrderStatus(no_status)  # type: ignore[arg-type]
    unknown = cardseal.OrderStatus("brand_new")
    assert (unknown.is_known, unknown.is_terminal, unknown.can_become("new")) == (False, False, False)
    for kind in (cardseal.OrderStatus, cardseal.CardStatus, cardseal.CardholderKycLevel):
        assert all(getattr(kind, value.upper()) == value and kind(value).is_known for value in kind.KNOWN)
