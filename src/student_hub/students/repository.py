"""Students in PostgreSQL: sealed on the way in, opened on the way out."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Row,
    Select,
    Uuid,
    any_,
    bindparam,
    delete,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError

from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.db.hot import HotQuery
from student_hub.platform.db.together import Together
from student_hub.platform.security.caller import Caller
from student_hub.students.errors import StudentExists
from student_hub.students.models import StudentGenerationRow, StudentKeyRow, StudentRow
from student_hub.students.permitting import permission
from student_hub.students.schemas import Glance, Metadata, Removed, Student, StudentFilter
from student_hub.students.twins import twins
from student_hub.students.vault import Vault, WrappedKey, opened, sealed

UNIQUE_VIOLATION = "23505"
COLUMNS = (*StudentRow.__table__.columns, StudentKeyRow.wrapped, StudentKeyRow.key_id)
# The policy says the same of each row; this says it to the planner, so that a teacher's list reads
# a class by an index and not the register row by row.
OF_SUBJECT = text("students.id = ANY (CAST((SELECT students_of_subject()) AS uuid[]))")
LOCK = text("SELECT id FROM students WHERE id = ANY(:ids) ORDER BY id FOR KEY SHARE")
# A fresh number instead of + 1: a student who is deleted and comes back under the same id must not
# meet cache entries of their former life.
TOUCH = text(
    "INSERT INTO student_generations (student_id, generation) "
    "SELECT id, nextval('student_generation_seq') "
    "FROM (SELECT DISTINCT unnest(CAST(:ids AS uuid[])) AS id ORDER BY 1) AS touched "
    "ON CONFLICT (student_id) DO UPDATE SET generation = excluded.generation"
)
# Tables of whichever room: what goes with a student is what a foreign key says goes with them.
# What hangs on the student is counted before the deletion: whoever makes a partition meanwhile has
# locked students and waits for the history.
STUDENTS_FIRST = text("LOCK TABLE students IN ROW EXCLUSIVE MODE")
HANGING = text(
    """
    SELECT conrelid::regclass::text AS name, quote_ident(attname) AS student
    FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
    WHERE contype = 'f' AND confrelid = 'students'::regclass AND conparentid = 0
    ORDER BY 1
    """
)


class StudentRepository:
    """The writer of students, of their keys and of their generations."""

    def __init__(self, vault: Vault, consent_up_to_grade: int = 0) -> None:
        self._vault = vault
        glances = _glances(permission(consent_up_to_grade))
        self._one_glance = glances.where(StudentRow.id == bindparam("id"))
        ids = bindparam("ids", type_=ARRAY(Uuid()))
        self._glances = Together(HotQuery(glances.where(StudentRow.id == any_(ids))))

    async def get(self, tx: Transaction, student_id: UUID) -> Student | None:
        found = await tx.session.execute(_rows().where(StudentRow.id == student_id))
        row = found.one_or_none()
        return None if row is None else self._student(row)

    async def glance(self, tx: Transaction, student_id: UUID) -> Glance | None:
        row = (await tx.session.execute(self._one_glance, {"id": student_id})).one_or_none()
        return None if row is None else self._glance(row)

    async def glance_at_once(self, db: Database, caller: Caller, student_id: UUID) -> Glance | None:
        """The same, read together with what others want just now: what profiles wait for."""
        row = await self._glances.row(db, caller, student_id)
        return None if row is None else self._glance(row)

    async def to_change(self, tx: Transaction, ids: Iterable[UUID]) -> dict[UUID, Student]:
        """Those of the students that exist, locked in the order of their ids until the end."""
        query = _rows().where(StudentRow.id.in_(list(ids))).order_by(StudentRow.id)
        rows = await tx.session.execute(query.with_for_update(of=StudentRow))
        return {row.id: self._student(row) for row in rows}

    async def page(
        self, tx: Transaction, wanted: StudentFilter, after: UUID | None, limit: int
    ) -> list[Student]:
        query = _rows().order_by(StudentRow.id).limit(limit)
        for column in ("school_id", "grade", "class_name"):
            if (value := getattr(wanted, column)) is not None:
                query = query.where(getattr(StudentRow, column) == value)
        if wanted.name is not None:
            indexes = self._vault.name_indexes(wanted.name)
            query = query.where(StudentRow.name_index.in_(indexes))
        if after is not None:
            query = query.where(StudentRow.id > after)
        place = (wanted.school_id, wanted.grade, wanted.class_name)
        few = wanted.name is not None or None not in place
        if not (tx.sees_all or few):
            query = query.where(OF_SUBJECT)
        return [self._student(row) for row in await tx.session.execute(query)]

    async def ids_in(self, tx: Transaction, wanted: StudentFilter) -> list[UUID]:
        """Those in the place of the filter, in the order of their ids."""
        query = select(StudentRow.id).order_by(StudentRow.id)
        for column in ("school_id", "grade", "class_name"):
            if (value := getattr(wanted, column)) is not None:
                query = query.where(getattr(StudentRow, column) == value)
        return list((await tx.session.scalars(query)).all())

    async def insert(self, tx: Transaction, students: Sequence[Student]) -> set[UUID]:
        """The ids of those that were stored; the others' id or place in a class is taken."""
        taken = await twins(tx, self._vault, students)
        students = [student for student in students if student.id not in taken]
        if not students:
            return set()
        # Sorted by what is unique, so that two imports of one class wait instead of deadlocking.
        rows, keys = self._new_rows(sorted(students, key=_in_class))
        statement = postgresql.insert(StudentRow).values(rows).on_conflict_do_nothing()
        stored = set(await tx.session.scalars(statement.returning(StudentRow.id)))
        if stored:
            mine = [key for key in keys if key["student_id"] in stored]
            await tx.session.execute(insert(StudentKeyRow).values(mine))
        return stored

    async def update(self, tx: Transaction, student: Student) -> None:
        """Writes the student anew with their own key; StudentExists when the place is taken."""
        query = select(StudentKeyRow).where(StudentKeyRow.student_id == student.id)
        stored = (await tx.session.scalars(query)).one()
        key = self._vault.unwrap(student.id, WrappedKey(stored.wrapped, stored.key_id))
        values = self._values(student, key, stored.key_id)
        if await twins(tx, self._vault, [student]):
            raise StudentExists
        try:
            async with tx.session.begin_nested():
                statement = update(StudentRow).where(StudentRow.id == student.id)
                await tx.session.execute(statement.values(values))
        except IntegrityError as error:
            if getattr(error.orig, "sqlstate", None) == UNIQUE_VIOLATION:
                raise StudentExists from error
            raise

    async def remove(self, tx: Transaction, student_id: UUID) -> Removed:
        """The student's row and all that hangs on it, gone; NoResultFound for none."""
        await tx.session.execute(STUDENTS_FIRST)
        mine = StudentGenerationRow.student_id == StudentKeyRow.student_id
        query = select(StudentKeyRow.key_id, StudentGenerationRow.generation).where(mine)
        held = (await tx.session.execute(query.where(StudentKeyRow.student_id == student_id))).one()
        rows = {"students": 1, **await _hanging(tx, student_id)}
        await tx.session.execute(delete(StudentRow).where(StudentRow.id == student_id))
        return Removed(key_id=held.key_id, generation=held.generation, rows=rows)

    async def lock(self, tx: Transaction, ids: Iterable[UUID]) -> set[UUID]:
        """Those that exist; none of them can be deleted before the transaction ends."""
        return set(await tx.session.scalars(LOCK, {"ids": list(ids)}))

    async def can_be_opened(self, tx: Transaction) -> bool:
        """Whether no student's key was wrapped by a master key that we do not have."""
        known = StudentKeyRow.key_id.in_(self._vault.known_ids)
        foreign = select(StudentKeyRow.student_id).where(~known)
        return (await tx.session.execute(foreign.limit(1))).first() is None

    async def touch(self, tx: Transaction, ids: Iterable[UUID]) -> None:
        await tx.session.execute(TOUCH, {"ids": list(ids)})

    def _new_rows(
        self, students: Iterable[Student]
    ) -> tuple[list[dict[object, object]], list[dict[str, object]]]:
        rows: list[dict[object, object]] = []
        keys: list[dict[str, object]] = []
        for student in students:
            key, stored = self._vault.new_key(student.id)
            rows.append(self._values(student, key, stored.key_id))
            keys.append(
                {"student_id": student.id, "wrapped": stored.wrapped, "key_id": stored.key_id}
            )
        return rows, keys

    def _values(self, student: Student, key: bytes, key_id: str) -> dict[object, object]:
        return {
            StudentRow.id: student.id,
            StudentRow.name: sealed(key, student.name, "name", student.id),
            StudentRow.name_index: self._vault.name_index(student.name, key_id),
            StudentRow.school_id: student.school_id,
            StudentRow.grade: student.grade,
            StudentRow.class_name: student.class_name,
            StudentRow.student_number: student.student_number,
            StudentRow.email: sealed(key, student.email, "email", student.id),
            StudentRow.parent_contact: sealed(
                key, student.parent_contact, "parent_contact", student.id
            ),
            StudentRow.care: _care(key, student),
            StudentRow.details: details_of(student.metadata),
            StudentRow.created_at: student.created_at,
            StudentRow.updated_at: student.updated_at,
        }

    def _glance(self, row: Row[Any]) -> Glance:
        return Glance(
            student=self._student(row), generation=row.generation, processing=row.permission
        )

    def _student(self, row: Row[Any]) -> Student:
        key = self._vault.unwrap(row.id, WrappedKey(row.wrapped, row.key_id))
        return Student(
            id=row.id,
            name=opened(key, row.name, "name", row.id) or "",
            school_id=row.school_id,
            grade=row.grade,
            class_name=row.class_name,
            student_number=row.student_number,
            email=opened(key, row.email, "email", row.id),
            parent_contact=opened(key, row.parent_contact, "parent_contact", row.id),
            metadata=_metadata(key, row),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


def _rows() -> Select[Any]:
    return select(*COLUMNS).join(StudentKeyRow, StudentKeyRow.student_id == StudentRow.id)


def _glances(permission: ColumnElement[str]) -> Select[Any]:
    query = _rows().add_columns(StudentGenerationRow.generation, permission)
    return query.join(StudentGenerationRow, StudentGenerationRow.student_id == StudentRow.id)


def _in_class(student: Student) -> tuple[str, int, str, str, UUID]:
    number = student.student_number or ""
    return student.school_id, student.grade, student.class_name, number, student.id


async def _hanging(tx: Transaction, student_id: UUID) -> dict[str, int]:
    """How many rows of each table hang on the student."""
    counts: dict[str, int] = {}
    for table in (await tx.session.execute(HANGING)).all():
        query = f"SELECT count(*) FROM {table.name} WHERE {table.student} = :id"  # noqa: S608 (PostgreSQL's own names, quoted)
        counts[table.name] = await tx.session.scalar(text(query), {"id": student_id})
    return counts


def details_of(metadata: Metadata) -> dict[str, object]:
    """What of the metadata is kept in clear."""
    return metadata.model_dump(mode="json", exclude_defaults=True, exclude={"special_needs"})


def _care(key: bytes, student: Student) -> bytes | None:
    notes = student.metadata.special_needs
    return sealed(key, orjson.dumps(notes).decode(), "care", student.id) if notes else None


def _metadata(key: bytes, row: Row[Any]) -> Metadata:
    # Notes in clear are of a hub from before v0009, and so newer than sealed ones beside them.
    metadata = Metadata.model_validate(row.metadata)
    notes = opened(key, row.care, "care", row.id)
    if notes is None or metadata.special_needs:
        return metadata
    return metadata.model_copy(update={"special_needs": orjson.loads(notes)})
