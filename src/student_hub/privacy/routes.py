"""/v1/students/{id}: export and erasure; /admin/erasures: the proofs."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from student_hub.platform.http.deps import CallerDep, part
from student_hub.privacy.erasing import MOST_LISTED, Erasing
from student_hub.privacy.exporting import Exporting
from student_hub.privacy.schemas import Erasure, ErasurePage, WithReason

router = APIRouter(tags=["privacy"])
ErasingDep = Annotated[Erasing, part(Erasing)]
ExportingDep = Annotated[Exporting, part(Exporting)]
UNSAID = "not given"
DOCUMENT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {"schema": {"type": "object"}}}}
}


@router.delete("/v1/students/{student_id}", status_code=204, summary="Erase a student for good")
async def delete_student(student_id: UUID, erasing: ErasingDep, caller: CallerDep) -> None:
    """Destroys the student's key, row and history and leaves a proof; there is no way back."""
    await erasing.erase(caller, student_id, UNSAID)


@router.post("/v1/students/{student_id}/erasure", summary="Erase a student, and get the proof")
async def erase_student(
    student_id: UUID, wanted: WithReason, erasing: ErasingDep, caller: CallerDep
) -> Erasure:
    """The same with a reason; answers with the proof."""
    return await erasing.erase(caller, student_id, wanted.reason)


@router.post(
    "/v1/students/{student_id}/export",
    summary="Export everything that is held of a student",
    response_class=StreamingResponse,
    responses=DOCUMENT,
)
async def export_student(
    student_id: UUID, wanted: WithReason, exporting: ExportingDep, caller: CallerDep
) -> StreamingResponse:
    """One JSON document; for administrators, the student and their guardians."""
    pieces = await exporting.export(caller, student_id, wanted.reason)
    name = f'attachment; filename="student-{student_id}.json"'
    headers = {"Content-Disposition": name}
    return StreamingResponse(pieces, media_type="application/json", headers=headers)


@router.get("/admin/erasures", summary="Proofs of erasure, the newest first")
async def list_erasures(
    erasing: ErasingDep,
    caller: CallerDep,
    cursor: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 50,
) -> ErasurePage:
    """Lists proofs, each checked against its seal."""
    return await erasing.page(caller, cursor=cursor, limit=limit)
