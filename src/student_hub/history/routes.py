"""/v1/events and a student's history."""

from collections.abc import AsyncIterable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from student_hub.history.schemas import EventKey, EventType, HistoryPage, Receipt, Voided
from student_hub.history.service import MOST_DAYS, MOST_EVENTS, MOST_LISTED, History
from student_hub.platform.http.deps import CallerDep, part
from student_hub.platform.http.rows import rows_body, rows_of

router = APIRouter(prefix="/v1", tags=["history"])
HistoryDep = Annotated[History, part(History)]


@router.post(
    "/events", summary="Record learning events", openapi_extra=rows_body("events", MOST_EVENTS)
)
async def record_events(request: Request, history: HistoryDep, caller: CallerDep) -> Receipt:
    """Stores up to 10,000 events, each once however often it is sent.

    A bad event is refused with its index and field and costs no other one.
    """
    rows = rows_of(request, "events")
    return await history.record(caller, rows if isinstance(rows, list) else await _some(rows))


@router.post("/events/void", summary="Void an event")
async def void_event(key: EventKey, history: HistoryDep, caller: CallerDep) -> Voided:
    """Takes the event out of the history for good; safe to repeat."""
    return await history.void(caller, key)


@router.get("/students/{student_id}/history", summary="Read a student's history")
async def read_history(
    student_id: UUID,
    history: HistoryDep,
    caller: CallerDep,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS)] = 30,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 100,
    before: str | None = None,
    event_type: EventType | None = None,
) -> HistoryPage:
    """The student's events, newest first; `before` is the `next` of the page before."""
    return await history.of_student(
        caller, student_id, days=days, limit=limit, before=before, event_type=event_type
    )


async def _some(rows: AsyncIterable[object]) -> list[object]:
    """The rows up to one more than may be sent."""
    some: list[object] = []
    async for row in rows:
        some.append(row)
        if len(some) > MOST_EVENTS:
            break
    return some
