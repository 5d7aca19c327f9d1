"""The one way to a tool, whichever door a call came through: found, checked, run, counted."""

import time
from collections.abc import Mapping, Sequence

import structlog

from student_hub.platform.errors import HubError
from student_hub.platform.mcp.errors import UnknownTool
from student_hub.platform.mcp.tool import Tool
from student_hub.platform.observability.metrics import Metrics
from student_hub.platform.parts import Parts
from student_hub.platform.security.caller import Caller

LONGEST_NAME = 100
log = structlog.get_logger()


class Dispatcher:
    """Runs tools by name."""

    def __init__(self, tools: Sequence[Tool], parts: Parts, metrics: Metrics) -> None:
        self.tools = {tool.name: tool for tool in tools}
        if len(self.tools) != len(tools):
            raise ValueError("two tools have one name")
        self._parts = parts
        self._metrics = metrics

    async def call(self, name: str, arguments: Mapping[str, object], caller: Caller) -> bytes:
        """The tool's answer as JSON; UnknownTool, InvalidInput or the tool's own HubError."""
        start, status = time.perf_counter(), "cancelled"
        try:
            answer = await self._run(name, arguments, caller)
            status = "ok"
        except HubError as error:
            status = error.kind.value
            raise
        except Exception:
            status = "error"
            raise
        else:
            return answer
        finally:
            self._note(name, status, time.perf_counter() - start, caller)

    async def _run(self, name: str, arguments: Mapping[str, object], caller: Caller) -> bytes:
        tool = self.tools.get(name)
        if tool is None:
            raise UnknownTool(tool=name[:LONGEST_NAME])
        return await tool.run(self._parts, caller, tool.read(arguments))

    def _note(self, name: str, status: str, seconds: float, caller: Caller) -> None:
        known = name if name in self.tools else "unknown"
        self._metrics.mcp_calls.labels("hub", known, status).inc()
        self._metrics.mcp_call_seconds.labels("hub", known).observe(seconds)
        log.info(
            "tool_call",
            tool=known,
            status=status,
            duration_ms=round(seconds * 1_000, 2),
            caller=caller.subject,
        )
