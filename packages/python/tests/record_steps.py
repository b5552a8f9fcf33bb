"""The steps of records.json, taken in any store of idempotency records."""

from __future__ import annotations

from typing import Any

from cardseal import EnvelopeError

Fields = dict[str, Any]


def outcome(store: Any, step: Fields, **clock: int) -> Fields:
    """Take a step; give what comes of it with the names of the vectors."""
    try:
        if step["step"] in ("begin", "take_over"):
            method = getattr(store, step["step"])
            names = step["api_key"], step["idempotency_key"], step["fingerprint"]
            begun = method(*names, lease_ms=step["lease_millis"], **clock)
            outcome = {"result": begun.state, "token": begun.token, "status": begun.status, "body": begun.body}
            if begun.body is not None:
                outcome["body"] = begun.body.decode()
            return {name: value for name, value in outcome.items() if value is not None}
        if step["step"] == "complete":
            is_stored = store.complete(step["token"], step["status"], step["body"], **clock)
        else:
            assert step["step"] == "give_back"
            is_stored = store.give_back(step["token"], **clock)
    except EnvelopeError as error:
        return {"result": error.code}
    assert isinstance(is_stored, bool)
    return {"result": "stored" if is_stored else "stale"}


def declared(step: Fields) -> Fields:
    """Give what the vectors say of a step's outcome."""
    names = {"new": {"token"}, "replay": {"status", "body"}}.get(step["result"], set[str]())
    assert set(step) == {"step", "now_millis", "result"} | INPUTS[step["step"]] | names
    return {name: step[name] for name in ("result", *names)}


INPUTS = {
    "begin": {"api_key", "idempotency_key", "fingerprint", "lease_millis"},
    "take_over": {"api_key", "idempotency_key", "fingerprint", "lease_millis"},
    "complete": {"token", "status", "body"},
    "give_back": {"token"},
}
