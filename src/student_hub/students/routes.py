"""/v1/students: create, read, change, list and import students. To erase one: `privacy`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from student_hub.access.schemas import Viewers
from student_hub.access.service import Access
from student_hub.platform.http.deps import CallerDep, part
from student_hub.platform.http.rows import rows_body, rows_of
from student_hub.students.schemas import (
    Student,
    StudentFilter,
    StudentIn,
    StudentPage,
    StudentPatch,
    StudentReceipt,
)
from student_hub.students.service import MOST_LISTED, Students

router = APIRouter(prefix="/v1/students", tags=["students"])
FILTERS = frozenset(StudentFilter.model_fields)
StudentsDep = Annotated[Students, part(Students)]
AccessDep = Annotated[Access, part(Access)]


class Wanted(StudentFilter):
    """Which page of which students."""

    # A query string has no numbers: here a grade is read from text, everywhere else it must be one.
    grade: Annotated[int, Query(ge=1, le=12)] | None = None
    cursor: str | None = None
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 50


@router.post("", status_code=201, summary="Create a student")
async def create_student(student: StudentIn, students: StudentsDep, caller: CallerDep) -> Student:
    """Stores a student; 409 when the id, or the number in the class, is taken."""
    return await students.create(caller, student)


@router.get("", summary="List students, filtered and in pages")
async def list_students(
    wanted: Annotated[Wanted, Query()], students: StudentsDep, caller: CallerDep
) -> StudentPage:
    """Lists students in the order of their ids; a name matches whole, whatever its case."""
    chosen = StudentFilter.model_construct(**wanted.model_dump(include=set(FILTERS)))
    return await students.page(caller, chosen, cursor=wanted.cursor, limit=wanted.limit)


@router.post("/import", summary="Import many students", openapi_extra=rows_body("students"))
async def import_students(
    request: Request, students: StudentsDep, caller: CallerDep
) -> StudentReceipt:
    """Stores the good rows and says of each other what is wrong; safe to send again with ids.

    A row with the id of a known student updates them; that takes a key that may also read.
    """
    return await students.import_many(caller, rows_of(request, "students"))


@router.get("/{student_id}", summary="Read a student")
async def read_student(student_id: UUID, students: StudentsDep, caller: CallerDep) -> Student:
    """Reads one student."""
    return await students.read(caller, student_id)


@router.patch("/{student_id}", summary="Change a student")
async def update_student(
    student_id: UUID, patch: StudentPatch, students: StudentsDep, caller: CallerDep
) -> Student:
    """Changes the fields that are sent; null empties one, `metadata` is replaced whole."""
    return await students.update(caller, student_id, patch)


@router.get("/{student_id}/viewers", summary="Read who can see a student, and why")
async def list_viewers(
    student_id: UUID, students: StudentsDep, access: AccessDep, caller: CallerDep
) -> Viewers:
    """One entry for every reason: a grant that reaches the student, or a role that sees all."""
    return await access.viewers_of(caller, await students.read(caller, student_id))
