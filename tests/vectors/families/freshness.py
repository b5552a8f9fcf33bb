"""replay.json, idempotency.json, fingerprint.json, clock.json and nonce_pool.json."""

from __future__ import annotations

import hashlib
from typing import Any

from oracle import freshness
from oracle.refusal import Disagreement, Refusal
from oracle.request import check_idempotency_key

from .case import EXAMPLE_NONCE, EXAMPLE_STAMP, Family, Fields, nonce_for, stamp_for

# --- replay.json


def compute_replay(inputs: Fields) -> Fields:
    if inputs["operation"] == "keys":
        timestamp_key, nonce_key = freshness.replay_keys(
            inputs["api_key"], inputs["path"], inputs["timestamp_micros"], bytes.fromhex(inputs["nonce_hex"])
        )
        return {"timestamp_key": timestamp_key, "nonce_key": nonce_key}
    store = freshness.ReplayStore(inputs.get("max_keys", freshness.DEFAULT_MAX_KEYS))
    verdict = "ok"
    for claim in inputs["claims"]:
        verdict = store.claim_request(claim["timestamp_key"], claim["nonce_key"], claim["now_millis"])
        if verdict != claim["expect"]:
            raise Disagreement(f"claim at {claim['now_millis']}: declared {claim['expect']}, computed {verdict}")
    return {"expect": verdict}


REPLAY = Family(
    "replay",
    "The two keys a request claims, and sequences of claims against a store in memory that starts empty.",
    ("operation", "api_key", "path", "timestamp_micros", "nonce_hex", "max_keys", "claims"),
    compute_replay,
)


def keys(name: str, rules: str, expect: str, /, want: Fields | None = None, **inputs: Any) -> None:
    inputs = {"api_key": "key_1", "path": "/cards/topup", "timestamp_micros": EXAMPLE_STAMP, **inputs}
    inputs.setdefault("nonce_hex", nonce_for(name).hex())
    REPLAY.case("replay_keys_" + name, rules, expect, want=want, operation="keys", **inputs)


keys(
    "of_specification_example",
    "REPLAY-1 REPLAY-2",
    "ok",
    want={
        "timestamp_key": "b97a4dc61df4c6ae4f1a6f1dc4b13105649d0f8b0ec9d538aa6a5e35368d2aca",
        "nonce_key": "5e75a8fdcf6932f1fb64aa349648f4131233998be9bcf7372c90254ed4638453",
    },
    nonce_hex=EXAMPLE_NONCE.hex(),
)
keys(
    "of_full_url",
    "REPLAY-1",
    "ok",
    path="https://api.example.com/api/v1/cards/topup/?x=1",
    want={"timestamp_key": "b97a4dc61df4c6ae4f1a6f1dc4b13105649d0f8b0ec9d538aa6a5e35368d2aca"},
)
keys(
    "of_other_path_same_nonce",
    "REPLAY-2",
    "ok",
    path="/cards/unfreeze",
    nonce_hex=EXAMPLE_NONCE.hex(),
    want={"nonce_key": "5e75a8fdcf6932f1fb64aa349648f4131233998be9bcf7372c90254ed4638453"},
)
keys("of_other_api_key", "REPLAY-1 REPLAY-2", "ok", api_key="key_2", nonce_hex=EXAMPLE_NONCE.hex())
keys("of_other_timestamp", "REPLAY-1", "ok", timestamp_micros=EXAMPLE_STAMP + 1)
keys("of_timestamp_zero", "REPLAY-1", "ok", timestamp_micros=0)
keys("of_largest_timestamp", "REPLAY-1", "ok", timestamp_micros=9_223_372_036_854_775_807)
keys("of_api_key_of_255", "REPLAY-1 REPLAY-2", "ok", api_key="k" * 255)
keys("parts_do_not_run_together", "REPLAY-1", "ok", api_key="key_1/api/v1", path="/api/v1/cards/topup")
keys("api_key_empty", "REPLAY-1 REPLAY-2", "invalid_api_key", api_key="")
keys("api_key_of_256", "REPLAY-1 REPLAY-2", "invalid_api_key", api_key="k" * 256)
keys("api_key_with_space", "REPLAY-1 REQ-2", "invalid_api_key", api_key="key 1")
keys("path_empty", "REPLAY-1", "invalid_path", path="")
keys("path_with_percent", "REPLAY-1 PATH-5", "invalid_path", path="/cards%2Ftopup")

START = 1_700_000_000_000


def claims(
    name: str, rules: str, expect: str, *sequence: tuple[int, str, str, str], max_keys: int | None = None
) -> None:
    """Claims as (millis after the start, timestamp key, nonce key, verdict); keys are spelled t1, n1, …"""
    spelled = {}
    for _, timestamp_key, nonce_key, _ in sequence:
        for short in (timestamp_key, nonce_key):
            spelled[short] = hashlib.sha256(f"{name} {short}".encode()).hexdigest()
    listed = [
        {"now_millis": START + millis, "timestamp_key": spelled[t], "nonce_key": spelled[n], "expect": verdict}
        for millis, t, n, verdict in sequence
    ]
    extra: Fields = {} if max_keys is None else {"max_keys": max_keys}
    REPLAY.case("replay_claims_" + name, rules, expect, operation="claims", claims=listed, **extra)


OK, DUPLICATE, UNAVAILABLE = "ok", "duplicate_request", "replay_store_unavailable"

claims("first", "REPLAY-3", OK, (0, "t1", "n1", OK))
claims("two_different", "REPLAY-3", OK, (0, "t1", "n1", OK), (0, "t2", "n2", OK))
claims("same_twice", "REPLAY-3", DUPLICATE, (0, "t1", "n1", OK), (1, "t1", "n1", DUPLICATE))
claims("same_at_once", "REPLAY-3", DUPLICATE, (0, "t1", "n1", OK), (0, "t1", "n1", DUPLICATE))
claims("same_timestamp_other_nonce", "REPLAY-3", DUPLICATE, (0, "t1", "n1", OK), (5, "t1", "n2", DUPLICATE))
claims("other_timestamp_same_nonce", "REPLAY-3 REPLAY-2", DUPLICATE, (0, "t1", "n1", OK), (5, "t2", "n1", DUPLICATE))
claims(
    "nonce_of_a_duplicate_is_claimed_too",
    "REPLAY-3",
    DUPLICATE,
    (0, "t1", "n1", OK),
    (5, "t1", "n2", DUPLICATE),
    (6, "t3", "n2", DUPLICATE),
)
claims(
    "timestamp_of_a_duplicate_is_claimed_too",
    "REPLAY-3",
    DUPLICATE,
    (0, "t1", "n1", OK),
    (5, "t2", "n1", DUPLICATE),
    (6, "t2", "n3", DUPLICATE),
)
claims(
    "fresh_one_after_a_duplicate", "REPLAY-3", OK, (0, "t1", "n1", OK), (5, "t1", "n1", DUPLICATE), (6, "t2", "n2", OK)
)
claims("live_one_milli_before_its_end", "REPLAY-4", DUPLICATE, (0, "t1", "n1", OK), (69_999, "t1", "n1", DUPLICATE))
claims("fresh_again_at_its_end", "REPLAY-4", OK, (0, "t1", "n1", OK), (70_000, "t1", "n1", OK))
claims("fresh_again_much_later", "REPLAY-4", OK, (0, "t1", "n1", OK), (1_000_000, "t1", "n1", OK))
claims(
    "seen_again_is_not_prolonged",
    "REPLAY-4",
    OK,
    (0, "t1", "n1", OK),
    (60_000, "t1", "n1", DUPLICATE),
    (70_000, "t1", "n1", OK),
)
claims(
    "claimed_again_lives_a_full_time",
    "REPLAY-4",
    DUPLICATE,
    (0, "t1", "n1", OK),
    (70_000, "t1", "n1", OK),
    (139_999, "t1", "n1", DUPLICATE),
)
claims("clock_back_keeps_keys_live", "REPLAY-4", DUPLICATE, (0, "t1", "n1", OK), (-100_000, "t1", "n1", DUPLICATE))
claims(
    "ends_are_counted_for_each_key",
    "REPLAY-4 REPLAY-3",
    DUPLICATE,
    (0, "t1", "n1", OK),
    (40_000, "t1", "n2", DUPLICATE),
    (80_000, "t1", "n2", DUPLICATE),
)
claims("store_of_two_keys_holds_one_request", "REPLAY-5", OK, (0, "t1", "n1", OK), max_keys=2)
claims("store_full", "REPLAY-5", UNAVAILABLE, (0, "t1", "n1", OK), (1, "t2", "n2", UNAVAILABLE), max_keys=2)
claims(
    "store_full_in_the_middle_of_a_request",
    "REPLAY-5 REPLAY-6",
    UNAVAILABLE,
    (0, "t1", "n1", OK),
    (1, "t2", "n2", UNAVAILABLE),
    max_keys=3,
)
claims(
    "store_full_answers_live_keys",
    "REPLAY-5",
    DUPLICATE,
    (0, "t1", "n1", OK),
    (1, "t2", "n2", UNAVAILABLE),
    (2, "t1", "n1", DUPLICATE),
    max_keys=2,
)
claims(
    "store_full_evicts_no_live_key",
    "REPLAY-5",
    DUPLICATE,
    (0, "t1", "n1", OK),
    (69_998, "t2", "n2", UNAVAILABLE),
    (69_999, "t1", "n1", DUPLICATE),
    max_keys=2,
)
claims("store_full_forgets_what_ended", "REPLAY-5", OK, (0, "t1", "n1", OK), (70_000, "t2", "n2", OK), max_keys=2)
claims(
    "store_full_of_half_ended_keys",
    "REPLAY-5",
    OK,
    (0, "t1", "n1", OK),
    (30_000, "t2", "n2", OK),
    (70_000, "t3", "n3", OK),
    max_keys=4,
)
claims(
    "store_full_one_milli_before_an_end",
    "REPLAY-5 REPLAY-4",
    UNAVAILABLE,
    (0, "t1", "n1", OK),
    (30_000, "t2", "n2", OK),
    (69_999, "t3", "n3", UNAVAILABLE),
    max_keys=4,
)
claims(
    "error_outweighs_duplicate", "REPLAY-6", UNAVAILABLE, (0, "t1", "n1", OK), (1, "t1", "n2", UNAVAILABLE), max_keys=2
)
claims(
    "error_of_timestamp_outweighs_duplicate_of_nonce",
    "REPLAY-6",
    UNAVAILABLE,
    (0, "t1", "n1", OK),
    (1, "t2", "n1", UNAVAILABLE),
    max_keys=2,
)
claims(
    "timestamp_stays_claimed_after_error",
    "REPLAY-3 REPLAY-6",
    UNAVAILABLE,
    (0, "t1", "n1", OK),
    (1, "t2", "n2", UNAVAILABLE),
    (2, "t2", "n3", UNAVAILABLE),
    max_keys=3,
)
claims("no_error_where_both_are_answered", "REPLAY-6", OK, (0, "t1", "n1", OK), (1, "t2", "n2", OK), max_keys=4)

# --- idempotency.json


def compute_idempotency(inputs: Fields) -> Fields:
    if inputs["operation"] == "derive":
        return {"key": freshness.derive_idempotency_key(inputs["namespace"], inputs["id"])}
    if inputs["operation"] == "random":
        return {"key": freshness.random_idempotency_key(bytes.fromhex(inputs["random_hex"]))}
    check_idempotency_key(inputs["key"])
    return {}


IDEMPOTENCY = Family(
    "idempotency",
    "Idempotency keys: derived ones, the grammar of given ones, and random ones from 16 given bytes.",
    ("operation", "namespace", "id", "key", "random_hex"),
    compute_idempotency,
)


def derive(name: str, expect: str, namespace: str, identifier: str, key: str | None = None) -> None:
    IDEMPOTENCY.case(
        f"idempotency_derive_{name}",
        "IDEM-2 IDEM-3",
        expect,
        want=None if key is None else {"key": key},
        operation="derive",
        namespace=namespace,
        id=identifier,
    )


def check(name: str, expect: str, key: str) -> None:
    IDEMPOTENCY.case(f"idempotency_check_{name}", "IDEM-1", expect, operation="check", key=key)


derive("specification_example", "ok", "topup", "invoice-42", "0d070fd6-04af-8724-b89c-f24408c2ec71")
derive("other_id", "ok", "topup", "invoice-43")
derive("other_namespace", "ok", "issue", "invoice-42")
derive("parts_do_not_run_together", "ok", "topupi", "nvoice-42")
derive("not_ascii", "ok", "\u00fcberweisung", "\U0001f600")
derive("white_space_and_nul_are_text", "ok", " ", "\x00\n")
derive("long_id", "ok", "topup", "x" * 1000)
derive("namespace_empty", "invalid_idempotency_key", "", "invoice-42")
derive("id_empty", "invalid_idempotency_key", "topup", "")
derive("both_empty", "invalid_idempotency_key", "", "")
IDEMPOTENCY.case(
    "idempotency_random_zeros",
    "IDEM-3",
    "ok",
    want={"key": "00000000-0000-4000-8000-000000000000"},
    operation="random",
    random_hex="00" * 16,
)
IDEMPOTENCY.case(
    "idempotency_random_ones",
    "IDEM-3",
    "ok",
    want={"key": "ffffffff-ffff-4fff-bfff-ffffffffffff"},
    operation="random",
    random_hex="ff" * 16,
)
IDEMPOTENCY.case(
    "idempotency_random_counting",
    "IDEM-3",
    "ok",
    want={"key": "00112233-4455-4677-8899-aabbccddeeff"},
    operation="random",
    random_hex="00112233445566778899aabbccddeeff",
)
check("uuid", "ok", "0d070fd6-04af-8724-b89c-f24408c2ec71")
check("one_character", "ok", "k")
check("edge_characters", "ok", "!~")
check("of_255", "ok", "k" * 255)
check("of_256", "invalid_idempotency_key", "k" * 256)
check("empty", "invalid_idempotency_key", "")
check("with_space", "invalid_idempotency_key", "a b")
check("space_only", "invalid_idempotency_key", " ")
check("with_line_feed", "invalid_idempotency_key", "a\n")
check("with_tab", "invalid_idempotency_key", "a\tb")
check("with_nul", "invalid_idempotency_key", "a\x00")
check("with_del", "invalid_idempotency_key", "a\x7f")
check("not_ascii", "invalid_idempotency_key", "caf\u00e9")

# --- records.json


def compute_records(inputs: Fields) -> Fields:
    if inputs["operation"] == "key":
        return {"record_key": freshness.record_key(inputs["api_key"], inputs["idempotency_key"])}
    store = freshness.RecordStore(inputs.get("max_records", freshness.DEFAULT_MAX_RECORDS))
    outcome: Fields = {}
    for step in inputs["steps"]:
        outcome = take_step(store, step)
        declared = {
            name: step[name] for name in outcome if name not in ("status", "body") or step["step"] != "complete"
        }
        if outcome != declared:
            raise Disagreement(f"{step}: computed {outcome}")
    return {"expect": {"new": "ok", "replay": "ok", "stored": "ok"}.get(outcome["result"], outcome["result"])}


def take_step(store: freshness.RecordStore, step: Fields) -> Fields:
    now = step["now_millis"]
    try:
        if step["step"] in ("begin", "take_over"):
            key = freshness.record_key(step["api_key"], step["idempotency_key"])
            takes_over = step["step"] == "take_over"
            return store.begin(key, step["fingerprint"], step["lease_millis"], now, takes_over=takes_over)
        if step["step"] == "complete":
            return {"result": store.complete(step["token"], step["status"], step["body"], now)}
        return {"result": store.give_back(step["token"], now)}
    except Refusal as refusal:
        return {"result": refusal.code}


RECORDS = Family(
    "records",
    "The keys of idempotency records, and sequences of steps against a store that starts empty.",
    ("operation", "api_key", "idempotency_key", "max_records", "steps"),
    compute_records,
)


def record_key(name: str, expect: str, api_key: str, key: str, digest: str | None = None) -> None:
    want = None if digest is None else {"record_key": digest}
    inputs = {"operation": "key", "api_key": api_key, "idempotency_key": key}
    RECORDS.case("records_key_" + name, "RECORD-1", expect, want=want, **inputs)


record_key(
    "specification_example",
    "ok",
    "key_1",
    "topup-invoice-42",
    "815e3a7da9ce1e4b36285ce01824d7c721ddbbc9f8d693dfbf45a24c0c2e691f",
)
record_key("other_api_key", "ok", "key_2", "topup-invoice-42")
record_key("parts_do_not_run_together", "ok", "key_1topup", "-invoice-42")
record_key("api_key_empty", "invalid_api_key", "", "topup-invoice-42")
record_key("api_key_before_idempotency_key", "invalid_api_key", "key 1", "")
record_key("idempotency_key_of_256", "invalid_idempotency_key", "key_1", "k" * 256)
record_key("idempotency_key_with_space", "invalid_idempotency_key", "key_1", "invoice 42")

LEASE = 60_000
WEEK = 604_800_000
ANSWER = '{"order_id":"o-1"}'
TOPUP_DIGEST = PRINT = "60183478c2f5434cb46989bee0603eb79cce982e2aff6af4bbf81c033aa4d6a7"
OTHER_PRINT = hashlib.sha256(b"another fingerprint").hexdigest()


def step(what: str, millis: int, result: str, key: str, /, **fields: Any) -> Fields:
    """A step so long after the start; `number` of a token is counted from there too."""
    if "number" in fields:
        digest = freshness.record_key("key_1", key)
        fields["token"] = f"{digest}:{START + fields.pop('number')}"
    if what in ("begin", "take_over"):
        given = {"api_key": "key_1", "idempotency_key": key, "fingerprint": PRINT, "lease_millis": LEASE}
        fields = {**given, **fields}
    return {"step": what, "now_millis": START + millis, **fields, "result": result}


def begin(millis: int, result: str, key: str = "k", **fields: Any) -> Fields:
    return step("begin", millis, result, key, **fields)


def take_over(millis: int, result: str, key: str = "k", **fields: Any) -> Fields:
    return step("take_over", millis, result, key, **fields)


def complete(millis: int, number: int, result: str, key: str = "k", status: int = 200, body: str = ANSWER) -> Fields:
    return step("complete", millis, result, key, number=number, status=status, body=body)


def give_back(millis: int, number: int, result: str, key: str = "k") -> Fields:
    return step("give_back", millis, result, key, number=number)


def records(name: str, rules: str, expect: str, *steps: Fields, max_records: int | None = None) -> None:
    rules = " ".join(f"RECORD-{rule}" for rule in rules.split())
    extra: Fields = {} if max_records is None else {"max_records": max_records}
    RECORDS.case("records_" + name, rules, expect, operation="steps", steps=list(steps), **extra)


NEW = begin(0, "new", number=0)
DONE = complete(9, 0, "stored")
REPLAYED: Fields = {"status": 200, "body": ANSWER}

records("first", "2", "ok", NEW)
records("two_keys", "2", "ok", NEW, begin(0, "new", "other", number=0))
records(
    "same_key_of_another_project",
    "1 2",
    "ok",
    NEW,
    {**begin(0, "new"), "api_key": "key_2", "token": freshness.record_key("key_2", "k") + f":{START}"},
)
records(
    "lease_of_one_milli", "2", "outcome_unknown", begin(0, "new", number=0, lease_millis=1), begin(1, "outcome_unknown")
)
records(
    "lease_of_a_day",
    "2",
    "in_progress",
    begin(0, "new", number=0, lease_millis=86_400_000),
    begin(86_399_999, "in_progress"),
)
records("lease_of_nothing", "2", "invalid_option", begin(0, "invalid_option", lease_millis=0))
records("lease_of_more_than_a_day", "2", "invalid_option", begin(0, "invalid_option", lease_millis=86_400_001))
records("fingerprint_empty", "2", "invalid_option", begin(0, "invalid_option", fingerprint=""))
records("fingerprint_with_space", "2", "invalid_option", begin(0, "invalid_option", fingerprint="a b"))
records(
    "refused_begin_leaves_nothing", "2", "ok", begin(0, "invalid_option", fingerprint=""), begin(5, "new", number=5)
)
records("again_at_once", "3", "in_progress", NEW, begin(0, "in_progress"))
records("again_one_milli_before_the_lease_ends", "3", "in_progress", NEW, begin(LEASE - 1, "in_progress"))
records("again_when_the_lease_ends", "3", "outcome_unknown", NEW, begin(LEASE, "outcome_unknown"))
records(
    "never_begun_by_itself",
    "3",
    "outcome_unknown",
    NEW,
    begin(LEASE, "outcome_unknown"),
    begin(LEASE + 1, "outcome_unknown"),
)
records(
    "asking_does_not_prolong_the_lease",
    "3",
    "outcome_unknown",
    NEW,
    begin(LEASE - 1, "in_progress"),
    begin(LEASE, "outcome_unknown"),
)
records("another_fingerprint", "3", "conflict", NEW, begin(1, "conflict", fingerprint=OTHER_PRINT))
records(
    "another_fingerprint_after_the_answer", "3", "conflict", NEW, DONE, begin(10, "conflict", fingerprint=OTHER_PRINT)
)
records("another_fingerprint_after_the_lease", "3", "conflict", NEW, begin(LEASE, "conflict", fingerprint=OTHER_PRINT))
records("answered", "3 5", "ok", NEW, DONE, begin(10, "replay", **REPLAYED))
records("answered_and_the_lease_is_over", "3 5", "ok", NEW, DONE, begin(LEASE + 1, "replay", **REPLAYED))
records(
    "answer_of_an_error",
    "5",
    "ok",
    NEW,
    complete(9, 0, "stored", status=422, body='{"error":"\u00fc\n"}'),
    begin(10, "replay", status=422, body='{"error":"\u00fc\n"}'),
)
records(
    "answer_is_empty",
    "5",
    "ok",
    NEW,
    complete(9, 0, "stored", status=599, body=""),
    begin(10, "replay", status=599, body=""),
)
records("taken_over", "4", "ok", NEW, take_over(LEASE, "new", number=LEASE))
records("taken_over_is_new_where_nothing_is", "4 2", "ok", take_over(0, "new", number=0))
records("taken_over_too_early", "4", "in_progress", NEW, take_over(LEASE - 1, "in_progress"))
records(
    "taken_over_with_another_fingerprint", "4", "conflict", NEW, take_over(LEASE, "conflict", fingerprint=OTHER_PRINT)
)
records("taken_over_after_the_answer", "4", "ok", NEW, DONE, take_over(LEASE, "replay", **REPLAYED))
records(
    "taken_over_has_a_lease_of_its_own",
    "4",
    "in_progress",
    NEW,
    take_over(LEASE, "new", number=LEASE),
    begin(2 * LEASE - 1, "in_progress"),
)
records(
    "taken_over_fences_the_one_before",
    "4 5",
    "stale",
    NEW,
    take_over(LEASE, "new", number=LEASE),
    complete(LEASE + 1, 0, "stale"),
)
records(
    "taken_over_and_completed",
    "4 5",
    "ok",
    NEW,
    take_over(LEASE, "new", number=LEASE),
    complete(LEASE + 1, 0, "stale", body="{}"),
    complete(LEASE + 2, LEASE, "stored"),
    begin(LEASE + 3, "replay", **REPLAYED),
)
records(
    "completed_after_the_lease",
    "5",
    "ok",
    NEW,
    begin(LEASE, "outcome_unknown"),
    complete(LEASE + 1, 0, "stored"),
    begin(LEASE + 2, "replay", **REPLAYED),
)
records("completed_twice_alike", "5", "ok", NEW, DONE, complete(10, 0, "stored"))
records("completed_twice_with_another_status", "5", "stale", NEW, DONE, complete(10, 0, "stale", status=201))
records(
    "completed_twice_with_another_body",
    "5",
    "ok",
    NEW,
    DONE,
    complete(10, 0, "stale", body="{}"),
    begin(11, "replay", **REPLAYED),
)
records("completed_with_another_number", "5", "stale", NEW, complete(9, 1, "stale"))
records("completed_and_never_begun", "5", "stale", complete(9, 0, "stale"))
records("completed_with_a_status_of_99", "5", "invalid_option", NEW, complete(9, 0, "invalid_option", status=99))
records("completed_with_a_status_of_600", "5", "invalid_option", NEW, complete(9, 0, "invalid_option", status=600))
for odd, token in {
    "empty": "",
    "without_number": freshness.record_key("key_1", "k"),
    "with_a_number_padded": freshness.record_key("key_1", "k") + f":0{START}",
    "in_capitals": freshness.record_key("key_1", "k").upper() + f":{START}",
}.items():
    records(f"token_{odd}", "2 5", "invalid_option", NEW, {**complete(9, 0, "invalid_option"), "token": token})
records("given_back", "6", "ok", NEW, give_back(9, 0, "stored"), begin(10, "new", number=10))
records(
    "given_back_is_open_to_another_fingerprint",
    "6",
    "ok",
    NEW,
    give_back(9, 0, "stored"),
    begin(10, "new", number=10, fingerprint=OTHER_PRINT),
)
records("given_back_and_taken_over", "6 4", "ok", NEW, give_back(9, 0, "stored"), take_over(10, "new", number=10))
records("given_back_twice", "6", "stale", NEW, give_back(9, 0, "stored"), give_back(10, 0, "stale"))
records("given_back_and_completed", "6 5", "stale", NEW, give_back(9, 0, "stored"), complete(10, 0, "stale"))
records("given_back_after_the_answer", "6", "stale", NEW, DONE, give_back(10, 0, "stale"))
records("given_back_after_the_lease", "6", "ok", NEW, give_back(LEASE, 0, "stored"), begin(LEASE, "new", number=LEASE))
records(
    "given_back_by_the_one_before",
    "6",
    "stale",
    NEW,
    take_over(LEASE, "new", number=LEASE),
    give_back(LEASE + 1, 0, "stale"),
)
records("given_back_in_the_same_milli", "6 2", "ok", NEW, give_back(0, 0, "stored"), begin(0, "new", number=1))
records(
    "number_grows_when_the_clock_goes_back",
    "2 6",
    "stale",
    NEW,
    give_back(0, 0, "stored"),
    begin(-5_000, "new", number=1),
    complete(1, 0, "stale"),
)
records("forgotten_after_the_answer", "7", "ok", NEW, DONE, begin(9 + WEEK, "new", number=9 + WEEK))
records("known_one_milli_before", "7", "conflict", NEW, DONE, begin(8 + WEEK, "conflict", fingerprint=OTHER_PRINT))
records("forgotten_without_an_answer", "7", "ok", NEW, begin(LEASE + WEEK, "new", number=LEASE + WEEK))
records("known_without_an_answer", "7", "outcome_unknown", NEW, begin(LEASE + WEEK - 1, "outcome_unknown"))
records("completed_when_forgotten", "7 5", "stale", NEW, complete(LEASE + WEEK, 0, "stale"))
records(
    "completed_again_is_kept_longer",
    "7 5",
    "ok",
    NEW,
    DONE,
    complete(5_000, 0, "stored"),
    begin(9 + WEEK, "replay", **REPLAYED),
)
records("store_of_one_record", "7", "ok", NEW, complete(1, 0, "stored"), begin(2, "replay", **REPLAYED), max_records=1)
records(
    "store_full", "7", "replay_store_unavailable", NEW, begin(1, "replay_store_unavailable", "other"), max_records=1
)
records(
    "store_full_of_given_back_ones",
    "7 6",
    "replay_store_unavailable",
    NEW,
    give_back(1, 0, "stored"),
    begin(2, "replay_store_unavailable", "other"),
    max_records=1,
)
records(
    "store_full_answers_what_it_knows",
    "7",
    "in_progress",
    NEW,
    begin(1, "replay_store_unavailable", "other"),
    begin(2, "in_progress"),
    max_records=1,
)
records(
    "store_full_begins_again_what_was_given_back",
    "7 6",
    "ok",
    NEW,
    give_back(1, 0, "stored"),
    begin(2, "new", number=2),
    max_records=1,
)
records(
    "store_full_forgets_what_ended",
    "7",
    "ok",
    NEW,
    begin(LEASE + WEEK, "new", "other", number=LEASE + WEEK),
    max_records=1,
)

# --- fingerprint.json


def compute_fingerprint(inputs: Fields) -> Fields:
    text, digest = freshness.fingerprint(inputs["path"], inputs["payload"])
    return {"canonical": text, "fingerprint": digest}


FINGERPRINT = Family(
    "fingerprint",
    "Canonical JSON of a payload, and the fingerprint of path and payload.",
    ("path", "payload"),
    compute_fingerprint,
)


def canonical(
    name: str, rules: str, given: str, text: str | None, /, digest: str | None = None, path: str = "/cards/topup"
) -> None:
    """A fingerprint case; `text` is the canonical text, None where the payload is refused."""
    want: Fields = {} if text is None else {"canonical": text}
    if digest is not None:
        want["fingerprint"] = digest
    FINGERPRINT.case(
        "fingerprint_" + name,
        rules,
        "ok" if text is not None else "invalid_payload",
        want=want,
        path=path,
        payload=given,
    )


TOPUP = '{"amount":"10.00","card_id":"card_abc123"}'

canonical("specification_example", "PRINT-1 CANON-1", TOPUP, TOPUP, digest=TOPUP_DIGEST)
canonical(
    "members_in_other_order",
    "PRINT-1 CANON-1 CANON-4",
    '{"request_timestamp":1700000000000000, "card_id":"card_abc123", "amount":"10.00"}',
    TOPUP,
    digest=TOPUP_DIGEST,
)
canonical(
    "other_timestamp_same_fingerprint",
    "CANON-4",
    '{"amount":"10.00","card_id":"card_abc123","request_timestamp":"1700000099999999"}',
    TOPUP,
    digest=TOPUP_DIGEST,
)
canonical(
    "full_url_same_fingerprint",
    "PRINT-1",
    TOPUP,
    TOPUP,
    digest=TOPUP_DIGEST,
    path="https://api.example.com/api/v1/cards/topup/",
)
canonical("other_path_other_fingerprint", "PRINT-1", TOPUP, TOPUP, path="/cards/create")
canonical("white_space_dropped", "CANON-1", ' {\n"b" : [ 1 , 2 ] ,\t"a" : { } }\r\n', '{"a":{},"b":[1,2]}')
canonical("white_space_inside_strings_kept", "CANON-1 CANON-2", '{" a ":" b  c "}', '{" a ":" b  c "}')
canonical(
    "members_sorted_at_every_level",
    "CANON-1",
    '{"z":{"b":1,"a":[{"d":1,"c":2}]},"a":0}',
    '{"a":0,"z":{"a":[{"c":2,"d":1}],"b":1}}',
)
canonical("array_order_kept", "CANON-1", '{"a":[3,1,2,"b","a"]}', '{"a":[3,1,2,"b","a"]}')
canonical("capitals_sort_first", "CANON-1", '{"b":1,"a":2,"B":3,"_":4,"1":5}', '{"1":5,"B":3,"_":4,"a":2,"b":1}')
canonical("prefix_sorts_first", "CANON-1", '{"aa":1,"a":2,"":3,"ab":4}', '{"":3,"a":2,"aa":1,"ab":4}')
canonical("utf8_order_is_not_utf16_order", "CANON-1", '{"\\ud83d\\ude00":1,"\\ufb33":2}', '{"\ufb33":2,"\U0001f600":1}')
canonical("names_sorted_after_unescaping", "CANON-1", '{"\\u0062":1,"a":2}', '{"a":2,"b":1}')
canonical("escapes", "CANON-2", '{"s":"\\b\\t\\n\\f\\r\\"\\\\\\/"}', '{"s":"\\b\\t\\n\\f\\r\\"\\\\/"}')
canonical(
    "escapes_of_other_controls", "CANON-2", '{"s":"\\u0000\\u000B\\u001F\\u0008"}', '{"s":"\\u0000\\u000b\\u001f\\b"}'
)
canonical(
    "escapes_not_needed_are_undone",
    "CANON-2",
    '{"s":"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\\u2028"}',
    '{"s":"A\u00e9\u20ac\U0001f600\u2028"}',
)
canonical("del_and_c1_controls_stand_raw", "CANON-2", '{"s":"\\u007f\\u0080\\u009f"}', '{"s":"\x7f\x80\x9f"}')
canonical("names_are_escaped_alike", "CANON-2", '{"\\u000a\\"":1}', '{"\\n\\"":1}')
canonical("no_unicode_normalisation", "CANON-2", '{"e\u0301":1,"\u00e9":2}', '{"e\u0301":1,"\u00e9":2}')
canonical("number_1", "CANON-3", '{"amount":1}', '{"amount":1}')
canonical("number_1_0", "CANON-3", '{"amount":1.0}', '{"amount":1.0}')
canonical("number_1e0", "CANON-3", '{"amount":1e0}', '{"amount":1e0}')
canonical(
    "number_spellings",
    "CANON-3",
    '{"n":[-0,0.10,1E+2,123456789012345678901234567890,1e-400]}',
    '{"n":[-0,0.10,1E+2,123456789012345678901234567890,1e-400]}',
)
canonical("literals", "CANON-1", '{"a":true,"b":false,"c":null}', '{"a":true,"b":false,"c":null}')
canonical("stamp_only", "CANON-4", '{"request_timestamp":1700000000000000}', "{}")
canonical("stamp_behind_escaped_name", "CANON-4", '{"request_timestam\\u0070":1,"a":2}', '{"a":2}')
canonical("stamp_of_any_value", "CANON-4", '{"request_timestamp":{"a":[1]},"a":2}', '{"a":2}')
canonical(
    "stamp_nested_stays",
    "CANON-4",
    '{"data":{"request_timestamp":1},"list":[{"request_timestamp":2}]}',
    '{"data":{"request_timestamp":1},"list":[{"request_timestamp":2}]}',
)
canonical("empty_object", "CANON-1", "{}", "{}")
canonical("root_array", "CANON-1 PRINT-1", "[1]", None)
canonical("root_string", "CANON-1", '"a"', None)
canonical("no_json", "CANON-1", "amount=10.00", None)
canonical("duplicate_names", "CANON-1 JSON-11", '{"a":1,"a":1}', None)
canonical("duplicate_stamp", "CANON-4 JSON-11", '{"request_timestamp":1,"request_timestamp":2}', None)
canonical("lone_surrogate", "CANON-2 JSON-8", '{"s":"\\udc00"}', None)
canonical("raw_control_character", "CANON-2 JSON-6", '{"s":"\x01"}', None)
canonical("number_beyond_binary64", "CANON-3 JSON-10", '{"n":1e309}', None)
canonical("number_with_leading_zero", "CANON-3 JSON-9", '{"n":010}', None)
FINGERPRINT.case("fingerprint_path_empty", "PRINT-1", "invalid_path", path="", payload=TOPUP)
FINGERPRINT.case("fingerprint_path_with_dots", "PRINT-1 PATH-4", "invalid_path", path="/cards/../topup", payload=TOPUP)

# --- clock.json


def compute_clock(inputs: Fields) -> Fields:
    clock = freshness.Clock(inputs.get("offset_micros", 0), inputs.get("shared"))
    stamps: list[int] = []
    for reading in inputs["readings_micros"]:
        try:
            stamps.append(clock.stamp(reading))
        except Refusal as refusal:
            assert len(stamps) == len(inputs["readings_micros"]) - 1, "only the last reading fails"
            return {"expect": refusal.code, "stamps_micros": stamps}
    return {"stamps_micros": stamps}


CLOCK = Family(
    "clock",
    "Stamps of one clock for a row of wall readings; with clock_unavailable the last reading gives no stamp.",
    ("offset_micros", "shared", "readings_micros"),
    compute_clock,
)
SECOND = 1_000_000


def clock(name: str, rules: str, expect: str, readings: list[int], stamps: list[int], /, **inputs: Any) -> None:
    """Readings and stamps are relative to a start that differs from case to case; 0 and below stay as they are."""
    start = stamp_for("clock " + name)
    readings = [start + r if r > -10_000 * SECOND else r + 10_000 * SECOND for r in readings]
    if "shared" in inputs:
        inputs["shared"] = [
            start + n if isinstance(n, int) and abs(n) <= 1000 * SECOND else n for n in inputs["shared"]
        ]
    CLOCK.case(
        "clock_" + name,
        rules,
        expect,
        want={"stamps_micros": [start + s for s in stamps]},
        readings_micros=readings,
        **inputs,
    )


ZERO, MINUS = -10_000 * SECOND, -10_000 * SECOND - 1  # readings of 0 and -1

clock("one_reading", "CLOCK-1", "ok", [0], [0])
clock("moves_on", "CLOCK-1 CLOCK-2", "ok", [0, 5, 1000], [0, 5, 1000])
clock("stands_still", "CLOCK-2", "ok", [0, 0, 0, 0], [0, 1, 2, 3])
clock("coarse_catches_up", "CLOCK-2", "ok", [0, 0, 0, 1000, 1000], [0, 1, 2, 1000, 1001])
clock("moves_less_than_it_was_asked", "CLOCK-2", "ok", [0, 0, 0, 1, 2, 3], [0, 1, 2, 3, 4, 5])
clock("back_by_one_micro", "CLOCK-2 CLOCK-3", "ok", [0, -1], [0, 1])
clock("back_by_exactly_5_seconds", "CLOCK-3", "ok", [0, -5 * SECOND], [0, 1])
clock("back_by_more_than_5_seconds", "CLOCK-3", "ok", [0, -5 * SECOND - 1], [0, -5 * SECOND - 1])
clock(
    "back_by_more_then_still",
    "CLOCK-3 CLOCK-2",
    "ok",
    [0, -60 * SECOND, -60 * SECOND],
    [0, -60 * SECOND, -60 * SECOND + 1],
)
clock("back_in_small_steps", "CLOCK-3", "ok", [0, -4 * SECOND, -8 * SECOND, -12 * SECOND], [0, 1, 2, 3])
clock("back_by_less_then_on", "CLOCK-3 CLOCK-2", "ok", [0, -3 * SECOND, -1, 0, 7], [0, 1, 2, 3, 7])
clock("back_is_measured_from_the_wall", "CLOCK-3", "ok", [0, -5 * SECOND, -10 * SECOND - 1], [0, 1, -10 * SECOND - 1])
clock("jumps_ahead_and_returns", "CLOCK-3", "ok", [0, 3600 * SECOND, 1], [0, 3600 * SECOND, 1])
clock("offset_ahead", "CLOCK-1", "ok", [0, 5], [60 * SECOND, 60 * SECOND + 5], offset_micros=60 * SECOND)
clock("offset_behind", "CLOCK-1", "ok", [0, 5], [-60 * SECOND, -60 * SECOND + 5], offset_micros=-60 * SECOND)
clock(
    "offset_ahead_stands_still",
    "CLOCK-1 CLOCK-2",
    "ok",
    [0, 0],
    [60 * SECOND, 60 * SECOND + 1],
    offset_micros=60 * SECOND,
)
clock(
    "offset_and_back_by_more_than_5_seconds",
    "CLOCK-1 CLOCK-3",
    "ok",
    [0, -6 * SECOND],
    [60 * SECOND, 54 * SECOND],
    offset_micros=60 * SECOND,
)
clock(
    "offset_and_back_by_less",
    "CLOCK-1 CLOCK-3",
    "ok",
    [0, -4 * SECOND],
    [60 * SECOND, 60 * SECOND + 1],
    offset_micros=60 * SECOND,
)
clock("shared_in_the_past", "CLOCK-4", "ok", [0], [0], shared=[-10, -10])
clock("shared_equal_to_the_wall", "CLOCK-4", "ok", [0, 0], [1, 2], shared=[0, 0])
clock("shared_ahead_by_exactly_5_seconds", "CLOCK-4", "ok", [0], [5 * SECOND + 1], shared=[5 * SECOND, 0])
clock("shared_ahead_by_more_than_5_seconds", "CLOCK-4", "ok", [0], [0], shared=[5 * SECOND + 1, 0])
clock("shared_ahead_by_more_with_its_wall", "CLOCK-4", "ok", [0], [7 * SECOND + 1], shared=[7 * SECOND, 1])
clock(
    "shared_wall_ahead_by_exactly_5_seconds",
    "CLOCK-4 CLOCK-3",
    "ok",
    [0],
    [5 * SECOND + 1],
    shared=[5 * SECOND, 5 * SECOND],
)
clock(
    "shared_wall_ahead_by_more_than_5_seconds",
    "CLOCK-4 CLOCK-3",
    "ok",
    [0],
    [0],
    shared=[5 * SECOND + 1, 5 * SECOND + 1],
)
clock("shared_fraction", "CLOCK-4", "ok", [0], [0], shared=[1_700_000_000_000_000.5, 0])
clock("shared_negative", "CLOCK-4", "ok", [0], [0], shared=[0, -9_000_000_000_000_000])
clock("shared_beyond_safe_integers", "CLOCK-4", "ok", [0], [0], shared=[9_007_199_254_740_992, 9_007_199_254_740_992])
clock("reading_zero", "CLOCK-5", "clock_unavailable", [ZERO], [])
clock("reading_negative", "CLOCK-5", "clock_unavailable", [MINUS], [])
clock("reading_zero_with_offset", "CLOCK-5 CLOCK-1", "clock_unavailable", [ZERO], [], offset_micros=60 * SECOND)
clock("reading_zero_after_stamps", "CLOCK-5 CLOCK-2", "clock_unavailable", [0, 0, ZERO], [0, 1])
clock("reading_zero_is_not_followed", "CLOCK-5 CLOCK-3", "clock_unavailable", [0, -6 * SECOND, ZERO], [0, -6 * SECOND])
clock("reading_zero_with_shared", "CLOCK-5 CLOCK-4", "clock_unavailable", [0, ZERO], [1], shared=[0, 0])
CLOCK.case("clock_reading_of_one_micro", "CLOCK-5", "ok", want={"stamps_micros": [1]}, readings_micros=[1])

# --- nonce_pool.json


def compute_pool(inputs: Fields) -> Fields:
    pool = freshness.NoncePool()
    nonces: list[str] = []
    if not inputs["refills_hex"]:
        pool.take()
    for refill in inputs["refills_hex"]:
        pool.refill(bytes.fromhex(refill))
        while pool.rest:
            nonces.append(pool.take().hex())
    return {"nonces_hex": nonces}


NONCE_POOL = Family(
    "nonce_pool",
    "A pool of random bytes from outside, emptied after each refill; no refill means taking from an empty pool.",
    ("refills_hex",),
    compute_pool,
)


def pool(name: str, rules: str, expect: str, *refills: bytes, nonces: list[bytes] | None = None) -> None:
    want = None if nonces is None else {"nonces_hex": [nonce.hex() for nonce in nonces]}
    NONCE_POOL.case("nonce_pool_" + name, rules, expect, want=want, refills_hex=[refill.hex() for refill in refills])


def some(label: str, length: int) -> bytes:
    """`length` bytes that look random."""
    return hashlib.shake_256(f"pool {label}".encode()).digest(length)


A, B, C = some("a", 24), some("b", 24), some("c", 48)

pool("of_one", "POOL-1 POOL-2", "ok", A, nonces=[A])
pool("of_two", "POOL-1 POOL-2", "ok", C, nonces=[C[:24], C[24:]])
pool("refilled", "POOL-2 POOL-3", "ok", C, A, nonces=[C[:24], C[24:], A])
pool("of_forty", "POOL-1", "ok", some("forty", 960))
pool("refills_share_a_half", "POOL-3", "ok", A + B, A + C[:24], nonces=[A, B, A, C[:24]])
pool("refill_equal_to_the_one_before_last", "POOL-3", "ok", A, B, A, nonces=[A, B, A])
pool("refill_of_zeros", "POOL-3", "ok", bytes(24), nonces=[bytes(24)])
pool("refill_empty", "POOL-1", "entropy_unavailable", b"")
pool("refill_of_23_bytes", "POOL-1", "entropy_unavailable", A[:23])
pool("refill_of_25_bytes", "POOL-1", "entropy_unavailable", A + b"\x00")
pool("refill_of_47_bytes_later", "POOL-1", "entropy_unavailable", A, C[:47])
pool("refill_equal_to_the_last", "POOL-3", "entropy_unavailable", A, A)
pool("refill_equal_to_the_last_of_many", "POOL-3", "entropy_unavailable", A, B, C, C)
pool("refill_with_a_nonce_twice_in_a_row", "POOL-3", "entropy_unavailable", A + B + B)
pool("refill_with_a_nonce_twice_apart", "POOL-3", "ok", A + B + A, nonces=[A, B, A])
pool("refill_of_zeros_twice", "POOL-3", "entropy_unavailable", bytes(48), bytes(48))
pool("never_filled", "POOL-2", "entropy_unavailable")
