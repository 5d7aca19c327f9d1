"""Class analytics over REST."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from student_hub.analytics.schemas import ClassAnalytics
from student_hub.analytics.service import Classes
from student_hub.platform.http.deps import CallerDep, part
from student_hub.platform.http.exchange import exchange_of
from student_hub.platform.http.limiting import PermitDep

router = APIRouter(prefix="/v1/classes", tags=["classes"])
ClassesDep = Annotated[Classes, part(Classes)]
ClassId = Annotated[str, Path(max_length=120, examples=["SCH001:10:1반"])]


@router.get(
    "/{class_id}/analytics", summary="Read a class's analytics", response_model=ClassAnalytics
)
async def read_analytics(
    request: Request,
    class_id: ClassId,
    classes: ClassesDep,
    caller: CallerDep,
    permit: PermitDep,
    days: Annotated[int, Query(ge=1, le=365)] = 30,
) -> Response:
    """A class or a whole grade; the same answer as the tool `get_class_analytics`."""
    reply = await classes.analytics(caller, class_id, days=days, permit=permit)
    exchange_of(request.scope).note.update(reply.facts)
    return Response(reply.json, media_type="application/json")
