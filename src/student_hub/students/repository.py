"""Students in PostgreSQL: sealed on the way in, opened on the way out."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, delete, insert, select, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError

from student_hub.platform.db.database import Transaction
from student_hub.students.errors import StudentExists
from student_hub.students.models import StudentGenerationRow, StudentKeyRow, StudentRow
from student_hub.students.schemas import Glance, Metadata, Student, StudentFilter
from student_hub.students.vault import Vault, WrappedKey, opened, sealed

UNIQUE_VIOLATION = "23505"
COLUMNS = (*StudentRow.__table__.columns, StudentKeyRow.wrapped, StudentKeyRow.key_id)
LOCK = text("SELECT id FROM students WHERE id = ANY(:ids) ORDER BY id FOR KEY SHARE")
# A fresh number instead of + 1: a student who is deleted and comes back under the same id must not
# meet cache entries of their former life.
TOUCH = text(
    "INSERT INTO student_generations (student_id, generation) "
    "SELECT id, nextval('student_generation_seq') "
    "FROM (SELECT DISTINCT unnest(CAST(:ids AS uuid[])) AS id ORDER BY 1) AS touched "
    "ON CONFLICT (student_id) DO UPDATE SET generation = excluded.generation"
)


class StudentRepository:
    """The only writer of the room's tables."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def get(self, tx: Transaction, student_id: UUID) -> Student | None:
        found = await tx.session.execute(_rows().where(StudentRow.id == student_id))
        row = found.one_or_none()
        return None if row is None else self._student(row)

    async def glance(self, tx: Transaction, student_id: UUID) -> Glance | None:
        query = _rows().add_columns(StudentGenerationRow.generation)
        query = query.join(StudentGenerationRow, StudentGenerationRow.student_id == StudentRow.id)
        row = (await tx.session.execute(query.where(StudentRow.id == student_id))).one_or_none()
        if row is None:
            return None
        return Glance(student=self._student(row), generation=row.generation)

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
            query = query.where(StudentRow.name_index == self._vault.name_index(wanted.name))
        if after is not None:
            query = query.where(StudentRow.id > after)
        return [self._student(row) for row in await tx.session.execute(query)]

    async def insert(self, tx: Transaction, students: Sequence[Student]) -> set[UUID]:
        """The ids of those that were stored; the others' id or place in a class is taken."""
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
        values = self._values(student, key)
        try:
            async with tx.session.begin_nested():
                statement = update(StudentRow).where(StudentRow.id == student.id)
                await tx.session.execute(statement.values(values))
        except IntegrityError as error:
            if getattr(error.orig, "sqlstate", None) == UNIQUE_VIOLATION:
                raise StudentExists from error
            raise

    async def delete(self, tx: Transaction, student_id: UUID) -> None:
        await tx.session.execute(delete(StudentRow).where(StudentRow.id == student_id))

    async def lock(self, tx: Transaction, ids: Iterable[UUID]) -> set[UUID]:
        """Those that exist; none of them can be deleted before the transaction ends."""
        return set(await tx.session.scalars(LOCK, {"ids": list(ids)}))

    async def can_be_opened(self, tx: Transaction) -> bool:
        """Whether no student's key was wrapped by another master key than ours."""
        foreign = select(StudentKeyRow.student_id).where(StudentKeyRow.key_id != self._vault.key_id)
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
            rows.append(self._values(student, key))
            keys.append(
                {"student_id": student.id, "wrapped": stored.wrapped, "key_id": stored.key_id}
            )
        return rows, keys

    def _values(self, student: Student, key: bytes) -> dict[object, object]:
        return {
            StudentRow.id: student.id,
            StudentRow.name: sealed(key, student.name, "name", student.id),
            StudentRow.name_index: self._vault.name_index(student.name),
            StudentRow.school_id: student.school_id,
            StudentRow.grade: student.grade,
            StudentRow.class_name: student.class_name,
            StudentRow.student_number: student.student_number,
            StudentRow.email: sealed(key, student.email, "email", student.id),
            StudentRow.parent_contact: sealed(
                key, student.parent_contact, "parent_contact", student.id
            ),
            StudentRow.details: student.metadata.model_dump(mode="json", exclude_defaults=True),
            StudentRow.created_at: student.created_at,
            StudentRow.updated_at: student.updated_at,
        }

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
            metadata=Metadata.model_validate(row.metadata),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


def _rows() -> Select[Any]:
    return select(*COLUMNS).join(StudentKeyRow, StudentKeyRow.student_id == StudentRow.id)


def _in_class(student: Student) -> tuple[str, int, str, str, UUID]:
    number = student.student_number or ""
    return student.school_id, student.grade, student.class_name, number, student.id
