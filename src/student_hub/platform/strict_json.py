"""JSON read without forgiveness (RFC 8259, I-JSON of RFC 7493): what is ambiguous is refused."""

import json

import orjson

from student_hub.platform.errors import Fact

DEEPEST = 64


class NotJson(ValueError):
    """The text is not JSON that everybody would read alike; the message says why."""


def read(text: bytes | bytearray) -> Fact:
    """The value; NotJson for broken text, NaN, lone surrogates, a doubled key or over 64 levels."""
    try:
        value: Fact = orjson.loads(text)
        if _depth(value) <= DEEPEST:
            json.loads(text, object_pairs_hook=_unique)
            return value
    except orjson.JSONDecodeError as error:
        raise NotJson(f"broken at line {error.lineno}, column {error.colno}") from error
    raise NotJson(f"nested deeper than {DEEPEST} levels")


def _unique(pairs: list[tuple[str, Fact]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise NotJson("an object names a key twice")


def _depth(value: Fact) -> int:
    depth, level = 0, [value]
    while level and depth <= DEEPEST:
        depth += 1
        level = [inner for outer in level for inner in _inside(outer)]
    return depth


def _inside(value: Fact) -> list[Fact]:
    if isinstance(value, dict):
        return [child for child in value.values() if isinstance(child, (dict, list))]
    if isinstance(value, list):
        return [child for child in value if isinstance(child, (dict, list))]
    return []
