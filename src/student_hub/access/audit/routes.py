"""/admin/audit: who read or changed whose data, and the monthly review (scope admin)."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field

from student_hub.access.audit.schemas import AuditFilter, AuditPage, AuditReview, Month
from student_hub.access.audit.service import MOST_LISTED, Audit
from student_hub.platform.http.deps import CallerDep, part

router = APIRouter(prefix="/admin/audit", tags=["audit"])
FILTERS = frozenset(AuditFilter.model_fields)
AuditDep = Annotated[Audit, part(Audit)]


class Wanted(AuditFilter):
    """Which page of which entries."""

    since: Annotated[AwareDatetime | None, Field(alias="from", description="From then on.")] = None
    until: Annotated[AwareDatetime | None, Field(alias="to", description="Before then.")] = None
    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_LISTED)] = 50


@router.get("", summary="Read the audit log, the newest entries first")
async def read_audit(
    wanted: Annotated[Wanted, Query()], audit: AuditDep, caller: CallerDep
) -> AuditPage:
    """Lists entries, those of the last minute too that are not sealed yet; noted in the log."""
    chosen = AuditFilter.model_construct(**wanted.model_dump(include=set(FILTERS)))
    return await audit.page(caller, chosen, cursor=wanted.cursor, limit=wanted.limit)


@router.get("/review", summary="Review a month of the audit log")
async def review_audit(month: Month, audit: AuditDep, caller: CallerDep) -> AuditReview:
    """Sums up what every subject did in a month of Asia/Seoul, and what of it is worth a look."""
    return await audit.review(caller, month)
