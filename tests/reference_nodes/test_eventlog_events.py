"""What counts as a learning event."""

import json
import unicodedata

import pytest
from pydantic import ValidationError

from reference_nodes.events import LearningEvent

pytestmark = pytest.mark.requirement("nodes-real-models")

EVENT: dict[str, object] = {
    "student_id": "550e8400-e29b-41d4-a716-446655440000",
    "event_type": "study",
    "source_node": 2,
    "source_id": "s-1",
    "occurred_at": "2026-01-09T14:30:00+09:00",
    "content": {
        "action": "solved_problem",
        "problem_id": "prob_1",
        "concepts": ["9수02-20"],
        "result": "correct",
        "time_spent": 180,
        "difficulty": 0.65,
    },
}


def read(event: dict[str, object]) -> LearningEvent:
    return LearningEvent.model_validate_json(json.dumps(event), strict=True)


def test_the_contracts_event_is_read() -> None:
    """Times are UTC inside; the rest stays as it came."""
    event = read(EVENT)
    assert event.occurred_at.isoformat() == "2026-01-09T05:30:00+00:00"
    assert event.model_dump(mode="json")["content"] == EVENT["content"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("student_id", "kim"),
        ("event_type", "party"),
        ("source_node", 7),
        ("source_node", "2"),
        ("source_id", ""),
        ("source_id", "x" * 201),
        ("occurred_at", "2026-01-09T14:30:00"),
        ("occurred_at", "1970-01-01T00:00:00Z"),
        ("occurred_at", "2100-01-01T00:00:00Z"),
        ("occurred_at", 1_767_936_600),
        ("content", []),
    ],
)
def test_a_bad_field_is_named(field: str, value: object) -> None:
    """An event with one bad field is refused, and the complaint says which."""
    with pytest.raises(ValidationError) as refused:
        read({**EVENT, field: value})
    assert {error["loc"][0] for error in refused.value.errors()} == {field}


@pytest.mark.parametrize(
    ("field", "odd"),
    [
        ("result", "partial"),
        ("difficulty", 3),
        ("time_spent", -1),
        ("time_spent", "180"),
        ("concepts", "9수02-20"),
        ("concepts", [""]),
        ("action", "x" * 101),
        ("problem_id", ""),
    ],
)
def test_an_odd_value_of_what_may_be_absent_is_left_out(field: str, odd: object) -> None:
    """The event itself did happen: the rest of it counts, as if that field had not been sent."""
    content = dict(EVENT["content"]) if isinstance(EVENT["content"], dict) else {}
    event = read({**EVENT, "content": {**content, field: odd}})
    assert event.content.model_dump() == {**content, field: None}


def test_an_unknown_field_is_refused() -> None:
    """A misspelt field is an error, not a loss."""
    with pytest.raises(ValidationError, match="ocurred_at"):
        read({**EVENT, "ocurred_at": "2026-01-09T14:30:00Z"})


def test_concepts_in_decomposed_hangul_are_the_same_concepts() -> None:
    """Text from other systems may come in NFD; inside it is NFC."""
    decomposed = unicodedata.normalize("NFD", "이차방정식")
    event = read({**EVENT, "content": {"concepts": [f" {decomposed} "]}})
    assert event.content.concepts == ["이차방정식"]
