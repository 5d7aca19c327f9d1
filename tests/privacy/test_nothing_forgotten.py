"""The whole schema, later revisions included: what is exported, and what an erasure takes.

A new table or column with a student's data needs its place in the export, or a reason here.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest

from factories import a_student
from privacy.test_erasing import WHY, a_whole_student
from privacy_stage import Room
from student_hub.platform.security.caller import SYSTEM

SECTIONS = {
    "students": "student",
    "consents": "consents",
    "student_processing": "processing",
    "learning_history": "history",
    "event_keys": "voided_events",
    "grants": "seen_by",
    "audit_log": "accesses",
    "audit_inbox": "accesses",
    "erasures": "earlier_erasures",
    "scheduled_tasks": "scheduled_tasks",
    "notifications": "notifications",
    "interventions": "interventions",
    "intervention_notes": "interventions",
    "intervention_abilities": "abilities",
}
"""Where the export has what a table holds of a student."""
NOT_EXPORTED = {
    "student_keys": "the key that opens the rest",
    "notices": "what notifications are made of, which are there themselves",
    "bad_addresses": "the hash of an address that refuses mail",
    "intervention_calls": "by which call a plan was made, which is there itself",
    "student_generations": "a number that tells old cache entries from new ones",
}
KEPT = {
    "erasures": "the proof, with the id alone",
    "audit_log": "who looked is kept for its time, with the id alone",
    "audit_inbox": "what will be in the audit log",
}
"""What an erasure leaves."""
OF_WHO_LOOKED = dict.fromkeys(
    ("id", "student_ids", "credential", "address", "request_id", "outcome", "detail"),
    "of whoever looked, or of other students",
)
INNER = {
    "students": {"name_index": "a keyed hash of the name"},
    "student_processing": {"student_id": "says whose the document is"},
    "event_keys": {
        "student_id": "says whose the document is",
        "event_id": "the number under which the event is in the history, where it is no more",
        "fingerprint": "a hash of the event, which is there itself",
        "occurred_at": "is in the event",
    },
    "grants": {
        "id": "for administrators, who end grants by it",
        "student_id": "says whose the document is",
        "school_id": "why somebody sees the student is told in one label",
        "grade": "the same",
        "class_name": "the same",
        "granted_by": "a member of the staff",
        "created_at": "a matter of the staff",
        "revoked_at": "only who sees the student now is told",
    },
    "learning_history": {"created_at": "when the hub stored it; when it happened is told"},
    "scheduled_tasks": {
        "id": "is the task_id",
        "next_run_at": "the first of next_runs",
        "request_key": "how its maker named the call",
        "request_hash": "the same",
    },
    "notifications": {
        "notice_id": "its event says what it was about",
        "subject": "is the recipient",
    },
    "interventions": {
        "id": "is the intervention_id",
        "marks": "stand at their steps",
        "tasks": "are the scheduled_tasks",
        "completed_at": "is ended_at",
        "overdue_told_at": "a matter of the staff; the notification is there",
    },
    "intervention_notes": {
        "id": "they are listed by time",
        "kind": "decisions and checks stand apart",
        "content": "stands there itself",
    },
    "intervention_abilities": {
        "intervention_id": "may be another student's",
        "student_id": "says whose the document is",
    },
    "audit_log": OF_WHO_LOOKED | {"seq": "its place in the log", "hash": "the chain's"},
    "audit_inbox": OF_WHO_LOOKED,
    "erasures": dict.fromkeys(
        (
            *("id", "student_id", "by", "counts", "key_destroyed"),
            *("seal", "seal_key_id", "nodes", "cache_emptied_at"),
        ),
        "a proof for administrators; that there was an erasure, and why, is told",
    ),
}
"""Columns that are left out of the section of their table, or stand in it under another name."""
CALLED = {"care": "special_needs"}

NAMING = """
    SELECT table_name, array_agg(column_name::text) AS columns FROM information_schema.columns
    JOIN pg_class ON pg_class.oid = to_regclass(quote_ident(table_name))
    WHERE table_schema = current_schema() AND relkind IN ('r', 'p') AND NOT relispartition
    GROUP BY table_name
    HAVING table_name = 'students' OR bool_or(column_name LIKE '%student%')
"""
CASCADING = """
    SELECT conrelid::regclass::text FROM pg_constraint
    WHERE contype = 'f' AND confrelid = 'students'::regclass AND confdeltype = 'c'
        AND conparentid = 0
"""


async def naming(owner: asyncpg.Connection) -> dict[str, set[str]]:
    """Every table that names a student, with its columns."""
    return {row["table_name"]: set(row["columns"]) for row in await owner.fetch(NAMING)}


async def outliving(owner: asyncpg.Connection) -> set[str]:
    """The tables that name a student and whose rows do not go when the student does."""
    going = {row[0] for row in await owner.fetch(CASCADING)}
    return (await naming(owner)).keys() - going - {"students"}


def keys_of(value: Any) -> Iterator[str]:
    """Every name in there, however deep."""
    if isinstance(value, Mapping):
        yield from value
    parts = value.values() if isinstance(value, Mapping) else value
    for part in parts if isinstance(value, Mapping | list) else ():
        yield from keys_of(part)


@pytest.mark.requirement("erasure")
async def test_whatever_names_a_student_goes_with_them_or_says_why(
    owner: asyncpg.Connection,
) -> None:
    """By a foreign key that cascades: no room has to remember to delete anything."""
    assert await outliving(owner) == KEPT.keys()


@pytest.mark.requirement("export")
async def test_whatever_names_a_student_is_exported_or_says_why(
    owner: asyncpg.Connection,
) -> None:
    """A table of tomorrow has no place in the export until somebody gives it one."""
    assert (await naming(owner)).keys() == SECTIONS.keys() | NOT_EXPORTED.keys()


@pytest.mark.requirement("export")
async def test_every_column_of_what_is_exported_is_in_the_document_or_says_why(
    room: Room, owner: asyncpg.Connection
) -> None:
    """Of a student of whom every table has a row: a column that is added is missed at once."""
    document = await everything(room, owner)
    tables = await naming(owner)
    missing = {}
    for table, section in SECTIONS.items():
        assert document[section], section
        written = set(keys_of(document[section])) | INNER.get(table, {}).keys()
        missing[table] = {
            column for column in tables[table] if CALLED.get(column, column) not in written
        }
    assert {table: columns for table, columns in missing.items() if columns} == {}


async def everything(room: Room, owner: asyncpg.Connection) -> dict[str, Any]:
    """The export of a student of whom everything is there, an erasure of earlier times too."""
    student_id = await a_whole_student(room, owner)
    earlier = await a_student(room.students)
    await room.erasing.erase(SYSTEM, earlier.id, WHY)
    await owner.execute("UPDATE erasures SET student_id = $1", student_id)
    return await exported(room, student_id)


async def exported(room: Room, student_id: UUID) -> dict[str, Any]:
    pieces = await room.exporting.export(SYSTEM, student_id, WHY)
    document: dict[str, Any] = orjson.loads(b"".join([piece async for piece in pieces]))
    return document


@pytest.mark.requirement("erasure", "export")
@pytest.mark.parametrize("column", ["student_id uuid", "of_student uuid", "student_ids uuid[]"])
async def test_a_table_that_was_forgotten_is_found(owner: asyncpg.Connection, column: str) -> None:
    """The walks above see it, whether it names one student or many."""
    await owner.execute(f"CREATE TABLE added ({column}, note text)")
    assert "added" in await outliving(owner)
    assert "added" in await naming(owner)
