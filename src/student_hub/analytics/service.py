"""Class analytics: who may see a class, whether a kept answer is still good, and a new one."""

import time
from dataclasses import dataclass

from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.analytics.errors import ClassNotFound
from student_hub.analytics.gathering import ClassGatherer, Wanted
from student_hub.analytics.places import Place
from student_hub.analytics.repository import ClassRepository
from student_hub.analytics.shelf import Shelf
from student_hub.analytics.window import Window
from student_hub.platform.clock import Clock, utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.errors import Fact, InvalidInput
from student_hub.platform.limits.permit import UNLIMITED, Permit
from student_hub.platform.security.caller import Caller, Scope

MOST_DAYS = 365


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer (`ClassAnalytics`) as JSON, and what the log is told of it."""

    json: bytes
    facts: dict[str, Fact]


class Classes:
    """Reads about classes and grades."""

    def __init__(
        self,
        db: Database,
        gatherer: ClassGatherer,
        shelf: Shelf,
        audit: Audit,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._db = db
        self._gatherer = gatherer
        self._shelf = shelf
        self._audit = audit
        self._clock = clock
        self._rows = ClassRepository()

    async def analytics(
        self, caller: Caller, class_id: str, *, days: int = 30, permit: Permit = UNLIMITED
    ) -> Reply:
        """The class or grade over the last `days` days (Asia/Seoul, today being one of them).

        ClassNotFound for one without students, and for one that the caller may not see as a whole.
        """
        started = time.perf_counter()
        caller.require(Scope.READ)
        place = Place.of(class_id)
        if not 1 <= days <= MOST_DAYS:
            raise InvalidInput.field("days", f"is not between 1 and {MOST_DAYS}")
        await permit.granted()
        about = {"class": place.id}
        with self._audit.refusals(caller, Action.ANALYTICS_READ, detail=about):
            wanted = await self._admit(caller, place, Window(self._clock(), days))
        found = await self._shelf.get(wanted.name)
        kept = found or await self._gatherer.gather(caller, wanted)
        self._audit.saw(caller, Action.ANALYTICS_READ, kept.named, detail=about)
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        cached = found is not None
        facts: dict[str, Fact] = {"event": "class_analysed", "cached": cached}
        return Reply(kept.json, facts | {"duration_ms": milliseconds})

    async def _admit(self, caller: Caller, place: Place, window: Window) -> Wanted:
        """What is wanted, in the state that the class is in: decided anew for every reader."""
        if not place.is_seen_by(caller):
            raise ClassNotFound
        state = await self._rows.state(self._db, caller, place)
        if state is None:
            raise ClassNotFound
        return Wanted(place, window, place.is_own_of(caller), state.mark)
