"""webhook.json: opening webhooks."""

from __future__ import annotations

import dataclasses
from typing import Any

from oracle.webhook import webhook_of

from .case import (
    BODY_FIELDS,
    ENVELOPE_FIELDS,
    OLD_SECRET,
    OLDER_SECRET,
    OTHER_SECRET,
    RAW_KEY,
    SECRET,
    Family,
    Fields,
    b64,
    body_for,
    field_for,
    flipped,
    open_input,
    raw_for,
    wrap,
)


def compute_webhook(inputs: Fields) -> Fields:
    return dataclasses.asdict(webhook_of(open_input(inputs)))


WEBHOOK = Family(
    "webhook",
    "Opening webhooks: type, timestamp, delivery id and the key to deduplicate by.",
    (*ENVELOPE_FIELDS, *BODY_FIELDS),
    compute_webhook,
)


def webhook(
    name: str,
    rules: str,
    expect: str,
    text: str | bytes,
    /,
    how: Fields | None = None,
    want: Fields | None = None,
    **inputs: Any,
) -> None:
    if not {"secret", "key_hex"} & set(inputs):
        inputs["secret"] = SECRET
    if not set(BODY_FIELDS) & set(inputs):
        inputs["body"] = body_for("webhook " + name, text, **(how or {}))
    WEBHOOK.case("webhook_" + name, rules, expect, want=want, **inputs)


REQUEST_TEXT = '{"request_timestamp":1700000000000000,"card_id":"card_abc123"}'
V1 = '{"type":"card.activated","timestamp":1700000000,"card_id":"card_abc123"}'
V2 = '{"delivery_id":"dlv_1","event_type":"card.activated"}'

webhook(
    "version_1",
    "HOOK-1 HOOK-2 HOOK-3 HOOK-5",
    "ok",
    V1,
    want={"type": "card.activated", "timestamp": "1700000000", "delivery_id": None, "key_index": 0},
)
webhook(
    "version_2",
    "HOOK-1 HOOK-2 HOOK-4 HOOK-5",
    "ok",
    V2,
    want={"type": "card.activated", "timestamp": None, "delivery_id": "dlv_1", "dedupe_key": "id:dlv_1"},
)
webhook(
    "version_2_complete",
    "HOOK-2 HOOK-4",
    "ok",
    '{"event_type":"order.completed","project_id":7,"data":{"type":"x"},"delivery_id":"5f1c"}',
    want={"type": "order.completed", "dedupe_key": "id:5f1c"},
)
webhook(
    "empty_object",
    "HOOK-2 HOOK-3 HOOK-4",
    "ok",
    "{}",
    want={
        "type": None,
        "timestamp": None,
        "delivery_id": None,
        "dedupe_key": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    },
)
webhook("type_wins_over_event_type", "HOOK-2", "ok", '{"event_type":"b","type":"a"}', want={"type": "a"})
webhook("type_number_leaves_event_type", "HOOK-2", "ok", '{"event_type":"b","type":1}', want={"type": "b"})
webhook("type_null_alone", "HOOK-2", "ok", '{"type":null}', want={"type": None})
webhook("type_empty_is_a_string", "HOOK-2", "ok", '{"event_type":"b","type":""}', want={"type": ""})
webhook("type_unescaped", "HOOK-2", "ok", '{"typ\\u0065":"\\u0061"}', want={"type": "a"})
webhook("type_nested_does_not_count", "HOOK-2", "ok", '{"data":{"type":"a"}}', want={"type": None})
webhook(
    "timestamp_string_with_its_quotes",
    "HOOK-3",
    "ok",
    '{"timestamp":"2023-11-14T22:13:20\\u005a"}',
    want={"timestamp": '"2023-11-14T22:13:20\\u005a"'},
)
webhook("timestamp_null_is_there", "HOOK-3", "ok", '{"timestamp":null}', want={"timestamp": "null"})
webhook("timestamp_true", "HOOK-3", "ok", '{ "timestamp" : true }', want={"timestamp": "true"})
webhook("timestamp_false", "HOOK-3", "ok", '{"timestamp":false,"a":1}', want={"timestamp": "false"})
webhook("timestamp_array", "HOOK-3", "ok", '{"timestamp":[1, [2]],"a":1}', want={"timestamp": "[1, [2]]"})
webhook("timestamp_number_as_written", "HOOK-3", "ok", '{"timestamp": 1.70e9 }', want={"timestamp": "1.70e9"})
webhook(
    "timestamp_object_with_white_space", "HOOK-3", "ok", '{"timestamp":{ "s" : 1 }}', want={"timestamp": '{ "s" : 1 }'}
)
webhook("delivery_id_empty", "HOOK-4 HOOK-5", "ok", '{"delivery_id":""}', want={"delivery_id": None})
webhook("delivery_id_number", "HOOK-4 HOOK-5", "ok", '{"delivery_id":7}', want={"delivery_id": None})
webhook(
    "delivery_id_with_space",
    "HOOK-4 HOOK-5",
    "ok",
    '{"delivery_id":" "}',
    want={"delivery_id": " ", "dedupe_key": "id: "},
)
webhook("delivery_id_not_ascii", "HOOK-5", "ok", '{"delivery_id":"\\u00e9:1"}', want={"dedupe_key": "id:\u00e9:1"})
webhook("delivery_id_nested_does_not_count", "HOOK-4", "ok", '{"data":{"delivery_id":"x"}}', want={"delivery_id": None})
webhook(
    "same_event_spelled_otherwise",
    "HOOK-5",
    "ok",
    '{ "card_id":"card_\\u0061bc123", "timestamp":1700000000, "type":"card.activated", "request_timestamp":5 }',
    want={"dedupe_key": WEBHOOK.cases[0]["dedupe_key"]},
)
webhook("two_events_of_one_moment", "HOOK-5", "ok", V1.replace("abc123", "abc124"))
webhook("outer_white_space", "HOOK-1", "ok", " {}\n", want={"plaintext": " {}\n"})
webhook("bare_layout", "HOOK-1 LAYOUT-3", "ok", V2, how={"layout": "bare"}, layout="bare")
webhook("raw_key", "HOOK-1 KEY-3", "ok", V2, how={"secret": RAW_KEY}, key_hex=RAW_KEY.hex())
webhook(
    "older_secret",
    "KEY-5",
    "ok",
    V2,
    how={"secret": OLDER_SECRET},
    want={"key_index": 2},
    open_secrets=[OLD_SECRET, OLDER_SECRET],
)
webhook("parsed_field", "BODY-4", "ok", "", parsed_field=field_for("webhook parsed_field", V2))
webhook("request_opens_as_webhook", "HOOK-1", "ok", REQUEST_TEXT, want={"type": None})
webhook(
    "response_opens_as_webhook", "HOOK-1", "ok", '{"success":true,"type":"card_issue"}', want={"type": "card_issue"}
)
webhook("root_array", "HOOK-1", "invalid_payload", "[" + V1 + "]")
webhook("root_string", "HOOK-1", "invalid_payload", '"card.activated"')
webhook("root_null", "HOOK-1", "invalid_payload", "null")
webhook("plaintext_empty", "HOOK-1 OPEN-1", "invalid_payload", "")
webhook("type_twice", "HOOK-2 JSON-11", "invalid_payload", '{"type":"a","type":"b"}')
webhook("timestamp_beyond_binary64", "HOOK-3 JSON-10", "invalid_payload", '{"timestamp":1e400}')
webhook("timestamp_twice", "HOOK-3 JSON-11", "invalid_payload", '{"timestamp":1,"timestamp":1}')
webhook("delivery_id_twice", "HOOK-4 HOOK-5 JSON-11", "invalid_payload", '{"delivery_id":"a","delivery_\\u0069d":"b"}')
webhook("delivery_id_lone_surrogate", "HOOK-4 HOOK-5 JSON-8", "invalid_payload", '{"delivery_id":"\\ud83d"}')
webhook("wrong_secret", "HOOK-1 LAYOUT-6", "decryption_failed", V1, how={"secret": OTHER_SECRET})
webhook(
    "tag_bit_flipped",
    "LAYOUT-6",
    "decryption_failed",
    "",
    body=wrap(b64(flipped(raw_for("webhook tag_bit_flipped", V1), 25))),
)
webhook(
    "wrong_version",
    "LAYOUT-2",
    "unsupported_version",
    "",
    body=wrap(b64(b"\x01" + raw_for("webhook wrong_version", V1)[1:])),
)
webhook(
    "field_not_canonical",
    "B64-2",
    "invalid_envelope",
    "",
    body=wrap(field_for("webhook field_not_canonical", V1) + "="),
)
webhook("plain_payload", "BODY-2", "envelope_not_found", "", body=V1)
webhook("body_empty", "BODY-1", "invalid_json", "", body="")
webhook("too_large", "BODY-5", "too_large", V1, max_bytes=100)
