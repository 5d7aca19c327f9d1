"""An entry of the audit log: its id, its fields, its bytes."""

import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from access.audit.persons import NOW, STUDENT, entry, teacher
from student_hub.access.audit.entries import (
    MOST_STUDENTS,
    Deed,
    Entry,
    canonical,
    entries_of,
    line_of,
)
from student_hub.access.audit.schemas import Action, Outcome
from student_hub.platform.ids import first_id
from student_hub.platform.security.caller import Caller, Door, Origin, Role

pytestmark = pytest.mark.requirement("audit-entries")
FIXED = Entry(
    id=UUID("01a205d0-285f-7f53-bffb-89c76090185e"),
    at=NOW,
    subject="oidc:school:김선생",
    role="teacher",
    credential="token:1",
    door="rest",
    address=None,
    request_id="r-1",
    action="student.export",
    outcome="ok",
    student_ids=[STUDENT],
    reason="학부모 요청",
    detail={"b": 2, "a": "x"},
)


def test_an_entry_says_who_when_whence_whose_what_by_which_door_and_why() -> None:
    """Everything that the caller and the deed hold is in the line that is stored."""
    deed = Deed(Action.STUDENT_EXPORT, [STUDENT], Outcome.OK, "guardian asked", {"events": 3})
    line = json.loads(line_of(entry(deed=deed, caller=teacher(request_id="r-1"))))
    assert line == {
        "id": line["id"],
        "at": "2026-11-23T03:04:05.678901+00:00",
        "subject": "oidc:school:kim",
        "role": "teacher",
        "credential": "token:1",
        "door": "mcp",
        "address": "192.0.2.7",
        "request_id": "r-1",
        "action": "student.export",
        "outcome": "ok",
        "student_ids": [str(STUDENT)],
        "reason": "guardian asked",
        "detail": {"events": 3},
    }


def test_the_bytes_of_an_entry_never_change() -> None:
    """What was sealed years ago must hash the same: these very bytes."""
    assert canonical(FIXED).decode() == (
        '["01a205d0-285f-7f53-bffb-89c76090185e",1795403045678901,"oidc:school:김선생","teacher",'
        '"token:1","rest",null,"r-1","student.export","ok",'
        '["550e8400-e29b-41d4-a716-446655440000"],"학부모 요청",{"a":"x","b":2}]'
    )


def test_ids_sort_by_time_and_are_of_version_7() -> None:
    """A later microsecond has a higher id, and no entry is below the first id of its time."""
    ids = [entry(NOW + timedelta(microseconds=n)).id for n in range(2_500)]
    assert ids == sorted(ids)
    assert {one.version for one in ids} == {7}
    assert {one.variant for one in ids} == {"specified in RFC 4122"}
    for later in range(3):
        moment = NOW + timedelta(milliseconds=later)
        assert first_id(moment) <= entry(moment).id < first_id(moment + timedelta(milliseconds=1))


def test_text_is_bounded_and_hides_nothing() -> None:
    """Long and invisible text, NUL and half surrogates included, costs no entry."""
    odd = "\u202ea\x00b\ud800c" + "가" * 1_000
    origin = Origin(Door.REST, odd, odd)
    caller = Caller(odd, frozenset(), Role.SERVICE, None, odd, origin)
    made = entry(deed=Deed(Action.STUDENT_EXPORT, reason=odd, detail={odd: odd}), caller=caller)
    assert json.loads(line_of(made))["subject"] == ("abc" + "가" * 1_000)[:200]
    assert made.reason == ("abc" + "가" * 1_000)[:500]
    assert made.address == made.request_id == made.credential == made.subject
    assert made.detail == {made.subject: made.subject}


def test_a_deed_to_very_many_students_is_several_entries() -> None:
    """Each student is named in one of them."""
    ids = [uuid4() for _ in range(2 * MOST_STUDENTS + 1)]
    made = list(entries_of(NOW, teacher(), Deed(Action.STUDENT_IMPORT, ids)))
    assert [len(one.student_ids) for one in made] == [MOST_STUDENTS, MOST_STUDENTS, 1]
    assert [one for some in made for one in some.student_ids] == ids
