"""The scheduler's figures: what this process fired, and what is due by the table."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from student_hub.platform.observability.looking import Look
from student_hub.platform.observability.metrics import Metrics
from student_hub.platform.observability.tally import Tally, Timings
from student_hub.schedules.service import Schedules

LAGS = (0.5, 1.0, 2.0, 5.0, 30.0, 300.0, 3_600.0)


class ScheduleFigures(Collector):
    """Counts ticks and runs of this process; asks for what is due when it is scraped."""

    def __init__(self, metrics: Metrics, schedules: Schedules) -> None:
        self._schedules = schedules
        self._look = Look(schedules.waiting, failed="schedules_not_read")
        self._ticks = Tally("schedule_ticks", "Ticks of the scheduler.", ("ending",))
        about = "Runs by type of task and how they began: fired, skipped or failed."
        self._runs = Tally("schedule_runs", about, ("task_type", "beginning"))
        self._lag = Timings("schedule_lag_seconds", "From a task's time to its run.", (), LAGS)
        for series in (self._ticks, self._runs, self._lag):
            metrics.add(series)
        metrics.add(self, ask=self._look.refresh)

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

    def collect(self) -> Iterator[GaugeMetricFamily]:
        waiting = self._look.found
        if waiting is None:
            return
        due = GaugeMetricFamily("schedule_tasks_due", "Tasks that are due and not fired yet.")
        due.add_metric((), waiting.due)
        oldest = GaugeMetricFamily(
            "schedule_oldest_due_seconds", "For how long the oldest due task has waited."
        )
        oldest.add_metric((), waiting.lag_s)
        yield due
        yield oldest
