"""timestamp.json, window.json, payload.json, path.json, request.json and precedence.json."""

from __future__ import annotations

from typing import Any

from oracle import sealing
from oracle.request import check_window, endpoint_kind, normalize_path, request_timestamp
from oracle.strict_json import read
from oracle.tables import ENDPOINTS, KEY_REQUIRED

from .case import (
    BODY_FIELDS,
    ENVELOPE_FIELDS,
    EXAMPLE_STAMP,
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
    stamp_for,
    wrap,
)

LARGEST = 9_223_372_036_854_775_807

# --- timestamp.json

TIMESTAMP = Family(
    "timestamp",
    "The grammar of request_timestamp: the JSON text of the member's value, and the microseconds it stands for.",
    ("operation", "value"),
    lambda inputs: {"timestamp_micros": sealing.timestamp_of(read(inputs["value"].encode()))},
)


def timestamp(name: str, rules: str, expect: str, value: str, micros: int | None = None) -> None:
    want = None if micros is None else {"timestamp_micros": micros}
    TIMESTAMP.case("timestamp_" + name, rules, expect, want=want, operation="grammar", value=value)


timestamp("integer", "TIME-1", "ok", "1700000000000000", EXAMPLE_STAMP)
timestamp("integer_zero", "TIME-1", "ok", "0", 0)
timestamp("integer_one_digit", "TIME-1", "ok", "7", 7)
timestamp("integer_largest", "TIME-3", "ok", "9223372036854775807", LARGEST)
timestamp("integer_beyond_53_bits", "TIME-3 TIME-1", "ok", "9007199254740993", 9_007_199_254_740_993)
timestamp("integer_one_too_large", "TIME-3", "invalid_timestamp", "9223372036854775808")
timestamp("integer_of_20_digits", "TIME-3", "invalid_timestamp", "18446744073709551617")
timestamp("integer_of_301_digits", "TIME-3", "invalid_timestamp", "1" + "0" * 300)
timestamp("integer_minus_zero", "TIME-1", "invalid_timestamp", "-0")
timestamp("integer_negative", "TIME-1", "invalid_timestamp", "-1700000000000000")
timestamp("number_fraction", "TIME-1", "invalid_timestamp", "1700000000000000.5")
timestamp("number_fraction_zero", "TIME-1", "invalid_timestamp", "1700000000000000.0")
timestamp("number_exponent", "TIME-1", "invalid_timestamp", "1.7e15")
timestamp("number_exponent_zero", "TIME-1", "invalid_timestamp", "1700000000000000e0")
timestamp("string", "TIME-2", "ok", '"1700000000000000"', EXAMPLE_STAMP)
timestamp("string_zero", "TIME-2", "ok", '"0"', 0)
timestamp("string_with_escaped_digit", "TIME-2", "ok", '"170000000000000\\u0030"', EXAMPLE_STAMP)
timestamp("string_largest", "TIME-3", "ok", '"9223372036854775807"', LARGEST)
timestamp("string_one_too_large", "TIME-3", "invalid_timestamp", '"9223372036854775808"')
timestamp("string_of_20_digits", "TIME-3", "invalid_timestamp", '"10000000000000000000"')
timestamp("string_of_2000_digits", "TIME-3", "invalid_timestamp", '"' + "9" * 2000 + '"')
timestamp("string_empty", "TIME-2", "invalid_timestamp", '""')
timestamp("string_leading_zero", "TIME-2", "invalid_timestamp", '"01700000000000000"')
timestamp("string_two_zeros", "TIME-2", "invalid_timestamp", '"00"')
timestamp("string_space_before", "TIME-2", "invalid_timestamp", '" 1700000000000000"')
timestamp("string_space_after", "TIME-2", "invalid_timestamp", '"1700000000000000 "')
timestamp("string_line_feed_after", "TIME-2", "invalid_timestamp", '"1700000000000000\\n"')
timestamp("string_plus", "TIME-2", "invalid_timestamp", '"+1700000000000000"')
timestamp("string_minus", "TIME-2", "invalid_timestamp", '"-1"')
timestamp("string_fraction", "TIME-2", "invalid_timestamp", '"1700000000.000000"')
timestamp("string_exponent", "TIME-2", "invalid_timestamp", '"17e14"')
timestamp("string_underscore", "TIME-2", "invalid_timestamp", '"1_700_000_000_000_000"')
timestamp("string_hexadecimal", "TIME-2", "invalid_timestamp", '"0x60a24181e4000"')
timestamp("string_date", "TIME-2", "invalid_timestamp", '"2023-11-14T22:13:20Z"')
timestamp("string_arabic_digits", "TIME-2", "invalid_timestamp", '"\u0661\u0667"')
timestamp("string_fullwidth_digits", "TIME-2", "invalid_timestamp", '"\uff11\uff17"')
timestamp("string_quoted_twice", "TIME-2", "invalid_timestamp", '"\\"1700000000000000\\""')
timestamp("null", "TIME-4", "invalid_timestamp", "null")
timestamp("true", "TIME-4", "invalid_timestamp", "true")
timestamp("false", "TIME-4", "invalid_timestamp", "false")
timestamp("array", "TIME-4", "invalid_timestamp", "[1700000000000000]")
timestamp("object", "TIME-4", "invalid_timestamp", '{"micros":1700000000000000}')
timestamp("string_is_a_type_of_its_own", "TIME-4", "ok", '"1700000000000000"', EXAMPLE_STAMP)

# --- window.json


def compute_window(inputs: Fields) -> Fields:
    check_window(inputs["timestamp_micros"], inputs["now_micros"], inputs["window_seconds"])
    return {}


WINDOW = Family(
    "window",
    "Whether a timestamp lies in the window around the server's clock; skew is request minus server.",
    ("timestamp_micros", "now_micros", "window_seconds"),
    compute_window,
)


def window(name: str, rules: str, expect: str, skew: int, seconds: int, now: int = EXAMPLE_STAMP) -> None:
    want = {"skew_micros": skew} if expect == "timestamp_outside_window" else None
    WINDOW.case(
        "window_" + name, rules, expect, want=want, timestamp_micros=now + skew, now_micros=now, window_seconds=seconds
    )


window("no_skew", "WINDOW-1", "ok", 0, 30)
window("behind_by_exactly_30_seconds", "WINDOW-1", "ok", -30_000_000, 30)
window("behind_by_one_micro_more", "WINDOW-1", "timestamp_outside_window", -30_000_001, 30)
window("ahead_by_exactly_30_seconds", "WINDOW-1", "ok", 30_000_000, 30)
window("ahead_by_one_micro_more", "WINDOW-1", "timestamp_outside_window", 30_000_001, 30)
window("narrow_ahead_by_exactly_5_seconds", "WINDOW-1 WINDOW-2", "ok", 5_000_000, 5)
window("narrow_ahead_by_one_micro_more", "WINDOW-1 WINDOW-2", "timestamp_outside_window", 5_000_001, 5)
window("narrow_behind_by_exactly_1_second", "WINDOW-1 WINDOW-2", "ok", -1_000_000, 1)
window("narrow_behind_by_one_micro_more", "WINDOW-1 WINDOW-2", "timestamp_outside_window", -1_000_001, 1)
window("seconds_in_place_of_micros", "WINDOW-1", "timestamp_outside_window", 1_700_000_000 - EXAMPLE_STAMP, 30)
window("milliseconds_in_place_of_micros", "WINDOW-1", "timestamp_outside_window", 1_700_000_000_000 - EXAMPLE_STAMP, 30)
window(
    "nanoseconds_in_place_of_micros",
    "WINDOW-1",
    "timestamp_outside_window",
    1_700_000_000_000_000_000 - EXAMPLE_STAMP,
    30,
)
window("timestamp_zero", "WINDOW-1", "timestamp_outside_window", -EXAMPLE_STAMP, 30)
window("timestamp_largest", "WINDOW-1", "timestamp_outside_window", LARGEST - EXAMPLE_STAMP, 30)
window("both_near_zero", "WINDOW-1", "ok", -5, 30, now=5)
window("of_zero_seconds", "WINDOW-2", "invalid_option", 0, 0)
window("of_31_seconds", "WINDOW-2", "invalid_option", 0, 31)
window("negative", "WINDOW-2", "invalid_option", 0, -30)
window("of_30_seconds_in_millis", "WINDOW-2", "invalid_option", 0, 30_000)

# --- payload.json

PAYLOAD = Family(
    "payload",
    "Checking a request payload before it is sealed: its timestamp if it has one.",
    ("payload",),
    lambda inputs: {"timestamp_micros": sealing.validate_payload(inputs["payload"])},
)


def payload(name: str, rules: str, expect: str, text: str, micros: int | None = None) -> None:
    want = {"timestamp_micros": micros} if expect == "ok" else None
    PAYLOAD.case("payload_" + name, "CHECK-1 " + rules, expect, want=want, payload=text)


payload("with_stamp", "TIME-1", "ok", '{"request_timestamp":1700000000000000,"card_id":"card_abc123"}', EXAMPLE_STAMP)
payload(
    "with_stamp_as_string",
    "TIME-2",
    "ok",
    '{"card_id":"card_abc123","request_timestamp":"1700000000000000"}',
    EXAMPLE_STAMP,
)
payload("with_escaped_stamp_name", "SEAL-4", "ok", '{"request_timestam\\u0070":5}', 5)
payload("without_stamp", "", "ok", '{"card_id":"card_abc123"}')
payload("empty_object", "", "ok", "{}")
payload("outer_white_space", "SEAL-6", "ok", " {}\n")
payload("with_data_object", "", "ok", '{"data":{"request_timestamp":1700000000000000}}')
payload("with_null_inside_data", "", "ok", '{"data":{"request_timestamp":null}}')
payload("encrypted_beside_stamp", "SEAL-2", "ok", '{"encrypted":"x","request_timestamp":3}', 3)
payload("stamp_null", "TIME-4", "invalid_timestamp", '{"request_timestamp":null}')
payload("stamp_fraction", "TIME-1", "invalid_timestamp", '{"request_timestamp":1700000000.5}')
payload("stamp_leading_zero", "TIME-2", "invalid_timestamp", '{"request_timestamp":"017"}')
payload("stamp_too_large", "TIME-3", "invalid_timestamp", '{"request_timestamp":9223372036854775808}')
payload("stamp_escaped_name_true", "SEAL-4", "invalid_timestamp", '{"\\u0072equest_timestamp":true}')
payload("root_array", "SEAL-1", "invalid_payload", '[{"request_timestamp":1}]')
payload("root_number", "SEAL-1", "invalid_payload", "5")
payload("no_json", "SEAL-1", "invalid_payload", "{'a':1}")
payload("empty_text", "SEAL-1 JSON-2", "invalid_payload", "")
payload("duplicate_stamp", "SEAL-1 JSON-11", "invalid_payload", '{"request_timestamp":1,"request_timestamp":1}')
payload("trailing_comma", "SEAL-1 JSON-5", "invalid_payload", '{"a":1,}')
payload("sealed_already", "SEAL-2", "already_sealed", '{"encrypted":"AgABAg=="}')

# --- path.json


def compute_path(inputs: Fields) -> Fields:
    normalized = normalize_path(inputs["path"])
    return {
        "normalized_path": normalized,
        "kind": endpoint_kind(normalized),
        "idempotency_key_required": normalized in KEY_REQUIRED,
    }


PATH = Family(
    "path",
    "Normalising a path or URL, and the endpoint kind it then has.",
    ("path",),
    compute_path,
)


def path(name: str, rules: str, given: str, normalized: str | None, kind: str | None = None) -> None:
    """A path case: `normalized` None means invalid_path."""
    want: Fields = {} if normalized is None else {"normalized_path": normalized}
    if kind is not None:
        want["kind"] = kind
    PATH.case("path_" + name, rules, "ok" if normalized is not None else "invalid_path", want=want, path=given)


for endpoint in ENDPOINTS:
    label = endpoint.removeprefix("/api/v1/").replace("/", "_")
    path(f"endpoint_{label}", "PATH-6", endpoint, endpoint, ENDPOINTS[endpoint])
path("short", "PATH-1", "/cards/topup", "/api/v1/cards/topup", "keyed")
path("without_leading_slash", "PATH-1", "cards/topup", "/api/v1/cards/topup", "keyed")
path("prefix_without_leading_slash", "PATH-1", "api/v1/cards/get", "/api/v1/cards/get", "read")
path("prefix_of_v2", "PATH-1 PATH-6", "/api/v2/wh/subscriptions", "/api/v2/wh/subscriptions", "unsafe")
path("prefix_of_two_digits", "PATH-1", "/api/v12/cards/get", "/api/v12/cards/get", "unsafe")
path("prefix_upper_case", "PATH-1", "/API/v1/cards/get", "/api/v1/API/v1/cards/get", "unsafe")
path("prefix_upper_case_v", "PATH-1", "/api/V1/cards/get", "/api/v1/api/V1/cards/get", "unsafe")
path("prefix_with_letter", "PATH-1", "/api/v1x/cards", "/api/v1/api/v1x/cards", "unsafe")
path("prefix_without_digits", "PATH-1", "/api/v/cards", "/api/v1/api/v/cards", "unsafe")
path("prefix_bare", "PATH-1", "/api/v1", None)
path("prefix_bare_with_slash", "PATH-1 PATH-3", "/api/v1/", None)
path("prefix_bare_of_v2_without_leading_slash", "PATH-1", "api/v2", None)
path("prefix_bare_with_query", "PATH-1 PATH-3", "/api/v1?x=1", None)
path("case_is_kept", "PATH-1 PATH-6", "/Cards/Topup", "/api/v1/Cards/Topup", "unsafe")
path("unlisted", "PATH-6", "/cards/close", "/api/v1/cards/close", "unsafe")
path("beneath_listed", "PATH-6", "/cards/get/more", "/api/v1/cards/get/more", "unsafe")
path("url", "PATH-2", "https://api.example.com/api/v1/cards/topup", "/api/v1/cards/topup", "keyed")
path(
    "url_with_port_user_and_mixed_case_scheme",
    "PATH-2",
    "HtTpS://user:p%40ss@api.example.com:8443/cards/get",
    "/api/v1/cards/get",
    "read",
)
path("url_with_ipv6_host", "PATH-2", "http://[::1]:8080/api/v1/orders/check", "/api/v1/orders/check", "read")
path("url_other_scheme", "PATH-2", "a+b-c.1://h/x", "/api/v1/x")
path(
    "url_query_and_fragment",
    "PATH-2 PATH-3",
    "https://api.example.com/cards/get/?a=/b/#c/d",
    "/api/v1/cards/get",
    "read",
)
path("url_without_path", "PATH-2", "https://api.example.com", None)
path("url_with_slash_only", "PATH-2 PATH-3", "https://api.example.com/", None)
path("url_with_query_only", "PATH-2 PATH-3", "https://api.example.com?x=/cards/get", None)
path("url_with_fragment_only", "PATH-2 PATH-3", "https://api.example.com#/cards/get", None)
path("url_with_bare_prefix", "PATH-2 PATH-1", "https://api.example.com/api/v1", None)
path("url_scheme_beginning_with_digit", "PATH-2 PATH-4", "1http://api.example.com/x", None)
path("url_without_scheme_name", "PATH-2 PATH-4", "://api.example.com/x", None)
path("url_inside_query", "PATH-3", "/cards/get?next=https://x/y", "/api/v1/cards/get", "read")
path("query_with_percent_and_spaces", "PATH-3 PATH-5", "/cards/get?a=%20 \u00e9\\", "/api/v1/cards/get", "read")
path("fragment_before_query", "PATH-3", "/cards/get#a?b", "/api/v1/cards/get", "read")
path("trailing_slash", "PATH-3", "/cards/get/", "/api/v1/cards/get", "read")
path("trailing_slashes", "PATH-3 PATH-4", "/api/v1/cards/get///", "/api/v1/cards/get", "read")
path("empty", "PATH-3", "", None)
path("root", "PATH-3", "/", None)
path("slashes_only", "PATH-3", "///", None)
path("query_only", "PATH-3", "?a=b", None)
path("segment_empty", "PATH-4 PATH-6", "/cards//get", None)
path("segment_empty_first", "PATH-4", "//host/x", None)
path("segment_empty_behind_prefix", "PATH-4", "/api/v1//cards/get", None)
path("segment_empty_behind_host", "PATH-4", "https://api.example.com//cards/get", None)
path("segment_dot", "PATH-4", "/cards/./get", None)
path("segment_two_dots", "PATH-4", "/cards/../cards/get", None)
path("segment_two_dots_last", "PATH-4", "/cards/get/..", None)
path("segment_dot_before_trailing_slash", "PATH-4 PATH-3", "/cards/./", None)
path("segment_dot_first", "PATH-4", "./cards/get", None)
path("segment_three_dots", "PATH-4", "/cards/.../get", "/api/v1/cards/.../get")
path("segment_beginning_with_dot", "PATH-4", "/.cards/get.", "/api/v1/.cards/get.")
path("characters_all_allowed", "PATH-5", "/!\"$&'()*+,-.:;<=>@[]^_`{|}~/x", "/api/v1/!\"$&'()*+,-.:;<=>@[]^_`{|}~/x")
path("character_percent", "PATH-5", "/cards%2Fget", None)
path("character_percent_of_plain_letter", "PATH-5", "/c%61rds/get", None)
path("character_backslash", "PATH-5", "/cards\\get", None)
path("character_space", "PATH-5", "/cards/ get", None)
path("character_space_first", "PATH-5", " /cards/get", None)
path("character_space_last", "PATH-5", "/cards/get ", None)
path("character_tab", "PATH-5", "/cards/get\t", None)
path("character_line_feed_last", "PATH-5", "/cards/get\n", None)
path("character_nul", "PATH-5", "/cards/get\x00", None)
path("character_del", "PATH-5", "/cards/\x7f", None)
path("character_not_ascii", "PATH-5", "/cards/g\u00e9t", None)
path("character_fullwidth_solidus", "PATH-5", "/cards\uff0fget", None)

# --- request.json and precedence.json


def compute_request(inputs: Fields) -> Fields:
    opened = open_input(inputs)
    stamp = request_timestamp(opened)
    check_window(stamp, inputs["now_micros"], inputs.get("window_seconds", 30))
    return {
        "plaintext": opened.text,
        "timestamp_micros": stamp,
        "nonce_hex": opened.nonce.hex(),
        "key_index": opened.key_index,
    }


REQUEST = Family(
    "request",
    "Opening a request on the server: every rule for requests but replay.",
    (*ENVELOPE_FIELDS, *BODY_FIELDS, "now_micros", "window_seconds"),
    compute_request,
)


def request(
    name: str,
    rules: str,
    expect: str,
    plaintext: str | bytes,
    /,
    want: Fields | None = None,
    skew: int = 0,
    how: Fields | None = None,
    **inputs: Any,
) -> None:
    """A request whose plaintext is given, N standing for a timestamp `skew` µs beside the server's clock."""
    now = stamp_for(name)
    if isinstance(plaintext, str):
        plaintext = plaintext.replace("N", str(now + skew))
    if not {"secret", "key_hex"} & set(inputs):
        inputs["secret"] = SECRET
    if not set(BODY_FIELDS) & set(inputs):
        inputs["body"] = body_for(name, plaintext, **(how or {}))
    inputs.setdefault("now_micros", now)
    REQUEST.case("request_" + name, rules, expect, want=want, **inputs)


REQUEST_TEXT = '{"request_timestamp":N,"card_id":"card_abc123"}'

request("ok", "OPEN-3 OPEN-5 WINDOW-1", "ok", REQUEST_TEXT, want={"key_index": 0})
request("stamp_as_string", "TIME-2 OPEN-3", "ok", '{"card_id":"card_abc123","request_timestamp":"N"}')
request("stamp_behind_escaped_name", "OPEN-3", "ok", '{"request_timestam\\u0070":N}')
request("stamp_alone_with_white_space", "OPEN-1 OPEN-3", "ok", ' { "request_timestamp" : N } ')
request(
    "members_beside_encrypted",
    "BODY-2",
    "ok",
    "",
    body='{"a":[],"encrypted":"'
    + field_for("members_beside_encrypted", '{"request_timestamp":1700000000000000}')
    + '"}',
    now_micros=EXAMPLE_STAMP,
)
request("bare_layout", "LAYOUT-3", "ok", REQUEST_TEXT, how={"layout": "bare"}, layout="bare")
request("raw_key", "KEY-3", "ok", REQUEST_TEXT, how={"secret": RAW_KEY}, key_hex=RAW_KEY.hex())
request(
    "first_older_secret",
    "KEY-5",
    "ok",
    REQUEST_TEXT,
    want={"key_index": 1},
    how={"secret": OLD_SECRET},
    open_secrets=[OLD_SECRET, OLDER_SECRET],
)
request(
    "second_older_secret",
    "KEY-5",
    "ok",
    REQUEST_TEXT,
    want={"key_index": 2},
    how={"secret": OLDER_SECRET},
    open_secrets=[OLD_SECRET, OLDER_SECRET],
)
request(
    "older_secret_given_twice",
    "KEY-5",
    "ok",
    REQUEST_TEXT,
    want={"key_index": 1},
    how={"secret": OLD_SECRET},
    open_secrets=[OLD_SECRET, OLD_SECRET],
)
request(
    "sealing_secret_given_again_as_older", "KEY-5", "ok", REQUEST_TEXT, want={"key_index": 0}, open_secrets=[SECRET]
)
request(
    "parsed_field",
    "BODY-4",
    "ok",
    "",
    parsed_field=field_for("parsed_field", '{"request_timestamp":1700000000000000}'),
    now_micros=EXAMPLE_STAMP,
)
request(
    "body_as_hex",
    "BODY-1",
    "ok",
    "",
    body_hex=body_for("body_as_hex", '{"request_timestamp":1700000000000000}').encode().hex(),
    now_micros=EXAMPLE_STAMP,
)
request("behind_by_exactly_30_seconds", "WINDOW-1", "ok", REQUEST_TEXT, skew=-30_000_000)
request("ahead_by_exactly_30_seconds", "WINDOW-1", "ok", REQUEST_TEXT, skew=30_000_000)
request(
    "behind_by_one_micro_more",
    "WINDOW-1",
    "timestamp_outside_window",
    REQUEST_TEXT,
    want={"skew_micros": -30_000_001},
    skew=-30_000_001,
)
request(
    "ahead_by_one_micro_more",
    "WINDOW-1",
    "timestamp_outside_window",
    REQUEST_TEXT,
    want={"skew_micros": 30_000_001},
    skew=30_000_001,
)
request("narrow_window_edge", "WINDOW-2", "ok", REQUEST_TEXT, skew=-1_000_000, window_seconds=1)
request(
    "narrow_window_outside", "WINDOW-2", "timestamp_outside_window", REQUEST_TEXT, skew=-1_000_001, window_seconds=1
)
request(
    "stamp_in_seconds",
    "WINDOW-1",
    "timestamp_outside_window",
    '{"request_timestamp":1700000000}',
    now_micros=EXAMPLE_STAMP,
)
request("stamp_of_string_outside", "WINDOW-1", "timestamp_outside_window", '{"request_timestamp":"N"}', skew=60_000_000)
request("window_zero", "WINDOW-2", "invalid_option", REQUEST_TEXT, window_seconds=0)
request("window_31", "WINDOW-2", "invalid_option", REQUEST_TEXT, window_seconds=31)
request("no_stamp", "OPEN-3", "timestamp_not_found", '{"card_id":"card_abc123"}')
request("empty_object", "OPEN-3", "timestamp_not_found", "{}")
request("stamp_inside_data", "OPEN-3", "timestamp_not_found", '{"data":{"request_timestamp":N}}')
request("stamp_in_other_case", "OPEN-3", "timestamp_not_found", '{"Request_Timestamp":N}')
request(
    "stamp_beside_envelope_only",
    "OPEN-3",
    "timestamp_not_found",
    "",
    body='{"request_timestamp":1700000000000000,"encrypted":"'
    + field_for("stamp_beside_envelope_only", '{"a":1}')
    + '"}',
    now_micros=EXAMPLE_STAMP,
)
request("stamp_null", "TIME-4 OPEN-3", "invalid_timestamp", '{"request_timestamp":null}')
request("stamp_true", "TIME-4", "invalid_timestamp", '{"request_timestamp":true}')
request("stamp_fraction", "TIME-1", "invalid_timestamp", '{"request_timestamp":N.5}')
request("stamp_minus_zero", "TIME-1", "invalid_timestamp", '{"request_timestamp":-0}')
request("stamp_string_with_space", "TIME-2", "invalid_timestamp", '{"request_timestamp":" N"}')
request("stamp_too_large", "TIME-3", "invalid_timestamp", '{"request_timestamp":9223372036854775808}')
request("root_array", "OPEN-2", "invalid_payload", '[{"request_timestamp":N}]')
request("root_string", "OPEN-2", "invalid_payload", '"N"')
request("root_null", "OPEN-2", "invalid_payload", "null")
request("plaintext_no_json", "OPEN-1", "invalid_payload", "{'request_timestamp':N}")
request("plaintext_empty", "OPEN-1", "invalid_payload", "")
request("plaintext_bom", "OPEN-1", "invalid_payload", '\ufeff{"request_timestamp":N}')
request(
    "plaintext_duplicate_stamp",
    "OPEN-1 JSON-11",
    "invalid_payload",
    '{"request_timestamp":N,"request_timestam\\u0070":N}',
)
request("plaintext_not_utf8", "OPEN-1 JSON-1", "invalid_payload", b'{"request_timestamp":1700000000000000,"a":"\xff"}')
request("plaintext_sealed_twice", "OPEN-3", "timestamp_not_found", '{"encrypted":"AgABAg=="}')
request(
    "bad_text_under_older_secret",
    "OPEN-4",
    "invalid_payload",
    "[",
    how={"secret": OLD_SECRET},
    open_secrets=[OLD_SECRET],
)
request(
    "no_stamp_under_older_secret",
    "OPEN-4 KEY-5",
    "timestamp_not_found",
    "{}",
    how={"secret": OLD_SECRET},
    open_secrets=[OLD_SECRET, OLDER_SECRET],
)
request("wrong_secret", "LAYOUT-6", "decryption_failed", REQUEST_TEXT, how={"secret": OTHER_SECRET})
request(
    "tag_bit_flipped",
    "LAYOUT-6",
    "decryption_failed",
    "",
    body=wrap(b64(flipped(raw_for("tag_bit_flipped", '{"request_timestamp":1700000000000000}'), 30))),
    now_micros=EXAMPLE_STAMP,
)
request(
    "wrong_version",
    "LAYOUT-2",
    "unsupported_version",
    "",
    body=wrap(b64(b"\x03" + raw_for("wrong_version", '{"request_timestamp":1700000000000000}')[1:])),
    now_micros=EXAMPLE_STAMP,
)
request("field_empty", "LAYOUT-5", "invalid_envelope", "", body='{"encrypted":""}')
request("field_null", "BODY-3", "invalid_envelope", "", body='{"encrypted":null}')
request(
    "plain_payload_sent_unsealed",
    "BODY-2",
    "envelope_not_found",
    "",
    body='{"request_timestamp":1700000000000000,"card_id":"card_abc123"}',
)
request("body_array", "BODY-2", "envelope_not_found", "", body="[]")
request("body_empty", "BODY-1", "invalid_json", "", body="")
request("body_form_encoded", "BODY-1", "invalid_json", "", body="encrypted=AgABAg%3D%3D")
request("body_not_utf8", "BODY-1 JSON-1", "invalid_json", "", body_hex=b'{"encrypted":"\xff"}'.hex())
request("body_too_large", "BODY-5", "too_large", REQUEST_TEXT, max_bytes=64)
request(
    "parsed_field_too_large",
    "BODY-4 BODY-5",
    "too_large",
    "",
    parsed_field=field_for("parsed_field_too_large", '{"request_timestamp":1700000000000000}'),
    max_bytes=64,
)

PRECEDENCE = Family(
    "precedence",
    "Requests with two faults, named earlier and later: the earlier one is reported.",
    ("faults", *ENVELOPE_FIELDS, *BODY_FIELDS, "now_micros", "window_seconds"),
    compute_request,
)


def two_faults(earlier: str, later: str, label: str = "", /, **inputs: Any) -> None:
    name = f"precedence_{earlier}_before_{later}{label}"
    inputs.setdefault("secret", SECRET)
    inputs.setdefault("now_micros", EXAMPLE_STAMP)
    PRECEDENCE.case(name, "OPEN-5", earlier, faults=[earlier, later], **inputs)


GOOD = '{"request_timestamp":1700000000000000}'
LATE = '{"request_timestamp":1600000000000000}'


def sealed(seed: str, plaintext: str | bytes, /, **how: Any) -> str:
    return body_for("precedence " + seed, plaintext, **how)


def raw(seed: str, plaintext: str | bytes, /, **how: Any) -> bytes:
    return raw_for("precedence " + seed, plaintext, **how)


# Neighbours in the order
two_faults("too_large", "invalid_json", body='{"encrypted":"AgABAg=="} trailing', max_bytes=20)
two_faults("invalid_json", "envelope_not_found", body='{"a":1} trailing')
two_faults("envelope_not_found", "invalid_envelope", body='[{"encrypted":"not base64!"}]')
two_faults("envelope_not_found", "invalid_envelope", "_in_other_case", body='{"Encrypted":"not base64!"}')
two_faults("invalid_envelope", "unsupported_version", "_too_short", body=wrap(b64(b"\x01" + bytes(39))))
two_faults(
    "invalid_envelope",
    "unsupported_version",
    "_not_canonical",
    body=wrap(b64(b"\x01" + raw("not_canonical", GOOD)[1:]) + "="),
)
two_faults("unsupported_version", "decryption_failed", body=wrap(b64(b"\x01" + flipped(raw("version", GOOD), -1)[1:])))
two_faults(
    "unsupported_version",
    "decryption_failed",
    "_wrong_secret",
    body=wrap(b64(b"\x00" + raw("version secret", GOOD, secret=OTHER_SECRET)[1:])),
)
two_faults("decryption_failed", "invalid_payload", body=sealed("not json", "not json", secret=OTHER_SECRET))
two_faults("decryption_failed", "invalid_payload", "_one_bit", body=wrap(b64(flipped(raw("array", "[]"), 26))))
two_faults("invalid_payload", "timestamp_not_found", body=sealed("trailing", '{"a":1} x'))
two_faults("invalid_payload", "timestamp_not_found", "_array", body=sealed("empty array", "[]"))
two_faults(
    "timestamp_not_found", "invalid_timestamp", body=sealed("nested null", '{"data":{"request_timestamp":null}}')
)
two_faults(
    "timestamp_not_found",
    "invalid_timestamp",
    "_in_other_case",
    body=sealed("other case", '{"Request_timestamp":"soon"}'),
)
two_faults(
    "invalid_timestamp", "timestamp_outside_window", body=sealed("fraction", '{"request_timestamp":1600000000000000.0}')
)
two_faults(
    "invalid_timestamp",
    "timestamp_outside_window",
    "_leading_zero",
    body=sealed("leading zero", '{"request_timestamp":"01600000000000000"}'),
)

# Far apart
two_faults("too_large", "envelope_not_found", body='{"a":"' + "b" * 40 + '"}', max_bytes=40)
two_faults("too_large", "invalid_envelope", "_parsed_field", parsed_field="not base64!" * 10, max_bytes=40)
two_faults("too_large", "decryption_failed", body=sealed("large", GOOD, secret=OTHER_SECRET), max_bytes=100)
two_faults("too_large", "timestamp_outside_window", body=sealed("large late", LATE), max_bytes=100)
two_faults("invalid_json", "invalid_envelope", body='{"encrypted":"not base64!","encrypted":"not base64!"}')
two_faults("invalid_json", "invalid_envelope", "_null", body='{"encrypted":null} x')
two_faults("invalid_json", "unsupported_version", body="\ufeff" + wrap(b64(b"\x01" + raw("bom version", GOOD)[1:])))
two_faults("invalid_json", "decryption_failed", body=sealed("trailing nul", GOOD, secret=OTHER_SECRET) + "\x00")
two_faults("invalid_json", "timestamp_not_found", body=sealed("trailing brace", "{}") + "}")
two_faults("invalid_json", "timestamp_outside_window", body=sealed("trailing comma", LATE)[:-1] + ",}")
two_faults(
    "envelope_not_found", "decryption_failed", body='{"data":' + sealed("nested", GOOD, secret=OTHER_SECRET) + "}"
)
two_faults(
    "invalid_envelope", "decryption_failed", body=wrap(sealed("padding", GOOD, secret=OTHER_SECRET)[14:-2].rstrip("="))
)
two_faults("invalid_envelope", "timestamp_outside_window", body=wrap(sealed("line feed", LATE)[14:-2] + "\\n"))
two_faults("unsupported_version", "invalid_payload", body=wrap(b64(b"\x03" + raw("version text", "no json")[1:])))
two_faults("unsupported_version", "timestamp_outside_window", body=wrap(b64(b"\x03" + raw("version late", LATE)[1:])))
two_faults("decryption_failed", "timestamp_not_found", body=sealed("secret empty", "{}", secret=OTHER_SECRET))
two_faults("decryption_failed", "timestamp_outside_window", body=sealed("secret late", LATE, secret=OTHER_SECRET))
two_faults(
    "invalid_payload",
    "invalid_timestamp",
    body=sealed("twice null", '{"request_timestamp":null,"request_timestamp":null}'),
)
two_faults("invalid_payload", "timestamp_outside_window", body=sealed("trailing late", LATE + "x"))
two_faults("timestamp_not_found", "timestamp_outside_window", body=sealed("nested late", '{"data":' + LATE + "}"))
