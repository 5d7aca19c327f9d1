"""Series that are counted as plain numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from student_hub.platform.observability.tally import Tally, Timings

pytestmark = pytest.mark.requirement("metrics")

BUCKETS = (0.005, 0.1, 1.0, 5.0)
NAMES = ("tool", "status")
SEEN = st.lists(
    st.tuples(
        st.sampled_from(["a", 'b"\\', "다"]),
        st.sampled_from(["ok", "error"]),
        st.sampled_from([0.0, 0.005, 0.0051, 0.1, 0.5, 5.0, 60.0]),
    ),
    max_size=30,
)


def text(registry: CollectorRegistry) -> list[str]:
    """What is scraped, but for the moment at which a series began."""
    lines = generate_latest(registry).decode().splitlines()
    return sorted(line for line in lines if "_created" not in line)


@given(SEEN)
def test_a_scrape_is_that_of_the_client_librarys_own_series(
    seen: list[tuple[str, str, float]],
) -> None:
    """Name, help, type, labels, buckets, sums and counts are what Prometheus has always read."""
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    tally, timings = Tally("calls", "Calls.", NAMES), Timings("secs", "Time.", NAMES, BUCKETS)
    ours.register(tally)
    ours.register(timings)
    counter = Counter("calls_total", "Calls.", NAMES, registry=theirs)
    histogram = Histogram("secs", "Time.", NAMES, buckets=BUCKETS, registry=theirs)
    for tool, status, seconds in seen:
        tally.add(tool, status)
        timings.add(seconds, tool, status)
        counter.labels(tool, status).inc()
        histogram.labels(tool, status).observe(seconds)
    assert text(ours) == text(theirs)
