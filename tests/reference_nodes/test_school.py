"""The register of schools, and the node that tells of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from reference_nodes.curriculum.graph import load
from reference_nodes.eventlog import EventLog
from reference_nodes.learning.model import LearningModel
from reference_nodes.nodes.school_info import SchoolAnswer, SchoolQuestion, tools
from reference_nodes.school.register import Term, find, schools
from reference_nodes.serving.context import NodeContext, NodeTool, ToolError

pytestmark = pytest.mark.requirement("nodes-real-models")

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@pytest.fixture
def get_school(tmp_path: Path) -> NodeTool:
    log = EventLog(tmp_path)
    (tool,) = tools(NodeContext(log, LearningModel(log), load(), lambda: NOW))
    log.close()
    return tool


def test_the_register_has_schools_of_every_kind() -> None:
    """About ten, each under its own id and name."""
    assert len(schools()) >= 10
    assert {school.kind for school in schools().values()} == {"elementary", "middle", "high"}
    assert all(school.school_id == key for key, school in schools().items())
    assert len({school.name for school in schools().values()}) == len(schools())


def test_no_school_points_at_a_real_page() -> None:
    """Home pages stand under the reserved name .example."""
    pages = [school.homepage for school in schools().values() if school.homepage]
    assert pages
    assert all(page.endswith(".example/") for page in pages)


def test_terms_follow_each_other_and_cover_a_school_year() -> None:
    """From March to February, without an overlap."""
    school = find("SCH001")
    assert school is not None
    first, second = school.terms
    assert first.last_day < second.first_day
    assert second.last_day - first.first_day > timedelta(days=300)
    with pytest.raises(ValidationError, match="ends before it begins"):
        Term(name="거꾸로", first_day=second.last_day, last_day=first.first_day)


def test_the_school_of_the_sample_class_is_a_high_school(get_school: NodeTool) -> None:
    """Class SCH001:10:1반 is of grade 10."""
    told = get_school.run(SchoolQuestion(school_id="SCH001"))
    assert isinstance(told, SchoolAnswer)
    assert (told.school_id, told.kind, told.generated_at) == ("SCH001", "high", NOW)
    assert told.terms


def test_an_unknown_school_is_an_error_that_names_it(get_school: NodeTool) -> None:
    """Not an empty school."""
    with pytest.raises(ToolError, match="SCH999") as caught:
        get_school.run(SchoolQuestion(school_id="SCH999"))
    assert (caught.value.code, caught.value.field) == ("not_found", "school_id")


@pytest.mark.parametrize("arguments", [{}, {"school_id": ""}, {"school_id": "SCH001", "x": 1}])
def test_bad_arguments_are_refused(arguments: dict[str, object]) -> None:
    """Missing, empty, unknown."""
    with pytest.raises(ValidationError):
        SchoolQuestion.model_validate(arguments)
