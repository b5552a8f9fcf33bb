"""Against PyNaCl and json: what is sealed here opens there, and back, whatever it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import EFFORT, body_of, field_of, nacl_open, nacl_seal, same
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cardseal
from cardseal import Envelope, EnvelopeError

# Five tests of 500 cases each.
MANY = settings(max_examples=500 * EFFORT, deadline=None, suppress_health_check=list(HealthCheck))

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=80)
KEYS = st.binary(min_size=32, max_size=32)
LAYOUTS = st.sampled_from(("versioned", "bare"))
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**1023), 2**1023), st.floats(allow_nan=False, allow_infinity=False), TEXT
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(TEXT | st.sampled_from("abcdefgh"), inner, max_size=10),
    max_leaves=40,
)


@MANY
@given(value=VALUES, key=KEYS, layout=LAYOUTS)
def test_what_is_sealed_here_opens_there(value: Any, key: bytes, layout: Any) -> None:
    envelope = Envelope.from_key(key, layout=layout)
    if isinstance(value, str):
        value = [value]  # text is JSON text
    if isinstance(value, dict) and list(value) == ["encrypted"]:
        value["other"] = 1
    _, message = nacl_open(field_of(envelope.seal_response(value)), key, layout)
    assert same(json.loads(message), value)
    assert message.decode() == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@MANY
@given(value=VALUES, key=KEYS, layout=LAYOUTS, ascii_only=st.booleans(), indent=st.sampled_from((None, 1)))
def test_what_is_sealed_there_opens_here(value: Any, key: bytes, layout: Any, ascii_only: bool, indent: Any) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    body = body_of(nacl_seal(text.encode(), key, None, layout))
    opened = Envelope.from_key(key, layout=layout).open(body)
    assert same(opened, value)
    assert same(opened, json.loads(text))


@MANY
@given(message=st.binary(max_size=2_000), key=KEYS, layout=LAYOUTS)
def test_the_field_holds_any_bytes_both_ways(message: bytes, key: bytes, layout: Any) -> None:
    envelope = Envelope.from_key(key, layout=layout)
    assert nacl_open(envelope.encrypt(message), key, layout)[1] == message
    assert envelope.decrypt(nacl_seal(message, key, None, layout)) == message


@MANY
@given(
    text=st.text(st.characters(codec="utf-8"), max_size=60)
    | st.text('{}[]",:\\u0123456789abtrfnl.eE+- \n', max_size=40)
)
def test_texts_that_json_refuses_are_refused(text: str) -> None:
    """The other way round does not hold: json takes repeated names, NaN, lone surrogates."""
    try:
        cardseal.Envelope("a secret").seal_response(text)
    except EnvelopeError as error:
        assert error.code in ("invalid_payload", "already_sealed")
    else:
        json.loads(text)


@MANY
@given(value=VALUES)
def test_a_payload_and_its_text_are_the_same(value: Any) -> None:
    if not isinstance(value, dict):
        value = {"value": value}
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def outcome(call: Any, given: Any) -> Any:
        try:
            return call(given)
        except EnvelopeError as error:
            return error.code

    for call in (
        cardseal.validate_payload,
        cardseal.canonical_json,
        lambda given: cardseal.fingerprint("/cards/get", given),
    ):
        assert outcome(call, value) == outcome(call, text)


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 255, 256, 257, 1_023, 4_095, 4_096, 65_535, 65_537, 1 << 20])
def test_every_size_of_text_survives(size: int) -> None:
    envelope = Envelope("a secret of mine")
    for value in ("x" * size, "é" * size, "\u20ac" * size, "\U0001f600" * size, '"' * size, "x" * size + '"'):
        assert envelope.open(envelope.seal_response([value])) == [value]
