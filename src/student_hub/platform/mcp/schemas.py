"""JSON Schemas (draft 2020-12) of tools, without noise that a language model would read."""

from typing import TypeAlias

from pydantic import BaseModel

from student_hub.platform.errors import Fact

JsonObject: TypeAlias = dict[str, Fact]

VALUES = frozenset({"default", "const", "enum", "examples"})
NAMES = frozenset({"properties", "$defs", "patternProperties"})


def input_schema(model: type[BaseModel]) -> JsonObject:
    """What may be sent; a model that is not an object is a TypeError."""
    return _clean(model, model.model_json_schema(mode="validation"))


def output_schema(model: type[BaseModel]) -> JsonObject:
    """What comes back; a model that is not an object is a TypeError."""
    return _clean(model, model.model_json_schema(mode="serialization"))


def _clean(model: type[BaseModel], schema: JsonObject) -> JsonObject:
    clean = _untitled(schema)
    if not isinstance(clean, dict) or clean.get("type") != "object":
        raise TypeError(f"{model.__name__} is not an object in JSON")
    return clean


def _untitled(node: Fact, *, names: bool = False) -> Fact:
    if isinstance(node, list):
        return [_untitled(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: value
        if key in VALUES and not names
        else _untitled(value, names=key in NAMES and not names)
        for key, value in node.items()
        if names or key != "title"
    }
