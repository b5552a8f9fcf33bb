"""response.json: what a client makes of an answer."""

from __future__ import annotations

import dataclasses
from typing import Any

from oracle.response import ApiError, EnvelopeError, open_response
from oracle.tables import ERROR_SLUGS, PLAIN_ERRORS

from .case import (
    ENVELOPE_FIELDS,
    OLD_SECRET,
    OLDER_SECRET,
    OTHER_SECRET,
    SECRET,
    Family,
    Fields,
    b64,
    body_for,
    body_of,
    field_for,
    flipped,
    keyring_of,
    raw_for,
    wrap,
)


def compute_response(inputs: Fields) -> Fields:
    try:
        text = open_response(keyring_of(inputs), inputs["status"], body_of(inputs), inputs.get("request"))
    except ApiError as error:
        return {"expect": "api_error", "api_error": dataclasses.asdict(error)}
    except EnvelopeError as error:
        return {"expect": error.code, "failure_class": error.failure_class}
    return {"payload": text}


RESPONSE = Family(
    "response",
    "What a client makes of a status and a body: the payload, an error of the API, or an error of the envelope.",
    ("status", *ENVELOPE_FIELDS, "body", "body_hex", "request"),
    compute_response,
)


def response(name: str, rules: str, expect: str, status: int, /, want: Fields | None = None, **inputs: Any) -> None:
    if not {"secret", "key_hex"} & set(inputs):
        inputs["secret"] = SECRET
    RESPONSE.case("response_" + name, rules, expect, want=want, status=status, **inputs)


def payload(name: str, rules: str, status: int, text: str, how: Fields | None = None, **inputs: Any) -> None:
    """A sealed answer that is a payload."""
    response(
        name,
        rules,
        "ok",
        status,
        want={"payload": text},
        body=body_for("response " + name, text, **(how or {})),
        **inputs,
    )


def sealed(
    name: str,
    rules: str,
    status: int,
    text: str,
    message: str,
    failure: str,
    /,
    slug: str | None = None,
    how: Fields | None = None,
    **inputs: Any,
) -> None:
    """A sealed answer that is an ApiError."""
    error = {
        "slug": slug,
        "code": slug,
        "message": message,
        "failure_class": failure,
        "encrypted": True,
        "payload": text,
    }
    response(
        name,
        rules,
        "api_error",
        status,
        want={"api_error": error},
        body=body_for("response " + name, text, **(how or {})),
        **inputs,
    )


def plain(
    name: str,
    rules: str,
    status: int,
    body: str | bytes,
    message: str,
    failure: str,
    /,
    code: str | None = None,
    **inputs: Any,
) -> None:
    """A plain answer that is an ApiError."""
    error = {
        "slug": None,
        "code": code,
        "message": message,
        "failure_class": failure,
        "encrypted": False,
        "payload": None,
    }
    given = {"body": body} if isinstance(body, str) else {"body_hex": body.hex()}
    response(name, rules, "api_error", status, want={"api_error": error}, **given, **inputs)


def lost(
    name: str, rules: str, code: str, status: int, body: str | bytes, /, failure: str = "transient", **inputs: Any
) -> None:
    """An answer that cannot be believed."""
    given = {"body": body} if isinstance(body, str) else {"body_hex": body.hex()}
    response(name, rules, code, status, want={"failure_class": failure}, **given, **inputs)


def sealed_body(name: str, text: str | bytes, **how: Any) -> str:
    return body_for("response " + name, text, **how)


# 2xx, sealed
payload("object", "RESP-1 RESP-2", 200, '{"success":true,"order_id":"o_1"}')
payload("object_without_success", "RESP-1 RESP-2", 200, '{"order_id":"o_1"}')
payload("status_201", "RESP-1 RESP-5", 201, "{}")
payload("status_299", "RESP-1 RESP-6 RESP-7", 299, "{}")
payload("array", "RESP-1", 200, '[{"id":1}]')
payload("string", "RESP-1 RESP-5", 200, '"done"')
payload("null", "RESP-1", 200, "null")
payload("literal_false", "RESP-1 RESP-2", 200, "false")
payload("text_unchanged", "RESP-1 OPEN-1", 200, ' {"b":1.0,"a":"\\u0041"}\n')
payload("bare_layout", "RESP-1 RESP-3 LAYOUT-3", 200, "{}", how={"layout": "bare"}, layout="bare")
payload("older_secret", "RESP-1 RESP-3 KEY-5", 200, "{}", how={"secret": OLD_SECRET}, open_secrets=[OLD_SECRET])
payload("success_false_as_string", "RESP-2", 200, '{"success":"false"}')
payload("success_zero", "RESP-2", 200, '{"success":0}')
payload("success_null", "RESP-2", 200, '{"success":null}')
payload("success_false_nested", "RESP-2", 200, '{"data":{"success":false}}')
payload("success_false_in_array", "RESP-2", 200, '[{"success":false}]')
payload("success_in_other_case", "RESP-2", 200, '{"Success":false}')
payload("slug_without_success_false", "RESP-10 CLASS-2", 200, '{"error_slug":"order_not_found"}')
payload("error_members_of_a_success", "RESP-11 PLAIN-2", 200, '{"success":true,"error":"none","message":"m"}')
payload("one_of_the_texts_sealed", "PLAIN-3 RESP-4 CLASS-1", 200, '{"error":"Duplicate request detected"}')
payload("one_of_the_texts_sealed_as_string", "PLAIN-3", 200, '"Duplicate request detected"')
payload("controls_and_length_untouched", "PLAIN-4", 200, '{"note":"\\u0007 ' + "x" * 300 + ' "}')
payload("payload_that_names_encrypted", "PLAIN-5", 200, '{"encrypted":"AgABAg=="}')
payload("payload_with_replacement_character", "PLAIN-1", 200, '"\ufffd\ufeff"')
response("body_as_hex", "RESP-1", "ok", 200, body_hex=sealed_body("body_as_hex", "{}").encode().hex())
response(
    "success_false_beside_envelope_is_ignored",
    "RESP-2 BODY-2 RESP-4",
    "ok",
    200,
    body='{"success":false,"encrypted":"'
    + field_for("response success_false_beside_envelope_is_ignored", '{"a":1}')
    + '"}',
)
sealed(
    "success_false",
    "RESP-2 RESP-10 RESP-11 CLASS-2",
    200,
    '{"success":false,"error":"Order not found","error_slug":"order_not_found"}',
    "Order not found",
    "never",
    slug="order_not_found",
)
sealed("success_false_alone", "RESP-2 RESP-11 CLASS-3", 200, '{"success":false}', "http status 200", "never")
sealed("success_false_status_299", "RESP-2", 299, '{"success": false ,"error":"e"}', "e", "never")
sealed("success_false_escaped_name", "RESP-2", 200, '{"succes\\u0073":false,"error":"e"}', "e", "never")
sealed(
    "success_false_provider_error",
    "RESP-2 CLASS-2",
    200,
    '{"success":false,"error":"Provider error","error_slug":"provider_error"}',
    "Provider error",
    "transient",
    slug="provider_error",
)
lost("altered", "RESP-3 CLASS-4", "decryption_failed", 200, wrap(b64(flipped(raw_for("response altered", "{}"), -1))))
lost("wrong_secret", "RESP-3", "decryption_failed", 200, sealed_body("wrong_secret", "{}", secret=OTHER_SECRET))
lost("other_layout", "RESP-3 LAYOUT-4", "unsupported_version", 200, sealed_body("other_layout", "{}", layout="bare"))
lost(
    "field_not_canonical",
    "RESP-3",
    "invalid_envelope",
    200,
    wrap(field_for("response field_not_canonical", "{}") + "="),
)
lost("field_empty", "RESP-3 LAYOUT-5", "invalid_envelope", 200, '{"encrypted":""}')
lost("plaintext_no_json", "RESP-3 OPEN-1", "invalid_payload", 200, sealed_body("plaintext_no_json", "OK"))
lost(
    "plaintext_duplicate_names",
    "RESP-3 OPEN-1",
    "invalid_payload",
    200,
    sealed_body("plaintext_duplicate_names", '{"success":false,"success":true}'),
)
lost(
    "success_false_beside_bad_envelope",
    "RESP-3 RESP-4",
    "decryption_failed",
    200,
    '{"success":false,"encrypted":"'
    + field_for("response success_false_beside_bad_envelope", "{}", secret=OTHER_SECRET)
    + '"}',
)
lost(
    "text_beside_bad_envelope",
    "RESP-3 PLAIN-3",
    "invalid_envelope",
    200,
    '{"error":"Duplicate request detected","encrypted":"x"}',
)

# 2xx, plain
plain("plain_success_false", "RESP-4 PLAIN-2", 200, '{"success":false,"error":"Try later"}', "Try later", "never")
plain("plain_success_false_status_204", "RESP-4", 204, '{"success":false}', '{"success":false}', "never")
plain("plain_success_false_bom", "RESP-4 PLAIN-1", 200, '\ufeff{"success":false,"error":"e"}', "e", "never")
plain(
    "plain_success_false_beside_field_behind_bom",
    "RESP-4 PLAIN-1 PLAIN-5",
    200,
    '\ufeff{"encrypted":"AAAA","success":false}',
    "http status 200",
    "never",
)
plain("plain_success_false_not_utf8", "RESP-4 PLAIN-1", 200, b'{"success":false,"error":"e\xff"}', "e\ufffd", "never")
plain(
    "plain_success_false_with_slug",
    "RESP-4 RESP-10",
    200,
    '{"success":false,"error":"e","error_slug":"provider_error"}',
    "e",
    "never",
)
plain(
    "plain_text_of_the_eight_at_200",
    "RESP-4 PLAIN-3 CLASS-1",
    200,
    "Duplicate request detected",
    "Duplicate request detected",
    "reseal",
    code="duplicate_request",
)
plain(
    "plain_text_of_the_eight_trimmed_at_200",
    "RESP-4 PLAIN-2",
    200,
    " \nAPI key not found\u00a0\n",
    "API key not found",
    "never",
    code="api_key_not_found",
)
plain(
    "plain_member_of_the_eight_at_200",
    "RESP-4",
    200,
    '{"detail":"Invalid timestamp format"}',
    "Invalid timestamp format",
    "never",
    code="invalid_timestamp",
)
plain(
    "plain_string_of_the_eight_at_200",
    "RESP-4",
    200,
    '"Encrypted payload not found"',
    "Encrypted payload not found",
    "never",
    code="envelope_not_found",
)
plain(
    "plain_success_false_with_encrypted_number",
    "RESP-4",
    200,
    '{"success":false,"encrypted":5,"error":"e"}',
    "e",
    "never",
)
plain(
    "plain_text_of_the_eight_with_encrypted_null",
    "RESP-4",
    200,
    '{"encrypted":null,"error":"Duplicate request detected"}',
    "Duplicate request detected",
    "reseal",
    code="duplicate_request",
)
lost("plain_success_true", "RESP-5 RESP-4", "envelope_not_found", 200, '{"success":true}')
lost("plain_success_false_as_string", "RESP-5 RESP-4", "envelope_not_found", 200, '{"success":"false"}')
lost("plain_success_false_nested", "RESP-5 RESP-4", "envelope_not_found", 200, '{"data":{"success":false}}')
lost("plain_success_false_twice", "RESP-5 RESP-4", "invalid_json", 200, '{"success":false,"success":false}')
lost("plain_empty_object", "RESP-5", "envelope_not_found", 200, "{}")
lost("plain_array", "RESP-5", "envelope_not_found", 200, '[{"success":false}]')
lost("plain_null", "RESP-5", "envelope_not_found", 200, "null")
lost("plain_string", "RESP-5", "envelope_not_found", 200, '"ok"')
lost("plain_encrypted_number", "RESP-5", "invalid_envelope", 200, '{"encrypted":5}')
lost("plain_encrypted_null", "RESP-5", "invalid_envelope", 200, '{"encrypted":null,"success":true}')
lost("plain_text", "RESP-5", "invalid_json", 200, "OK")
lost("plain_html", "RESP-5", "invalid_json", 200, "<!doctype html><title>OK</title>")
lost("empty", "RESP-5 CLASS-4", "invalid_json", 200, "")
lost("empty_status_204", "RESP-5", "invalid_json", 204, "")
lost("white_space", "RESP-5", "invalid_json", 200, " \n")
lost("not_utf8", "RESP-5", "invalid_json", 200, b"\xff\xfe")
lost("envelope_behind_bom", "RESP-5 PLAIN-1", "invalid_json", 200, "\ufeff" + sealed_body("envelope_behind_bom", "{}"))
lost(
    "envelope_with_trailing_bytes",
    "RESP-5 BODY-1",
    "invalid_json",
    200,
    sealed_body("envelope_with_trailing_bytes", "{}") + "\x00",
)
lost("text_of_the_eight_in_other_case", "RESP-5 PLAIN-3", "invalid_json", 200, "duplicate request detected")
lost("text_of_the_eight_inside_more", "RESP-5 PLAIN-3", "invalid_json", 200, "Error: Duplicate request detected")

# Other statuses, sealed
ERROR = '{"success":false,"error":"Insufficient funds","error_slug":"insufficient_funds"}'
sealed(
    "sealed_403", "RESP-6 RESP-10 RESP-11 CLASS-2", 403, ERROR, "Insufficient funds", "never", slug="insufficient_funds"
)
sealed("sealed_199", "RESP-1 RESP-6", 199, "{}", "http status 199", "never")
sealed("sealed_300", "RESP-1 RESP-6", 300, "{}", "http status 300", "never")
sealed("sealed_success_true_at_400", "RESP-6", 400, '{"success":true}', "http status 400", "never")
sealed("sealed_array_at_500", "RESP-6 CLASS-3", 500, "[1]", "http status 500", "transient")
sealed("sealed_string_at_404", "RESP-6 RESP-11", 404, '"gone"', "http status 404", "never")
sealed("sealed_null_at_404", "RESP-6", 404, "null", "http status 404", "never")
sealed("sealed_text_unchanged", "RESP-6", 422, ' {"error" : "e"}\n', "e", "never")
sealed(
    "sealed_older_secret",
    "RESP-6 KEY-5",
    409,
    '{"error":"exists","error_slug":"cardholder_already_exists"}',
    "exists",
    "never",
    slug="cardholder_already_exists",
    how={"secret": OLDER_SECRET},
    open_secrets=[OLD_SECRET, OLDER_SECRET],
)
sealed(
    "sealed_bare_layout",
    "RESP-6 LAYOUT-3",
    404,
    "{}",
    "http status 404",
    "never",
    how={"layout": "bare"},
    layout="bare",
)
sealed("sealed_message_error_first", "RESP-11", 400, '{"msg":"4","message":"3","detail":"2","error":"1"}', "1", "never")
sealed(
    "sealed_message_detail_second", "RESP-11", 400, '{"msg":"4","message":"3","detail":"2","error":null}', "2", "never"
)
sealed("sealed_message_message_third", "RESP-11", 400, '{"msg":"4","message":"3","detail":{}}', "3", "never")
sealed("sealed_message_msg_last", "RESP-11", 400, '{"msg":"4"}', "4", "never")
sealed("sealed_message_nested_does_not_count", "RESP-11", 400, '{"data":{"error":"e"}}', "http status 400", "never")
sealed(
    "sealed_message_cleaned_and_cut",
    "RESP-11 PLAIN-4",
    400,
    '{"error":" \\u0007a\\nb' + "x" * 300 + '"}',
    "ab" + "x" * 198,
    "never",
)
sealed(
    "sealed_message_empty_after_cleaning",
    "RESP-11 PLAIN-5",
    400,
    '{"error":" \\u0001 ","detail":"d"}',
    "http status 400",
    "never",
)
sealed("sealed_slug_empty", "RESP-10", 400, '{"error":"e","error_slug":""}', "e", "never")
sealed("sealed_slug_number", "RESP-10", 400, '{"error":"e","error_slug":7}', "e", "never")
sealed("sealed_slug_null_at_503", "RESP-10 CLASS-3", 503, '{"error":"e","error_slug":null}', "e", "transient")
sealed("sealed_slug_nested", "RESP-10", 400, '{"error":"e","data":{"error_slug":"order_not_found"}}', "e", "never")
sealed(
    "sealed_slug_unknown_at_422",
    "RESP-10 CLASS-3",
    422,
    '{"error":"e","error_slug":"moon_phase"}',
    "e",
    "never",
    slug="moon_phase",
)
sealed(
    "sealed_slug_unknown_at_500",
    "RESP-10 CLASS-3",
    500,
    '{"error":"e","error_slug":"moon_phase"}',
    "e",
    "transient",
    slug="moon_phase",
)
sealed(
    "sealed_slug_never_at_500",
    "CLASS-2",
    500,
    '{"error":"e","error_slug":"card_not_active"}',
    "e",
    "never",
    slug="card_not_active",
)
sealed(
    "sealed_slug_transient_at_400",
    "CLASS-2",
    400,
    '{"error":"e","error_slug":"internal_error"}',
    "e",
    "transient",
    slug="internal_error",
)
sealed(
    "sealed_slug_later",
    "CLASS-2",
    503,
    '{"error":"e","error_slug":"topup_attempts_exceeded"}',
    "e",
    "later",
    slug="topup_attempts_exceeded",
)
sealed(
    "sealed_slug_later_at_400",
    "CLASS-2",
    400,
    '{"error":"e","error_slug":"topup_attempts_exceeded"}',
    "e",
    "later",
    slug="topup_attempts_exceeded",
)
sealed(
    "sealed_slug_with_space_is_unknown",
    "CLASS-3",
    503,
    '{"error":"e","error_slug":"topup_attempts_exceeded "}',
    "e",
    "transient",
    slug="topup_attempts_exceeded ",
)
sealed(
    "sealed_slug_spelled_like_a_constant",
    "CLASS-1 RESP-10",
    400,
    '{"error":"e","error_slug":"duplicate_request"}',
    "e",
    "never",
    slug="duplicate_request",
)
sealed(
    "sealed_text_of_the_eight",
    "PLAIN-3 CLASS-1",
    400,
    '{"error":"Duplicate request detected"}',
    "Duplicate request detected",
    "never",
)
for slug, slug_status in ERROR_SLUGS.items():
    if slug != "topup_attempts_exceeded":
        failure_of_slug = "transient" if slug_status >= 500 else "never"
        sealed(
            f"slug_{slug}",
            "CLASS-2 RESP-10",
            slug_status,
            f'{{"success":false,"error":"e","error_slug":"{slug}"}}',
            "e",
            failure_of_slug,
            slug=slug,
        )

# Other statuses, plain: the eight texts
for text, (text_status, text_code) in PLAIN_ERRORS.items():
    failure_of_text = "reseal" if text_code in ("duplicate_request", "timestamp_outside_window") else "never"
    plain(
        f"text_{text_code}",
        "PLAIN-3 CLASS-1 RESP-7",
        text_status,
        f'{{"error": "{text}"}}',
        text,
        failure_of_text,
        code=text_code,
    )
plain(
    "text_alone",
    "PLAIN-2 PLAIN-3",
    400,
    "Duplicate request detected",
    "Duplicate request detected",
    "reseal",
    code="duplicate_request",
)
plain(
    "text_as_json_string",
    "PLAIN-2 PLAIN-3",
    400,
    '"Duplicate request detected"',
    "Duplicate request detected",
    "reseal",
    code="duplicate_request",
)
plain(
    "text_with_escapes",
    "PLAIN-3",
    400,
    '{"error":"Duplicate\\u0020request detected"}',
    "Duplicate request detected",
    "reseal",
    code="duplicate_request",
)
plain(
    "text_at_another_status",
    "PLAIN-3 CLASS-1",
    500,
    '{"error":"Duplicate request detected"}',
    "Duplicate request detected",
    "reseal",
    code="duplicate_request",
)
plain(
    "text_never_at_503",
    "CLASS-1",
    503,
    '{"error":"API key not found"}',
    "API key not found",
    "never",
    code="api_key_not_found",
)
plain(
    "text_in_other_case",
    "PLAIN-3 CLASS-3",
    400,
    '{"error":"duplicate request detected"}',
    "duplicate request detected",
    "never",
)
plain(
    "text_without_final_period",
    "PLAIN-3",
    403,
    '{"error":"You do not have access to this API"}',
    "You do not have access to this API",
    "never",
)
plain(
    "text_with_final_period_added",
    "PLAIN-3",
    400,
    '{"error":"Duplicate request detected."}',
    "Duplicate request detected.",
    "never",
)
plain(
    "text_in_json_is_not_trimmed",
    "PLAIN-3",
    400,
    '{"error":" Duplicate request detected "}',
    "Duplicate request detected",
    "never",
)
plain(
    "text_with_control_character",
    "PLAIN-3 PLAIN-4",
    400,
    '{"error":"Duplicate request\\u0007 detected"}',
    "Duplicate request detected",
    "never",
)
plain(
    "text_alone_with_unicode_white_space",
    "PLAIN-2 PLAIN-3",
    400,
    "\u3000\u2003Duplicate request detected\u0085\r\n",
    "Duplicate request detected",
    "reseal",
    code="duplicate_request",
)
plain(
    "text_alone_with_unit_separator",
    "PLAIN-2 PLAIN-3",
    400,
    "Duplicate request detected\x1f",
    "Duplicate request detected",
    "never",
)
plain(
    "text_alone_with_zero_width_space",
    "PLAIN-2 PLAIN-4",
    400,
    "Duplicate request detected\u200b",
    "Duplicate request detected\u200b",
    "never",
)
plain(
    "text_behind_bom",
    "PLAIN-1",
    400,
    "\ufeffDuplicate request detected",
    "Duplicate request detected",
    "reseal",
    code="duplicate_request",
)
plain(
    "text_behind_two_boms",
    "PLAIN-1",
    400,
    "\ufeff\ufeffDuplicate request detected",
    "\ufeffDuplicate request detected",
    "never",
)
plain(
    "text_in_second_member", "PLAIN-2 PLAIN-3", 400, '{"error":"e","detail":"Duplicate request detected"}', "e", "never"
)

# Other statuses, plain: reading
plain(
    "plain_message_error_first",
    "PLAIN-2 RESP-7",
    400,
    '{"msg":"4","message":"3","detail":"2","error":"1"}',
    "1",
    "never",
)
plain(
    "plain_message_detail_second", "PLAIN-2", 400, '{"msg":"4","message":"3","detail":"2","error":["1"]}', "2", "never"
)
plain("plain_message_message_third", "PLAIN-2", 400, '{"msg":"4","message":"3","detail":null}', "3", "never")
plain("plain_message_msg_last", "PLAIN-2", 400, '{"msg":"4","text":"5"}', "4", "never")
plain("plain_message_escaped_name", "PLAIN-2", 400, '{"\\u0065rror":"1"}', "1", "never")
plain("plain_object_without_message", "PLAIN-2", 400, ' {"code": 7}\n', '{"code": 7}', "never")
plain("plain_object_message_nested", "PLAIN-2", 400, '{"data":{"error":"e"}}', '{"data":{"error":"e"}}', "never")
plain("plain_array_at_400", "PLAIN-2", 400, '["e"]', '["e"]', "never")
plain("plain_number_at_400", "PLAIN-2", 400, "42", "42", "never")
plain("plain_json_string", "PLAIN-2", 400, '"a \\u0022quoted\\u0022 text"', 'a "quoted" text', "never")
plain("plain_text_at_400", "PLAIN-2 RESP-7", 400, "  Bad Request \n", "Bad Request", "never")
plain(
    "plain_html_at_502",
    "PLAIN-2 RESP-7 CLASS-3",
    502,
    "<html><h1>Bad Gateway</h1></html>",
    "<html><h1>Bad Gateway</h1></html>",
    "transient",
)
plain(
    "plain_duplicate_names_are_text", "PLAIN-2", 400, '{"error":"a","error":"b"}', '{"error":"a","error":"b"}', "never"
)
plain("plain_too_deep_is_text", "PLAIN-2 JSON-12", 400, "[" * 129 + "]" * 129, "[" * 129 + "]" * 71, "never")
plain("plain_single_quotes_are_text", "PLAIN-2", 400, "{'error':'e'}", "{'error':'e'}", "never")
plain("plain_slug_is_ignored", "RESP-10 CLASS-3", 400, '{"error":"e","error_slug":"internal_error"}', "e", "never")
plain(
    "plain_slug_is_ignored_at_503",
    "RESP-10 CLASS-3",
    503,
    '{"error":"e","error_slug":"topup_attempts_exceeded"}',
    "e",
    "transient",
)
plain("plain_success_true_at_400", "RESP-7", 400, '{"success":true,"error":"e"}', "e", "never")
plain("plain_bom", "PLAIN-1", 400, '\ufeff{"error":"e"}', "e", "never")
plain("plain_not_utf8_text", "PLAIN-1", 400, b"caf\xe9 closed", "caf\ufffd closed", "never")
plain("plain_not_utf8_in_json", "PLAIN-1", 400, b'{"error":"a\xff\xfeb"}', "a\ufffd\ufffdb", "never")
plain("plain_not_utf8_truncated_sequence_is_one", "PLAIN-1", 400, b"a\xf0\x9f\x98b", "a\ufffdb", "never")
plain("plain_not_utf8_surrogate_bytes_are_three", "PLAIN-1", 400, b"a\xed\xa0\x80b", "a\ufffd\ufffd\ufffdb", "never")
plain("plain_not_utf8_overlong_is_two", "PLAIN-1", 400, b"a\xc0\xafb", "a\ufffd\ufffdb", "never")
plain("plain_controls_removed", "PLAIN-4", 400, "a\x00b\x1b[31mc\x7fd\x80e\x9ff\ng", "ab[31mcdefg", "never")
plain(
    "plain_trimmed_after_controls_removed", "PLAIN-4", 400, '{"error":"\\u0007 \\u00a0e\\u2003 \\u0000"}', "e", "never"
)
plain("plain_inner_white_space_kept", "PLAIN-4", 400, '{"error":"a  \\u00a0 b"}', "a  \u00a0 b", "never")
plain("plain_message_of_200", "PLAIN-4", 400, "x" * 200, "x" * 200, "never")
plain("plain_message_of_201", "PLAIN-4", 400, "x" * 200 + "y", "x" * 200, "never")
plain("plain_message_of_201_emoji", "PLAIN-4", 400, "\U0001f600" * 201, "\U0001f600" * 200, "never")
plain(
    "plain_message_cut_behind_space_is_not_trimmed", "PLAIN-4", 400, "x" * 199 + " " + "y" * 9, "x" * 199 + " ", "never"
)
plain("plain_message_cut_inside_combining", "PLAIN-4", 400, "x" * 199 + "e\u0301", "x" * 199 + "e", "never")
plain("plain_empty_at_400", "PLAIN-5 RESP-7 CLASS-3", 400, "", "http status 400", "never")
plain("plain_empty_at_500", "PLAIN-5 CLASS-3", 500, "", "http status 500", "transient")
plain("plain_white_space_at_404", "PLAIN-5", 404, " \t\r\n", "http status 404", "never")
plain("plain_empty_json_string", "PLAIN-5", 404, '""', "http status 404", "never")
plain(
    "plain_empty_member_stops_the_search",
    "PLAIN-5 PLAIN-2",
    404,
    '{"error":"","detail":"d"}',
    "http status 404",
    "never",
)
plain("plain_controls_only", "PLAIN-5 PLAIN-4", 404, "\x01\x02", "http status 404", "never")
plain("plain_bom_only", "PLAIN-5 PLAIN-1", 404, "\ufeff", "http status 404", "never")
plain(
    "plain_altered_envelope_at_400",
    "PLAIN-5 RESP-7",
    400,
    wrap(b64(flipped(raw_for("response plain_altered_envelope_at_400", "{}"), -1))),
    "http status 400",
    "never",
)
plain(
    "plain_other_layout_at_400",
    "PLAIN-5 RESP-7 LAYOUT-4",
    400,
    sealed_body("plain_other_layout_at_400", "{}", layout="bare"),
    "http status 400",
    "never",
)
plain(
    "plain_envelope_with_error_beside",
    "PLAIN-5",
    400,
    '{"error":"Duplicate request detected","encrypted":"x"}',
    "http status 400",
    "never",
)
plain(
    "plain_envelope_with_bad_text_at_500",
    "PLAIN-5 RESP-7 OPEN-1",
    500,
    sealed_body("plain_envelope_with_bad_text_at_500", "oops"),
    "http status 500",
    "transient",
)
plain(
    "plain_envelope_with_text_that_breaks_off_at_400",
    "PLAIN-5 RESP-7 OPEN-1",
    400,
    sealed_body("plain_envelope_with_text_that_breaks_off_at_400", '{"success":false,"error":"no","card":"4111"'),
    "http status 400",
    "never",
)
plain(
    "plain_envelope_behind_bom",
    "PLAIN-5 PLAIN-1",
    400,
    "\ufeff" + sealed_body("plain_envelope_behind_bom", "{}"),
    "http status 400",
    "never",
)
plain(
    "plain_envelope_with_trailing_bytes",
    "PLAIN-5",
    400,
    sealed_body("plain_envelope_with_trailing_bytes", "{}") + " x",
    "http status 400",
    "never",
)
plain(
    "plain_envelope_in_array",
    "PLAIN-5",
    400,
    "[" + sealed_body("plain_envelope_in_array", "{}") + "]",
    "http status 400",
    "never",
)
plain("plain_encrypted_null_without_message", "PLAIN-5", 400, '{"encrypted":null}', "http status 400", "never")
plain("plain_encrypted_null_with_message", "PLAIN-5 PLAIN-2", 400, '{"encrypted":null,"error":"e"}', "e", "never")
plain(
    "plain_word_encrypted_without_quotes",
    "PLAIN-5",
    400,
    "payload is not encrypted",
    "payload is not encrypted",
    "never",
)
for status, failure in (
    (100, "never"),
    (302, "never"),
    (401, "never"),
    (407, "never"),
    (408, "transient"),
    (409, "never"),
    (413, "never"),
    (425, "transient"),
    (429, "transient"),
    (499, "never"),
    (500, "transient"),
    (504, "transient"),
    (599, "transient"),
    (600, "never"),
):
    plain(f"plain_status_{status}", "CLASS-3", status, "x", "x", failure)

# Size
response(
    "of_exactly_max_bytes", "RESP-9 BODY-5", "ok", 200, body=sealed_body("of_exactly_max_bytes", "{}"), max_bytes=76
)
lost("one_over_max_bytes", "RESP-9 CLASS-4", "too_large", 200, sealed_body("one_over_max_bytes", "{}"), max_bytes=75)
lost("success_false_over_max_bytes", "RESP-9", "too_large", 200, '{"success":false,"error":"e"}', max_bytes=20)
plain(
    "over_max_bytes_at_400",
    "RESP-9 PLAIN-5",
    400,
    '{"error":"Duplicate request detected"}',
    "http status 400",
    "never",
    max_bytes=20,
)
plain(
    "over_max_bytes_at_503",
    "RESP-9",
    503,
    sealed_body("over_max_bytes_at_503", "{}"),
    "http status 503",
    "transient",
    max_bytes=75,
)
plain("of_exactly_max_bytes_at_400", "RESP-9", 400, "Bad Request", "Bad Request", "never", max_bytes=11)

# Reflection
REQUEST_TEXT = '{"request_timestamp":1700000000000000,"card_id":"card_abc123"}'
for status in (200, 201, 302, 400, 500):
    body = sealed_body(f"reflected at {status}", REQUEST_TEXT)
    lost(f"reflected_at_{status}", "RESP-8 CLASS-4", "reflected_response", status, body, failure="never", request=body)
body = sealed_body("reflected with members", REQUEST_TEXT)
lost(
    "reflected_in_another_body",
    "RESP-8",
    "reflected_response",
    200,
    ' {"a":1,"encrypted":"' + body[14:-2].replace("/", "\\/") + '"}',
    failure="never",
    request=body,
)
body = sealed_body("reflected altered", REQUEST_TEXT)
lost(
    "reflected_with_altered_tag",
    "RESP-8",
    "reflected_response",
    400,
    wrap(b64(flipped(raw_for("response reflected altered", REQUEST_TEXT), 30))),
    failure="never",
    request=body,
)
raw = raw_for("response reflected with another version", REQUEST_TEXT)
lost(
    "reflected_with_another_version",
    "RESP-8",
    "reflected_response",
    400,
    wrap(b64(b"\x03" + raw[1:])),
    failure="never",
    request=wrap(b64(raw)),
)
body = sealed_body("reflected cut", REQUEST_TEXT)
cut = body[:-3] + '"}'
plain("reflected_cut_at_400", "RESP-7 RESP-8", 400, cut, "http status 400", "never", request=body)
lost("reflected_cut_at_200", "RESP-3 RESP-8", "invalid_envelope", 200, cut, request=body)
body = sealed_body("with_request_that_is_cut", REQUEST_TEXT)
response(
    "with_request_that_is_cut",
    "RESP-8",
    "ok",
    200,
    want={"payload": REQUEST_TEXT},
    body=body,
    request=body[:-3] + '"}',
)
body = sealed_body("reflected bare", REQUEST_TEXT, layout="bare")
lost("reflected_bare_layout", "RESP-8", "reflected_response", 200, body, failure="never", request=body, layout="bare")
payload(
    "with_request_of_other_nonce",
    "RESP-8 CLASS-4",
    200,
    '{"a":1}',
    request=sealed_body("request of other nonce", REQUEST_TEXT),
)
payload(
    "with_same_text_under_other_nonce",
    "RESP-8",
    200,
    REQUEST_TEXT,
    request=sealed_body("request of same text", REQUEST_TEXT),
)
response(
    "reflected_but_no_request_given",
    "RESP-8",
    "ok",
    200,
    body=sealed_body("reflected_but_no_request_given", REQUEST_TEXT),
)
payload("with_request_that_cannot_be_read", "RESP-8", 200, "{}", request="not a sealed body")
plain(
    "text_with_request_given",
    "RESP-8",
    400,
    '{"error":"Duplicate request detected"}',
    "Duplicate request detected",
    "reseal",
    code="duplicate_request",
    request=sealed_body("request for text", REQUEST_TEXT),
)
sealed(
    "sealed_error_with_request_given",
    "RESP-8",
    404,
    '{"error":"e","error_slug":"order_not_found"}',
    "e",
    "never",
    slug="order_not_found",
    request=sealed_body("request for error", REQUEST_TEXT),
)
