"""JSON read without forgiveness (RFC 8259, I-JSON of RFC 7493): what is ambiguous is refused."""

import json

import orjson

from student_hub.platform.errors import Fact

DEEPEST = 64
CONTAINERS = frozenset({dict, list})
TWICE = "an object names a key twice"
KEY_END = b'":'


class NotJson(ValueError):
    """The text is not JSON that everybody would read alike; the message says why."""


def read(text: bytes | bytearray) -> Fact:
    """The value; NotJson for broken text, NaN, lone surrogates, a doubled key or over 64 levels."""
    try:
        value: Fact = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise NotJson(f"broken at line {error.lineno}, column {error.colno}") from error
    if text.count(b"{") + text.count(b"[") > DEEPEST:
        _check_depth(value)
    if b"\\" in text:
        json.loads(text, object_pairs_hook=_unique)
    elif _count_written(text) != orjson.dumps(value).count(KEY_END):
        raise NotJson(TWICE)
    return value


def _unique(pairs: list[tuple[str, Fact]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise NotJson(TWICE)


def _count_written(text: bytes | bytearray) -> int:
    """How many keys were written, doubled ones too: exact for JSON without a backslash.

    There every quotation mark begins or ends a string, so that one with a colon behind it ends a
    key, and outside of strings a colon stands behind each key, and only there. A blank between
    the two, or one that stands before a colon in a string, makes the search a longer one.
    """
    if b" :" in text or b"\t:" in text or b"\n:" in text or b"\r:" in text:
        return b"".join(text.split(b'"')[::2]).count(b":")
    return text.count(KEY_END)


def _check_depth(value: Fact) -> None:
    level = [value]
    for _ in range(DEEPEST):
        deeper: list[Fact] = []
        for outer in level:
            if isinstance(outer, dict):
                deeper += [inner for inner in outer.values() if type(inner) in CONTAINERS]
            elif isinstance(outer, list):
                deeper += [inner for inner in outer if type(inner) in CONTAINERS]
        if not deeper:
            return
        level = deeper
    raise NotJson(f"nested deeper than {DEEPEST} levels")
