"""Ids with a prefix."""

from typing import Annotated
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from student_hub.platform.shown_ids import Shown

pytestmark = pytest.mark.requirement("shown-ids")

ANY = UUID("550e8400-e29b-41d4-a716-446655440000")
GIVEN = "INT_550e8400e29b41d4a716446655440000"


class Held(BaseModel):
    model_config = ConfigDict(strict=True)

    id: Annotated[UUID, Shown("INT")]


@given(st.uuids())
def test_what_goes_out_comes_back_the_same(value: UUID) -> None:
    """Over JSON, and over Python; in the form with the prefix and as a plain UUID."""
    held = Held(id=value)
    assert Held.model_validate_json(held.model_dump_json()) == held
    assert Held.model_validate(held.model_dump()) == held
    assert Held.model_validate({"id": str(value)}) == held


def test_the_prefix_is_shown() -> None:
    """A reader tells an intervention from a task."""
    assert Held(id=ANY).model_dump() == {"id": GIVEN}


@pytest.mark.parametrize(
    "bad",
    [
        GIVEN.lower(),
        GIVEN[:-1],
        GIVEN + "0",
        GIVEN + "\n",
        GIVEN[4:],
        "TASK_" + GIVEN[4:],
        "INT_" + str(ANY),
        f"{{{ANY}}}",
        f"urn:uuid:{ANY}",
        "",
        "INT_",
        7,
        None,
        [GIVEN],
    ],
)
def test_anything_else_is_refused_and_the_form_is_named(bad: object) -> None:
    """Another prefix, other digits, other notations of a UUID."""
    with pytest.raises(ValidationError) as refused:
        Held.model_validate({"id": bad})
    assert refused.value.errors()[0]["msg"].startswith("should be INT_ and 32 hexadecimal digits")


def test_the_schema_takes_what_the_model_takes() -> None:
    """A client that checks by the schema refuses nothing good."""
    schema = Held.model_json_schema()["properties"]["id"]
    assert schema["type"] == "string"
    assert schema["examples"] == [GIVEN]
