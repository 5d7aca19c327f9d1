"""From what a node sent to an answer that can be used, or none."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from student_hub.nodes.dialects import Nonsense
from student_hub.nodes.registry import NodeTool

A = TypeVar("A", bound=BaseModel)
IDENTITIES = frozenset({"student_id", "school_id"})


def read(tool: NodeTool[A], raw: object, arguments: Mapping[str, Any]) -> A:
    """The answer in the tool's shape.

    Raises Nonsense or a ValidationError for another shape, and Nonsense for an answer that says it
    is about another student or school than the one asked for.
    """
    if tool.list_field is not None:
        raw = _put_list(raw, tool.list_field)
    if not isinstance(raw, dict):
        raise Nonsense("not an object")
    for identity in arguments.keys() & IDENTITIES:
        asked = str(arguments[identity])
        for part in _parts(raw, tool.list_field):
            told = part.get(identity)
            if told is not None and told != asked and str(told).casefold() != asked.casefold():
                raise Nonsense(f"another {identity}")
    return tool.answer.model_validate(raw)


def _put_list(raw: object, field: str) -> object:
    """A bare list, or one that an MCP SDK wrapped as {"result": […]}, in its named field."""
    if isinstance(raw, dict) and field not in raw and isinstance(raw.get("result"), list):
        raw = raw["result"]
    return {field: raw} if isinstance(raw, list) else raw


def _parts(raw: dict[str, Any], field: str | None) -> Iterator[dict[str, Any]]:
    yield raw
    entries = raw.get(field) if field is not None else None
    if isinstance(entries, list):
        yield from (entry for entry in entries if isinstance(entry, dict))
