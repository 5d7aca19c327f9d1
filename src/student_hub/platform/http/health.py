"""How the hub is: what works, what is away, and whether it takes requests."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

import structlog
from pydantic import BaseModel

Check = Callable[[], Awaitable[None]]
"""Returns when the thing answers, raises when it does not."""

LONGEST_CHECK_S = 2.0
FRESH_S = 1.0
V = TypeVar("V")
log = structlog.get_logger()


class Overall(StrEnum):
    """`degraded`: slower or with gaps, never wrong. `unhealthy`: no request can be answered."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


class Up(StrEnum):
    """Whether something answers."""

    UP = "up"
    DOWN = "down"


class HealthReport(BaseModel):
    """The state of the hub and of all it stands on."""

    status: Overall
    database: Up
    redis: Up
    nodes: dict[str, Up]


class Fresh(Generic[V]):
    """A value that is asked for at most once a second, however many want to know it."""

    def __init__(self, ask: Callable[[], Awaitable[V]]) -> None:
        self._ask = ask
        self._value: list[V] = []
        self._asked_at = 0.0
        self._lock = asyncio.Lock()

    async def get(self) -> V:
        """The value, at most a second old."""
        async with self._lock:
            if not self._value or time.monotonic() - self._asked_at > FRESH_S:
                self._value = [await self._ask()]
                self._asked_at = time.monotonic()
            return self._value[0]


@dataclass
class Health:
    """Asks whatever the hub stands on; `draining` says that it is about to stop."""

    database: Check
    redis: Check
    nodes: Mapping[str, Check]
    draining: bool = False
    _report: Fresh[HealthReport] = field(init=False)
    _database: Fresh[Up] = field(init=False)

    def __post_init__(self) -> None:
        self._report = Fresh(self._ask)
        self._database = Fresh(lambda: _up("database", self.database))

    async def report(self) -> HealthReport:
        """The state, asked at most once a second (whoever asks needs no key)."""
        return await self._report.get()

    async def ready(self) -> bool:
        """Whether requests should be sent here; the database is asked at most once a second."""
        return not self.draining and await self._database.get() is Up.UP

    async def _ask(self) -> HealthReport:
        names = list(self.nodes)
        database, redis, *nodes = await asyncio.gather(
            self._database.get(),
            _up("redis", self.redis),
            *(_up(name, self.nodes[name]) for name in names),
        )
        return HealthReport(
            status=_overall(database, [redis, *nodes]),
            database=database,
            redis=redis,
            nodes=dict(zip(names, nodes, strict=True)),
        )


def _overall(database: Up, others: list[Up]) -> Overall:
    if database is Up.DOWN:
        return Overall.UNHEALTHY
    return Overall.DEGRADED if Up.DOWN in others else Overall.HEALTHY


async def _up(name: str, check: Check) -> Up:
    try:
        async with asyncio.timeout(LONGEST_CHECK_S):
            await check()
    except Exception as error:  # noqa: BLE001 (whatever a check raises, the answer is "down")
        log.warning("health_check_failed", check=name, reason=type(error).__name__)
        return Up.DOWN
    return Up.UP
