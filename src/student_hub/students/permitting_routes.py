"""A student's consents, and whether their data may be processed."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from student_hub.platform.http.deps import CallerDep, part
from student_hub.students.consents import Consents
from student_hub.students.schemas import Consent, ConsentIn, Processing, ProcessingIn

router = APIRouter(prefix="/v1/students/{student_id}", tags=["consent"])
ConsentsDep = Annotated[Consents, part(Consents)]


@router.get("/consents", summary="List a student's consents")
async def list_consents(
    student_id: UUID, consents: ConsentsDep, caller: CallerDep
) -> list[Consent]:
    """Every consent ever given for the student, the newest first."""
    return await consents.of_student(caller, student_id)


@router.post("/consents", status_code=201, summary="Record a consent")
async def give_consent(
    student_id: UUID, given: ConsentIn, consents: ConsentsDep, caller: CallerDep
) -> Consent:
    """Records a consent; one that says the same and is valid is answered as it is."""
    return await consents.give(caller, student_id, given)


@router.post("/consents/{consent_id}/withdraw", summary="Withdraw a consent")
async def withdraw_consent(
    student_id: UUID, consent_id: UUID, consents: ConsentsDep, caller: CallerDep
) -> Consent:
    """Withdraws a consent; when none for learning is left, processing stops at once."""
    return await consents.withdraw(caller, student_id, consent_id)


@router.get("/processing", summary="Read whether a student's data may be processed")
async def read_processing(student_id: UUID, consents: ConsentsDep, caller: CallerDep) -> Processing:
    """`open`, `awaiting_consent` or `stopped`; since when and by whose word."""
    return await consents.processing(caller, student_id)


@router.put("/processing", summary="Stop the processing of a student's data, or go on with it")
async def set_processing(
    student_id: UUID, wanted: ProcessingIn, consents: ConsentsDep, caller: CallerDep
) -> Processing:
    """Stops or resumes; a student who needs a consent and has none stays `awaiting_consent`."""
    return await consents.set_processing(caller, student_id, wanted)
