"""The figures of one process, in the Prometheus text format at /metrics."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PROFILE_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
"""Seconds; the limits of the contract are among them."""


class Metrics:
    """All series that the hub keeps; one object, so that tests can have their own."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        self._registry = registry
        self.mcp_calls = Counter(
            "mcp_calls_total",
            "Tool calls; node is `hub` for those it answers, else the node it asked.",
            ["node", "tool", "status"],
            registry=registry,
        )
        self.mcp_call_seconds = Histogram(
            "mcp_call_duration_seconds",
            "How long a tool call took.",
            ["node", "tool"],
            buckets=PROFILE_BUCKETS,
            registry=registry,
        )
        self.profile_fetch_seconds = Histogram(
            "profile_fetch_duration_seconds",
            "How long it took to gather a profile.",
            ["cached"],
            buckets=PROFILE_BUCKETS,
            registry=registry,
        )
        self.http_requests = Counter(
            "http_requests_total",
            "Requests by route, never by the path that was asked for.",
            ["method", "route", "status"],
            registry=registry,
        )

    def observe_node_call(self, node: str, tool: str, status: str, seconds: float) -> None:
        """Counts a call to a node; status is `ok`, `cancelled` or the reason of the failure."""
        self.mcp_calls.labels(node, tool, status).inc()
        self.mcp_call_seconds.labels(node, tool).observe(seconds)

    def observe_profile(self, seconds: float, cached: bool) -> None:
        """Counts a profile that was gathered, or came whole from the cache."""
        self.profile_fetch_seconds.labels(str(cached).lower()).observe(seconds)

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)
