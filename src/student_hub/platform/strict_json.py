"""JSON read without forgiveness (RFC 8259, I-JSON of RFC 7493): what is ambiguous is refused."""

import json

import orjson

from student_hub.platform.errors import Fact

DEEPEST = 64
CONTAINERS = (dict, list)
TWICE = "an object names a key twice"


class NotJson(ValueError):
    """The text is not JSON that everybody would read alike; the message says why."""


def read(text: bytes | bytearray) -> Fact:
    """The value; NotJson for broken text, NaN, lone surrogates, a doubled key or over 64 levels."""
    try:
        value: Fact = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise NotJson(f"broken at line {error.lineno}, column {error.colno}") from error
    keys = _count_keys(value)
    if b"\\" in text:
        json.loads(text, object_pairs_hook=_unique)
    elif keys != _count_colons(text):
        raise NotJson(TWICE)
    return value


def _unique(pairs: list[tuple[str, Fact]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise NotJson(TWICE)


def _count_colons(text: bytes | bytearray) -> int:
    """How many keys were written: outside of strings a colon stands behind each, and only there.

    Exact for JSON without a backslash, where every quotation mark begins or ends a string.
    """
    return b"".join(text.split(b'"')[::2]).count(b":")


def _count_keys(value: Fact) -> int:
    keys, depth, level = 0, 0, [value]
    while level:
        depth += 1
        if depth > DEEPEST:
            raise NotJson(f"nested deeper than {DEEPEST} levels")
        keys += sum([len(outer) for outer in level if isinstance(outer, dict)])
        level = _one_deeper(level)
    return keys


def _one_deeper(level: list[Fact]) -> list[Fact]:
    deeper: list[Fact] = []
    for outer in level:
        if isinstance(outer, dict):
            deeper += [inner for inner in outer.values() if isinstance(inner, CONTAINERS)]
        elif isinstance(outer, list):
            deeper += [inner for inner in outer if isinstance(inner, CONTAINERS)]
    return deeper
