"""What can be sealed, what cannot, and what the refusals say."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import json
import math
import random
import types
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest
from conftest import field_of, key_of, nacl_open, same

import cardseal
from cardseal import Envelope, EnvelopeError, OrderStatus

SECRET = "your_api_secret_key_here"


def text_of(envelope: Envelope, payload: Any, **options: Any) -> str:
    """What stands in the envelope, as PyNaCl reads it."""
    _, message = nacl_open(field_of(envelope.seal_response(payload, **options)), key_of(SECRET))
    return message.decode()


def refusal(envelope: Envelope, payload: Any, **options: Any) -> str:
    with pytest.raises(EnvelopeError) as refused:
        envelope.seal(payload, **options)
    assert refused.value.code == "invalid_payload"
    return refused.value.message


class Color(str, enum.Enum):
    RED = "red"


class Size(enum.IntEnum):
    LARGE = 3


class Plain(enum.Enum):
    ONE = 1


@dataclasses.dataclass
class Amount:
    value: str
    currency: str = "usd"
    kinds: ClassVar[int] = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Topup:
    card_id: str
    amount: Amount
    extra: list[Amount]


Point = collections.namedtuple("Point", "x y")


class Custom(Mapping[str, Any]):
    """A mapping that is no dict."""

    def __init__(self, *items: tuple[str, Any]) -> None:
        self._items = items

    def __getitem__(self, name: str) -> Any:
        return dict(self._items)[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._items)

    def __len__(self) -> int:
        return len(self._items)

    def items(self) -> Any:
        return list(self._items)


class Different(str):
    """A name that claims to differ from every other."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        {"a": None, "b": True, "c": False},
        {"": "", "é": "ü\u2028\U0001f600", 'q"\\/': '\b\t\n\f\r\x00\x1f"\\/\x7f'},
        [0, -1, 1, 2**31, -(2**63), 2**63 - 1, 2**63, -(2**63) - 1, 10**300, -(10**308)],
        [
            0.0,
            -0.0,
            0.1,
            -2.5,
            1e-4,
            1e-5,
            9.999e-5,
            1e15,
            1e16,
            1.5e16,
            123456789012345.6,
            1e22,
            5e-324,
            1.7976931348623157e308,
        ],
        {"deep": [[[{"er": [1, [2, {"x": {}}]]}]]]},
        {"long": "x" * 100_000, "longer": "é" * 40_000, "escapes": '"\n' * 20_000},
        {"wide": {f"member_{number}": number for number in range(2_000)}},
    ],
)
def test_what_json_has_is_written_as_json_dumps_writes_it(envelope: Envelope, value: Any) -> None:
    text = text_of(envelope, value)
    assert text == json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert same(envelope.open(envelope.seal_response(value)), value)


def test_floats_are_written_as_python_writes_them(envelope: Envelope) -> None:
    floats = [mantissa * 10.0**exponent for exponent in range(-30, 30) for mantissa in (1.0, -1.5, 9.999999999999998)]
    floats += [math.nextafter(edge, toward) for edge in (1e-4, 1e16) for toward in (0.0, math.inf)]
    assert text_of(envelope, floats) == json.dumps(floats, separators=(",", ":"))


def test_amounts_are_written_as_python_writes_them(envelope: Envelope) -> None:
    """Floats with two digits behind the point take a way of their own, up to ten trillions."""
    random_ = random.Random(7)
    floats = [0.0, -0.0, 0.005, -0.004, 0.29, 1.005, 4.35, -8.41, 19.99, 1e13, -1e13, 1e13 + 0.01, 2.0**53, 1e22, 1e300]
    floats += [number / 100 for number in range(-1_000, 1_000)]
    for _ in range(5_000):
        near = round(random_.uniform(-1, 1) * 10 ** random_.randint(0, 17), 2)
        floats += [near, math.nextafter(near, math.inf), math.nextafter(near, -math.inf), near + 0.001]
    assert text_of(envelope, floats) == json.dumps(floats, separators=(",", ":"))


def new(text: str) -> str:
    """Make a string that is an object of its own."""
    return "".join(list(text))


ROW = {"id": "a", "amount": 1.25, "memo": "é", "paid": None}


@pytest.mark.parametrize(
    "rows",
    [
        [ROW, ROW, dict(ROW)],
        [{"a": 1, "b": 2}, {"b": 1, "a": 2}, {"c": 1}, {}, {"b": 1, "c": 2, "a": 3}, {"a": 1, "b": 2}],
        [{new("card"): 1, new("amount"): 2} for _ in range(3)],
        [{"id": 1, 'q"\n': 2, "é": 3, "x" * 29: 4, "y" * 30: 5, "": 6, "z": 7} for _ in range(3)],
        [{**ROW, "inner": ROW, "after": 1, "list": [ROW, {"id": ROW}], "last": {"id": 1, "a": ROW}} for _ in range(4)],
        [(ROW, {"id": 1}), (ROW, {"id": 2}), [[ROW], [{"amount": 1}]]],
        [{f"name_{number}": number for number in range(count)} for count in (70, 64, 65, 63, 70)],
        [{f"{row}_{number}": number for number in range(10)} for row in range(60)] + [ROW, ROW],
        [{"request_timestamp": 1, "encrypted": "a"}, {"request_timestamp": 2, "encrypted": "b"}],
        [{"a": ROW}, {"a": 1, "b": ROW}, {"a": {"b": {"a": ROW, "b": 2}, "a": 1}, "b": 3}],
    ],
)
def test_rows_are_written_as_json_dumps_writes_them(envelope: Envelope, rows: Any) -> None:
    """Whatever the row before was like, in whose places names are looked for."""
    for value in (rows, tuple(rows), {"rows": rows, "id": 1, "more": rows}):
        assert text_of(envelope, value) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def test_the_roots_names_are_seen_behind_rows_that_have_them_too(envelope: Envelope) -> None:
    stamp, field = "request_timestamp", "encrypted"
    rows = [{stamp: 1, field: "a"}, {stamp: 2, field: "b"}]
    assert envelope.open(envelope.seal({"rows": rows, stamp: 5})) == {"rows": rows, stamp: 5}
    added = envelope.open(envelope.seal({"rows": rows, field: "c"}))
    assert list(added) == [stamp, "rows", field]
    with pytest.raises(EnvelopeError) as refused:
        envelope.seal({"rows": rows, stamp: None})
    assert refused.value.code == "invalid_timestamp"


def test_a_name_in_the_place_of_one_that_is_gone_is_written_itself(envelope: Envelope) -> None:
    """While a row is sealed `default` drops its names, and makes new ones, which Python puts where those were."""
    for length in range(1, 40):
        rows: list[dict[str, Any]] = [{}, {}]
        rows[0][new("a" * length + "1")] = 1
        rows[0][new("b" * length + "1")] = object()

        def default(value: Any, rows: Any = rows, length: int = length) -> str:
            rows[0].clear()
            rows[1].update({new(letter * length + "2"): number for number, letter in enumerate("cdef")})
            return "x"

        text = text_of(envelope, rows, default=default)
        names = [letter * length for letter in "abcdef"]
        assert [list(row) for row in json.loads(text)] == [
            [name + "1" for name in names[:2]],
            [name + "2" for name in names[2:]],
        ]


def test_a_name_that_stands_twice_in_a_row_is_found(envelope: Envelope) -> None:
    for twice in ({"a": 1, Different("a"): 2}, {Different("a"): 1, "a": 2}, {"b": 0, "a": 1, Different("a"): 2}):
        for rows in ([twice, twice], [{"a": 1, "b": 2}, twice], [{"b": 0, "a": 1}] * 3 + [twice]):
            assert "a member name that its object already has" in refusal(envelope, {"rows": rows})


def test_derived_types_are_what_they_derive_from(envelope: Envelope) -> None:
    class Text(str):
        __slots__ = ()

    class Number(int):
        def __repr__(self) -> str:
            return "no number"

        __str__ = __repr__

    class Float(float):
        __repr__ = Number.__repr__  # type: ignore[assignment]

    class Members(dict[str, int]):
        pass

    value = {
        "text": Text("a"),
        "number": Number(7),
        "large": Number(10**30),
        "float": Float(2.5),
        "color": Color.RED,
        "size": Size.LARGE,
        "tuple": (1, (2,)),
        "named": Point(1, 2),
        "members": Members(a=1),
        "ordered": collections.OrderedDict(b=1, a=2),
        "default": collections.defaultdict(int, c=3),
        "proxy": types.MappingProxyType({"d": 4}),
        "custom": Custom(("e", 5)),
        "status": OrderStatus.NEW,
    }
    assert text_of(envelope, value) == (
        '{"text":"a","number":7,"large":1000000000000000000000000000000,"float":2.5,"color":"red","size":3,'
        '"tuple":[1,[2]],"named":[1,2],"members":{"a":1},"ordered":{"b":1,"a":2},"default":{"c":3},"proxy":{"d":4},'
        '"custom":{"e":5},"status":"new"}'
    )


def test_dataclasses_are_objects_of_their_fields(envelope: Envelope) -> None:
    topup = Topup("card_abc123", Amount("10.00"), [Amount("1", "eur")])
    expected = {
        "card_id": "card_abc123",
        "amount": {"value": "10.00", "currency": "usd"},
        "extra": [{"value": "1", "currency": "eur"}],
    }
    assert json.loads(text_of(envelope, topup)) == expected == dataclasses.asdict(topup)
    assert envelope.open(envelope.seal(topup)).keys() == {"request_timestamp", *expected}
    assert "has no JSON form" in refusal(envelope, {"kind": Topup})


def test_text_and_bytes_are_json_text_kept_to_the_letter(envelope: Envelope) -> None:
    text = ' {"b" : 1.0, "a":"\\u00e9\\/"}\n'
    for given in (text, text.encode(), bytearray(text.encode()), memoryview(text.encode())):
        assert text_of(envelope, given) == text.strip()
    assert text_of(envelope, '"a string"') == '"a string"'
    for wrong in ("", "a string", b"\xff{}", "{'a': 1}", '{"a":1,"a":2}', "\ufeff{}", '{"a":"\ud800"}'):
        assert "not strict JSON" in refusal(envelope, wrong)


def test_default_is_asked_for_what_json_does_not_have(envelope: Envelope) -> None:
    moment = datetime.datetime(2026, 11, 25, tzinfo=datetime.timezone.utc)
    value = {"amount": decimal.Decimal("10.00"), "at": [moment], "id": uuid.UUID(int=7), "raw": b"ab", "set": {1}}

    def default(value: Any) -> Any:
        return sorted(value) if isinstance(value, set) else value.decode() if isinstance(value, bytes) else str(value)

    assert json.loads(text_of(envelope, value, default=default)) == {
        "amount": "10.00",
        "at": ["2026-11-25 00:00:00+00:00"],
        "id": "00000000-0000-0000-0000-000000000007",
        "raw": "ab",
        "set": [1],
    }
    for seal in (envelope.seal, envelope.seal_webhook):
        assert envelope.open(seal({"a": decimal.Decimal(1)}, default=str))["a"] == "1"
    request = envelope.seal_request("/cards/get", {"a": decimal.Decimal(1)}, api_key="k", default=str)
    assert envelope.open(request.body)["a"] == "1"


def test_what_default_raises_is_raised(envelope: Envelope) -> None:
    def default(value: Any) -> Any:
        raise ZeroDivisionError(value)

    with pytest.raises(ZeroDivisionError):
        envelope.seal({"a": [object()]}, default=default)
    assert "again and again" in refusal(envelope, {"a": object()}, default=lambda value: value)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"items": [{}, {}, {"amount": decimal.Decimal(1)}]}, "`items[2].amount` has no JSON form: convert it first"),
        ({"at": datetime.date(2026, 1, 1)}, "`at` has no JSON form"),
        ({"a": {"id": uuid.UUID(int=1)}}, "`a.id` has no JSON form"),
        ({"a": ({1},)}, "`a[0]` has no JSON form"),
        ({"a": Plain.ONE}, "`a` has no JSON form"),
        ({"a": b"x"}, "`a` is bytes, which JSON does not have: decode them to text first"),
        ({"a": bytearray(b"x")}, "`a` is bytes"),
        ({"a": math.nan}, "`a` is no finite number"),
        ({"a": [math.inf]}, "`a[0]` is no finite number"),
        ({"a": -math.inf}, "`a` is no finite number"),
        ({"a": 10**309}, "`a` is a number that is too large"),
        ({"a": -(2**1024)}, "`a` is a number that is too large"),
        ({"a": {1: 2}}, "`a` has a name that is no text"),
        ({None: 2}, "the payload has a name that is no text"),
        ({"a": {"\ud800": 2}}, "`a` has a name with half of a surrogate pair"),
        ({"a": "x\udfff"}, "`a` holds half of a surrogate pair"),
        (object(), "the payload has no JSON form"),
        ([1], "the payload is no JSON object"),
        (None, "the payload is no JSON object"),
        (7, "the payload is no JSON object"),
        (Custom(("a", 1), ("b", 2), ("a", 3)), "a member name that its object already has"),
        ({"x": Custom(("a", 1), ("a", 3))}, "a member name that its object already has"),
        ({Different("a"): 1, Different("a"): 2}, "a member name that its object already has"),
    ],
)
def test_refusals_name_the_place_and_say_what_to_do(envelope: Envelope, payload: Any, message: str) -> None:
    assert message in refusal(envelope, payload)


def test_a_long_way_to_the_place_is_cut(envelope: Envelope) -> None:
    message = refusal(envelope, {"x" * 500: {"y": math.nan}})
    assert message.startswith("`" + "x" * 40 + "…` is no finite number")


def test_levels_are_counted_and_cycles_end(envelope: Envelope) -> None:
    value: Any = 0
    for _ in range(127):
        value = [value]
    assert same(envelope.open(envelope.seal({"a": value}))["a"], value)
    for too_deep in ({"a": [value]}, {"a": {"b": value}}, {"a": (value,)}, {"a": Custom(("b", value))}):
        assert "nests more than 128 levels deep, or contains itself" in refusal(envelope, too_deep)
    cycle: list[Any] = []
    cycle.append(cycle)
    assert "contains itself" in refusal(envelope, {"a": cycle})
    members: dict[str, Any] = {}
    members["again"] = members
    assert "contains itself" in refusal(envelope, members)


def test_members_that_are_there_throughout_are_sealed_whatever_default_does(envelope: Envelope) -> None:
    """A dict that grows, shrinks or moves its members while `default` runs loses none of those it had."""
    for count in (1, 5, 20):
        for change in ("grow", "clear", "replace"):
            members: dict[str, Any] = {f"gone_{number}": 0 for number in range(count)}
            for name in list(members):
                del members[name]
            expected = {"first": 1, "total": "x", "amount": "10.00", "é": "é", "card_id": "c", "last": [1]}
            members.update(expected, total=object())

            def default(value: object, members: dict[str, Any] = members, change: str = change) -> str:
                if change == "clear":
                    members.clear()
                elif change == "replace":
                    del members["last"]
                members.update({f"new_{number}": 0 for number in range(100 if change == "grow" else 0)})
                return "x"

            assert envelope.open(envelope.seal_response(members, default=default)) == expected


def test_a_list_that_changes_while_it_is_sealed_is_refused(envelope: Envelope) -> None:
    for change in (lambda items: items.pop(), lambda items: items.append(1), lambda items: items.clear()):
        items: list[Any] = [object(), 1, 2, 3]

        def default(value: object, items: list[Any] = items, change: Any = change) -> int:
            change(items)
            return 0

        assert "changes while it is sealed" in refusal(envelope, {"items": items}, default=default)


def test_what_the_objects_raise_is_raised(envelope: Envelope, capfd: pytest.CaptureFixture[str]) -> None:
    """Classes that are asked what they are run Python code: what that raises is nobody's to swallow."""

    class Interrupted:
        @property
        def __class__(self) -> Any:
            raise KeyboardInterrupt

        def __repr__(self) -> str:
            return "PLAINTEXT"

    class Items(Custom):
        def items(self) -> Any:
            raise KeyboardInterrupt

    for payload in ({"a": Interrupted()}, Items()):
        with pytest.raises(KeyboardInterrupt):
            envelope.seal(payload, default=str)
        with pytest.raises(KeyboardInterrupt):
            envelope.open_response(400, payload)
    triples = Custom()
    triples.items = lambda: [(1, 2, 3)]  # type: ignore[method-assign]
    with pytest.raises(TypeError, match="has to give pairs"):
        envelope.seal(triples)
    assert "PLAINTEXT" not in capfd.readouterr().err


def test_the_timestamp_is_added_kept_or_replaced(envelope: Envelope) -> None:
    stamped = envelope.open(envelope.seal({"a": 1}))
    assert list(stamped) == ["request_timestamp", "a"]
    assert abs(stamped["request_timestamp"] - cardseal.timestamp_micros()) < 60_000_000
    for given in (1_700_000_000_000_000, "1700000000000000"):
        assert envelope.open(envelope.seal({"a": 1, "request_timestamp": given})) == {
            "a": 1,
            "request_timestamp": given,
        }
    for wrong in (None, True, 1.7e15, -1, "", "01", 2**63, [], {}):
        with pytest.raises(EnvelopeError) as refused:
            envelope.seal({"request_timestamp": wrong})
        assert refused.value.code == "invalid_timestamp"
        payload = {"a": "x" * 100, "request_timestamp": wrong, "b": 2}
        request = envelope.seal_request("/cards/get", payload, api_key="key_1")
        assert payload == {"a": "x" * 100, "request_timestamp": wrong, "b": 2}, "what was given is not changed"
        assert list(envelope.open(request.body).items()) == [
            ("a", "x" * 100),
            ("request_timestamp", request.timestamp_micros),
            ("b", 2),
        ]


def test_what_is_sealed_already_is_refused(envelope: Envelope) -> None:
    body = envelope.seal({"a": 1})
    parsed = json.loads(body)
    for seal in (
        envelope.seal,
        envelope.seal_response,
        envelope.seal_webhook,
        lambda payload: envelope.seal_request("/cards/get", payload, api_key="k"),
    ):
        for given in (body, body.encode(), parsed, Custom(*parsed.items())):
            with pytest.raises(EnvelopeError) as refused:
                seal(given)
            assert refused.value.code == "already_sealed"
    envelope.seal_response({"encrypted": 1})
    envelope.seal_response({"encrypted": "x", "more": 1})


def test_the_request_is_checked_before_its_payload(envelope: Envelope) -> None:
    cases = [
        ("/", "k", None, "invalid_path"),
        ("/cards/get\ud800", "k", None, "invalid_path"),
        ("/cards/get", "", None, "invalid_api_key"),
        ("/cards/get", "k\ud800", None, "invalid_api_key"),
        ("/cards/topup", "k", None, "idempotency_key_required"),
        ("/cards/topup", "k", "a b", "invalid_idempotency_key"),
        ("/cards/topup", "k", "a", "invalid_payload"),
    ]
    for path, api_key, idempotency_key, code in cases:
        with pytest.raises(EnvelopeError) as refused:
            envelope.seal_request(path, {"a": object()}, api_key=api_key, idempotency_key=idempotency_key)
        assert refused.value.code == code


def test_a_body_may_be_as_large_as_max_bytes() -> None:
    body = Envelope(SECRET).seal_response({"a": "x" * 1_000})
    exact = Envelope(SECRET, max_bytes=len(body))
    assert exact.open(exact.seal_response({"a": "x" * 1_000})) == {"a": "x" * 1_000}
    for small in (Envelope(SECRET, max_bytes=len(body) - 1), Envelope(SECRET, max_bytes=1)):
        for call in (lambda e: e.seal_response({"a": "x" * 1_000}), lambda e: e.open(body)):
            with pytest.raises(EnvelopeError) as refused:
                call(small)
            assert refused.value.code == "too_large"
