"""Whole profiles as bytes: what is kept, and what is served of it."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from student_hub.nodes.registry import NodeName
from student_hub.profiles.rendering import Whole, basic_json
from student_hub.students.schemas import Student

pytestmark = pytest.mark.requirement("profile-cache")

NOW = datetime(2026, 1, 9, 5, 30, tzinfo=UTC)
MEMBERS = b'"school":null,"knowledge_state":{"note":"100 %d {0}\\n"}'
AGES = st.dictionaries(st.sampled_from(list(NodeName)), st.floats(0, 90_000), min_size=1)


def a_student(name: str) -> Student:
    fields: dict[str, Any] = {"name": name, "school_id": "SCH%s", "grade": 10, "class_name": "1반"}
    return Student.model_construct(id=uuid.UUID(int=7), **fields)


@given(AGES, st.sampled_from(["김철수", 'a "b" %s']))
def test_what_was_kept_is_served_with_the_ages_of_now(
    ages: dict[NodeName, float], name: str
) -> None:
    """Every node in its place, its age to the millisecond; names and members as they are."""
    kept = Whole.of(MEMBERS, {node: NOW.timestamp() - age for node, age in ages.items()})
    whole = Whole.decode(kept.encode())
    assert whole is not None
    later = NOW + timedelta(seconds=60)
    profile = orjson.loads(whole.render(a_student(name), later))
    assert profile["student_id"] == str(uuid.UUID(int=7))
    assert profile["basic_info"] == orjson.loads(basic_json(a_student(name)))
    assert profile["knowledge_state"] == {"note": "100 %d {0}\n"}
    assert [source["node"] for source in profile["sources"].values()] == [1, 2, 3, 4, 5, 6]
    for node in NodeName:
        source = profile["sources"][node.value]
        if node in ages:
            assert source["age_seconds"] == pytest.approx(ages[node] + 60, abs=0.002)
            at = datetime.fromisoformat(source["answered_at"])
            assert (NOW - at).total_seconds() == pytest.approx(ages[node], abs=0.001)
        else:
            assert (source["state"], source["age_seconds"]) == ("skipped", None)
    assert whole.age_s(later) == pytest.approx(max(ages.values()) + 60, abs=0.001)
    youngest = NOW - timedelta(seconds=min(ages.values()))
    generated = datetime.fromisoformat(profile["generated_at"])
    assert (generated - youngest).total_seconds() == pytest.approx(0, abs=0.001)


@pytest.mark.parametrize("data", [None, b"", b"{}", b'{"q-dna":1.0}\n"school":null'])
def test_what_is_kept_in_another_form_is_nothing(data: bytes | None) -> None:
    """An entry of an older hub is gathered anew, not misread."""
    assert Whole.decode(data) is None
