"""The app as it is assembled: which rooms have doors, and how they describe themselves."""

from typing import Any

import pytest

from doorway import furnished, in_process, settings, well
from student_hub.entry.api import create_app
from student_hub.entry.tools import TOOLS
from student_hub.platform.http.health import Health

pytestmark = pytest.mark.requirement("mcp-tool-contract", "rest-problems")


async def described() -> dict[str, Any]:
    parts = furnished()
    app = create_app(parts, settings(), Health(well, well, {}), well)
    async with in_process(app, key=None) as client:
        answer = await client.get("/openapi.json")
    document: dict[str, Any] = answer.json()
    return document


async def test_every_room_has_its_routes() -> None:
    """Students, history, profiles, keys and states are in the description of the interface."""
    paths = (await described())["paths"]
    wanted = {
        "/v1/students",
        "/v1/students/{student_id}",
        "/v1/students/{student_id}/profile",
        "/v1/students/{student_id}/history",
        "/v1/events",
        "/admin/keys",
        "/health",
    }
    assert wanted - paths.keys() == set()


async def test_every_route_says_what_it_does() -> None:
    """A summary for each, and a reader knows that a key is needed."""
    document = await described()
    silent = [
        (method, path)
        for path, methods in document["paths"].items()
        for method, route in methods.items()
        if not route.get("summary")
    ]
    assert silent == []
    assert "X-API-Key" in document["info"]["description"]


def test_every_tool_is_written_for_a_model() -> None:
    """Title, a description of some length, a description for each argument, an object back."""
    for tool in TOOLS:
        assert tool.title
        assert len(tool.description) > 100
        properties = tool.input_schema["properties"]
        assert isinstance(properties, dict)
        assert all("description" in str(schema) for schema in properties.values())
        assert tool.input_schema["additionalProperties"] is False
        assert tool.output_schema["type"] == "object"
