"""The profile over REST."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from student_hub.platform.http.deps import CallerDep, part
from student_hub.profiles.schemas import UnifiedProfile
from student_hub.profiles.service import Profiles

router = APIRouter(prefix="/v1/students", tags=["profiles"])


@router.get("/{student_id}/profile")
async def read_profile(
    student_id: UUID,
    profiles: Annotated[Profiles, part(Profiles)],
    caller: CallerDep,
    include_history: bool = True,
    days: Annotated[int, Query(ge=1, le=365)] = 30,
) -> UnifiedProfile:
    """One student's 360-degree profile; the same answer as the tool `get_unified_profile`."""
    return await profiles.get(caller, student_id, include_history=include_history, days=days)
