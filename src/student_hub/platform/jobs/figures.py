"""The figures of background work: runs, as their worker counts them, and queues, as all see them.

What ran is known to the worker process that ran it, and told at that process's own /metrics
(WORKER_METRICS_PORT). How long the queues are is known to the ledger: every API process asks it
when it is scraped, at most once in five seconds.
"""

import asyncio
import time
from collections.abc import Iterator

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from student_hub.platform.jobs.desk import JobDesk
from student_hub.platform.jobs.schemas import Queues
from student_hub.platform.jobs.workshop import Ending
from student_hub.platform.observability.metrics import Metrics
from student_hub.platform.observability.tally import Tally, Timings

SECONDS = (0.005, 0.025, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0)
FRESH_S = 5.0
PATIENCE_S = 1.0
QUEUE = ("queue",)
log = structlog.get_logger()


class RunFigures:
    """Counts the runs of this process; `observe` is for a workshop in one event loop."""

    def __init__(self, metrics: Metrics) -> None:
        about = "Runs of jobs by how they ended: done, failed, deferred, dead or lost."
        self._runs = Tally("jobs_runs", about, ("kind", "ending"))
        about = "How long the runs of jobs took."
        self._seconds = Timings("job_run_seconds", about, ("kind",), SECONDS)
        metrics.add(self._runs)
        metrics.add(self._seconds)

    def observe(self, kind: str, ending: Ending, seconds: float) -> None:
        """Counts a run of the kind which ended so."""
        self._runs.add(kind, ending.value)
        self._seconds.add(seconds, kind)


class QueueFigures(Collector):
    """The queues as they were a few seconds ago at most; nothing while the ledger is away."""

    def __init__(self, metrics: Metrics, desk: JobDesk) -> None:
        self._desk = desk
        self._read_at = float("-inf")
        self._read: Queues | None = None
        metrics.add(self, ask=self.refresh)

    async def refresh(self) -> None:
        """Reads the ledger, if that was not done just now."""
        now = time.monotonic()
        if now - self._read_at < FRESH_S:
            return
        self._read_at = now
        try:
            async with asyncio.timeout(PATIENCE_S):
                self._read = await self._desk.figures()
        except Exception as error:  # noqa: BLE001 (a gap in the series is the right thing to show)
            self._read = None
            log.warning("queues_not_read", reason=type(error).__name__)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        read = self._read
        if read is None:
            return
        jobs = GaugeMetricFamily("jobs", "Jobs by state.", labels=("queue", "state"))
        lag = GaugeMetricFamily(
            "job_queue_lag_seconds", "For how long the oldest due job has waited.", labels=QUEUE
        )
        for queue in read.queues:
            for state in ("due", "delayed", "running", "dead"):
                jobs.add_metric((queue.queue.value, state), getattr(queue, state))
            lag.add_metric((queue.queue.value,), queue.lag_s)
        yield jobs
        yield lag
