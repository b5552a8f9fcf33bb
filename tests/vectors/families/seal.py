"""key.json and seal.json: keys, options, and everything that seals."""

from __future__ import annotations

from typing import Any

from oracle import envelope, sealing
from oracle.request import request_head

from .case import (
    ENVELOPE_FIELDS,
    EXAMPLE_NONCE,
    EXAMPLE_PAYLOAD,
    EXAMPLE_STAMP,
    OLD_SECRET,
    OLDER_SECRET,
    RAW_KEY,
    SECRET,
    Family,
    Fields,
    claim_nonce,
    keyring_of,
    nonce_for,
    stamp_for,
)

# --- key.json


def compute_key(inputs: Fields) -> Fields:
    return {"derived_key_hex": keyring_of(inputs).keys[0].hex()}


KEY = Family(
    "key",
    "Secrets, raw keys and options: the key that seals, or why there is none.",
    ENVELOPE_FIELDS,
    compute_key,
)

KEY.case(
    "key_of_document_example",
    "KEY-1",
    "ok",
    want={"derived_key_hex": "d7a04027daf8bbc6e30bd99d4e137deaa2db55195005f34fddad1e852c9e3c31"},
    secret=SECRET,
)
KEY.case("key_secret_of_8_bytes", "KEY-2", "ok", secret="12345678")
KEY.case("key_secret_of_7_bytes", "KEY-2", "invalid_key", secret="1234567")
KEY.case("key_secret_empty", "KEY-2", "invalid_key", secret="")
KEY.case("key_secret_of_4_characters_8_bytes", "KEY-2", "ok", secret="\u00e9" * 4)
KEY.case("key_secret_of_4_characters_7_bytes", "KEY-1 KEY-2", "invalid_key", secret="\u00e9" * 3 + "e")
KEY.case("key_secret_of_2_emoji", "KEY-2", "ok", secret="\U0001f600\U0001f601")
KEY.case("key_secret_padded_with_spaces_is_not_trimmed", "KEY-1", "ok", secret=" secret_1 ")
KEY.case("key_secret_without_the_spaces", "KEY-1", "ok", secret="secret_1")
KEY.case("key_secret_of_8_spaces", "KEY-1 KEY-2", "ok", secret=" " * 8)
KEY.case("key_secret_with_newline_at_end", "KEY-1", "ok", secret="secret_1\n")
KEY.case("key_secret_composed", "KEY-1", "ok", secret="caf\u00e9_secret")
KEY.case("key_secret_decomposed", "KEY-1", "ok", secret="cafe\u0301_secret")
KEY.case("key_secret_upper_case", "KEY-1", "ok", secret="SECRET_1")
KEY.case("key_secret_with_nul", "KEY-1", "ok", secret="secret\x00_1")
KEY.case("key_secret_of_1000_characters", "KEY-1", "ok", secret="long" * 250)
KEY.case("key_raw_32_bytes", "KEY-3", "ok", want={"derived_key_hex": RAW_KEY.hex()}, key_hex=RAW_KEY.hex())
KEY.case("key_raw_31_bytes", "KEY-3", "invalid_key", key_hex=RAW_KEY[:31].hex())
KEY.case("key_raw_33_bytes", "KEY-3", "invalid_key", key_hex=(RAW_KEY + b"\x00").hex())
KEY.case("key_raw_empty", "KEY-3", "invalid_key", key_hex="")
KEY.case("key_raw_as_hex_text", "KEY-3", "invalid_key", key_hex=RAW_KEY.hex().encode().hex())
KEY.case("key_open_secrets_none", "KEY-4 OPT-1", "ok", secret=SECRET, open_secrets=[])
KEY.case("key_open_secrets_do_not_change_the_key", "KEY-4", "ok", secret=SECRET, open_secrets=[OLD_SECRET])
KEY.case("key_open_secrets_four", "OPT-1", "ok", secret=SECRET, open_secrets=[f"old_secret_{n}" for n in range(4)])
KEY.case(
    "key_open_secrets_five",
    "OPT-1",
    "invalid_option",
    secret=SECRET,
    open_secrets=[f"old_secret_{n}" for n in range(5)],
)
KEY.case(
    "key_open_secret_of_7_bytes", "KEY-4 KEY-2", "invalid_key", secret=SECRET, open_secrets=[OLD_SECRET, "1234567"]
)
KEY.case(
    "key_open_keys_four",
    "OPT-1 KEY-4",
    "ok",
    key_hex=RAW_KEY.hex(),
    open_keys_hex=[bytes([n] * 32).hex() for n in range(4)],
)
KEY.case(
    "key_open_keys_five",
    "OPT-1",
    "invalid_option",
    key_hex=RAW_KEY.hex(),
    open_keys_hex=[bytes([n] * 32).hex() for n in range(5)],
)
KEY.case("key_open_key_of_31_bytes", "KEY-4 KEY-3", "invalid_key", key_hex=RAW_KEY.hex(), open_keys_hex=["11" * 31])
KEY.case("key_open_keys_beside_secret", "OPT-1", "invalid_option", secret=SECRET, open_keys_hex=[RAW_KEY.hex()])
KEY.case("key_open_secrets_beside_raw_key", "OPT-1", "invalid_option", key_hex=RAW_KEY.hex(), open_secrets=[OLD_SECRET])
KEY.case("option_layout_versioned", "OPT-2", "ok", secret=SECRET, layout="versioned")
KEY.case("option_layout_bare", "OPT-2", "ok", secret=SECRET, layout="bare")
KEY.case("option_layout_unknown", "OPT-2", "invalid_option", secret=SECRET, layout="v2")
KEY.case("option_layout_capital", "OPT-2", "invalid_option", secret=SECRET, layout="Versioned")
KEY.case("option_layout_empty", "OPT-2", "invalid_option", secret=SECRET, layout="")
KEY.case("option_layout_padded", "OPT-2", "invalid_option", secret=SECRET, layout="bare ")
KEY.case("option_max_bytes_1", "OPT-3", "ok", secret=SECRET, max_bytes=1)
KEY.case("option_max_bytes_largest", "OPT-3", "ok", secret=SECRET, max_bytes=4_294_967_295)
KEY.case("option_max_bytes_zero", "OPT-3", "invalid_option", secret=SECRET, max_bytes=0)
KEY.case("option_max_bytes_negative", "OPT-3", "invalid_option", secret=SECRET, max_bytes=-1)
KEY.case("option_max_bytes_too_large", "OPT-3", "invalid_option", secret=SECRET, max_bytes=4_294_967_296)


# --- seal.json
def compute_seal(inputs: Fields) -> Fields:
    operation = inputs["operation"]
    ring = keyring_of(inputs)
    nonce = bytes.fromhex(inputs["nonce_hex"])
    if operation == "encrypt":
        return {"field": envelope.encrypt(ring, nonce, bytes.fromhex(inputs["message_hex"]))}
    extra: Fields = {}
    if operation == "seal":
        plaintext = sealing.plaintext_for_seal(inputs["payload"], inputs["timestamp_micros"])
    elif operation == "seal_request":
        head = request_head(inputs["path"], inputs["api_key"], inputs.get("idempotency_key"))
        extra = {"headers": head.headers, "normalized_path": head.normalized_path}
        plaintext = sealing.plaintext_for_seal_request(inputs["payload"], inputs["timestamp_micros"])
    elif operation == "seal_response":
        plaintext = sealing.read_payload(inputs["payload"], any_root=True).text
    elif operation == "seal_webhook":
        plaintext = sealing.read_payload(inputs["payload"]).text
    else:
        raise ValueError(operation)
    return {"plaintext": plaintext, "body": envelope.seal_text(ring, nonce, plaintext), **extra}


SEAL = Family(
    "seal",
    "Sealing with a given nonce and a given clock reading: the text that is sealed, the body, and a request's headers.",
    (
        "operation",
        *ENVELOPE_FIELDS,
        "nonce_hex",
        "timestamp_micros",
        "payload",
        "message_hex",
        "path",
        "api_key",
        "idempotency_key",
    ),
    compute_seal,
)


def seal(
    name: str,
    rules: str,
    expect: str,
    payload: str,
    plaintext: str | None = None,
    /,
    operation: str = "seal",
    **inputs: Any,
) -> None:
    """A sealing case; `plaintext` is what must be sealed, with N for the timestamp."""
    if operation in ("seal", "seal_request"):
        inputs.setdefault("timestamp_micros", stamp_for(name))
    want = dict(inputs.pop("want", {}))
    if plaintext is not None:
        want["plaintext"] = plaintext.replace("N", str(inputs.get("timestamp_micros")))
    if not {"secret", "key_hex"} & set(inputs):
        inputs["secret"] = SECRET
    inputs.setdefault("nonce_hex", nonce_for(name).hex())
    SEAL.case(name, rules, expect, want=want, operation=operation, payload=payload, **inputs)


def seal_request(
    name: str, rules: str, expect: str, payload: str, plaintext: str | None = None, /, **inputs: Any
) -> None:
    inputs.setdefault("path", "/cards/get")
    inputs.setdefault("api_key", "key_1")
    seal(name, rules, expect, payload, plaintext, operation="seal_request", **inputs)


seal(
    "seal_document_example",
    "LAYOUT-1 BODY-6 SEAL-4 B64-1",
    "ok",
    EXAMPLE_PAYLOAD,
    EXAMPLE_PAYLOAD,
    nonce_hex=claim_nonce(EXAMPLE_NONCE, "seal_document_example").hex(),
    timestamp_micros=EXAMPLE_STAMP,
    want={
        "body": '{"encrypted":"AgABAgMEBQYHCAkKCwwNDg8QERITFBUWF6M3qAgFLaO5/LrBp/HYuAYwl8cchnPytDnwA3qwQ95c+/UN7hYx5UN+SenjMTivhBrlSbYa9ctdHx2hy2nqJ1DBdQmqbwKPuq+wAQwdEA=="}'
    },
)
seal(
    "seal_bare_layout",
    "LAYOUT-3 OPT-2",
    "ok",
    '{"card_id":"card_abc123"}',
    '{"request_timestamp":N,"card_id":"card_abc123"}',
    layout="bare",
)
seal("seal_raw_key", "KEY-3", "ok", '{"card_id":"card_abc123"}', key_hex=RAW_KEY.hex())
seal("seal_uses_the_first_secret", "KEY-4", "ok", '{"card_id":"card_abc123"}', open_secrets=[OLD_SECRET, OLDER_SECRET])
seal("seal_stamp_into_empty_object", "SEAL-3", "ok", "{}", '{"request_timestamp":N}')
seal("seal_stamp_into_object_of_one_space", "SEAL-3", "ok", "{ }", '{"request_timestamp":N }')
seal("seal_stamp_before_member", "SEAL-3", "ok", '{"a":1}', '{"request_timestamp":N,"a":1}')
seal("seal_stamp_before_space_and_member", "SEAL-3", "ok", '{ "a":1}', '{"request_timestamp":N, "a":1}')
seal(
    "seal_stamp_before_line_break",
    "SEAL-3 SEAL-6",
    "ok",
    '{\r\n\t"a": 1\r\n}',
    '{"request_timestamp":N,\r\n\t"a": 1\r\n}',
)
seal(
    "seal_stamp_beside_nested_stamp",
    "SEAL-3 SEAL-4",
    "ok",
    '{"a":{"request_timestamp":1}}',
    '{"request_timestamp":N,"a":{"request_timestamp":1}}',
)
seal(
    "seal_stamp_beside_other_case",
    "SEAL-3",
    "ok",
    '{"Request_Timestamp":null}',
    '{"request_timestamp":N,"Request_Timestamp":null}',
)
seal(
    "seal_stamp_into_data_object_payload",
    "SEAL-3",
    "ok",
    '{"data":{"card_id":"c"}}',
    '{"request_timestamp":N,"data":{"card_id":"c"}}',
)
seal("seal_stamp_of_few_digits", "SEAL-3", "ok", "{}", '{"request_timestamp":7}', timestamp_micros=7)
seal("seal_outer_white_space_dropped", "SEAL-6", "ok", ' \t\r\n{"a" : 1.50 }\n', '{"request_timestamp":N,"a" : 1.50 }')
seal(
    "seal_text_kept_verbatim",
    "SEAL-6",
    "ok",
    '{"z":1e0,"a":"\\u0041\\/\u00e9","m":[ 1 , -0 ]}',
    '{"request_timestamp":N,"z":1e0,"a":"\\u0041\\/\u00e9","m":[ 1 , -0 ]}',
)
seal(
    "seal_present_stamp_kept",
    "SEAL-4",
    "ok",
    '{"a":1,"request_timestamp":1700000000000001}',
    '{"a":1,"request_timestamp":1700000000000001}',
)
seal(
    "seal_present_stamp_string_kept",
    "SEAL-4 TIME-2",
    "ok",
    '{"request_timestamp" : "1700000000000002"}',
    '{"request_timestamp" : "1700000000000002"}',
)
seal(
    "seal_present_stamp_escaped_name_kept",
    "SEAL-4",
    "ok",
    '{"request_timestam\\u0070":1700000000000003}',
    '{"request_timestam\\u0070":1700000000000003}',
)
seal("seal_present_stamp_old_is_kept", "SEAL-4", "ok", '{"request_timestamp":0}', '{"request_timestamp":0}')
for label, value, rule in (
    ("null", "null", "TIME-4"),
    ("true", "true", "TIME-4"),
    ("object", "{}", "TIME-4"),
    ("exponent", "1.7e15", "TIME-1"),
    ("negative", "-1", "TIME-1"),
    ("date", '"2023-11-14T22:13:20Z"', "TIME-2"),
    ("empty_string", '""', "TIME-2"),
    ("too_large", "9223372036854775808", "TIME-3"),
):
    seal(f"seal_present_stamp_{label}", f"SEAL-4 {rule}", "invalid_timestamp", f'{{"a":1,"request_timestamp":{value}}}')
seal("seal_present_stamp_escaped_name_null", "SEAL-4", "invalid_timestamp", '{"request_timestam\\u0070":null}')
seal("seal_root_array", "SEAL-1", "invalid_payload", "[1]")
seal("seal_root_string", "SEAL-1", "invalid_payload", '"card_abc123"')
seal("seal_root_null", "SEAL-1", "invalid_payload", "null")
seal("seal_text_that_is_no_json", "SEAL-1", "invalid_payload", "card_abc123")
seal("seal_empty_text", "SEAL-1", "invalid_payload", "")
seal("seal_duplicate_names", "SEAL-1 JSON-11 SEAL-3", "invalid_payload", '{"a":1,"a":2}')
seal("seal_duplicate_encrypted", "SEAL-1 SEAL-2", "invalid_payload", '{"encrypted":"x","encrypted":"x"}')
seal("seal_duplicate_stamp", "SEAL-1", "invalid_payload", '{"request_timestamp":1,"request_timestam\\u0070":1}')
seal("seal_trailing_bytes", "SEAL-1 SEAL-6", "invalid_payload", '{"a":1} x')
seal("seal_bom", "SEAL-1 SEAL-6", "invalid_payload", "\ufeff{}")
seal("seal_no_break_space_outside", "SEAL-6", "invalid_payload", "\u00a0{}")
seal("seal_lone_surrogate", "SEAL-1 JSON-8", "invalid_payload", '{"a":"\\ud83d"}')
seal("seal_number_beyond_binary64", "SEAL-1 JSON-10", "invalid_payload", '{"a":1e999}')
seal("seal_depth_128", "SEAL-1 JSON-12", "ok", '{"a":' + "[" * 127 + "]" * 127 + "}")
seal("seal_depth_129", "SEAL-1 JSON-12", "invalid_payload", '{"a":' + "[" * 128 + "]" * 128 + "}")
seal("seal_already_sealed", "SEAL-2", "already_sealed", '{"encrypted":"AgABAg=="}')
seal("seal_already_sealed_escaped_name", "SEAL-2", "already_sealed", '{ "\\u0065ncrypted" : "" }')
seal(
    "seal_encrypted_beside_another_member",
    "SEAL-2",
    "ok",
    '{"encrypted":"x","a":1}',
    '{"request_timestamp":N,"encrypted":"x","a":1}',
)
seal(
    "seal_encrypted_that_is_no_string",
    "SEAL-2",
    "ok",
    '{"encrypted":["x"]}',
    '{"request_timestamp":N,"encrypted":["x"]}',
)
seal(
    "seal_encrypted_nested", "SEAL-2", "ok", '{"a":{"encrypted":"x"}}', '{"request_timestamp":N,"a":{"encrypted":"x"}}'
)
seal("seal_body_of_exactly_max_bytes", "BODY-5 BODY-6", "ok", EXAMPLE_PAYLOAD, max_bytes=156)
seal("seal_body_one_over_max_bytes", "BODY-5 BODY-6", "too_large", EXAMPLE_PAYLOAD, max_bytes=155)
seal(
    "seal_body_counts_utf8_bytes",
    "BODY-5",
    "too_large",
    '{"request_timestamp":1,"a":"\u20ac\u20ac\u20ac\u20ac"}',
    max_bytes=127,
)
seal(
    "seal_body_counts_utf8_bytes_exactly",
    "BODY-5",
    "ok",
    '{"request_timestamp":1,"a":"\u20ac\u20ac\u20ac\u20ac"}',
    max_bytes=128,
)
seal(
    "seal_bare_body_of_exactly_max_bytes",
    "BODY-5 BODY-6 LAYOUT-3",
    "ok",
    '{"request_timestamp":10}',
    layout="bare",
    max_bytes=104,
)
seal(
    "seal_bare_body_one_over_max_bytes",
    "BODY-5 BODY-6 LAYOUT-3",
    "too_large",
    '{"request_timestamp":10}',
    layout="bare",
    max_bytes=103,
)

seal_request(
    "seal_request_stamps",
    "REQ-1 SEAL-3 PATH-1",
    "ok",
    '{"card_id":"card_abc123"}',
    '{"request_timestamp":N,"card_id":"card_abc123"}',
    want={
        "headers": [["API-KEY", "key_1"], ["Content-Type", "application/json"]],
        "normalized_path": "/api/v1/cards/get",
    },
)
seal_request(
    "seal_request_replaces_stamp",
    "SEAL-5",
    "ok",
    '{"a":1,"request_timestamp": 1 ,"b":2}',
    '{"a":1,"request_timestamp": N ,"b":2}',
)
seal_request("seal_request_replaces_null", "SEAL-5", "ok", '{"request_timestamp":null}', '{"request_timestamp":N}')
seal_request(
    "seal_request_replaces_object",
    "SEAL-5",
    "ok",
    '{"request_timestamp":{"request_timestamp":[1,2]},"a":"b"}',
    '{"request_timestamp":N,"a":"b"}',
)
seal_request(
    "seal_request_replaces_string_by_integer",
    "SEAL-5",
    "ok",
    '{"request_timestamp":"1700000000000000"}',
    '{"request_timestamp":N}',
)
seal_request(
    "seal_request_replaces_behind_escaped_name",
    "SEAL-5",
    "ok",
    '{"request_timestam\\u0070":"x"}',
    '{"request_timestam\\u0070":N}',
)
seal_request(
    "seal_request_keeps_nested_stamp",
    "SEAL-5",
    "ok",
    '{"a":{"request_timestamp":1}}',
    '{"request_timestamp":N,"a":{"request_timestamp":1}}',
)
seal_request("seal_request_outer_white_space", "SEAL-6", "ok", '\n{"request_timestamp":1}\n', '{"request_timestamp":N}')
seal_request(
    "seal_request_duplicate_stamp", "SEAL-5 SEAL-1", "invalid_payload", '{"request_timestamp":1,"request_timestamp":2}'
)
seal_request("seal_request_root_array", "SEAL-1", "invalid_payload", "[]")
seal_request("seal_request_already_sealed", "SEAL-2", "already_sealed", '{"encrypted":"AgABAg=="}')
seal_request("seal_request_too_large", "BODY-5", "too_large", '{"card_id":"card_abc123"}', max_bytes=100)
seal_request(
    "seal_request_topup_with_key",
    "REQ-1 REQ-3",
    "ok",
    '{"amount":"10.00","card_id":"card_abc123"}',
    path="/cards/topup",
    idempotency_key="0d070fd6-04af-8724-b89c-f24408c2ec71",
    want={
        "headers": [
            ["API-KEY", "key_1"],
            ["Content-Type", "application/json"],
            ["Idempotency-Key", "0d070fd6-04af-8724-b89c-f24408c2ec71"],
        ]
    },
)
seal_request(
    "seal_request_create_with_key",
    "REQ-3",
    "ok",
    '{"product_code":"p"}',
    path="https://api.example.com/api/v1/cards/create/",
    idempotency_key="order-1",
)
seal_request("seal_request_topup_without_key", "REQ-3", "idempotency_key_required", "{}", path="/cards/topup")
seal_request(
    "seal_request_create_without_key", "REQ-3", "idempotency_key_required", "{}", path="api/v1/cards/create?x=1"
)
seal_request("seal_request_topup_of_v2_needs_no_key", "REQ-3 REQ-4", "ok", "{}", path="/api/v2/cards/topup")
seal_request(
    "seal_request_topup_with_empty_key",
    "REQ-3 IDEM-1",
    "invalid_idempotency_key",
    "{}",
    path="/cards/topup",
    idempotency_key="",
)
seal_request(
    "seal_request_key_on_other_path_is_sent",
    "REQ-4 REQ-1",
    "ok",
    "{}",
    path="/cards/freeze",
    idempotency_key="k",
    want={"headers": [["API-KEY", "key_1"], ["Content-Type", "application/json"], ["Idempotency-Key", "k"]]},
)
seal_request(
    "seal_request_key_on_other_path_empty",
    "REQ-4 IDEM-1",
    "invalid_idempotency_key",
    "{}",
    path="/cards/freeze",
    idempotency_key="",
)
seal_request(
    "seal_request_key_on_other_path_of_256", "REQ-4 IDEM-1", "invalid_idempotency_key", "{}", idempotency_key="k" * 256
)
seal_request(
    "seal_request_key_with_line_break",
    "REQ-4 IDEM-1 REQ-1",
    "invalid_idempotency_key",
    "{}",
    idempotency_key="k\r\nX-Other: 1",
)
seal_request("seal_request_api_key_of_255", "REQ-2", "ok", "{}", api_key="k" * 255)
seal_request("seal_request_api_key_edge_characters", "REQ-2", "ok", "{}", api_key="!~")
seal_request("seal_request_api_key_empty", "REQ-2 REQ-1", "invalid_api_key", "{}", api_key="")
seal_request("seal_request_api_key_of_256", "REQ-2", "invalid_api_key", "{}", api_key="k" * 256)
seal_request("seal_request_api_key_with_space", "REQ-2", "invalid_api_key", "{}", api_key="key 1")
seal_request("seal_request_api_key_with_del", "REQ-2", "invalid_api_key", "{}", api_key="key\x7f")
seal_request("seal_request_api_key_not_ascii", "REQ-2", "invalid_api_key", "{}", api_key="k\u00e9y")
seal_request("seal_request_api_key_newline_at_end", "REQ-2", "invalid_api_key", "{}", api_key="key_1\n")
seal_request("seal_request_path_invalid", "PATH-4 PATH-6", "invalid_path", "{}", path="/cards/../get")

seal("seal_response_object", "SEAL-7", "ok", '{"success":true}', '{"success":true}', operation="seal_response")
seal(
    "seal_response_stamp_is_not_looked_at",
    "SEAL-7",
    "ok",
    '{"request_timestamp":null}',
    '{"request_timestamp":null}',
    operation="seal_response",
)
seal("seal_response_array", "SEAL-1 SEAL-7", "ok", "[1,2]", "[1,2]", operation="seal_response")
seal("seal_response_string", "SEAL-1 SEAL-7", "ok", '"done"', '"done"', operation="seal_response")
seal("seal_response_null_with_white_space", "SEAL-1 SEAL-6", "ok", " null\n", "null", operation="seal_response")
seal("seal_response_no_json", "SEAL-1 SEAL-7", "invalid_payload", "done", operation="seal_response")
seal("seal_response_duplicate_names", "SEAL-1", "invalid_payload", '[{"a":1,"a":1}]', operation="seal_response")
seal("seal_response_already_sealed", "SEAL-2", "already_sealed", '{"encrypted":"AgABAg=="}', operation="seal_response")
seal(
    "seal_response_string_array_with_sealed_body",
    "SEAL-2",
    "ok",
    '[{"encrypted":"AgABAg=="}]',
    operation="seal_response",
)
seal(
    "seal_webhook_object",
    "SEAL-7",
    "ok",
    '{"type":"card.activated","timestamp":1700000000}',
    '{"type":"card.activated","timestamp":1700000000}',
    operation="seal_webhook",
)
seal("seal_webhook_without_type", "SEAL-7", "ok", "{}", "{}", operation="seal_webhook")
seal("seal_webhook_array", "SEAL-1 SEAL-7", "invalid_payload", "[]", operation="seal_webhook")
seal("seal_webhook_already_sealed", "SEAL-2", "already_sealed", '{"encrypted":"AgABAg=="}', operation="seal_webhook")


def encrypt(name: str, rules: str, expect: str, message: bytes, **inputs: Any) -> None:
    if "key_hex" not in inputs:
        inputs["secret"] = SECRET
    SEAL.case(
        name, rules, expect, operation="encrypt", nonce_hex=nonce_for(name).hex(), message_hex=message.hex(), **inputs
    )


encrypt("encrypt_empty_message", "LAYOUT-7 LAYOUT-1", "ok", b"")
encrypt("encrypt_one_byte", "LAYOUT-7", "ok", b"\x00")
encrypt("encrypt_bytes_that_are_no_text", "LAYOUT-7", "ok", b"\xff\xfe\x00\x80")
encrypt("encrypt_63_bytes", "LAYOUT-1", "ok", bytes(range(63)))
encrypt("encrypt_64_bytes", "LAYOUT-1", "ok", bytes(range(64)))
encrypt("encrypt_65_bytes", "LAYOUT-1", "ok", bytes(range(65)))
encrypt("encrypt_256_bytes", "LAYOUT-1", "ok", bytes(range(256)))
encrypt("encrypt_bare_empty_message", "LAYOUT-3 LAYOUT-7", "ok", b"", layout="bare")
encrypt("encrypt_sealed_body_is_allowed", "LAYOUT-7", "ok", b'{"encrypted":"AgABAg=="}')
encrypt("encrypt_counts_the_body_exactly", "BODY-5", "ok", b"", max_bytes=72)
encrypt("encrypt_counts_the_body_one_over", "BODY-5", "too_large", b"", max_bytes=71)
