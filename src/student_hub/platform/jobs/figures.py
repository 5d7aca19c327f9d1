"""The figures of background work: runs, as their worker counts them, and queues, as all see them.

What ran is known to the worker process that ran it, and told at that process's own /metrics
(WORKER_METRICS_PORT). How long the queues are is known to the ledger: every API process asks it
when it is scraped, at most once in five seconds.
"""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from student_hub.platform.jobs.desk import JobDesk
from student_hub.platform.jobs.workshop import Ending
from student_hub.platform.observability.looking import Look
from student_hub.platform.observability.metrics import Metrics
from student_hub.platform.observability.tally import Tally, Timings

SECONDS = (0.005, 0.025, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0)
QUEUE = ("queue",)


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
        self._look = Look(desk.figures, failed="queues_not_read")
        metrics.add(self, ask=self._look.refresh)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        read = self._look.found
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
