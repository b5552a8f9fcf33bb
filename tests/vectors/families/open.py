"""open.json and base64.json: opening any body, and the field alone."""

from __future__ import annotations

from typing import Any

from oracle import envelope

from .case import (
    BODY_FIELDS,
    ENVELOPE_FIELDS,
    OLD_SECRET,
    OLDER_SECRET,
    OTHER_RAW_KEY,
    OTHER_SECRET,
    RAW_KEY,
    SECRET,
    Family,
    Fields,
    b64,
    body_for,
    field_for,
    flipped,
    keyring_of,
    nonce_for,
    open_input,
    raw_for,
    wrap,
)


def compute_open(inputs: Fields) -> Fields:
    if inputs["operation"] == "decrypt":
        opened = envelope.decrypt(keyring_of(inputs), inputs["field"])
        return {"message_hex": opened.message.hex()}
    return {"plaintext": open_input(inputs).text}


OPEN = Family(
    "open",
    "Opening any sealed body, and decrypting the field alone: no rule for requests applies.",
    ("operation", *ENVELOPE_FIELDS, *BODY_FIELDS, "field"),
    compute_open,
)


def open_case(name: str, rules: str, expect: str, /, plaintext: str | None = None, **inputs: Any) -> None:
    if not {"secret", "key_hex"} & set(inputs):
        inputs["secret"] = SECRET
    want = None if plaintext is None else {"plaintext": plaintext}
    OPEN.case(name, rules, expect, want=want, operation="open", **inputs)


def open_text(name: str, rules: str, expect: str, text: str | bytes, **inputs: Any) -> None:
    """Open a body whose plaintext is `text`."""
    open_case(
        name,
        rules,
        expect,
        plaintext=text if expect == "ok" and isinstance(text, str) else None,
        body=body_for(name, text),
        **inputs,
    )


def decrypt_case(name: str, rules: str, expect: str, encrypted: str, **inputs: Any) -> None:
    if "key_hex" not in inputs:
        inputs["secret"] = SECRET
    OPEN.case(name, rules, expect, operation="decrypt", field=encrypted, **inputs)


SMALL = '{"a":1}'

open_text("open_object", "LAYOUT-1 BODY-1 BODY-2", "ok", SMALL)
open_text("open_array", "OPEN-2", "ok", "[1,2,3]")
open_text("open_string", "OPEN-2", "ok", '"text"')
open_text("open_null", "OPEN-2", "ok", "null")
open_text("open_outer_white_space_is_kept", "OPEN-1", "ok", " \n{ } \t")
open_text("open_text_is_unchanged", "OPEN-1", "ok", '{"b":1.50,"a":"\\u0041\\/\u00e9\U0001f600"}')
open_text("open_old_timestamp_is_no_matter", "OPEN-2", "ok", '{"request_timestamp":1}')
open_case("open_raw_key", "KEY-3", "ok", body=body_for("open_raw_key", SMALL, secret=RAW_KEY), key_hex=RAW_KEY.hex())
open_case(
    "open_raw_key_that_is_another",
    "KEY-3 LAYOUT-6",
    "decryption_failed",
    body=body_for("open_raw_key_that_is_another", SMALL, secret=RAW_KEY),
    key_hex=OTHER_RAW_KEY.hex(),
)
open_case(
    "open_key_is_not_hashed_again",
    "KEY-3",
    "decryption_failed",
    body=body_for("open_key_is_not_hashed_again", SMALL),
    key_hex=SECRET.ljust(32, "_").encode().hex(),
)
open_case("open_bare_layout", "LAYOUT-3", "ok", body=body_for("open_bare_layout", SMALL, layout="bare"), layout="bare")
open_case(
    "open_bare_layout_nonce_like_version",
    "LAYOUT-3",
    "ok",
    body=body_for("open_bare_layout_nonce_like_version", SMALL, layout="bare", nonce=b"\x02" + b"\x51" * 23),
    layout="bare",
)
open_case(
    "open_with_older_secret",
    "KEY-4 KEY-5",
    "ok",
    body=body_for("open_with_older_secret", SMALL, secret=OLD_SECRET),
    open_secrets=[OLD_SECRET],
)
open_case(
    "open_with_fourth_older_secret",
    "KEY-5 OPT-1",
    "ok",
    body=body_for("open_with_fourth_older_secret", SMALL, secret=OLDER_SECRET),
    open_secrets=[OTHER_SECRET, OLD_SECRET, "secret_between", OLDER_SECRET],
)
open_case(
    "open_with_older_raw_key",
    "KEY-5",
    "ok",
    body=body_for("open_with_older_raw_key", SMALL, secret=OTHER_RAW_KEY),
    key_hex=RAW_KEY.hex(),
    open_keys_hex=[OTHER_RAW_KEY.hex()],
)
open_case(
    "open_with_no_secret_that_fits",
    "KEY-5",
    "decryption_failed",
    body=body_for("open_with_no_secret_that_fits", SMALL, secret=OTHER_SECRET),
    open_secrets=[OLD_SECRET, OLDER_SECRET],
)
open_case(
    "open_secret_with_space_is_another",
    "KEY-1",
    "decryption_failed",
    body=body_for("open_secret_with_space_is_another", SMALL, secret=SECRET + " "),
)
open_case(
    "open_secret_decomposed_is_another",
    "KEY-1",
    "decryption_failed",
    body=body_for("open_secret_decomposed_is_another", SMALL, secret="caf\u00e9_secret"),
    secret="cafe\u0301_secret",
)
open_case(
    "open_secret_other_case_is_another",
    "KEY-1",
    "decryption_failed",
    body=body_for("open_secret_other_case_is_another", SMALL, secret=SECRET.upper()),
)

# The bytes
for label, at in (("version_1", 1), ("version_3", 3), ("version_zero", 0), ("version_ascii_2", 0x32)):
    open_case(
        f"open_{label}",
        "LAYOUT-2",
        "unsupported_version",
        body=wrap(b64(bytes([at]) + raw_for(f"open_{label}", SMALL)[1:])),
    )
open_case(
    "open_bare_body_as_versioned",
    "LAYOUT-4 LAYOUT-2",
    "unsupported_version",
    body=body_for("open_bare_body_as_versioned", SMALL, layout="bare"),
)
open_case(
    "open_bare_body_as_versioned_nonce_like_version",
    "LAYOUT-4",
    "decryption_failed",
    body=body_for("open_bare_body_as_versioned_nonce_like_version", SMALL, layout="bare", nonce=b"\x02" + b"\x52" * 23),
)
open_case(
    "open_versioned_body_as_bare",
    "LAYOUT-4 LAYOUT-3",
    "decryption_failed",
    body=body_for("open_versioned_body_as_bare", SMALL),
    layout="bare",
)
open_case(
    "open_versioned_named_layout",
    "LAYOUT-4 LAYOUT-2",
    "ok",
    body=body_for("open_versioned_named_layout", SMALL),
    layout="versioned",
)
for label, at, bit in (
    ("nonce_first_bit_flipped", 1, 0),
    ("nonce_last_bit_flipped", 24, 7),
    ("tag_bit_flipped", 25, 0),
    ("tag_last_bit_flipped", 40, 7),
    ("ciphertext_first_bit_flipped", 41, 0),
    ("ciphertext_last_bit_flipped", -1, 7),
):
    open_case(
        f"open_{label}",
        "LAYOUT-6",
        "decryption_failed",
        body=wrap(b64(flipped(raw_for(f"open_{label}", SMALL), at, bit))),
    )
open_case(
    "open_wrong_secret", "LAYOUT-6", "decryption_failed", body=body_for("open_wrong_secret", SMALL, secret=OTHER_SECRET)
)
open_case(
    "open_ciphertext_cut_by_one",
    "LAYOUT-6 LAYOUT-1",
    "decryption_failed",
    body=wrap(b64(raw_for("open_ciphertext_cut_by_one", SMALL)[:-1])),
)
open_case(
    "open_ciphertext_longer_by_one",
    "LAYOUT-6",
    "decryption_failed",
    body=wrap(b64(raw_for("open_ciphertext_longer_by_one", SMALL) + b"\x00")),
)
open_case(
    "open_tag_behind_ciphertext",
    "LAYOUT-1",
    "decryption_failed",
    body=wrap(b64((lambda r: r[:25] + r[41:] + r[25:41])(raw_for("open_tag_behind_ciphertext", SMALL)))),
)
open_case("open_all_zero_bytes", "LAYOUT-2", "unsupported_version", body=wrap(b64(bytes(48))))
open_case(
    "open_intact_message_of_one_block",
    "LAYOUT-6",
    "ok",
    body=body_for("open_intact_message_of_one_block", '"' + "x" * 62 + '"'),
)

# The body around the field
open_case(
    "open_other_members_ignored",
    "BODY-2",
    "ok",
    body='{"v":1,"encrypted":"' + field_for("open_other_members_ignored", SMALL) + '","success":false}',
)
open_case(
    "open_escaped_member_name",
    "BODY-2",
    "ok",
    body='{"\\u0065ncrypted":"' + field_for("open_escaped_member_name", SMALL) + '"}',
)
open_case(
    "open_white_space_around_members",
    "BODY-1",
    "ok",
    body=' {\n\t"encrypted" : "' + field_for("open_white_space_around_members", SMALL) + '"\r\n} ',
)


def escaped_field(name: str, character: str, spelling: str) -> str:
    """A field that holds `character`, each one spelled as `spelling`."""
    for n in range(1000):
        text = f'{{"n":{n}}}'
        nonce = nonce_for(f"{name} {n}")
        field = b64(raw_for(f"{name} {n}", text, nonce=nonce))
        if character in field:
            return field.replace(character, spelling)
    raise AssertionError(name)


open_case(
    "open_field_with_escaped_solidus",
    "BODY-3",
    "ok",
    body=wrap(escaped_field("open_field_with_escaped_solidus", "/", "\\/")),
)
open_case(
    "open_field_with_escaped_plus",
    "BODY-3",
    "ok",
    body=wrap(escaped_field("open_field_with_escaped_plus", "+", "\\u002b")),
)
open_case(
    "open_field_with_escaped_letter",
    "BODY-3",
    "ok",
    body=wrap("\\u0041" + field_for("open_field_with_escaped_letter", SMALL)[1:]),
)
open_case(
    "open_field_with_escaped_line_break",
    "BODY-3 B64-4",
    "invalid_envelope",
    body=wrap(field_for("open_field_with_escaped_line_break", SMALL) + "\\n"),
)
for label, value in (
    ("null", "null"),
    ("number", "1"),
    ("object", '{"v":1}'),
    ("array", '["AgABAg=="]'),
    ("true", "true"),
):
    open_case(f"open_encrypted_is_{label}", "BODY-3", "invalid_envelope", body='{"encrypted":' + value + "}")
open_case("open_no_member", "BODY-2", "envelope_not_found", body='{"a":1}')
open_case("open_empty_object", "BODY-2", "envelope_not_found", body="{}")
open_case(
    "open_member_in_other_case",
    "BODY-2",
    "envelope_not_found",
    body='{"Encrypted":"' + field_for("open_member_in_other_case", SMALL) + '"}',
)
open_case(
    "open_member_nested", "BODY-2", "envelope_not_found", body='{"data":' + body_for("open_member_nested", SMALL) + "}"
)
open_case("open_root_array", "BODY-2", "envelope_not_found", body="[" + body_for("open_root_array", SMALL) + "]")
open_case("open_root_string", "BODY-2", "envelope_not_found", body='"' + field_for("open_root_string", SMALL) + '"')
open_case("open_root_null", "BODY-2", "envelope_not_found", body="null")
open_case("open_body_empty", "BODY-1 JSON-2", "invalid_json", body="")
open_case("open_body_white_space", "BODY-1 JSON-2", "invalid_json", body=" \n")
open_case("open_body_html", "BODY-1", "invalid_json", body="<html></html>")
open_case("open_body_field_alone", "BODY-1", "invalid_json", body=field_for("open_body_field_alone", SMALL))
open_case(
    "open_body_trailing_bytes", "BODY-1 JSON-2", "invalid_json", body=body_for("open_body_trailing_bytes", SMALL) + " x"
)
open_case("open_body_trailing_bytes_behind_bad_field", "BODY-1", "invalid_json", body='{"encrypted":"AgABAg=="} x')
open_case("open_body_bom", "BODY-1 JSON-1", "invalid_json", body="\ufeff" + body_for("open_body_bom", SMALL))
open_case(
    "open_body_not_utf8",
    "BODY-1 JSON-1",
    "invalid_json",
    body_hex=('{"encrypted":"' + field_for("open_body_not_utf8", SMALL) + '","a":"').encode().hex()
    + "ff"
    + b'"}'.hex(),
)
open_case(
    "open_body_duplicate_member",
    "BODY-1 JSON-11",
    "invalid_json",
    body='{"encrypted":"x","encrypted":"' + field_for("open_body_duplicate_member", SMALL) + '"}',
)
open_case(
    "open_body_duplicate_other_member",
    "BODY-1 JSON-11",
    "invalid_json",
    body='{"encrypted":"' + field_for("open_body_duplicate_other_member", SMALL) + '","a":1,"a":1}',
)
open_case(
    "open_body_depth_129_beside",
    "BODY-1 JSON-12",
    "invalid_json",
    body='{"encrypted":"' + field_for("open_body_depth_129_beside", SMALL) + '","a":' + "[" * 128 + "]" * 128 + "}",
)
open_case(
    "open_body_number_beside_beyond_binary64",
    "BODY-1 JSON-10",
    "invalid_json",
    body='{"encrypted":"' + field_for("open_body_number_beside_beyond_binary64", SMALL) + '","a":1e309}',
)
open_case(
    "open_body_raw_newline_in_field",
    "BODY-1 JSON-6",
    "invalid_json",
    body=wrap(field_for("open_body_raw_newline_in_field", SMALL)[:76] + "\n"),
)
open_case(
    "open_body_hex_input_is_utf8",
    "BODY-1",
    "ok",
    body_hex=body_for("open_body_hex_input_is_utf8", SMALL).encode().hex(),
)

# Size
open_case(
    "open_body_of_exactly_max_bytes",
    "BODY-5",
    "ok",
    body=body_for("open_body_of_exactly_max_bytes", SMALL),
    max_bytes=80,
)
open_case(
    "open_body_one_over_max_bytes",
    "BODY-5",
    "too_large",
    body=body_for("open_body_one_over_max_bytes", SMALL),
    max_bytes=79,
)
open_case(
    "open_body_white_space_counts",
    "BODY-5",
    "too_large",
    body=body_for("open_body_white_space_counts", SMALL) + " ",
    max_bytes=80,
)
open_case(
    "open_body_counts_bytes_not_characters",
    "BODY-5",
    "too_large",
    body='{"encrypted":"' + field_for("open_body_counts_bytes_not_characters", SMALL) + '","a":"\u20ac"}',
    max_bytes=88,
)
open_case(
    "open_body_counts_bytes_exactly",
    "BODY-5",
    "ok",
    body='{"encrypted":"' + field_for("open_body_counts_bytes_exactly", SMALL) + '","a":"\u20ac"}',
    max_bytes=90,
)
open_case(
    "open_parsed_field_of_exactly_max_bytes",
    "BODY-5 BODY-4",
    "ok",
    parsed_field=field_for("open_parsed_field_of_exactly_max_bytes", SMALL),
    max_bytes=80,
)
open_case(
    "open_parsed_field_one_over_max_bytes",
    "BODY-5 BODY-4",
    "too_large",
    parsed_field=field_for("open_parsed_field_one_over_max_bytes", SMALL),
    max_bytes=79,
)

# A body that was parsed already
open_case("open_parsed_field", "BODY-4", "ok", parsed_field=field_for("open_parsed_field", SMALL))
open_case(
    "open_parsed_field_url_safe",
    "BODY-4 B64-1",
    "invalid_envelope",
    parsed_field=escaped_field("open_parsed_field_url_safe", "/", "_"),
)
open_case(
    "open_parsed_field_with_backslash",
    "BODY-4 B64-4",
    "invalid_envelope",
    parsed_field=escaped_field("open_parsed_field_with_backslash", "/", "\\/"),
)
open_case("open_parsed_field_empty", "BODY-4 LAYOUT-5", "invalid_envelope", parsed_field="")
open_case(
    "open_parsed_field_wrong_key",
    "BODY-4 LAYOUT-6",
    "decryption_failed",
    parsed_field=field_for("open_parsed_field_wrong_key", SMALL, secret=OTHER_SECRET),
)
open_case(
    "open_parsed_field_wrong_version",
    "BODY-4 LAYOUT-2",
    "unsupported_version",
    parsed_field=b64(b"\x01" + raw_for("open_parsed_field_wrong_version", SMALL)[1:]),
)

# The plaintext
open_text("open_plaintext_empty", "OPEN-1 LAYOUT-7", "invalid_payload", "")
open_text("open_plaintext_white_space", "OPEN-1 OPEN-2", "invalid_payload", "  ")
open_text("open_plaintext_no_json", "OPEN-1", "invalid_payload", "card_abc123")
open_text("open_plaintext_nan", "OPEN-1 JSON-4", "invalid_payload", "NaN")
open_text("open_plaintext_not_utf8", "OPEN-1 JSON-1", "invalid_payload", b'{"a":"\xff"}')
open_text("open_plaintext_bom", "OPEN-1 JSON-1", "invalid_payload", "\ufeff{}")
open_text("open_plaintext_trailing_nul", "OPEN-1", "invalid_payload", "{}\x00")
open_text("open_plaintext_duplicate_names", "OPEN-1 JSON-11", "invalid_payload", '{"a":1,"a":2}')
open_text("open_plaintext_depth_128", "OPEN-1 JSON-12", "ok", "[" * 128 + "]" * 128)
open_text("open_plaintext_depth_129", "OPEN-1 JSON-12", "invalid_payload", "[" * 129 + "]" * 129)
open_text("open_plaintext_lone_surrogate", "OPEN-1 JSON-8", "invalid_payload", '"\\ud83d"')
open_case(
    "open_bad_text_is_not_tried_under_older_secret",
    "OPEN-4",
    "invalid_payload",
    body=body_for("open_bad_text_is_not_tried_under_older_secret", "{"),
    open_secrets=[OLD_SECRET],
)
open_case(
    "open_bad_text_under_older_secret",
    "OPEN-4",
    "invalid_payload",
    body=body_for("open_bad_text_under_older_secret", "{", secret=OLD_SECRET),
    open_secrets=[OLD_SECRET, OLDER_SECRET],
)
open_case(
    "open_good_text_under_last_secret",
    "OPEN-4 KEY-5",
    "ok",
    body=body_for("open_good_text_under_last_secret", "{}", secret=OLDER_SECRET),
    open_secrets=[OLD_SECRET, OLDER_SECRET],
)

# The field alone
decrypt_case("decrypt_text", "LAYOUT-7 B64-4", "ok", field_for("decrypt_text", "no JSON at all"))
decrypt_case("decrypt_empty_message", "LAYOUT-7 LAYOUT-5", "ok", field_for("decrypt_empty_message", ""))
decrypt_case("decrypt_bytes", "LAYOUT-7", "ok", field_for("decrypt_bytes", bytes(range(256))))
decrypt_case(
    "decrypt_bare_empty_message",
    "LAYOUT-3 LAYOUT-5",
    "ok",
    field_for("decrypt_bare_empty_message", "", layout="bare"),
    layout="bare",
)
decrypt_case(
    "decrypt_older_secret",
    "KEY-5",
    "ok",
    field_for("decrypt_older_secret", "x", secret=OLD_SECRET),
    open_secrets=[OLD_SECRET],
)
decrypt_case(
    "decrypt_empty_message_tag_flipped",
    "LAYOUT-6 LAYOUT-7",
    "decryption_failed",
    b64(flipped(raw_for("decrypt_empty_message_tag_flipped", ""), 25)),
)
decrypt_case(
    "decrypt_wrong_secret", "LAYOUT-6", "decryption_failed", field_for("decrypt_wrong_secret", "x", secret=OTHER_SECRET)
)
decrypt_case(
    "decrypt_wrong_version", "LAYOUT-2", "unsupported_version", b64(b"\x04" + raw_for("decrypt_wrong_version", "x")[1:])
)
decrypt_case(
    "decrypt_counts_the_body_exactly", "BODY-5", "ok", field_for("decrypt_counts_the_body_exactly", ""), max_bytes=72
)
decrypt_case(
    "decrypt_counts_the_body_one_over",
    "BODY-5",
    "too_large",
    field_for("decrypt_counts_the_body_one_over", ""),
    max_bytes=71,
)
decrypt_case(
    "decrypt_whole_body_in_place_of_field",
    "B64-4",
    "invalid_envelope",
    body_for("decrypt_whole_body_in_place_of_field", "x"),
)

BASE64 = Family(
    "base64",
    "Spellings of the base64 field: only the one canonical spelling of the bytes opens.",
    ("operation", *ENVELOPE_FIELDS, "field"),
    compute_open,
)


def base64_case(name: str, rules: str, expect: str, encrypted: str, **inputs: Any) -> None:
    BASE64.case("base64_" + name, rules, expect, operation="decrypt", secret=SECRET, field=encrypted, **inputs)


def tail(name: str, message_bytes: int) -> str:
    """A field whose padding the message's length decides: 0 → `=`, 1 → none, 2 → `==`."""
    return field_for("base64_" + name, b"m" * message_bytes)


def with_last_bits(encrypted: str, bits: int) -> str:
    """The same field with its unused bits set to `bits`."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    body = encrypted.rstrip("=")
    return body[:-1] + alphabet[alphabet.index(body[-1]) | bits] + encrypted[len(body) :]


base64_case("one_pad", "B64-1 B64-2 B64-3", "ok", tail("one_pad", 0))
base64_case("no_pad_needed", "B64-2", "ok", tail("no_pad_needed", 1))
base64_case("two_pads", "B64-2 B64-3", "ok", tail("two_pads", 2))
base64_case("plus_and_solidus", "B64-1", "ok", escaped_field("base64_plus_and_solidus", "+", "+"))
base64_case("url_safe_minus", "B64-1", "invalid_envelope", escaped_field("base64_url_safe_minus", "+", "-"))
base64_case("url_safe_underscore", "B64-1", "invalid_envelope", escaped_field("base64_url_safe_underscore", "/", "_"))
base64_case("missing_one_pad", "B64-2", "invalid_envelope", tail("missing_one_pad", 0)[:-1])
base64_case("missing_two_pads", "B64-2", "invalid_envelope", tail("missing_two_pads", 2)[:-2])
base64_case("missing_second_pad", "B64-2", "invalid_envelope", tail("missing_second_pad", 2)[:-1])
base64_case("extra_pad_behind_full_group", "B64-2", "invalid_envelope", tail("extra_pad_behind_full_group", 1) + "=")
base64_case("extra_pad_group", "B64-2", "invalid_envelope", tail("extra_pad_group", 1) + "====")
base64_case("extra_third_pad", "B64-2", "invalid_envelope", tail("extra_third_pad", 2)[:-3] + "===")
base64_case("pad_inside", "B64-2", "invalid_envelope", (lambda f: f[:40] + "=" + f[41:])(tail("pad_inside", 1)))
base64_case(
    "pad_group_inside", "B64-2", "invalid_envelope", (lambda f: f[:38] + "==" + f[40:])(tail("pad_group_inside", 1))
)
base64_case("two_padded_parts_joined", "B64-2", "invalid_envelope", "Ag==" + tail("two_padded_parts_joined", 1))
base64_case("pad_first", "B64-2", "invalid_envelope", "=" + tail("pad_first", 0)[:-1])
base64_case(
    "length_1_beyond_multiple_of_4", "B64-2", "invalid_envelope", tail("length_1_beyond_multiple_of_4", 1) + "A"
)
base64_case(
    "length_2_beyond_multiple_of_4", "B64-2", "invalid_envelope", tail("length_2_beyond_multiple_of_4", 1) + "AA"
)
base64_case(
    "length_3_beyond_multiple_of_4", "B64-2", "invalid_envelope", tail("length_3_beyond_multiple_of_4", 1) + "AAA"
)
for bits in (1, 2, 3):
    name = f"unused_bits_{bits}_before_one_pad"
    base64_case(name, "B64-3", "invalid_envelope", with_last_bits(tail(name, 0), bits))
for bits in (1, 2, 4, 8, 15):
    name = f"unused_bits_{bits}_before_two_pads"
    base64_case(name, "B64-3", "invalid_envelope", with_last_bits(tail(name, 2), bits))
for label, character in (
    ("space", " "),
    ("tab", "\t"),
    ("line_feed", "\n"),
    ("crlf", "\r\n"),
    ("no_break_space", "\u00a0"),
    ("nul", "\x00"),
    ("zero_width_space", "\u200b"),
):
    name = f"{label}_inside"
    base64_case(name, "B64-4", "invalid_envelope", (lambda f: f[:40] + character + f[40:])(tail(name, 1)))
base64_case("space_before", "B64-4", "invalid_envelope", " " + tail("space_before", 1))
base64_case("space_after", "B64-4", "invalid_envelope", tail("space_after", 1) + " ")
base64_case("line_feed_after", "B64-4", "invalid_envelope", tail("line_feed_after", 1) + "\n")
base64_case("line_feed_behind_pad", "B64-4", "invalid_envelope", tail("line_feed_behind_pad", 0) + "\n")
base64_case(
    "crlf_every_76", "B64-4", "invalid_envelope", (lambda f: f[:76] + "\r\n" + f[76:])(tail("crlf_every_76", 40))
)
base64_case("four_spaces_after", "B64-4", "invalid_envelope", tail("four_spaces_after", 1) + "    ")
base64_case("backslash_solidus", "B64-4", "invalid_envelope", escaped_field("base64_backslash_solidus", "/", "\\/"))
base64_case(
    "json_escape_of_plus", "B64-4", "invalid_envelope", escaped_field("base64_json_escape_of_plus", "+", "\\u002b")
)
base64_case(
    "percent_escape_of_plus", "B64-4", "invalid_envelope", escaped_field("base64_percent_escape_of_plus", "+", "%2B")
)
base64_case(
    "space_in_place_of_plus", "B64-4", "invalid_envelope", escaped_field("base64_space_in_place_of_plus", "+", " ")
)
base64_case(
    "letter_not_ascii", "B64-4", "invalid_envelope", (lambda f: f[:40] + "\u00e9" + f[41:])(tail("letter_not_ascii", 1))
)
base64_case("fullwidth_letter", "B64-4", "invalid_envelope", "\uff21" + tail("fullwidth_letter", 1)[1:])
base64_case("kelvin_sign", "B64-4", "invalid_envelope", (lambda f: f[:40] + "\u212a" + f[41:])(tail("kelvin_sign", 1)))
base64_case("quotes_around", "B64-4", "invalid_envelope", '"' + tail("quotes_around", 1) + '"')
base64_case("data_url", "B64-4", "invalid_envelope", "data:application/octet-stream;base64," + tail("data_url", 1))
base64_case(
    "hexadecimal_in_place_of_base64",
    "LAYOUT-2",
    "unsupported_version",
    raw_for("base64_hexadecimal_in_place_of_base64", b"mmm").hex(),
)
base64_case("encoded_twice", "LAYOUT-2", "unsupported_version", b64(tail("encoded_twice", 0).encode()))
base64_case("empty", "LAYOUT-5", "invalid_envelope", "")
base64_case("one_byte", "LAYOUT-5", "invalid_envelope", "Ag==")
base64_case("one_byte_short", "LAYOUT-5", "invalid_envelope", b64(raw_for("base64_one_byte_short", b"")[:40]))
base64_case(
    "pad_behind_the_header_and_more", "B64-2", "invalid_envelope", b64(raw_for("base64_pad_behind_the_header", b"")) + "AAAA"
)
base64_case(
    "bare_pads_behind_the_header_and_more",
    "B64-2",
    "invalid_envelope",
    b64(raw_for("base64_bare_pads_behind_the_header", b"", layout="bare")) + "AAAA",
    layout="bare",
)
base64_case("shortest", "LAYOUT-5", "ok", b64(raw_for("base64_shortest", b"")))
base64_case(
    "bare_one_byte_short",
    "LAYOUT-5",
    "invalid_envelope",
    b64(raw_for("base64_bare_one_byte_short", b"", layout="bare")[:39]),
    layout="bare",
)
base64_case("bare_shortest", "LAYOUT-5", "ok", b64(raw_for("base64_bare_shortest", b"", layout="bare")), layout="bare")
