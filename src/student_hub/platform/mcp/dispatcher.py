"""The one way to a tool, whichever door a call came through: found, checked, run, counted."""

import time
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

import structlog
from pydantic import BaseModel

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
        tool = self.tools.get(name)

        async def work() -> bytes:
            if tool is None:
                raise UnknownTool(tool=name[:LONGEST_NAME])
            return await tool.run(self._parts, caller, tool.read(arguments))

        return await self._noted(work(), "unknown" if tool is None else name, caller)

    async def run(self, tool: Tool, arguments: BaseModel, caller: Caller) -> bytes:
        """The same for arguments that the tool has read already."""
        return await self._noted(tool.run(self._parts, caller, arguments), tool.name, caller)

    async def _noted(self, work: Coroutine[Any, Any, bytes], tool: str, caller: Caller) -> bytes:
        start, status = time.perf_counter(), "cancelled"
        try:
            answer = await work
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
            self._note(tool, status, time.perf_counter() - start, caller)

    def _note(self, tool: str, status: str, seconds: float, caller: Caller) -> None:
        self._metrics.observe_call(tool, status, seconds)
        log.info(
            "tool_call",
            tool=tool,
            status=status,
            duration_ms=round(seconds * 1_000, 2),
            caller=caller.subject,
        )
