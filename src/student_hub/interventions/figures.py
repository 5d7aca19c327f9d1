"""How many interventions there are that are not over, for the metrics."""

import asyncio
import time
from collections.abc import Iterator, Mapping

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from student_hub.interventions.service import Interventions
from student_hub.platform.observability.metrics import Metrics

FRESH_S = 5.0
PATIENCE_S = 1.0
log = structlog.get_logger()


class InterventionFigures(Collector):
    """As they were a few seconds ago at most; nothing while the database is away."""

    def __init__(self, metrics: Metrics, interventions: Interventions) -> None:
        self._interventions = interventions
        self._read_at = float("-inf")
        self._read: Mapping[str, int] | None = None
        metrics.add(self, ask=self.refresh)

    async def refresh(self) -> None:
        """Counts, if that was not done just now."""
        now = time.monotonic()
        if now - self._read_at < FRESH_S:
            return
        self._read_at = now
        try:
            async with asyncio.timeout(PATIENCE_S):
                self._read = await self._interventions.counts()
        except Exception as error:  # noqa: BLE001 (a gap in the series is the right thing to show)
            self._read = None
            log.warning("interventions_not_counted", reason=type(error).__name__)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        if self._read is None:
            return
        family = GaugeMetricFamily(
            "active_interventions", "Interventions that are not over.", labels=("status",)
        )
        for status in ("proposed", "active", "paused"):
            family.add_metric((status,), self._read.get(status, 0))
        yield family
