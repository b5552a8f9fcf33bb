"""The strict JSON reader of SPEC section 6 and the canonical writer of section 15.

The reader keeps where each value stands in the text, so that sealing can edit a payload in place and canonical JSON can
repeat number tokens as they were written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

MAX_DEPTH = 128
MAX_NUMBER_BYTES = 1024
WHITE_SPACE = " \t\n\r"

Kind = Literal["object", "array", "string", "number", "literal"]


class NotStrictJson(Exception):
    """The text breaks a rule; the caller knows which error code that is."""


@dataclass(frozen=True)
class Value:
    """One JSON value and its place: `text[start:end]` is its spelling."""

    kind: Kind
    start: int
    end: int
    text: str
    string: str = ""
    members: tuple[tuple[str, Value], ...] = ()
    elements: tuple[Value, ...] = ()

    @property
    def spelling(self) -> str:
        return self.text[self.start : self.end]

    def member(self, name: str) -> Value | None:
        """The member called `name` (names are unescaped already), or None."""
        return next((value for key, value in self.members if key == name), None)


def read(data: bytes) -> Value:
    """Read exactly one value, or raise NotStrictJson."""
    try:
        text = data.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        raise NotStrictJson("not UTF-8") from error
    if text.startswith("\ufeff"):
        raise NotStrictJson("byte order mark")
    return _Reader(text).document()


def canonical(root: Value) -> str:
    """Canonical JSON of a payload: the root's `request_timestamp` left out, names in UTF-8 order."""
    return "".join(_canonical(root, is_root=True))


_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_HEX4 = re.compile(r"[0-9a-fA-F]{4}", re.ASCII)
_SIMPLE_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def document(self) -> Value:
        self.skip_white_space()
        value = self.value(depth=0)
        self.skip_white_space()
        if self.at != len(self.text):
            raise NotStrictJson("something behind the value")
        return value

    def value(self, depth: int) -> Value:
        first = self.peek()
        if first == "{":
            return self.object(depth + 1)
        if first == "[":
            return self.array(depth + 1)
        start = self.at
        if first == '"':
            string = self.string_token()
            return Value("string", start, self.at, self.text, string=string)
        for literal in ("true", "false", "null"):
            if self.text.startswith(literal, start):
                self.at += len(literal)
                return Value("literal", start, self.at, self.text)
        return self.number()

    def object(self, depth: int) -> Value:
        check_depth(depth)
        start = self.at
        self.at += 1
        members: list[tuple[str, Value]] = []
        seen: set[str] = set()
        self.skip_white_space()
        if self.peek() == "}":
            self.at += 1
            return Value("object", start, self.at, self.text)
        while True:
            self.skip_white_space()
            if self.peek() != '"':
                raise NotStrictJson("a name was expected")
            name = self.string_token()
            if name in seen:
                raise NotStrictJson("two members with one name")
            seen.add(name)
            self.skip_white_space()
            self.expect(":")
            self.skip_white_space()
            members.append((name, self.value(depth)))
            self.skip_white_space()
            if self.peek() == "}":
                self.at += 1
                return Value("object", start, self.at, self.text, members=tuple(members))
            self.expect(",")

    def array(self, depth: int) -> Value:
        check_depth(depth)
        start = self.at
        self.at += 1
        elements: list[Value] = []
        self.skip_white_space()
        if self.peek() == "]":
            self.at += 1
            return Value("array", start, self.at, self.text)
        while True:
            self.skip_white_space()
            elements.append(self.value(depth))
            self.skip_white_space()
            if self.peek() == "]":
                self.at += 1
                return Value("array", start, self.at, self.text, elements=tuple(elements))
            self.expect(",")

    def number(self) -> Value:
        match = _NUMBER.match(self.text, self.at)
        if match is None:
            raise NotStrictJson("no value here")
        token = match.group()
        if len(token) > MAX_NUMBER_BYTES:
            raise NotStrictJson("number too long")
        if math.isinf(float(token)):
            raise NotStrictJson("number beyond binary64")
        start, self.at = self.at, match.end()
        return Value("number", start, self.at, self.text)

    def string_token(self) -> str:
        """Read from the opening to the closing quote; give the unescaped characters."""
        self.at += 1
        characters: list[str] = []
        while True:
            character = self.peek()
            if character == '"':
                self.at += 1
                return "".join(characters)
            if character == "\\":
                characters.append(self.escape())
            elif character < " ":
                raise NotStrictJson("raw control character, or the text ended inside a string")
            else:
                characters.append(character)
                self.at += 1

    def escape(self) -> str:
        self.at += 1
        letter = self.peek()
        self.at += 1
        if letter in _SIMPLE_ESCAPES:
            return _SIMPLE_ESCAPES[letter]
        if letter != "u":
            raise NotStrictJson("unknown escape")
        unit = self.hex4()
        if 0xDC00 <= unit <= 0xDFFF:
            raise NotStrictJson("low surrogate first")
        if not 0xD800 <= unit <= 0xDBFF:
            return chr(unit)
        if not self.text.startswith("\\u", self.at):
            raise NotStrictJson("high surrogate alone")
        self.at += 2
        low = self.hex4()
        if not 0xDC00 <= low <= 0xDFFF:
            raise NotStrictJson("high surrogate before something else")
        return chr(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))

    def hex4(self) -> int:
        match = _HEX4.match(self.text, self.at)
        if match is None:
            raise NotStrictJson("four hexadecimal digits were expected")
        self.at = match.end()
        return int(match.group(), 16)

    def peek(self) -> str:
        """The next character, or "" at the end (which is below every other character)."""
        return self.text[self.at : self.at + 1]

    def expect(self, character: str) -> None:
        if self.peek() != character:
            raise NotStrictJson(f"{character} was expected")
        self.at += 1

    def skip_white_space(self) -> None:
        while self.peek() and self.peek() in WHITE_SPACE:
            self.at += 1


def check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise NotStrictJson("nested too deep")


def _canonical(value: Value, is_root: bool = False) -> Iterator[str]:
    if value.kind == "object":
        members = [pair for pair in value.members if not (is_root and pair[0] == "request_timestamp")]
        yield "{"
        for index, (name, member) in enumerate(sorted(members, key=lambda pair: pair[0].encode("utf-8"))):
            yield ("," if index else "") + _canonical_string(name) + ":"
            yield from _canonical(member)
        yield "}"
    elif value.kind == "array":
        yield "["
        for index, element in enumerate(value.elements):
            yield "," if index else ""
            yield from _canonical(element)
        yield "]"
    elif value.kind == "string":
        yield _canonical_string(value.string)
    else:
        yield value.spelling


_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def _canonical_string(string: str) -> str:
    escaped = (_SHORT.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in string)
    return '"' + "".join(escaped) + '"'
