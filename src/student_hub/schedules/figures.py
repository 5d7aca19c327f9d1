"""The scheduler's figures: what this process fired, and what is due by the table."""

import asyncio
import time
from collections.abc import Iterator

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from student_hub.platform.observability.metrics import Metrics
from student_hub.platform.observability.tally import Tally, Timings
from student_hub.schedules.schemas import Waiting
from student_hub.schedules.service import Schedules

LAGS = (0.5, 1.0, 2.0, 5.0, 30.0, 300.0, 3_600.0)
FRESH_S = 5.0
PATIENCE_S = 1.0
log = structlog.get_logger()


class ScheduleFigures(Collector):
    """Counts ticks and runs of this process; asks for what is due when it is scraped."""

    def __init__(self, metrics: Metrics, schedules: Schedules) -> None:
        self._schedules = schedules
        self._read_at = float("-inf")
        self._read: Waiting | None = None
        self._ticks = Tally("schedule_ticks", "Ticks of the scheduler.", ("ending",))
        about = "Runs by type of task and how they began: fired, skipped or failed."
        self._runs = Tally("schedule_runs", about, ("task_type", "beginning"))
        self._lag = Timings("schedule_lag_seconds", "From a task's time to its run.", (), LAGS)
        for series in (self._ticks, self._runs, self._lag):
            metrics.add(series)
        metrics.add(self, ask=self.refresh)

    async def tick(self) -> None:
        """One tick of the scheduler, counted."""
        try:
            fired = await self._schedules.tick()
        except BaseException:
            self._ticks.add("failed")
            raise
        self._ticks.add("done")
        for one in fired:
            self._runs.add(one.task_type, "fired" if one.outcome is None else one.outcome.value)
            self._lag.add(one.lag_s)

    async def refresh(self) -> None:
        """Asks what is due, if that was not done just now."""
        now = time.monotonic()
        if now - self._read_at < FRESH_S:
            return
        self._read_at = now
        try:
            async with asyncio.timeout(PATIENCE_S):
                self._read = await self._schedules.waiting()
        except Exception as error:  # noqa: BLE001 (a gap in the series is the right thing to show)
            self._read = None
            log.warning("schedules_not_read", reason=type(error).__name__)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        if self._read is None:
            return
        due = GaugeMetricFamily("schedule_tasks_due", "Tasks that are due and not fired yet.")
        due.add_metric((), self._read.due)
        oldest = GaugeMetricFamily(
            "schedule_oldest_due_seconds", "For how long the oldest due task has waited."
        )
        oldest.add_metric((), self._read.lag_s)
        yield due
        yield oldest
