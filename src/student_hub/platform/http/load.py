"""How much one process has under way, and how late its loop is: what is too much is refused."""

import asyncio
import time

from starlette.exceptions import HTTPException

from student_hub.platform.errors import HubError, Kind
from student_hub.platform.http.exchange import Exchange
from student_hub.platform.http.pace import Pace

MOST_AT_ONCE = 1_200
"""A thousand users, each with a request under way, and some to spare."""
BEAT_S = 0.1
LATE_S = 0.5
LATE_BEATS = 2
LONGEST_S = 30.0
LONGEST_BODY_S = 20.0
RETRY_AFTER_S = 1
SLOW_AFTER_S = 5
BODY = "body"
TIME = "time"


class Overloaded(HubError):
    """The hub has too much to do just now: come back in {retry_after} s."""

    kind = Kind.AWAY


class TooSlow(HubError):
    """The hub took too long over this and gave it up: come back in {retry_after} s."""

    kind = Kind.AWAY


def overload() -> Overloaded:
    """What a request is told that is one too many."""
    return Overloaded(retry_after=RETRY_AFTER_S)


def overdue(exchange: Exchange) -> HubError | HTTPException:
    """What a request is told that was given up."""
    if exchange.overdue == BODY:
        late = "The body did not arrive in time."
        return HTTPException(408, late, headers={"connection": "close"})
    return TooSlow(retry_after=SLOW_AFTER_S)


class Load:
    """Counts what is under way and gives up what takes too long.

    A beat of the loop measures how late it is, as long as anything is under way; one late beat is
    a hiccup, two are too much work.
    """

    def __init__(
        self,
        most: int = MOST_AT_ONCE,
        *,
        longest_s: float = LONGEST_S,
        longest_body_s: float = LONGEST_BODY_S,
    ) -> None:
        self._most = most
        self._longest_s = longest_s
        self._longest_body_s = longest_body_s
        self.pace = Pace()
        self._under_way: set[Exchange] = set()
        self._late = 0
        self._due = 0.0
        self._beating = False

    @property
    def under_way(self) -> int:
        """How many requests have not been answered."""
        return len(self._under_way)

    def too_much(self) -> str | None:
        """Why those that are here are too many: `requests` or `lag`; None when they are not."""
        return self._why(self._most + 1)

    def no_room(self) -> str | None:
        """Why one more would be too much; None when there is room."""
        return self._why(self._most)

    def _why(self, many: int) -> str | None:
        if len(self._under_way) + self.pace.waiting >= many:
            return "requests"
        return "lag" if self._late >= LATE_BEATS else None

    def enter(self, exchange: Exchange) -> None:
        """A request has come."""
        exchange.task = asyncio.current_task()
        self._under_way.add(exchange)
        if not self._beating:
            self._beating = True
            self._late = 0
            self._arm()

    def leave(self, exchange: Exchange) -> None:
        """It has been answered, or its client has gone."""
        self._under_way.discard(exchange)
        exchange.task = None

    def _arm(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = loop.time() + BEAT_S
        loop.call_later(BEAT_S, self._beat)

    def _beat(self) -> None:
        late = asyncio.get_running_loop().time() - self._due
        self._late = self._late + 1 if late > LATE_S else 0
        self._sweep()
        self._beating = bool(self._under_way)
        if self._beating:
            self._arm()

    def _sweep(self) -> None:
        now = time.perf_counter()
        for exchange in self._under_way:
            if exchange.status or exchange.overdue or exchange.task is None:
                continue
            age = now - exchange.started
            if age > self._longest_s or (exchange.reads and age > self._longest_body_s):
                exchange.overdue = BODY if exchange.reads else TIME
                exchange.task.cancel()
