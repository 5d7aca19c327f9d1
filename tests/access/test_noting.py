"""Whoever gives or takes a right is in the audit log, by the same transaction."""

from uuid import uuid4

import pytest
from sqlalchemy import text

from access.stage import faults_of
from factories import a_student
from student_hub.access.schemas import NewGrant, NewKey
from student_hub.access.service import ADMINISTRATOR, Access
from student_hub.platform.db.database import Database
from student_hub.platform.errors import InvalidInput
from student_hub.platform.security.caller import SYSTEM, Scope
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("audit-writes", "api-keys", "roles-and-grants")

NOTED = text(
    "SELECT action, subject, student_ids, detail FROM audit_inbox "
    "WHERE action LIKE 'key.%' OR action LIKE 'grant.%' ORDER BY at, id"
)


async def noted(owner: Database) -> list[tuple[str, str, list[object], dict[str, object]]]:
    async with owner.transaction(SYSTEM) as tx:
        return [tuple(row) for row in await tx.session.execute(NOTED)]


def a_grant(student_id: object) -> NewGrant:
    wish = {"subject": "parent-1", "kind": "student", "relation": "guardian"}
    return NewGrant.model_validate({**wish, "student_id": str(student_id)})


async def test_the_life_of_a_key_is_noted(access: Access, owner: Database) -> None:
    """Issued, rotated and revoked: by whom, and which key; never what is secret of it."""
    wanted = NewKey(name="x", scopes={Scope.READ})
    old = await access.create_key(ADMINISTRATOR, wanted)
    new = await access.rotate_key(ADMINISTRATOR, old.id)
    await access.revoke_key(ADMINISTRATOR, old.id)
    entries = await noted(owner)
    assert [(action, detail) for action, _, _, detail in entries] == [
        ("key.issue", {"key": old.id, "role": "service"}),
        ("key.rotate", {"key": old.id, "successor": new.id}),
        ("key.revoke", {"key": old.id}),
    ]
    assert {subject for _, subject, _, _ in entries} == {"key:administrator"}
    assert not any(key.key.split("_")[3] in str(entries) for key in (old, new))


async def test_the_life_of_a_grant_is_noted_with_the_student_it_is_about(
    access: Access, owner: Database, students: Students
) -> None:
    """So that the student's own log says who was let in, and when no more."""
    student = await a_student(students)
    made = await access.grants.create(ADMINISTRATOR, a_grant(student.id))
    await access.grants.revoke(ADMINISTRATOR, made.id)
    detail = {"grant": str(made.id), "subject": "parent-1", "to": f"student:{student.id}"}
    assert await noted(owner) == [
        (action, "key:administrator", [student.id], detail)
        for action in ("grant.give", "grant.revoke")
    ]


async def test_what_came_to_nothing_is_not_noted_as_done(access: Access, owner: Database) -> None:
    """A grant to nobody is refused, and its note goes with it."""
    with pytest.raises(InvalidInput) as refused:
        await access.grants.create(ADMINISTRATOR, a_grant(uuid4()))
    assert [fault["field"] for fault in faults_of(refused.value)] == ["student_id"]
    assert await noted(owner) == []
