"""How many interventions there are that are not over, for the metrics."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from student_hub.interventions.service import Interventions
from student_hub.platform.observability.looking import Look
from student_hub.platform.observability.metrics import Metrics


class InterventionFigures(Collector):
    """As they were a few seconds ago at most; nothing while the database is away."""

    def __init__(self, metrics: Metrics, interventions: Interventions) -> None:
        self._look = Look(interventions.counts, failed="interventions_not_counted")
        metrics.add(self, ask=self._look.refresh)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        read = self._look.found
        if read is None:
            return
        family = GaugeMetricFamily(
            "active_interventions", "Interventions that are not over.", labels=("status",)
        )
        for status in ("proposed", "active", "paused"):
            family.add_metric((status,), read.get(status, 0))
        yield family
