"""A thin MCP client for one node: finds out its dialect once and remembers it."""

import asyncio
import itertools
from collections.abc import Mapping
from functools import cache
from typing import Any

from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from student_hub.nodes.connection import EVENTS, Reply, TooLarge
from student_hub.nodes.dialects import (
    DISCOVER,
    INITIALIZE,
    TOOLS_CALL,
    TOOLS_LIST,
    Bare,
    Dialect,
    Handshake,
    Modern,
    Nonsense,
    Refused,
    initialize_params,
    is_answer,
    result_of,
    rpc,
    tool_answer,
)
from student_hub.nodes.endpoint import Endpoint, Unsendable

DETECTION_S = 2.0
MOST_PAGES = 20
NO_SESSION = frozenset({400, 404})
NOT_KNOWN = frozenset({400, 404, 405, 406, 415})
"""Statuses by which a server says that it does not know a question; others say nothing of it."""
SERVER_ERROR = 500
JSON = b"application/json"
Params = Mapping[str, Any]


class Unreachable(Exception):
    """The node could not be spoken to: no connection, or an HTTP status that is no answer."""

    def __init__(self, status: int | None = None, *, ours: bool = False) -> None:
        self.status = status
        self.ours = ours
        super().__init__(f"HTTP {status}" if status else "no connection")

    @property
    def passing(self) -> bool:
        """Whether the next try may well find the node there: not connected, or a 5xx."""
        return self.status is None or self.status >= SERVER_ERROR


class Tongue:
    """A dialect as it is spoken to one endpoint; what its requests begin with is made once."""

    def __init__(self, dialect: Dialect, endpoint: Endpoint) -> None:
        self.dialect = dialect
        self._endpoint = endpoint
        self._head = cache(self._new_head)

    async def ask(self, method: str, params: Params, number: int | None, end: float) -> Reply:
        """What HTTP brings back; Unreachable, Nonsense or TimeoutError."""
        head = self._head(method, params.get("name"))
        body = rpc(method, self.dialect.params(params), number)
        try:
            return await self._endpoint.post(head, body, end, is_answer)
        except TooLarge as error:
            raise Nonsense("too large") from error
        except TimeoutError:
            raise
        except OSError as error:
            raise Unreachable from error

    def _new_head(self, method: str, name: str | None) -> bytes:
        try:
            return self._endpoint.head(self.dialect.headers(method, name))
        except Unsendable as error:
            raise Nonsense("a header that cannot be sent") from error


class NodeClient:
    """Calls the tools of one node, over connections of its own.

    Whatever it does ends before a moment `end` of the running loop's clock, with TimeoutError.
    """

    def __init__(self, url: str) -> None:
        self._endpoint = Endpoint(url)
        self._numbers = itertools.count(1)
        self._tongue: asyncio.Task[Tongue] | None = None

    async def call(self, tool: str, arguments: Params, end: float) -> object:
        """What the tool answered: an object or a list. Raises Unreachable, Refused or Nonsense."""
        known = self._tongue
        tongue = await self._speak(end)
        try:
            return await self._call_as(tongue, tool, arguments, end)
        except Nonsense:
            self._forget(known)
            raise
        except Unreachable as error:
            if known is None or error.status not in NO_SESSION:
                raise
        self._forget(known)
        return await self._call_as(await self._speak(end), tool, arguments, end)

    async def lacks(self, tool: str) -> bool:
        """Whether the node lists its tools, and this one is not among them; at most 2 s."""
        end = asyncio.get_running_loop().time() + DETECTION_S
        tongue = await self._speak(end)
        cursor: object = None
        for _ in range(MOST_PAGES):
            params = {} if cursor is None else {"cursor": cursor}
            found = await self._try(tongue, TOOLS_LIST, params, end)
            tools = found[0].get("tools") if found else None
            if not isinstance(tools, list) or tool in _names(tools):
                return False
            cursor = found[0].get("nextCursor") if found else None
            if cursor is None:
                return True
        return False

    async def ping(self) -> None:
        """Nothing when the node answers at all; Unreachable or, after 2 s, TimeoutError."""
        end = asyncio.get_running_loop().time() + DETECTION_S
        tongue = await self._speak(end)
        await self._try(tongue, DISCOVER if isinstance(tongue.dialect, Modern) else "ping", {}, end)

    async def close(self) -> None:
        if self._tongue is not None:
            self._tongue.cancel()
        self._endpoint.close()

    async def _call_as(self, tongue: Tongue, tool: str, arguments: Params, end: float) -> object:
        number = next(self._numbers)
        params = {"name": tool, "arguments": arguments}
        reply = await tongue.ask(TOOLS_CALL, params, number, end)
        return tool_answer(tongue.dialect, _result(reply, number))

    async def _speak(self, end: float) -> Tongue:
        """The node's dialect; one finding-out serves all who wait, and outlives each of them."""
        known = self._tongue
        if known is None or _failed(known):
            self._tongue = known = asyncio.create_task(self._find_out())
            known.add_done_callback(_failed)
        if known.done():
            return known.result()
        async with asyncio.timeout_at(end):
            return await asyncio.shield(known)

    def _forget(self, known: asyncio.Task[Tongue] | None) -> None:
        """The dialect did not work, so that it is found out again, unless that has begun."""
        if self._tongue is known:
            self._tongue = None

    async def _find_out(self) -> Tongue:
        end = asyncio.get_running_loop().time() + DETECTION_S
        dialect = await self._try_modern(end) or await self._try_handshake(end) or Bare()
        return Tongue(dialect, self._endpoint)

    async def _try_modern(self, end: float) -> Dialect | None:
        found = await self._try(Tongue(Modern(), self._endpoint), DISCOVER, {}, end)
        offered = found[0].get("supportedVersions") if found else None
        known = offered if isinstance(offered, list) else []
        common = [version for version in MODERN_PROTOCOL_VERSIONS if version in known]
        return Modern(common[-1]) if common else None

    async def _try_handshake(self, end: float) -> Dialect | None:
        hello = Tongue(Handshake(), self._endpoint)
        found = await self._try(hello, INITIALIZE, initialize_params(), end)
        if not found or not isinstance(found[0].get("protocolVersion"), str):
            return None
        dialect = Handshake(found[0]["protocolVersion"], found[1])
        tongue = Tongue(dialect, self._endpoint)
        greeted = await tongue.ask("notifications/initialized", {}, None, end)
        if not _is_success(greeted):
            raise Unreachable(greeted.status)
        return dialect

    async def _try(
        self, tongue: Tongue, method: str, params: Params, end: float
    ) -> tuple[dict[str, Any], str | None] | None:
        """The result object and session; None where the node does not know the question."""
        number = next(self._numbers)
        try:
            reply = await tongue.ask(method, params, number, end)
            result = _result(reply, number)
        except (Refused, Nonsense):
            return None
        except Unreachable as error:
            if error.status not in NOT_KNOWN:
                raise
            return None
        return (result, reply.session) if isinstance(result, dict) else None


def _names(tools: list[object]) -> set[object]:
    return {tool.get("name") for tool in tools if isinstance(tool, dict)}


def _failed(task: asyncio.Task[Tongue]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _result(reply: Reply, number: int) -> object:
    """The `result` that the reply brings for the request of that number."""
    if not _is_success(reply):
        raise Unreachable(reply.status, ours=_blames_us(reply, number))
    if reply.media_type == EVENTS and not reply.body:
        raise Nonsense("the stream ended without an answer")
    return result_of(reply.body, number)


def _is_success(reply: Reply) -> bool:
    return 200 <= reply.status < 300  # noqa: PLR2004


def _blames_us(reply: Reply, number: int) -> bool:
    """Whether an error status comes with a JSON-RPC error about our own arguments."""
    if reply.status >= SERVER_ERROR or reply.media_type != JSON:
        return False
    try:
        result_of(reply.body, number)
    except Refused as error:
        return error.ours
    except Nonsense:
        return False
    return False
