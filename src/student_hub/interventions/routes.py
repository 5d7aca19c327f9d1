"""Interventions over REST."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict

from student_hub.interventions.measuring import Measuring
from student_hub.interventions.schemas import (
    Edit,
    EffectOfMany,
    Intervention,
    InterventionFilter,
    InterventionHistory,
    InterventionId,
    InterventionPage,
    NewIntervention,
    Reason,
    Scope,
)
from student_hub.interventions.service import Interventions
from student_hub.interventions.steering import Steering
from student_hub.platform.http.deps import CallerDep, part

router = APIRouter(prefix="/v1/interventions", tags=["interventions"])
InterventionsDep = Annotated[Interventions, part(Interventions)]
SteeringDep = Annotated[Steering, part(Steering)]
MeasuringDep = Annotated[Measuring, part(Measuring)]


class Wanted(InterventionFilter):
    """Filters and page of a list."""

    cursor: str | None = None
    limit: int = 50

    def filter(self) -> InterventionFilter:
        """The filters alone."""
        return InterventionFilter(**{n: getattr(self, n) for n in InterventionFilter.model_fields})


class Rejection(BaseModel):
    """Why a proposal is not wanted."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


@router.post("", summary="Create an intervention", status_code=201)
async def create(
    wanted: NewIntervention, interventions: InterventionsDep, caller: CallerDep
) -> Intervention:
    """The same as the tool `create_learning_intervention`; safe to repeat."""
    return await interventions.create(caller, wanted)


@router.get("", summary="List interventions")
async def list_interventions(
    wanted: Annotated[Wanted, Query()], interventions: InterventionsDep, caller: CallerDep
) -> InterventionPage:
    """The newest first, of the students whom the caller sees."""
    return await interventions.page(
        caller, wanted.filter(), cursor=wanted.cursor, limit=wanted.limit
    )


@router.get("/effect", summary="What finished interventions changed")
async def effect(
    scope: Annotated[Scope, Query()], measuring: MeasuringDep, caller: CallerDep
) -> EffectOfMany:
    """Beside comparable students without one, with interval and n; of a school, grade or class."""
    return await measuring.effect(caller, scope)


@router.get("/{intervention_id}", summary="Read an intervention")
async def read(
    intervention_id: InterventionId, interventions: InterventionsDep, caller: CallerDep
) -> InterventionHistory:
    """With all decisions and progress checks."""
    return await interventions.read(caller, intervention_id)


@router.post("/{intervention_id}/approve", summary="Approve a proposal")
async def approve(
    intervention_id: InterventionId, steering: SteeringDep, caller: CallerDep
) -> Intervention:
    """It begins now."""
    return await steering.approve(caller, intervention_id)


@router.post("/{intervention_id}/edit", summary="Edit a proposal")
async def edit(
    intervention_id: InterventionId,
    wish: Edit,
    steering: SteeringDep,
    caller: CallerDep,
) -> Intervention:
    """Fewer days or steps, or another order; `version` says what was looked at."""
    return await steering.edit(caller, intervention_id, wish)


@router.post("/{intervention_id}/reject", summary="Reject a proposal")
async def reject(
    intervention_id: InterventionId,
    rejection: Rejection,
    steering: SteeringDep,
    caller: CallerDep,
) -> Intervention:
    """The reason is kept."""
    return await steering.reject(caller, intervention_id, rejection.reason)


@router.post("/{intervention_id}/pause", summary="Pause an intervention")
async def pause(
    intervention_id: InterventionId, steering: SteeringDep, caller: CallerDep
) -> Intervention:
    """No step counts and no check runs until it is resumed."""
    return await steering.pause(caller, intervention_id)


@router.post("/{intervention_id}/resume", summary="Resume an intervention")
async def resume(
    intervention_id: InterventionId, steering: SteeringDep, caller: CallerDep
) -> Intervention:
    """It goes on."""
    return await steering.resume(caller, intervention_id)


@router.post("/{intervention_id}/cancel", summary="Cancel an intervention")
async def cancel(
    intervention_id: InterventionId, steering: SteeringDep, caller: CallerDep
) -> Intervention:
    """It ends without its goal."""
    return await steering.cancel(caller, intervention_id)


@router.post("/{intervention_id}/complete", summary="Complete an intervention")
async def complete(
    intervention_id: InterventionId, steering: SteeringDep, caller: CallerDep
) -> Intervention:
    """It ends as done, whatever steps are left."""
    return await steering.complete(caller, intervention_id)


@router.post("/{intervention_id}/steps/{step}/complete", summary="Mark a step as done")
async def complete_step(
    intervention_id: InterventionId,
    step: Annotated[int, Path(ge=0, le=100_000)],
    steering: SteeringDep,
    caller: CallerDep,
) -> Intervention:
    """Safe to repeat; the last step completes the intervention."""
    return await steering.mark_step(caller, intervention_id, step)
