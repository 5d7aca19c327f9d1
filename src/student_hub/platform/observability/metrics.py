"""The figures of one process, in the Prometheus text format at /metrics."""

from functools import cache, partial

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
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
        self.mcp_requests = Counter(
            "mcp_requests_total",
            "Requests at /mcp: `fast` for calls without a fault, `sdk` for everything else.",
            ["way"],
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
        self.node_circuit_open = Gauge(
            "node_circuit_open",
            "1 while the node is not asked, or only probed, because it has been failing.",
            ["node"],
            registry=registry,
        )
        self.node_retries = Counter(
            "node_retries_total", "Calls to a node that were repeated.", ["node"], registry=registry
        )

        # Finding a series by its labels costs more than counting in it.
        self._calls = cache(partial(self.mcp_calls.labels, "hub"))
        self._call_seconds = cache(partial(self.mcp_call_seconds.labels, "hub"))
        self._requests = cache(self.http_requests.labels)

    def observe_node_call(self, node: str, tool: str, status: str, seconds: float) -> None:
        """Counts a call to a node; status is `ok`, `cancelled` or the reason of the failure."""
        self.mcp_calls.labels(node, tool, status).inc()
        self.mcp_call_seconds.labels(node, tool).observe(seconds)

    def observe_node_retry(self, node: str) -> None:
        """Counts a call that was repeated."""
        self.node_retries.labels(node).inc()

    def observe_circuit(self, node: str, is_open: bool) -> None:
        """Keeps whether calls to the node are refused for now."""
        self.node_circuit_open.labels(node).set(is_open)

    def observe_profile(self, seconds: float, cached: bool) -> None:
        """Counts a profile that was gathered, or came whole from the cache."""
        self.profile_fetch_seconds.labels(str(cached).lower()).observe(seconds)

    def observe_call(self, tool: str, status: str, seconds: float) -> None:
        """Counts a tool call that the hub answered; status is `ok` or the kind of the failure."""
        self._calls(tool, status).inc()
        self._call_seconds(tool).observe(seconds)

    def observe_request(self, method: str, route: str, status: int) -> None:
        """Counts an HTTP request."""
        self._requests(method, route, status).inc()

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)
