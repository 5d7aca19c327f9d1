"""Ids of classes, and who may see a class as a whole."""

import pytest

from student_hub.analytics.places import Place
from student_hub.platform.errors import InvalidInput
from student_hub.platform.security.caller import SYSTEM, Caller, Role, Scope

pytestmark = pytest.mark.requirement("class-access")
READ = frozenset({Scope.READ})


def teacher(*reach: str) -> Caller:
    return Caller("t", READ, Role.TEACHER, frozenset(reach))


@pytest.mark.parametrize(
    ("class_id", "place"),
    [
        ("SCH001:10:1반", Place("SCH001", 10, "1반")),
        ("SCH001:10", Place("SCH001", 10)),
        ("SCH001:7:수학 A:심화", Place("SCH001", 7, "수학 A:심화")),
    ],
)
def test_an_id_names_a_class_or_a_grade(class_id: str, place: Place) -> None:
    """What follows the second colon is the class's name, with blanks and colons of its own."""
    assert Place.of(class_id) == place
    assert place.id == class_id


@pytest.mark.parametrize(
    "class_id", ["", "SCH001", ":10:1반", "SCH001:0", "SCH001:13:1반", "SCH001:10:", "S:x:1", "*"]
)
def test_another_form_is_refused_by_the_field(class_id: str) -> None:
    """The error names `class_id`, and nothing is looked for."""
    with pytest.raises(InvalidInput) as refused:
        Place.of(class_id)
    assert refused.value.facts["errors"][0]["field"] == "class_id"  # type: ignore[index,call-overload]


def test_figures_are_for_who_may_see_everybody_there() -> None:
    """A grant for the class, its grade or its school; not for another class or one student."""
    place, grade = Place("SCH001", 10, "1반"), Place("SCH001", 10)
    own = teacher("class:SCH001:10:1반")
    assert place.is_seen_by(own)
    assert place.is_own_of(own)
    assert not grade.is_seen_by(own)
    assert grade.is_seen_by(teacher("grade:SCH001:10"))
    assert place.is_seen_by(teacher("school:SCH001"))
    assert not place.is_seen_by(teacher("class:SCH001:10:2반", "student:any"))
    assert place.is_seen_by(SYSTEM)
    assert not place.is_own_of(SYSTEM)
