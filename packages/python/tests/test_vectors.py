"""Every case of tests/vectors that Python's vocabulary reaches, with the same results as in Rust.

A case's inputs are taken out one by one; what is left has to equal what the call gave, so that a field nobody knows fails
the test. Nonces and clock readings are inputs there but never here: what was sealed is opened by PyNaCl, and sealed again
by PyNaCl under the case's nonce, to be compared byte for byte.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from conftest import REPOSITORY, body_of, field_of, key_of, nacl_open, nacl_seal, same
from record_steps import declared, outcome

import cardseal
from cardseal import ApiError, Envelope, EnvelopeError, MemoryIdempotencyStore, MemoryReplayStore
from cardseal._native import IDEMPOTENCY_MAX_RECORDS, record_key

Fields = dict[str, Any]
FOLDER = REPOSITORY / "tests" / "vectors"


class Case:
    """The fields of a case that nobody has taken yet."""

    def __init__(self, fields: Fields) -> None:
        self.fields = dict(fields)
        self.name: str = self.take("name")
        self.rules: list[str] = self.take("rules")
        self.expect: str = self.take("expect")
        assert self.rules

    def take(self, field: str) -> Any:
        return self.fields.pop(field)

    def optional(self, field: str, otherwise: Any = None) -> Any:
        return self.fields.pop(field, otherwise)

    def bytes(self, field: str) -> bytes:
        return bytes.fromhex(self.take(field))

    def envelope(self) -> tuple[Envelope, bytes, str]:
        """The envelope, the key that seals, and the layout."""
        options: Fields = {}
        for name in ("layout", "max_bytes", "open_secrets"):
            if name in self.fields:
                options[name] = self.take(name)
        if "open_keys_hex" in self.fields:
            options["open_keys"] = [bytes.fromhex(key) for key in self.take("open_keys_hex")]
        layout = options.get("layout", "versioned")
        secret = self.optional("secret")
        try:
            if secret is not None:
                return Envelope(secret, **options), key_of(secret), layout
            key = self.bytes("key_hex")
            return Envelope.from_key(key, **options), key, layout
        except TypeError as error:
            # Keys beside a secret, or secrets beside a key: no call can say that in Python.
            assert "unexpected keyword argument 'open_" in str(error)
            raise EnvelopeError("invalid_option", "mixed") from error

    def body(self) -> Any:
        if "parsed_field" in self.fields:
            return {"encrypted": self.take("parsed_field"), "other": 1}
        return self.take("body") if "body" in self.fields else self.bytes("body_hex")


def skew(error: EnvelopeError) -> Fields:
    return {} if error.skew_micros is None else {"skew_micros": error.skew_micros}


def key(case: Case) -> Fields:
    derived = case.fields.get("derived_key_hex")
    envelope, _, layout = case.envelope()
    case.take("derived_key_hex")
    # The key never leaves an envelope: PyNaCl has to open under the expected key what this one seals. max_bytes may be
    # too small for any body, so the other direction decides then.
    try:
        _, message = nacl_open(envelope.encrypt(b"m"), bytes.fromhex(derived or ""), layout)
        assert message == b"m"
    except EnvelopeError as error:
        assert error.code == "too_large"
    return {}


def seal(case: Case) -> Fields:
    operation = case.take("operation")
    envelope, sealing_key, layout = case.envelope()
    nonce = case.bytes("nonce_hex")
    if operation == "encrypt":
        message = case.bytes("message_hex")
        used, opened = nacl_open(envelope.encrypt(message), sealing_key, layout)
        assert opened == message
        assert used != nonce
        return {"field": nacl_seal(message, sealing_key, nonce, layout)}

    payload, stamp = case.take("payload"), str(case.optional("timestamp_micros"))
    outputs: Fields = {}
    if operation == "seal":
        body = envelope.seal(payload)
        new_stamp = None
    elif operation == "seal_request":
        request = envelope.seal_request(
            case.take("path"), payload, api_key=case.take("api_key"), idempotency_key=case.optional("idempotency_key")
        )
        body, new_stamp = request.body, str(request.timestamp_micros)
        outputs = {"headers": [list(pair) for pair in request.headers.items()], "normalized_path": request.path}
    else:
        body = {"seal_response": envelope.seal_response, "seal_webhook": envelope.seal_webhook}[operation](payload)
        new_stamp = None

    used, opened = nacl_open(field_of(body), sealing_key, layout)
    assert body == body_of(nacl_seal(opened, sealing_key, used, layout))
    text = opened.decode()
    if operation == "seal" and cardseal.validate_payload(payload) is None:
        start = '{"request_timestamp":'
        assert text.startswith(start)
        new_stamp = text[len(start) :].split(",")[0].split("}")[0].strip()
    if new_stamp is not None:
        assert abs(int(new_stamp) - cardseal.timestamp_micros()) < 60_000_000
        assert text.count(new_stamp) == 1
        text = text.replace(new_stamp, stamp)
    return {"plaintext": text, "body": body_of(nacl_seal(text.encode(), sealing_key, nonce, layout)), **outputs}


def open_(case: Case) -> Fields:
    operation = case.take("operation")
    envelope, _, _ = case.envelope()
    if operation == "decrypt":
        return {"message_hex": envelope.decrypt(case.take("field")).hex()}
    assert operation == "open"
    return {"plaintext": envelope.open(case.body())}


def request(case: Case) -> Fields:
    envelope, _, _ = case.envelope()
    options = {"window_seconds": case.take("window_seconds")} if "window_seconds" in case.fields else {}
    opened = envelope.open_request(case.body(), now_micros=case.take("now_micros"), **options)
    return {
        "plaintext": opened.payload,
        "timestamp_micros": opened.timestamp_micros,
        "nonce_hex": opened.nonce.hex(),
        "key_index": opened.key_index,
    }


def precedence(case: Case) -> Fields:
    assert case.take("faults")[0] == case.expect
    return request(case)


def response(case: Case) -> Fields:
    envelope, _, _ = case.envelope()
    status = case.take("status")
    try:
        return {"payload": envelope.open_response(status, case.body(), request=case.optional("request"))}
    except EnvelopeError as error:
        assert error.status == status
        raise


def webhook(case: Case) -> Fields:
    envelope, _, _ = case.envelope()
    opened = envelope.open_webhook(case.body())
    return {
        "plaintext": opened.payload,
        "type": opened.type,
        "timestamp": opened.timestamp,
        "delivery_id": opened.delivery_id,
        "dedupe_key": opened.dedupe_key,
        "key_index": opened.key_index,
    }


def payload(case: Case) -> Fields:
    return {"timestamp_micros": cardseal.validate_payload(case.take("payload"))}


def timestamp(case: Case) -> Fields:
    assert case.take("operation") == "grammar"
    return {"timestamp_micros": cardseal.validate_payload('{"request_timestamp":' + case.take("value") + "}")}


def window(case: Case) -> Fields:
    key = bytes(32)
    stamped = json.dumps({"request_timestamp": case.take("timestamp_micros")}).encode()
    Envelope.from_key(key).open_request(
        body_of(nacl_seal(stamped, key)), now_micros=case.take("now_micros"), window_seconds=case.take("window_seconds")
    )
    return {}


def path(case: Case) -> Fields:
    given = case.take("path")
    normalized = cardseal.normalize_path(given)
    assert cardseal.normalize_path(normalized) == normalized
    return {
        "kind": cardseal.endpoint_kind(given),
        "idempotency_key_required": "Idempotency-Key" in cardseal.required_headers(given),
        "normalized_path": normalized,
    }


def replay(case: Case) -> Fields:
    operation = case.take("operation")
    if operation == "keys":
        key, stamp = bytes(32), case.take("timestamp_micros")
        body = body_of(nacl_seal(json.dumps({"request_timestamp": stamp}).encode(), key, case.bytes("nonce_hex")))
        opened = Envelope.from_key(key).open_request(body, now_micros=stamp)
        keys = cardseal.replay_keys(case.take("api_key"), case.take("path"), opened)
        return {"timestamp_key": keys.timestamp, "nonce_key": keys.nonce}
    assert operation == "claims"
    store = MemoryReplayStore(case.optional("max_keys", 2**20))
    outcome = ""
    for claim in case.take("claims"):
        outcome = claimed(store, claim)
        assert outcome == claim["expect"]
    if outcome != "ok":
        raise EnvelopeError(outcome, "the last claim")  # type: ignore[arg-type]
    return {}


def claimed(store: MemoryReplayStore, claim: Fields) -> str:
    fresh, code = [], ""
    for name in ("timestamp_key", "nonce_key"):
        try:
            fresh.append(store.claim(claim[name], cardseal.REPLAY_TTL_MS, now_ms=claim["now_millis"]))
        except EnvelopeError as error:
            code = error.code
    return code or ("ok" if all(fresh) else "duplicate_request")


def idempotency(case: Case) -> Fields:
    operation = case.take("operation")
    if operation == "derive":
        return {"key": cardseal.derive_idempotency_key(case.take("namespace"), case.take("id"))}
    assert operation == "check"
    key = case.take("key")
    sealed = Envelope("a secret").seal_request("/cards/topup", {}, api_key="key_1", idempotency_key=key)
    assert sealed.idempotency_key == key
    return {}


def records(case: Case) -> Fields:
    operation = case.take("operation")
    if operation == "key":
        return {"record_key": record_key(case.take("api_key"), case.take("idempotency_key"))}
    assert operation == "steps"
    store = MemoryIdempotencyStore(case.optional("max_records", IDEMPOTENCY_MAX_RECORDS))
    result = ""
    for step in case.take("steps"):
        given = outcome(store, step, now_ms=step["now_millis"])
        assert given == declared(step), step
        result = given["result"]
    if result not in ("new", "replay", "stored"):
        raise EnvelopeError(result, "the last step")  # type: ignore[arg-type]
    return {}


def fingerprint(case: Case) -> Fields:
    path, payload = case.take("path"), case.take("payload")
    fingerprint = cardseal.fingerprint(path, payload)
    return {"canonical": cardseal.canonical_json(payload), "fingerprint": fingerprint}


def json_(case: Case) -> Fields:
    text = case.take("text") if "text" in case.fields else case.bytes("text_hex")
    envelope = Envelope("a secret")
    with pytest.raises(EnvelopeError) as refused:
        envelope.open(text)
    accepted = refused.value.code != "invalid_json"
    try:
        envelope.seal_response(text)
    except EnvelopeError as error:
        assert (error.code == "invalid_payload") is not accepted
    else:
        assert accepted
    if not accepted:
        raise refused.value
    return {}


def retry(case: Case) -> Fields:
    decision = cardseal.should_retry(
        case.take("kind"),
        case.take("failure_class"),
        code=case.optional("code"),
        sent=case.take("sent"),
        has_key=case.take("has_key"),
        attempt=case.take("attempt"),
    )
    raise EnvelopeError(decision, "the decision")  # type: ignore[arg-type]


def status(case: Case) -> Fields:
    operation = case.take("operation")
    if operation == "transition":
        kind = getattr(cardseal, case.take("machine"))
        holds, otherwise = kind(case.take("from")).can_become(case.take("to")), "not_allowed"
    elif operation == "terminal":
        kind = getattr(cardseal, case.take("machine"))
        holds, otherwise = kind(case.take("value")).is_terminal, "not_terminal"
    else:
        assert operation == "value"
        kind, value = getattr(cardseal, case.take("type")), case.take("value")
        holds, otherwise = kind(value).is_known, "unknown"
        assert str(kind(value)) == value
    if not holds:
        raise EnvelopeError(otherwise, "no")  # type: ignore[arg-type]
    return {}


FAMILIES: dict[str, Callable[[Case], Fields]] = {
    "base64": open_,
    "fingerprint": fingerprint,
    "idempotency": idempotency,
    "json": json_,
    "key": key,
    "open": open_,
    "path": path,
    "payload": payload,
    "precedence": precedence,
    "records": records,
    "replay": replay,
    "request": request,
    "response": response,
    "retry": retry,
    "seal": seal,
    "status": status,
    "timestamp": timestamp,
    "webhook": webhook,
    "window": window,
}

NOT_IN_PYTHON = {
    "clock": "the package has the process-wide clock alone, which reads the system's",
    "nonce_pool": "every nonce comes from the operating system; only WebAssembly has a pool",
}


def cases_of(family: str) -> list[Fields]:
    file = json.loads((FOLDER / f"{family}.json").read_bytes())
    assert set(file) == {"family", "about", "cases"}
    assert file["family"] == family
    cases = file["cases"]
    assert isinstance(cases, list)
    assert cases
    return cases


def outcome_of(call: Callable[[Case], Fields], case: Case) -> tuple[str, Fields]:
    try:
        return "ok", call(case)
    except ApiError as error:
        fields = {
            name: getattr(error, name) for name in ("slug", "code", "message", "failure_class", "encrypted", "payload")
        }
        return "api_error", {"api_error": fields}
    except EnvelopeError as error:
        return error.code, skew(error) if error.failure_class is None else {"failure_class": error.failure_class}


def parsed(fields: Fields) -> Fields:
    """What the vectors give as JSON text and Python as objects, as objects."""
    fields = dict(fields)
    for name in ("plaintext", "payload", "timestamp"):
        if isinstance(fields.get(name), str):
            fields[name] = json.loads(fields[name])
    if "api_error" in fields:
        fields["api_error"] = parsed(fields["api_error"])
    return fields


def judge(family: str, fields: Fields) -> str | None:
    """Run a case; say what is wrong, if anything is."""
    case = Case(fields)
    expect = case.expect
    outcome, given = outcome_of(FAMILIES[family], case)
    expected = case.fields
    if family in ("open", "request", "precedence", "response", "webhook", "base64"):
        expected = parsed(expected)
    if outcome != expect or set(given) != set(expected) or not all(same(given[name], expected[name]) for name in given):
        return f"{case.name}: expected {expect} {expected}, got {outcome} {given}"
    return None


def is_reached(family: str, fields: Fields) -> bool:
    """A key from given random bytes is for vectors alone: here they come from the operating system."""
    return not (family == "idempotency" and fields["operation"] == "random")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_case_of_a_family(family: str) -> None:
    cases = [fields for fields in cases_of(family) if is_reached(family, fields)]
    wrong = [complaint for fields in cases if (complaint := judge(family, fields))]
    assert not wrong, "\n".join(wrong)


def test_a_response_that_a_framework_has_parsed_is_judged_as_its_text_is() -> None:
    compared = 0
    for fields in cases_of("response"):
        text = fields.get("body")
        if text is None or fields["expect"] == "too_large" or "max_bytes" in fields or not is_strict_object(text):
            continue
        value = json.loads(text)
        if text != json.dumps(value, ensure_ascii=False, separators=(",", ":")):
            continue  # a plain error may show the text as it was written
        wrong = judge("response", fields | {"body": value})
        assert wrong is None
        compared += 1
    assert compared >= 80


def is_strict_object(text: str) -> bool:
    try:
        cardseal.canonical_json(text)
    except EnvelopeError:
        return False
    return True


def test_no_family_and_no_case_is_left_out() -> None:
    families = {file.stem for file in FOLDER.glob("*.json")}
    assert families == set(FAMILIES) | set(NOT_IN_PYTHON)
    all_cases = {family: cases_of(family) for family in families}
    names = Counter(fields["name"] for cases in all_cases.values() for fields in cases)
    assert [name for name, count in names.items() if count > 1] == []

    reached = [f for family in FAMILIES for f in all_cases[family] if is_reached(family, f)]
    elsewhere = [f for family in NOT_IN_PYTHON for f in all_cases[family]]
    random = [f for f in all_cases["idempotency"] if not is_reached("idempotency", f)]
    total = sum(map(len, all_cases.values()))
    assert len(reached) + len(elsewhere) + len(random) == total
    assert total >= 1_519
    assert len(reached) >= 1_466
    failing = [f for f in reached if f["expect"] not in ("ok", "retry_now", "retry_after_backoff")]
    assert len(failing) >= 922
    codes = {fields["expect"] for fields in reached}
    not_reached = set(cardseal.ERROR_CODES) - codes
    # For these the host has to fail, which it does in the families left out.
    assert not_reached == {"clock_unavailable", "entropy_unavailable"}
