"""How the hub is: what works, what is away, and whether it takes requests."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import structlog
from pydantic import BaseModel

Check = Callable[[], Awaitable[None]]
"""Returns when the thing answers, raises when it does not."""

LONGEST_CHECK_S = 2.0
FRESH_S = 1.0
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


@dataclass
class Health:
    """Asks whatever the hub stands on; `draining` says that it is about to stop."""

    database: Check
    redis: Check
    nodes: Mapping[str, Check]
    draining: bool = False
    _last: HealthReport | None = field(default=None, init=False)
    _last_at: float = field(default=0.0, init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def report(self) -> HealthReport:
        """The state, asked at most once a second however many want to know (it needs no key)."""
        async with self._lock:
            if self._last is None or time.monotonic() - self._last_at > FRESH_S:
                self._last = await self._ask()
                self._last_at = time.monotonic()
            return self._last

    async def ready(self) -> bool:
        """Whether requests should be sent here."""
        return not self.draining and await _up("database", self.database) is Up.UP

    async def _ask(self) -> HealthReport:
        names = list(self.nodes)
        database, redis, *nodes = await asyncio.gather(
            _up("database", self.database),
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
