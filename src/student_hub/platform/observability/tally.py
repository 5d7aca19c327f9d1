"""Series that are counted on every request: as plain numbers, made into families when scraped.

The client library's own take a lock and five calls for each step. These are for one thread, which
the event loop's is.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

Labels = tuple[str, ...]


class Tally(Collector):
    """A counter by label values, in the order of `names`."""

    def __init__(self, name: str, documentation: str, names: Sequence[str]) -> None:
        self._about = (name, documentation)
        self._names = names
        self._counts: dict[Labels, int] = {}

    def add(self, *labels: str) -> None:
        """One more."""
        self._counts[labels] = self._counts.get(labels, 0) + 1

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(*self._about, labels=self._names)
        for labels, count in list(self._counts.items()):
            family.add_metric(labels, count)
        yield family


class Timings(Collector):
    """A histogram of seconds by label values, in the order of `names`."""

    def __init__(
        self, name: str, documentation: str, names: Sequence[str], buckets: Sequence[float]
    ) -> None:
        self._about = (name, documentation)
        self._names = names
        self._buckets = tuple(buckets)
        self._bounds = [str(bound) for bound in buckets] + ["+Inf"]
        self._counts: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}

    def add(self, seconds: float, *labels: str) -> None:
        """One more, which took so long."""
        counts = self._counts.get(labels)
        if counts is None:
            counts = self._counts[labels] = [0] * len(self._bounds)
            self._sums[labels] = 0.0
        counts[bisect_left(self._buckets, seconds)] += 1
        self._sums[labels] += seconds

    def collect(self) -> Iterator[HistogramMetricFamily]:
        family = HistogramMetricFamily(*self._about, labels=self._names)
        for labels, counts in list(self._counts.items()):
            buckets = list(zip(self._bounds, map(float, accumulate(counts)), strict=True))
            family.add_metric(labels, buckets, self._sums[labels])
        yield family
