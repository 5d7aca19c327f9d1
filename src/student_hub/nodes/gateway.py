"""One policy for every call to a node: deadline, classification, validation."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from student_hub.nodes.client import NodeClient, Unreachable
from student_hub.nodes.dialects import Nonsense, Refused
from student_hub.nodes.errors import NodeFailed, Reason
from student_hub.nodes.registry import Address, NodeName, NodeTool
from student_hub.platform.clock import Clock, utc_now
from student_hub.platform.db.database import inside

A = TypeVar("A", bound=BaseModel)
Observe = Callable[[str, str, str, float], None]
"""Told of every call: node, tool, status (`ok` or a reason), seconds."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answered(Generic[A]):
    """A usable answer and the time at which the hub got it."""

    value: A
    at: datetime


class Gateway:
    """Calls any tool of any node; raises nothing but NodeFailed."""

    def __init__(
        self,
        addresses: Mapping[NodeName, Address],
        observe: Observe,
        *,
        attempt_s: float = 0.5,
        clock: Clock = utc_now,
    ) -> None:
        self._addresses = addresses
        self._clients = {node: NodeClient(at.url) for node, at in addresses.items()}
        self._observe = observe
        self._attempt_s = attempt_s
        self._clock = clock

    async def call(
        self, tool: NodeTool[A], arguments: Mapping[str, Any], *, deadline_s: float | None = None
    ) -> Answered[A]:
        """The node's answer in the tool's shape, within `deadline_s` seconds (a call's default).

        Raises NodeFailed with the reason: timeout, invalid (not the tool's shape, or about another
        student) or error (no connection, an HTTP or protocol error, the node's own refusal).
        """
        if inside.get():
            raise RuntimeError("a node must not be called inside a transaction")
        started = time.perf_counter()
        status = "cancelled"
        try:
            answer = await self._attempt(tool, arguments, deadline_s or self._attempt_s)
            status = "ok"
        except NodeFailed as error:
            status = error.reason.value
            raise
        finally:
            self._observe(tool.node.value, tool.name, status, time.perf_counter() - started)
        return answer

    async def ping(self, node: NodeName) -> None:
        """Nothing when the node answers at all; an error otherwise. Sets no deadline."""
        await self._clients[node].ping()

    async def close(self) -> None:
        await asyncio.gather(*(client.close() for client in self._clients.values()))

    async def _attempt(
        self, tool: NodeTool[A], arguments: Mapping[str, Any], seconds: float
    ) -> Answered[A]:
        name, wording = self._addresses[tool.node].wording(tool.name, arguments)
        try:
            async with asyncio.timeout(seconds):
                raw = await self._clients[tool.node].call(name, wording)
            return Answered(_read(tool, raw, arguments), self._clock())
        except TimeoutError as error:
            raise _failed(tool, Reason.TIMEOUT, error) from error
        except (Unreachable, Refused) as error:
            raise _failed(tool, Reason.ERROR, error) from error
        except (Nonsense, ValidationError) as error:
            raise _failed(tool, Reason.INVALID, error) from error


def _read(tool: NodeTool[A], raw: object, arguments: Mapping[str, Any]) -> A:
    if tool.list_field is not None:
        raw = _put_list(raw, tool.list_field)
    if not isinstance(raw, dict):
        raise Nonsense("not an object")
    asked = arguments.get("student_id")
    if asked is not None and raw.get("student_id", asked) != asked:
        raise Nonsense("about another student")
    return tool.answer.model_validate(raw)


def _put_list(raw: object, field: str) -> object:
    """A bare list, or one that an MCP SDK wrapped as {"result": […]}, in its named field."""
    if isinstance(raw, dict) and field not in raw and isinstance(raw.get("result"), list):
        raw = raw["result"]
    return {field: raw} if isinstance(raw, list) else raw


def _failed(tool: NodeTool[A], reason: Reason, error: Exception) -> NodeFailed:
    detail = type(error).__name__ if isinstance(error, ValidationError) else str(error)
    log.warning(
        "node_failed", node=tool.node.value, tool=tool.name, reason=reason.value, detail=detail
    )
    return NodeFailed(node=tool.node.value, tool=tool.name, reason=reason)
