"""Nothing that holds a key or a plaintext prints it, and errors travel between processes."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from typing import Any

import pytest

import cardseal
from cardseal import ApiError, Begun, Envelope, EnvelopeError, MemoryIdempotencyStore, MemoryReplayStore

SECRET = "correct horse battery staple"
OLDER = "another secret of ours"
PLAIN = "4111-1111-1111-1111"


def everything() -> list[Any]:
    """Make one of each object that a call gives, with a plaintext in it where there can be one."""
    envelope = Envelope(SECRET, open_secrets=[OLDER], layout="bare")
    payload = {"type": PLAIN, "card": PLAIN, "delivery_id": PLAIN, "timestamp": PLAIN, PLAIN: PLAIN}
    request = envelope.open_request(envelope.seal(payload))
    return [
        envelope,
        request,
        envelope.seal_request("/cards/get", payload, api_key="the_api_key"),
        envelope.open_webhook(envelope.seal_webhook(payload)),
        cardseal.replay_keys("the_api_key", "/cards/get", request),
        MemoryReplayStore(),
        Begun("replay", status=200, body=PLAIN),
        remembering(),
        *errors(),
    ]


def remembering() -> MemoryIdempotencyStore:
    store = MemoryIdempotencyStore()
    begun = store.begin("the_api_key", PLAIN, "print")
    assert begun.token is not None
    assert store.complete(begun.token, 200, PLAIN)
    return store


def errors() -> list[Exception]:
    envelope = Envelope(SECRET)
    failed = envelope.seal_response({"success": False, "error": "no", "error_slug": "card_not_found", "card": PLAIN})
    repeated = envelope.encrypt('{"card":"' + PLAIN + '","card":"' + PLAIN + '"}')
    calls: list[Any] = [
        lambda: Envelope("\ud800" + SECRET),
        lambda: Envelope(SECRET, open_secrets=["short"]),
        lambda: envelope.open({"encrypted": repeated}),
        lambda: envelope.open_request(envelope.seal({"request_timestamp": 1, "card": PLAIN})),
        lambda: envelope.open_response(404, failed),
        lambda: envelope.open_response(200, '{"card": "' + PLAIN + '"}'),
        lambda: envelope.seal({"request_timestamp": PLAIN}),
        lambda: envelope.seal('{"card": "' + PLAIN),
        lambda: envelope.seal({"card": [PLAIN, {PLAIN}]}),
        lambda: envelope.seal({"card": PLAIN + "\ud800"}),
        lambda: cardseal.validate_payload({"request_timestamp": PLAIN}),
        lambda: Envelope(SECRET.encode()),  # type: ignore[arg-type]
        lambda: Envelope.from_key(SECRET),  # type: ignore[arg-type]
        lambda: Envelope.from_key(SECRET.encode()),
        lambda: Envelope(SECRET, open_secrets=OLDER),
    ]
    raised = []
    for call in calls:
        with pytest.raises((EnvelopeError, ApiError, TypeError)) as error:
            call()
        raised.append(error.value)
    return raised


def test_nothing_prints_a_secret_or_a_plaintext() -> None:
    for thing in everything():
        printed = [repr(thing), str(thing), f"{thing}", repr(getattr(thing, "args", ""))]
        if isinstance(thing, BaseException):
            printed.append("".join(traceback.format_exception_only(thing)))
        for text in printed:
            for hidden in ("correct", "another", "4111", "the_api_key"):
                assert hidden not in text, text


def test_reprs_say_what_they_are() -> None:
    envelope, request, sealed, webhook, keys, store, begun, records = everything()[:8]
    assert repr(envelope) == "Envelope(layout='bare', open_secrets=1)"
    assert repr(request) == f"Request(timestamp_micros={request.timestamp_micros}, key_index=0)"
    assert repr(sealed) == (
        f"SealedRequest(path='/api/v1/cards/get', idempotency_key=None, body_bytes={len(sealed.body)})"
    )
    assert repr(webhook) == "Webhook(key_index=0)"
    assert repr(keys) == f"ReplayKeys(timestamp='{keys.timestamp}', nonce='{keys.nonce}')"
    assert repr(store) == "MemoryReplayStore(keys=0)"
    assert repr(begun) == f"Begun(state='replay', status=200, body_bytes={len(PLAIN)})"
    assert repr(records) == "MemoryIdempotencyStore(records=1)"


def test_an_envelope_is_not_pickled_or_copied() -> None:
    envelope = Envelope(SECRET)
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="an Envelope holds keys"):
            leave(envelope)
    with pytest.raises(TypeError):
        json.dumps(envelope)
    with pytest.raises(TypeError):
        vars(envelope)


def test_results_cannot_be_changed() -> None:
    for thing in everything()[:8]:
        for name in [name for name in dir(thing) if not name.startswith("_")]:
            with pytest.raises(AttributeError):
                setattr(thing, name, 1)
        with pytest.raises(AttributeError):
            thing.something_else = 1
    envelope = Envelope(SECRET)
    request = envelope.seal_request("/cards/get", {}, api_key="key_1")
    request.headers["API-KEY"] = "another"
    assert request.headers == {"API-KEY": "key_1", "Content-Type": "application/json"}
    for kind in (cardseal.Request, cardseal.SealedRequest, cardseal.Webhook, cardseal.ReplayKeys, Begun):
        with pytest.raises(TypeError):
            kind()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_errors_pickle_and_copy(protocol: int) -> None:
    for error in errors():
        for other in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error), copy.deepcopy(error)):
            assert type(other) is type(error)
            assert other.__dict__ == error.__dict__
            assert (str(other), repr(other), other.args) == (str(error), repr(error), error.args)


def test_a_code_that_no_api_gives_forges_no_line_of_a_log() -> None:
    envelope = Envelope(SECRET)
    slug = "ok)\n2026-01-01 INFO paid\x1b[2J" + "A" * 5_000
    with pytest.raises(ApiError) as raised:
        envelope.open_response(400, envelope.seal_response({"success": False, "error": "no", "error_slug": slug}))
    assert raised.value.code == slug
    for text in (str(raised.value), repr(raised.value)):
        assert len(text) < 250
        assert "\n" not in text
        assert "\x1b" not in text


def test_errors_say_all_they_know() -> None:
    envelope = Envelope(SECRET)
    with pytest.raises(EnvelopeError) as raised:
        envelope.open_request(envelope.seal({"request_timestamp": 5}), now_micros=40_000_005)
    error = raised.value
    assert isinstance(error, ValueError)
    assert (error.code, error.skew_micros, error.status, error.failure_class) == (
        "timestamp_outside_window",
        -40_000_000,
        None,
        None,
    )
    assert str(error) == f"{error.message} (timestamp_outside_window)"
    with pytest.raises(EnvelopeError) as raised:
        envelope.open_response(201, "")
    error = raised.value
    assert (error.code, error.status, error.failure_class) == ("invalid_json", 201, "transient")
    assert str(error) == f"http status 201: {error.message} (invalid_json)"
