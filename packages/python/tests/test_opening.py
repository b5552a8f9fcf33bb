"""What can be opened, and what comes out."""

from __future__ import annotations

import array
import gc
import json
import random
import sys
import types
from typing import Any

import pytest
from conftest import body_of, key_of, nacl_seal, same

from cardseal import ApiError, Envelope, EnvelopeError

SECRET = "your_api_secret_key_here"


def sealed(text: str | bytes) -> str:
    return body_of(nacl_seal(text if isinstance(text, bytes) else text.encode(), key_of(SECRET)))


def code_of(envelope: Envelope, body: Any) -> str:
    with pytest.raises(EnvelopeError) as refused:
        envelope.open(body)
    return refused.value.code


def test_every_kind_of_body_opens(envelope: Envelope) -> None:
    body = envelope.seal_response({"a": [1]})
    parsed = json.loads(body)
    for given in (
        body,
        body.encode(),
        bytearray(body.encode()),
        memoryview(body.encode()),
        memoryview(bytearray(b"x" + body.encode()))[1:],
        parsed,
        types.MappingProxyType(parsed),
        body.replace('":"', '" : "').replace("}", ',"other":{"x":[]}}'),
        body.replace("/", "\\/"),
    ):
        assert envelope.open(given) == {"a": [1]}


def test_bodies_that_are_none(envelope: Envelope) -> None:
    assert code_of(envelope, "") == "invalid_json"
    assert code_of(envelope, b"\xff") == "invalid_json"
    assert code_of(envelope, '{"encrypted":"\ud800"}') == "invalid_json"
    assert code_of(envelope, '{"encrypted":"AAAA"} x') == "invalid_json"
    assert code_of(envelope, "[]") == "envelope_not_found"
    assert code_of(envelope, {}) == "envelope_not_found"
    assert code_of(envelope, {"error": object()}) == "envelope_not_found"
    for wrong in (None, 1, b"AAAA", ["x"], "", "A", "\ud800", "AAAA\n"):
        assert code_of(envelope, {"encrypted": wrong}) == "invalid_envelope"
    for no_body in (None, 1, 1.5, object(), ["x"], ("x",), {1}):
        with pytest.raises(TypeError, match="a body is str, bytes, bytearray, memoryview, or a mapping"):
            envelope.open(no_body)


def test_every_call_that_opens_takes_every_kind_of_body(envelope: Envelope) -> None:
    body = envelope.seal({"type": "card.activated", "delivery_id": "d"})
    for given in (body, body.encode(), json.loads(body)):
        assert envelope.open_request(given).payload["type"] == "card.activated"
        assert envelope.open_webhook(given).dedupe_key == "id:d"
        assert envelope.open_response(200, given)["type"] == "card.activated"


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-0",
        "9007199254740993",
        "123456789012345678",
        "-999999999999999999",
        "1234567890123456789",
        "9223372036854775808",
        "9" * 308,
        "-" + "9" * 308,
        "0.1",
        "-0.0",
        "1e-400",
        "1E+2",
        "1.7976931348623157e308",
        "2.2250738585072011e-308",
        "0." + "1" * 1_000,
        "123456789012345678901234567890.5",
        '"\\u0000\\ud83d\\ude00\\/\\b"',
        '"é"',
        '"\u20ac"',
        '"\U0001f600"',
        '"' + "a" * 100_000 + '"',
        '"' + "é" * 50_000 + '\\n"',
        '{"a":1,"\\u00e9":2,"":3}',
        "[null,true,false,[],{}]",
        " [1 , 2 ] ",
    ],
)
def test_values_are_what_json_loads_gives(envelope: Envelope, text: str) -> None:
    assert same(envelope.open(sealed(text)), json.loads(text))


def test_numbers_do_not_depend_on_the_limit_of_digits(envelope: Envelope) -> None:
    limit = sys.get_int_max_str_digits()
    try:
        sys.set_int_max_str_digits(640)
        number = 10**308 - 1
        assert envelope.open(envelope.seal_response([number, -number])) == [number, -number]
    finally:
        sys.set_int_max_str_digits(limit)


def test_objects_alike_and_nearly_alike(envelope: Envelope) -> None:
    """Names and tables of one object are used again for the next: in every order and number."""
    names = [f"name_{number}" for number in range(30)] + ["a", "bc", "def", "four", "twelve_chars", "é", "x" * 40, ""]
    objects: list[Any] = []
    for count in (0, 1, 5, 6, 7, 8, 9, 16, 24, 25, 30, len(names)):
        chosen = names[-count:] if count else []
        objects += [dict.fromkeys(chosen, index) for index in range(3)]
        objects.append(dict.fromkeys(reversed(chosen), 9))
        objects.append({name: dict.fromkeys(chosen, 1) for name in chosen[:7]})
        objects.append({**dict.fromkeys(chosen[:6], 1), "last": [dict.fromkeys(chosen[:6], 2)]})
    text = json.dumps(objects, ensure_ascii=False)
    opened = envelope.open(sealed(text))
    assert same(opened, json.loads(text))
    identities = {id(value) for value in opened}
    assert len(identities) == len(objects), "no two of them are one"
    opened[6]["more"] = 1
    assert same(opened[7:], json.loads(text)[7:])


def test_records_with_members_missing_and_moved(envelope: Envelope) -> None:
    """Lists of objects with many names, of which any may be missing or elsewhere in the next one."""
    chance = random.Random(41)
    pool = [f"member_{number * 7919 % 1000}" for number in range(30)] + [
        "id",
        "mcc",
        "amount",
        "é",
        "x" * 40,
        "",
        "a",
        "b",
    ]
    for _ in range(1_500):
        records = []
        names = chance.sample(pool, chance.randrange(len(pool) + 1))
        for _ in range(chance.randrange(1, 6)):
            kept = [name for name in names if chance.random() < 0.9]
            if chance.random() < 0.5:
                chance.shuffle(kept)
            records.append({name: chance.choice((1, "text", None, [{"id": 1}])) for name in kept})
        text = json.dumps(records)
        assert same(envelope.open(sealed(text)), json.loads(text)), text


def test_what_is_no_strict_json_inside_is_refused(envelope: Envelope) -> None:
    for text in ("", "{", '{"a":1,"a":2}', "[1] x", "NaN", "1e999", '"\\ud800"', "[" * 129 + "]" * 129, b"\xff"):
        assert code_of(envelope, sealed(text)) == "invalid_payload"


def test_opening_leaves_no_reference_behind(envelope: Envelope) -> None:
    body = sealed('[{"marker_of_this_test":"value_of_this_test","b":[1,{"c":2}]},{"d":')  # breaks off
    complete = sealed('[{"marker":1,"b":2,"c":3,"d":4,"e":5,"f":[6]},{"marker":1,"b":2,"c":3,"d":4,"e":5,"f":[6]}]')
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(100):
        assert code_of(envelope, body) == "invalid_payload"
        envelope.open(complete)
    gc.collect()
    assert len(gc.get_objects()) - before < 20


def test_several_secrets_open_and_the_first_one_seals() -> None:
    secrets = ["the_newest_secret", "an_older_secret", "the_oldest_secret"]
    envelope = Envelope(secrets[0], open_secrets=secrets[1:])
    for index, secret in enumerate(secrets):
        body = Envelope(secret).seal({"a": 1})
        assert envelope.open_request(body).key_index == index
        assert envelope.open_webhook(body).key_index == index
    assert Envelope(secrets[0]).open(envelope.seal_response(1)) == 1
    keys = [bytes([number]) * 32 for number in range(5)]
    by_key = Envelope.from_key(keys[0], open_keys=keys[1:], layout="bare")
    for index, key in enumerate(keys):
        assert by_key.open_request(Envelope.from_key(key, layout="bare").seal({})).key_index == index
    assert repr(by_key) == "Envelope(layout='bare', open_secrets=4)"


def test_the_reflection_of_a_request_is_refused(envelope: Envelope) -> None:
    request = envelope.seal_request("/cards/get", {}, api_key="key_1")
    for given in (request, request.body, request.body.encode()):
        for status in (200, 500):
            with pytest.raises(EnvelopeError) as refused:
                envelope.open_response(status, request.body, request=given)
            assert (refused.value.code, refused.value.status) == ("reflected_response", status)
            assert refused.value.failure_class == "never"
    assert envelope.open_response(200, envelope.seal_response(1), request=request) == 1
    with pytest.raises(TypeError, match="`request` is the SealedRequest"):
        envelope.open_response(200, request.body, request=1)  # type: ignore[arg-type]


def test_an_api_error_has_what_the_api_said(envelope: Envelope) -> None:
    answer = {"success": False, "error": "Insufficient funds", "error_slug": "insufficient_funds", "needed": 10**20}
    with pytest.raises(ApiError) as raised:
        envelope.open_response(403, envelope.seal_response(answer))
    error = raised.value
    assert (error.status, error.slug, error.code) == (403, "insufficient_funds", "insufficient_funds")
    assert (error.message, error.failure_class, error.encrypted) == ("Insufficient funds", "never", True)
    assert error.payload == answer

    with pytest.raises(ApiError) as raised:
        envelope.open_response(502, "<html>Bad gateway</html>")
    error = raised.value
    assert (error.status, error.slug, error.code, error.payload) == (502, None, None, None)
    assert (error.message, error.failure_class, error.encrypted) == ("<html>Bad gateway</html>", "transient", False)

    for refused in ('{"pan":"4111"', '{"a":["SECRET"],"b":01}', '{"pan":"4111","pan":2}', '["4111"'):
        with pytest.raises(ApiError) as raised:
            envelope.open_response(400, sealed(refused))
        assert (raised.value.payload, raised.value.encrypted) == (None, False), (
            "nothing of what was not read to its end"
        )

    for wrong in (b"\xff", '{"error": "\ud800"}', {"error": "\ud800", "x": object()}, {"encrypted": 7}):
        with pytest.raises(ApiError):
            envelope.open_response(500, wrong)


def test_options_out_of_range_are_refused(envelope: Envelope) -> None:
    body = envelope.seal({})

    def refused(call: Any) -> None:
        with pytest.raises(EnvelopeError) as raised:
            call()
        assert raised.value.code == "invalid_option"

    for window in (0, 31, -1, 2**70):
        refused(lambda window=window: envelope.open_request(body, window_seconds=window))
    for now in (-1, 2**63, 2**64, 2**70):
        refused(lambda now=now: envelope.open_request(body, now_micros=now))
    for status in (-1, 1_000, 2**70):
        refused(lambda status=status: envelope.open_response(status, body))
    for max_bytes in (0, -1, 2**32, 2**70):
        refused(lambda max_bytes=max_bytes: Envelope(SECRET, max_bytes=max_bytes))
    refused(lambda: Envelope(SECRET, layout="Bare"))  # type: ignore[arg-type]
    refused(lambda: Envelope(SECRET, layout="\ud800"))  # type: ignore[arg-type]
    refused(lambda: Envelope(SECRET, open_secrets=["older_secret"] * 5))
    for wrong in (1.5, float("nan"), "30", [1]):
        with pytest.raises(TypeError):
            envelope.open_request(body, window_seconds=wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            Envelope(SECRET, max_bytes=wrong)  # type: ignore[arg-type]
    for secrets in ("one_secret", b"one_secret", 7, [b"bytes_secret"]):
        with pytest.raises(TypeError):
            Envelope(SECRET, open_secrets=secrets)  # type: ignore[arg-type]


def test_the_field_alone(envelope: Envelope) -> None:
    for message in (b"", b"\xff\x00", b"x" * 100_000):
        for given in (message, bytearray(message), memoryview(message)):
            assert envelope.decrypt(envelope.encrypt(given)) == message
    assert envelope.decrypt(envelope.encrypt("é")) == "é".encode()
    with pytest.raises(EnvelopeError) as refused:
        envelope.encrypt("\ud800")
    assert refused.value.code == "invalid_payload"
    for wrong, code in (("", "invalid_envelope"), ("\ud800", "invalid_envelope"), ("A" * 80, "unsupported_version")):
        with pytest.raises(EnvelopeError) as refused:
            envelope.decrypt(wrong)
        assert refused.value.code == code
    released = memoryview(b"released")
    released.release()
    for no_message in (None, 1, [1], array.array("i", [1]), released):
        with pytest.raises(TypeError):
            envelope.encrypt(no_message)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            envelope.open(no_message)
    for no_text in (memoryview(array.array("i", [1])), released):
        with pytest.raises(TypeError):
            envelope.seal(no_text)


@pytest.mark.parametrize("widest", ["\x7f", "\x80", "\xff", "\u0100", "\uffff", "\U00010000", "\U0010ffff"])
def test_text_of_every_width_is_the_string_that_python_makes(envelope: Envelope, widest: str) -> None:
    """Short texts are put together here, long ones by Python: equal, as wide as they have to be, and found in a dict."""
    for length in [0, 1, 2, 3, 5, 60, 63, 64, 65, 127, 128, 129, 255, 256, 257, 300]:
        for at in {0, length // 2, length}:
            text = "a" * at + widest + "\xe9" * (length - at)
            opened = envelope.open(envelope.seal({text: [text, text + "\n"]}))
            [(name, [value, escaped])] = [item for item in opened.items() if item[0] != "request_timestamp"]
            for built, expected in [(name, text), (value, text), (escaped, text + "\n")]:
                assert built == expected
                assert hash(built) == hash(expected)
                if len(built) > 1:  # of one character there may be a string that all share, with its UTF-8 beside it
                    assert sys.getsizeof(built) == sys.getsizeof(expected.encode().decode())
