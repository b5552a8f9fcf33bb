"""json.json: what the strict reader takes and refuses."""

from __future__ import annotations

from oracle.refusal import Refusal
from oracle.strict_json import NotStrictJson, read

from .case import Family, Fields


def compute(inputs: Fields) -> Fields:
    data = bytes.fromhex(inputs["text_hex"]) if "text_hex" in inputs else inputs["text"].encode("utf-8")
    try:
        read(data)
    except NotStrictJson as error:
        raise Refusal("invalid_json") from error
    return {}


JSON = Family(
    "json",
    "Texts for the strict JSON reader; any value may be the root.",
    ("text", "text_hex"),
    compute,
)


def good(name: str, rules: str, text: str | bytes) -> None:
    declare(name, rules, "ok", text)


def bad(name: str, rules: str, text: str | bytes) -> None:
    declare(name, rules, "invalid_json", text)


def declare(name: str, rules: str, expect: str, text: str | bytes) -> None:
    given: Fields = {"text": text} if isinstance(text, str) else {"text_hex": text.hex()}
    JSON.case("json_" + name, rules, expect, **given)


# Encoding and byte order mark
good("utf8_one_to_four_bytes", "JSON-1", '["a", "\u00e9", "\u20ac", "\U0001f600"]')
good("utf8_last_code_point", "JSON-1", b'"\xf4\x8f\xbf\xbf"')
good("utf8_noncharacter", "JSON-1", '"\uffff"')
good("bom_inside_string", "JSON-1", '"\ufeff"')
bad("bom_first", "JSON-1", "\ufeff{}")
bad("bom_after_white_space", "JSON-1 JSON-3", " \ufeff{}")
bad("bom_last", "JSON-1 JSON-2", "{}\ufeff")
bad("bom_utf16_le", "JSON-1", "\ufeff{}".encode("utf-16-le"))
bad("utf16_be_without_bom", "JSON-1", '"a"'.encode("utf-16-be"))
bad("utf8_overlong_slash", "JSON-1", b'"\xc0\xaf"')
bad("utf8_overlong_three_bytes", "JSON-1", b'"\xe0\x80\xaf"')
bad("utf8_overlong_four_bytes", "JSON-1", b'"\xf0\x80\x80\xaf"')
bad("utf8_overlong_nul", "JSON-1", b'"\xc0\x80"')
bad("utf8_high_surrogate_bytes", "JSON-1 JSON-8", b'"\xed\xa0\x80"')
bad("utf8_low_surrogate_bytes", "JSON-1 JSON-8", b'"\xed\xb0\x80"')
bad("utf8_surrogate_pair_bytes", "JSON-1 JSON-8", b'"\xed\xa0\xbd\xed\xb8\x80"')
bad("utf8_beyond_last_code_point", "JSON-1", b'"\xf4\x90\x80\x80"')
bad("utf8_five_byte_form", "JSON-1", b'"\xf8\x88\x80\x80\x80"')
bad("utf8_truncated_two_bytes", "JSON-1", b'"\xc3"')
bad("utf8_truncated_four_bytes", "JSON-1", b'"\xf0\x9f\x98"')
bad("utf8_truncated_at_end_of_text", "JSON-1", b'"\xe2\x82')
bad("utf8_lone_continuation", "JSON-1", b'"\x80"')
bad("utf8_byte_ff", "JSON-1", b'"\xff"')
bad("latin1_text", "JSON-1", '"caf\u00e9"'.encode("latin-1"))

# One value, white space
good("white_space_all_four_kinds", "JSON-2 JSON-3", ' \t\r\n{ "a" \t:\r\n [ 1 , 2 ] } \n')
good("root_null", "JSON-2 JSON-4", "null")
good("root_string", "JSON-2", '"text"')
good("root_number", "JSON-2 JSON-9", "7")
good("root_empty_array", "JSON-2 JSON-5", "[]")
good("root_empty_object", "JSON-2 JSON-5", "{}")
bad("empty", "JSON-2", "")
bad("white_space_only", "JSON-2 JSON-3", " \t\r\n")
bad("two_values", "JSON-2", "{} {}")
bad("two_numbers", "JSON-2", "1 2")
bad("trailing_letter", "JSON-2", "{}x")
bad("trailing_comma_at_root", "JSON-2", "{},")
bad("trailing_brace", "JSON-2", "{}}")
bad("trailing_nul", "JSON-2 JSON-3", "{}\x00")
bad("leading_nul", "JSON-2 JSON-3", "\x00{}")
bad("form_feed", "JSON-3", "{\x0c}")
bad("vertical_tab", "JSON-3", "[1,\x0b2]")
bad("no_break_space", "JSON-3", "[1,\u00a02]")
bad("line_separator", "JSON-3", "[1,\u20282]")
bad("comment_block", "JSON-3", "{/* none */}")
bad("comment_line", "JSON-3", "{} // none")
bad("comment_hash", "JSON-3", "# none\n{}")

# Literals
good("literals", "JSON-4", "[true,false,null]")
bad("literal_capital", "JSON-4", "[True]")
bad("literal_upper_null", "JSON-4", "NULL")
bad("literal_cut_off", "JSON-4", "[tru]")
bad("literal_too_long", "JSON-4", "[nulll]")
bad("literal_nan", "JSON-4 JSON-9", "[NaN]")
bad("literal_infinity", "JSON-4 JSON-9", "[Infinity]")
bad("literal_minus_infinity", "JSON-4 JSON-9", "[-Infinity]")
bad("literal_undefined", "JSON-4", "undefined")

# Structure
good("nested_mixture", "JSON-5", '{"a":[{"b":{}},[],[[1]],"c"],"":null}')
bad("array_trailing_comma", "JSON-5", "[1,]")
bad("array_leading_comma", "JSON-5", "[,1]")
bad("array_double_comma", "JSON-5", "[1,,2]")
bad("array_missing_comma", "JSON-5", "[1 2]")
bad("array_colon", "JSON-5", "[1:2]")
bad("array_unclosed", "JSON-5", "[1,2")
bad("array_closed_by_brace", "JSON-5", "[1}")
bad("object_trailing_comma", "JSON-5", '{"a":1,}')
bad("object_leading_comma", "JSON-5", '{,"a":1}')
bad("object_double_comma", "JSON-5", '{"a":1,,"b":2}')
bad("object_missing_comma", "JSON-5", '{"a":1 "b":2}')
bad("object_missing_colon", "JSON-5", '{"a" 1}')
bad("object_double_colon", "JSON-5", '{"a"::1}')
bad("object_missing_value", "JSON-5", '{"a":}')
bad("object_name_only", "JSON-5", '{"a"}')
bad("object_unquoted_name", "JSON-5", "{a:1}")
bad("object_number_as_name", "JSON-5", "{1:1}")
bad("object_unclosed", "JSON-5", '{"a":1')
bad("object_closed_by_bracket", "JSON-5", '{"a":1]')
bad("object_opening_only", "JSON-5", "{")
bad("closing_bracket_alone", "JSON-5", "]")

# Strings
good("string_raw_del", "JSON-6", '"\x7f"')
good("string_raw_c1_control", "JSON-6", '"\x85"')
good("string_raw_line_separator", "JSON-6", '"\u2028"')
good("string_comment_and_quotes_inside", "JSON-6 JSON-3", '"/* \' NaN , } */"')
good("string_empty", "JSON-6", '""')
bad("string_raw_newline", "JSON-6", '"a\nb"')
bad("string_raw_tab", "JSON-6", '"a\tb"')
bad("string_raw_nul", "JSON-6", '"a\x00b"')
bad("string_raw_unit_separator", "JSON-6", '"\x1f"')
bad("string_raw_newline_in_name", "JSON-6", '{"a\nb":1}')
bad("string_single_quotes", "JSON-6", "['a']")
bad("string_unclosed", "JSON-6", '"abc')
bad("string_unclosed_after_escape", "JSON-6", '"abc\\"')
bad("string_two_side_by_side", "JSON-5", '["a""b"]')

# Escapes
good("escape_all_short", "JSON-7", r'"\"\\\/\b\f\n\r\t"')
good("escape_nul", "JSON-7", r'"\u0000"')
good("escape_hex_either_case", "JSON-7", r'"\u00e9\u00E9\uFfFf"')
bad("escape_unknown_letter", "JSON-7", r'"\x41"')
bad("escape_upper_u", "JSON-7", r'"\U0041"')
bad("escape_single_quote", "JSON-7", r'"\'"')
bad("escape_digit", "JSON-7", r'"\0"')
bad("escape_three_hex_digits", "JSON-7", r'"\u041"')
bad("escape_hex_with_letter_g", "JSON-7", r'"\u00g0"')
bad("escape_hex_with_plus", "JSON-7", r'"\u+041"')
bad("escape_hex_in_braces", "JSON-7", r'"\u{41}"')
bad("escape_hex_fullwidth_digits", "JSON-7", '"\\u\uff10\uff10\uff14\uff11"')
bad("escape_cut_by_end", "JSON-7", '"\\')
bad("escape_raw_newline", "JSON-7", '"\\\n"')

# Surrogates
good("surrogate_pair", "JSON-8", r'"\ud83d\ude00"')
good("surrogate_pair_first_and_last", "JSON-8", r'"\uD800\uDC00\uDBFF\uDFFF"')
good("surrogate_neighbours", "JSON-8", r'"\ud7ff\ue000"')
bad("surrogate_high_alone", "JSON-8", r'"\ud83d"')
bad("surrogate_low_alone", "JSON-8", r'"\ude00"')
bad("surrogate_order_reversed", "JSON-8", r'"\ude00\ud83d"')
bad("surrogate_two_highs", "JSON-8", r'"\ud83d\ud83d\ude00"')
bad("surrogate_two_lows", "JSON-8", r'"\ude00\ude00"')
bad("surrogate_high_before_letter", "JSON-8", r'"\ud83dx"')
bad("surrogate_high_before_other_escape", "JSON-8", r'"\ud83d\n"')
bad("surrogate_high_before_bmp_escape", "JSON-8", r'"\ud83d\u0041"')
bad("surrogate_halves_apart", "JSON-8", r'"\ud83d \ude00"')
bad("surrogate_low_after_pair", "JSON-8", r'"\ud83d\ude00\ude00"')
bad("surrogate_alone_in_name", "JSON-8", r'{"\ud83d":1}')

# Numbers
good("number_spellings", "JSON-9", "[0,-0,7,-12,0.5,-0.5,10.25,1e5,1E5,1e+5,1e-5,0e0,0.0e-0,1.0]")
good("number_minus_zero", "JSON-9", "-0")
bad("number_leading_zero", "JSON-9", "[01]")
bad("number_leading_zero_negative", "JSON-9", "[-01]")
bad("number_two_zeros", "JSON-9", "[00]")
bad("number_plus_sign", "JSON-9", "[+1]")
bad("number_point_first", "JSON-9", "[.5]")
bad("number_point_last", "JSON-9", "[1.]")
bad("number_point_before_exponent", "JSON-9", "[1.e5]")
bad("number_two_points", "JSON-9", "[1.2.3]")
bad("number_minus_alone", "JSON-9", "[-]")
bad("number_two_minuses", "JSON-9", "[--1]")
bad("number_exponent_empty", "JSON-9", "[1e]")
bad("number_exponent_sign_alone", "JSON-9", "[1e+]")
bad("number_exponent_fraction", "JSON-9", "[1e1.5]")
bad("number_hexadecimal", "JSON-9", "[0x10]")
bad("number_underscore", "JSON-9", "[1_000]")
bad("number_big_int_suffix", "JSON-9", "[1n]")
bad("number_arabic_digits", "JSON-9", "[\u0661\u0662]")
good("number_1024_bytes_of_fraction", "JSON-10", "0." + "1" * 1022)
good("number_1024_bytes_in_exponent", "JSON-10", "1e" + "0" * 1021 + "7")
bad("number_1025_bytes_of_fraction", "JSON-10", "0." + "1" * 1023)
bad("number_1025_bytes_with_sign", "JSON-10", "-0." + "1" * 1022)
bad("number_1025_bytes_in_name_value", "JSON-10", '{"n":0.' + "0" * 1023 + "}")
good("number_1e308", "JSON-10", "1e308")
good("number_largest_finite", "JSON-10", "1.7976931348623157e308")
good("number_rounds_down_to_largest_finite", "JSON-10", "1.7976931348623158e308")
bad("number_rounds_up_to_infinity", "JSON-10", "1.7976931348623159e308")
bad("number_1e309", "JSON-10", "1e309")
bad("number_minus_1e309", "JSON-10", "-1e309")
good("number_integer_of_309_digits", "JSON-10", "1" * 309)
bad("number_integer_of_309_digits_too_large", "JSON-10", "2" + "0" * 308)
bad("number_integer_of_310_digits", "JSON-10", "1" * 310)
bad("number_integer_of_1024_digits", "JSON-10", "9" * 1024)
good("number_underflow", "JSON-10", "[1e-400,-1e-99999]")
good("number_zero_with_huge_exponent", "JSON-10", "0e99999")
good("number_small_mantissa_large_exponent", "JSON-10", "0." + "0" * 400 + "1e700")
bad("number_large_mantissa_negative_exponent", "JSON-10", "1" + "0" * 1011 + "e-700")
good("number_large_mantissa_negative_exponent_finite", "JSON-10", "1" + "0" * 1011 + "e-704")
bad("number_exponent_beyond_64_bits", "JSON-10", "1e99999999999999999999")
good("number_negative_exponent_beyond_64_bits", "JSON-10", "1e-99999999999999999999")

# Names
good("name_twice_in_sibling_objects", "JSON-11", '[{"a":1},{"a":2}]')
good("name_twice_at_two_levels", "JSON-11", '{"a":{"a":1}}')
good("name_differs_in_case", "JSON-11", '{"a":1,"A":2}')
good("name_composed_and_decomposed", "JSON-11", '{"\u00e9":1,"e\u0301":2}')
good("name_empty_once", "JSON-11", '{"":1," ":2}')
bad("name_duplicate", "JSON-11", '{"a":1,"a":1}')
bad("name_duplicate_apart", "JSON-11", '{"a":1,"b":2,"c":3,"a":4}')
bad("name_duplicate_spaced_otherwise", "JSON-11", '{"a" :1,"a":2, "b":3}')
bad("name_duplicate_empty", "JSON-11", '{"":1,"":2}')
bad("name_duplicate_escaped_and_literal", "JSON-11", r'{"a":1,"\u0061":2}')
bad("name_duplicate_two_escape_cases", "JSON-11", r'{"\u00e9":1,"\u00E9":2}')
bad("name_duplicate_solidus", "JSON-11", r'{"a/b":1,"a\/b":2}')
bad("name_duplicate_pair_and_literal_emoji", "JSON-11", '{"\\ud83d\\ude00":1,"\U0001f600":2}')
bad("name_duplicate_nested", "JSON-11", '{"x":{"a":1,"a":2}}')
bad("name_duplicate_in_object_in_array", "JSON-11", '[0,[{"a":1,"a":2}]]')
bad("name_duplicate_encrypted", "JSON-11", '{"encrypted":"","encrypted":""}')
bad("name_duplicate_nul", "JSON-11", r'{"\u0000":1,"\u0000":2}')
bad("name_duplicate_among_many", "JSON-11", "{" + ",".join(f'"k{n}":{n}' for n in [*range(40), 7]) + "}")

# Depth
good("depth_128_arrays", "JSON-12", "[" * 128 + "]" * 128)
good("depth_128_objects", "JSON-12", '{"a":' * 127 + "{}" + "}" * 127)
good("depth_128_with_scalar_inside", "JSON-12", "[" * 128 + "0" + "]" * 128)
good("depth_returns_after_closing", "JSON-12", "[" + ",".join(["[" * 127 + "]" * 127] * 2) + "]")
good("depth_many_siblings", "JSON-12", "[" + ",".join(['{"a":[]}'] * 130) + "]")
bad("depth_129_arrays", "JSON-12", "[" * 129 + "]" * 129)
bad("depth_129_objects", "JSON-12", '{"a":' * 128 + "{}" + "}" * 128)
bad("depth_129_mixed", "JSON-12", '[{"a":' * 64 + "[]" + "}]" * 64)
