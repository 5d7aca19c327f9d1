"""Profiles over REST."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from student_hub.platform.http.deps import CallerDep, part
from student_hub.platform.http.exchange import exchange_of
from student_hub.platform.http.limiting import PermitDep
from student_hub.profiles.schemas import UnifiedProfile, UnifiedProfiles
from student_hub.profiles.service import MOST_AT_ONCE, Profiles

router = APIRouter(prefix="/v1", tags=["profiles"])
ProfilesDep = Annotated[Profiles, part(Profiles)]
JSON = "application/json"


class ProfilesWanted(BaseModel):
    """Whose profiles, over which window."""

    model_config = ConfigDict(extra="forbid")

    student_ids: list[UUID] = Field(min_length=1, max_length=MOST_AT_ONCE)
    include_history: bool = True
    days: int = Field(30, ge=1, le=365)


@router.get(
    "/students/{student_id}/profile",
    summary="Read a student's profile",
    response_model=UnifiedProfile,
)
async def read_profile(
    request: Request,
    student_id: UUID,
    profiles: ProfilesDep,
    caller: CallerDep,
    permit: PermitDep,
    include_history: bool = True,
    days: Annotated[int, Query(ge=1, le=365)] = 30,
) -> Response:
    """One student's 360-degree profile; the same answer as the tool `get_unified_profile`."""
    reply = await profiles.reply(
        caller, student_id, include_history=include_history, days=days, permit=permit
    )
    exchange_of(request.scope).note.update(reply.facts(student_id))
    return Response(reply.json, media_type=JSON)


@router.post("/profiles", summary="Read many profiles", response_model=UnifiedProfiles)
async def read_profiles(
    wanted: ProfilesWanted, profiles: ProfilesDep, caller: CallerDep
) -> Response:
    """Up to 100 profiles in the order asked for, each failing alone."""
    found = await profiles.get_many(
        caller, wanted.student_ids, include_history=wanted.include_history, days=wanted.days
    )
    return Response(found, media_type=JSON)
