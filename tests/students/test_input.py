"""What is refused of a student, and by which field."""

import unicodedata

import pytest
from pydantic import ValidationError

from factories import student_fields
from student_hub.platform.validation import invalid_input
from student_hub.students.schemas import Fault, StudentIn, StudentPatch

pytestmark = pytest.mark.requirement("students-input")

BAD: list[tuple[dict[str, object], str]] = [
    ({"name": ""}, "name"),
    ({"name": "   "}, "name"),
    ({"name": "가" * 101}, "name"),
    ({"name": None}, "name"),
    ({"name": 7}, "name"),
    ({"name": "김\u202e철수"}, "name"),
    ({"name": "김\u200b철수"}, "name"),
    ({"name": "김\x00철수"}, "name"),
    ({"name": "김\n철수"}, "name"),
    ({"name": "\u3164"}, "name"),
    ({"school_id": "S" * 51}, "school_id"),
    ({"school_id": "SCH:1"}, "school_id"),
    ({"grade": 0}, "grade"),
    ({"grade": 13}, "grade"),
    ({"grade": "10"}, "grade"),
    ({"grade": True}, "grade"),
    ({"grade": 9.5}, "grade"),
    ({"class_name": "반" * 51}, "class_name"),
    ({"student_number": "1" * 21}, "student_number"),
    ({"email": "nobody"}, "email"),
    ({"email": "a b@example.kr"}, "email"),
    ({"email": f"{'a' * 250}@example.kr"}, "email"),
    ({"id": "7"}, "id"),
    ({"nickname": "철수"}, "nickname"),
    ({"metadata": {"diary": "…"}}, "metadata.diary"),
    ({"metadata": {"interests": ["x"] * 21}}, "metadata.interests"),
    (
        {"metadata": {"parent_preferences": {"notification_method": "pigeon"}}},
        "metadata.parent_preferences.notification_method",
    ),
]


@pytest.mark.parametrize(("fields", "field"), BAD)
def test_a_bad_field_is_named(fields: dict[str, object], field: str) -> None:
    """Each bad value is refused under the name of its field, without repeating the value."""
    with pytest.raises(ValidationError) as refused:
        StudentIn.model_validate(student_fields(**fields))
    fault = Fault.first(refused.value)
    assert fault.field == field
    assert "김" not in fault.problem


@pytest.mark.parametrize("sent", [5, {"name": "x"}, student_fields(metadata=5), BAD[0][0]])
def test_an_import_names_a_fault_as_a_single_student_does(sent: object) -> None:
    """The same words for the same mistake, at whichever door it is made."""
    with pytest.raises(ValidationError) as refused:
        StudentIn.model_validate(sent)
    fault, told = Fault.first(refused.value), invalid_input(refused.value.errors())
    errors = told.facts["errors"]
    assert isinstance(errors, list)
    assert errors[0] == {"field": fault.field, "problem": fault.problem}


def test_korean_text_in_nfd_is_kept_as_nfc() -> None:
    """A decomposed name is composed before its length counts."""
    name = "김철수" * 33
    sent = student_fields(name=unicodedata.normalize("NFD", name), class_name="1\u1107\u1161\u11ab")
    student = StudentIn.model_validate(sent)
    assert (student.name, student.class_name) == (name, "1반")


@pytest.mark.parametrize("field", ["name", "school_id", "grade", "class_name", "metadata"])
def test_what_a_student_must_have_cannot_be_emptied(field: str) -> None:
    """Null empties only what may be empty."""
    with pytest.raises(ValidationError) as refused:
        StudentPatch.model_validate({field: None})
    assert Fault.first(refused.value).field == field
