"""The one way to a tool, whichever door a call came through: found, checked, run, counted."""

import time
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from student_hub.platform.errors import HubError
from student_hub.platform.http.exchange import Exchange
from student_hub.platform.http.guard import Admit
from student_hub.platform.http.limiting import Ask, charge, unlimited
from student_hub.platform.limits.costs import ORDINARY
from student_hub.platform.limits.permit import Permit
from student_hub.platform.mcp.errors import UnknownTool
from student_hub.platform.mcp.tool import Encoded, Tool
from student_hub.platform.observability.metrics import Metrics
from student_hub.platform.parts import Parts
from student_hub.platform.security.caller import Caller

LONGEST_NAME = 100
EVENT = "tool_call"
UNKNOWN = "unknown"


class Dispatcher:
    """Runs tools by name, for whom `admit` lets in, each call with the permit that it costs.

    What became of a call is put in the note of its exchange, for the log.
    """

    def __init__(
        self,
        tools: Sequence[Tool],
        parts: Parts,
        metrics: Metrics,
        admit: Admit,
        ask: Ask = unlimited,
    ) -> None:
        self.tools = {tool.name: tool for tool in tools}
        if len(self.tools) != len(tools):
            raise ValueError("two tools have one name")
        self._parts = parts
        self._metrics = metrics
        self._admit = admit
        self._ask = ask

    async def call(
        self, name: str, arguments: Mapping[str, object], caller: Caller, exchange: Exchange
    ) -> bytes:
        """The tool's answer as JSON; UnknownTool, InvalidInput or the tool's own HubError.

        What `admit` raises, when the caller may not use the tool, and RateLimited before anything.
        """
        tool = self.tools.get(name)
        try:
            if tool is None:
                raise UnknownTool(tool=name[:LONGEST_NAME])
            self._admit(tool.door, caller)
            read = tool.read(arguments)
        except HubError as error:
            permit = charge(self._ask, caller, ORDINARY, exchange)
            named = UNKNOWN if tool is None else name
            return await self._noted(_refused(error), permit, named, exchange)
        return await self.run(tool, read, caller, exchange)

    async def run(
        self, tool: Tool, arguments: BaseModel, caller: Caller, exchange: Exchange
    ) -> bytes:
        """The same for arguments that the tool has read already."""
        permit = charge(self._ask, caller, tool.cost_of(arguments), exchange)
        try:
            self._admit(tool.door, caller)
        except HubError as error:
            work = _refused(error)
        else:
            work = tool.run(self._parts, caller, permit, arguments)
        return await self._noted(work, permit, tool.name, exchange)

    async def charge(self, caller: Caller, exchange: Exchange) -> None:
        """Nothing when the caller may ask for something that is no tool; RateLimited otherwise."""
        await charge(self._ask, caller, ORDINARY, exchange).granted()

    async def _noted(
        self, work: Coroutine[Any, Any, Encoded[Any]], permit: Permit, tool: str, exchange: Exchange
    ) -> bytes:
        start, outcome = time.perf_counter(), "cancelled"
        try:
            try:
                answer = await work
            finally:  # whatever came of it: nothing leaves before the permit is known
                await permit.granted()
            outcome = "ok"
        except HubError as error:
            outcome = error.kind.value
            raise
        except Exception:
            outcome = "error"
            raise
        else:
            exchange.note.update(answer.facts)
            return answer.json
        finally:
            self._metrics.observe_call(tool, outcome, time.perf_counter() - start)
            note = exchange.note
            note.setdefault("event", EVENT)
            note["tool"], note["outcome"] = tool, outcome


async def _refused(error: HubError) -> Encoded[Any]:
    raise error
