"""Many things in one body: a JSON list, or JSON lines read as they arrive."""

from collections.abc import AsyncIterable

from starlette.requests import Request

from student_hub.platform import ndjson
from student_hub.platform.errors import Fact, InvalidInput
from student_hub.platform.http.json_bodies import value_of


def rows_body(name: str, most: int | None = None) -> dict[str, Fact]:
    """What OpenAPI says of a body of rows: {name: [...]} with at most so many, or JSON lines."""
    array: dict[str, Fact] = {"type": "array", "items": {"type": "object"}}
    if most is not None:
        array["maxItems"] = most
    rows: dict[str, Fact] = {"type": "object", "required": [name], "properties": {name: array}}
    content: dict[str, Fact] = {
        "application/json": {"schema": rows},
        ndjson.MEDIA_TYPE: {"schema": {"type": "string"}},
    }
    return {"requestBody": {"required": True, "content": content}}


def is_ndjson(request: Request) -> bool:
    """Whether the body is JSON lines."""
    kind = request.headers.get("content-type", "").partition(";")[0]
    return kind.strip().lower() == ndjson.MEDIA_TYPE


def rows_of(request: Request, name: str) -> list[Fact] | AsyncIterable[object]:
    """The rows of {name: [...]}, or of JSON lines; InvalidInput names what else was sent."""
    if is_ndjson(request):
        return ndjson.values(request.stream())
    body = value_of(request) if hasattr(request.state, "json") else None
    rows = body.get(name) if isinstance(body, dict) and body.keys() == {name} else body
    if isinstance(rows, list):
        return rows
    problem = f'send {{"{name}": [...]}} as application/json, or lines of {ndjson.MEDIA_TYPE}'
    raise InvalidInput.field(name, problem)
