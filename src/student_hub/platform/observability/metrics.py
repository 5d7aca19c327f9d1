"""The figures of one process, in the Prometheus text format at /metrics."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.registry import Collector

from student_hub.platform.observability.tally import Tally, Timings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STATUS = {0: "0"} | {int(status): str(int(status)) for status in HTTPStatus}
PROFILE_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
"""Seconds; the limits of the contract are among them."""


class Metrics:
    """All series that the hub keeps; one object, so that tests can have their own."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        self._registry = registry
        self._asked: list[Callable[[], Awaitable[None]]] = []
        self._calls = Tally(
            "mcp_calls",
            "Tool calls; node is `hub` for those it answers, else the node it asked.",
            ("node", "tool", "status"),
        )
        self._call_seconds = Timings(
            "mcp_call_duration_seconds",
            "How long a tool call took.",
            ("node", "tool"),
            PROFILE_BUCKETS,
        )
        self._ways = Tally(
            "mcp_requests",
            "Requests at /mcp: `fast` for calls without a fault, `sdk` for everything else.",
            ("way",),
        )
        self._profile_seconds = Timings(
            "profile_fetch_duration_seconds",
            "How long it took to gather a profile.",
            ("cached",),
            PROFILE_BUCKETS,
        )
        self._requests = Tally(
            "http_requests",
            "Requests by route, never by the path that was asked for.",
            ("method", "route", "status"),
        )
        self._shed = Tally(
            "requests_shed",
            "Requests refused for load (requests, lag) or given up (body, time).",
            ("reason",),
        )
        for busy in (
            self._calls,
            self._call_seconds,
            self._ways,
            self._profile_seconds,
            self._requests,
            self._shed,
        ):
            registry.register(busy)
        self.node_circuit_open = Gauge(
            "node_circuit_open",
            "1 while the node is not asked, or only probed, because it has been failing.",
            ["node"],
            registry=registry,
        )
        self.node_retries = Counter(
            "node_retries_total", "Calls to a node that were repeated.", ["node"], registry=registry
        )

    def observe_node_call(self, node: str, tool: str, status: str, seconds: float) -> None:
        """Counts a call to a node; status is `ok`, `cancelled` or the reason of the failure."""
        self._calls.add(node, tool, status)
        self._call_seconds.add(seconds, node, tool)

    def observe_node_retry(self, node: str) -> None:
        """Counts a call that was repeated."""
        self.node_retries.labels(node).inc()

    def observe_circuit(self, node: str, is_open: bool) -> None:
        """Keeps whether calls to the node are refused for now."""
        self.node_circuit_open.labels(node).set(is_open)

    def observe_profile(self, seconds: float, cached: bool) -> None:
        """Counts a profile that was gathered, or came whole from the cache."""
        self._profile_seconds.add(seconds, "true" if cached else "false")

    def observe_call(self, tool: str, status: str, seconds: float) -> None:
        """Counts a tool call that the hub answered; status is `ok` or the kind of the failure."""
        self._calls.add("hub", tool, status)
        self._call_seconds.add(seconds, "hub", tool)

    def observe_way(self, way: str) -> None:
        """Counts a request at /mcp, by which way it went: `fast` or `sdk`."""
        self._ways.add(way)

    def observe_shed(self, reason: str) -> None:
        """Counts a request that was refused for load, or given up."""
        self._shed.add(reason)

    def observe_request(self, method: str, route: str, status: int) -> None:
        """Counts an HTTP request."""
        self._requests.add(method, route, STATUS.get(status, "other"))

    def add(self, series: Collector, ask: Callable[[], Awaitable[None]] | None = None) -> None:
        """Keeps series of a room's own; `ask` has them look before each scrape."""
        self._registry.register(series)
        if ask is not None:
            self._asked.append(ask)

    async def scraped(self) -> bytes:
        """Everything, after those have looked who wanted to."""
        for ask in self._asked:
            await ask()
        return self.text()

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)
