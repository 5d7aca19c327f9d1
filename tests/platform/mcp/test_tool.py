"""Plain functions as tools."""

from typing import Annotated

import pytest
from dirty_equals import IsPartialDict
from inline_snapshot import snapshot
from pydantic import BaseModel, Field, RootModel

from doorway import Echo, Echoed, break_down, echo_encoded, echo_student
from student_hub.platform.errors import InvalidInput
from student_hub.platform.mcp.schemas import input_schema
from student_hub.platform.mcp.tool import tool

pytestmark = pytest.mark.requirement("mcp-tool-contract")

KNOWN = "550e8400-e29b-41d4-a716-446655440000"
ECHO = tool(echo_student, title="Echo a student", read_only=True, idempotent=True)


class Inner(BaseModel):
    title: str = "untitled"


class Titled(BaseModel):
    """Has properties that are called like keywords of a schema."""

    title: str
    properties: list[Inner]
    default: Annotated[dict[str, str], Field(examples=[{"title": "kept"}])] = {"title": "kept"}


def test_a_tool_is_read_off_its_functions_signature() -> None:
    """Name, description and both schemas; the service and the caller are nobody's argument."""
    assert (ECHO.name, ECHO.service) == ("echo_student", Echo)
    assert ECHO.description == "Says again who was asked for.\n\nOf use to nobody but tests."
    assert ECHO.input_schema == snapshot(
        {
            "additionalProperties": False,
            "properties": {
                "student_id": {
                    "description": "Whom to echo.",
                    "format": "uuid",
                    "type": "string",
                },
                "include_history": {"default": True, "type": "boolean"},
                "days": {
                    "default": 30,
                    "description": "How many days.",
                    "maximum": 365,
                    "minimum": 1,
                    "type": "integer",
                },
            },
            "required": ["student_id"],
            "type": "object",
        }
    )
    assert ECHO.output_schema["required"] == ["student_id", "days", "include_history", "caller"]


def test_an_encoded_answer_has_the_schema_of_what_is_in_it() -> None:
    """Whether a tool encodes its answer itself is not a client's business."""
    encoded = tool(echo_encoded, title="Echo", read_only=True, idempotent=True)
    assert encoded.output_schema == ECHO.output_schema


def test_a_tool_that_wants_no_caller_gets_none() -> None:
    """The caller is put in where the signature has one, and nowhere else."""
    assert tool(break_down, title="Break", read_only=True, idempotent=True).caller_name is None


def test_schemas_lose_their_titles_but_not_properties_of_that_name() -> None:
    """Only what a schema says of itself goes; names and values stay."""
    schema = input_schema(Titled)
    assert "title" not in schema
    properties = schema["properties"]
    assert isinstance(properties, dict)
    assert set(properties) == {"title", "properties", "default"}
    assert properties["title"] == {"type": "string"}
    assert properties["default"] == {
        "additionalProperties": {"type": "string"},
        "default": {"title": "kept"},
        "examples": [{"title": "kept"}],
        "type": "object",
    }


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "student_id"),
        ({"student_id": "x"}, "student_id"),
        ({"student_id": KNOWN, "days": 0}, "days"),
        ({"student_id": KNOWN, "days": 366}, "days"),
        ({"student_id": KNOWN, "days": "30"}, "days"),
        ({"student_id": KNOWN, "days": 1.5}, "days"),
        ({"student_id": KNOWN, "days": True}, "days"),
        ({"student_id": KNOWN, "days": None}, "days"),
        ({"student_id": KNOWN, "include_history": 1}, "include_history"),
        ({"student_id": KNOWN, "caller": "key:administrator"}, "caller"),
        ({"student_id": KNOWN, "echo": {}}, "echo"),
    ],
)
def test_a_wrong_argument_is_named(arguments: dict[str, object], field: str) -> None:
    """Types are those of JSON, nothing is coerced, and nothing unknown is overlooked."""
    with pytest.raises(InvalidInput) as caught:
        ECHO.read(arguments)
    assert caught.value.facts == IsPartialDict(errors=[IsPartialDict(field=field)])


def test_all_wrong_arguments_are_named_at_once_but_not_endlessly() -> None:
    """A model mends everything in one round; a flood of nonsense is cut short."""
    with pytest.raises(InvalidInput) as caught:
        ECHO.read({"student_id": 1, "days": "x", **{f"x{n}\n" * 99: 1 for n in range(99)}})
    message = str(caught.value)
    assert "student_id: " in message
    assert "days: " in message
    assert len(message) < 8_000
    assert "\n" not in message


@pytest.mark.parametrize("value", [float("nan"), 10**400, "\ud800"])
def test_what_is_not_plain_json_is_no_argument(value: object) -> None:
    """Whatever a transport lets through, the tool does not run with it."""
    with pytest.raises(InvalidInput):
        ECHO.read({"student_id": KNOWN, "days": value})


def test_a_tool_must_answer_with_an_object() -> None:
    """A list or a plain value has no place in structured content."""

    async def listed(echo: Echo) -> RootModel[list[int]]:
        """Answers with a list."""
        raise NotImplementedError

    async def plain(echo: Echo) -> Echoed:
        """Answers with an object."""
        raise NotImplementedError

    tool(plain, title="Plain", read_only=True, idempotent=True)
    with pytest.raises(TypeError, match="not an object"):
        tool(listed, title="Listed", read_only=True, idempotent=True)
