"""A thin MCP client for one node: finds out its dialect once and remembers it.

Every method runs inside the caller's deadline; the client itself sets no time limits.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import orjson
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from student_hub.nodes.dialects import (
    DISCOVER,
    INITIALIZE,
    TOOLS_CALL,
    Bare,
    Dialect,
    Handshake,
    Message,
    Modern,
    Nonsense,
    Refused,
    initialize_params,
    result_of,
    tool_answer,
)

MOST_BYTES = 256 * 1024
CONNECTIONS = 16
DETECTION_S = 2.0
NO_SESSION = frozenset({400, 404})
NOT_KNOWN = frozenset({400, 404, 405, 406, 415})
"""Statuses by which a server says that it does not know a question; others say nothing of it."""
SERVER_ERROR = 500


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


class NodeClient:
    """Calls the tools of one node; has its own connections, at most 16."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._numbers = itertools.count(1)
        self._http: aiohttp.ClientSession | None = None
        self._dialect: asyncio.Task[Dialect] | None = None

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> object:
        """What the tool answered: an object or a list. Raises Unreachable, Refused or Nonsense."""
        known = self._dialect
        dialect = await self._speak()
        try:
            return await self._call_as(dialect, tool, arguments)
        except Nonsense:
            self._forget(known)
            raise
        except Unreachable as error:
            if known is None or error.status not in NO_SESSION:
                raise
        self._forget(known)
        return await self._call_as(await self._speak(), tool, arguments)

    async def ping(self) -> None:
        """Nothing when the node answers at all; Unreachable otherwise."""
        dialect = await self._speak()
        method = DISCOVER if isinstance(dialect, Modern) else "ping"
        await self._ask(dialect.request(method, {}, next(self._numbers)))

    async def close(self) -> None:
        if self._dialect is not None:
            self._dialect.cancel()
        if self._http is not None:
            await self._http.close()

    async def _call_as(self, dialect: Dialect, tool: str, arguments: Mapping[str, Any]) -> object:
        params = {"name": tool, "arguments": dict(arguments)}
        message = dialect.request(TOOLS_CALL, params, next(self._numbers))
        reply, _ = await self._post(message)
        return tool_answer(dialect, result_of(reply))

    async def _speak(self) -> Dialect:
        """The node's dialect; one finding-out serves all who wait, and outlives each of them."""
        if self._dialect is None or _failed(self._dialect):
            self._dialect = asyncio.create_task(self._find_out())
            self._dialect.add_done_callback(_failed)
        return await asyncio.shield(self._dialect)

    def _forget(self, known: asyncio.Task[Dialect] | None) -> None:
        """The dialect did not work, so that it is found out again, unless that has begun."""
        if self._dialect is known:
            self._dialect = None

    async def _find_out(self) -> Dialect:
        async with asyncio.timeout(DETECTION_S):
            return await self._try_modern() or await self._try_handshake() or Bare()

    async def _try_modern(self) -> Dialect | None:
        found = await self._ask(Modern().request(DISCOVER, {}, next(self._numbers)))
        offered = found[0].get("supportedVersions") if found else None
        known = offered if isinstance(offered, list) else []
        common = [version for version in MODERN_PROTOCOL_VERSIONS if version in known]
        return Modern(common[-1]) if common else None

    async def _try_handshake(self) -> Dialect | None:
        hello = Handshake().request(INITIALIZE, initialize_params(), next(self._numbers))
        found = await self._ask(hello)
        if not found or not isinstance(found[0].get("protocolVersion"), str):
            return None
        dialect = Handshake(found[0]["protocolVersion"], found[1])
        await self._post(dialect.request("notifications/initialized", {}, None))
        return dialect

    async def _ask(self, message: Message) -> tuple[dict[str, Any], str | None] | None:
        """The result object and session; None where the node does not know the question."""
        try:
            reply, session = await self._post(message)
            result = result_of(reply)
        except (Refused, Nonsense):
            return None
        except Unreachable as error:
            if error.status not in NOT_KNOWN:
                raise
            return None
        return (result, session) if isinstance(result, dict) else None

    async def _post(self, message: Message) -> tuple[object, str | None]:
        try:
            async with self._session().post(
                self._url, data=message.body, headers=message.headers, allow_redirects=False
            ) as response:
                reply = await _read_reply(response)
                return reply, response.headers.get("Mcp-Session-Id")
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable from error

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,  # a small body must not become a large one
                headers={"Accept-Encoding": "identity"},
            )
        return self._http


def _failed(task: asyncio.Task[Dialect]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


async def _read_reply(response: aiohttp.ClientResponse) -> object:
    """The JSON-RPC answer in the body, by JSON or by server-sent events; None for 202."""
    if response.status == 202:  # noqa: PLR2004 (a notification was taken)
        return None
    if not 200 <= response.status < 300:  # noqa: PLR2004
        raise Unreachable(response.status, ours=await _blames_us(response))
    if response.content_type == "text/event-stream":
        return await _first_answer(response)
    return _json(b"".join([chunk async for chunk in _bounded(response)]))


async def _blames_us(response: aiohttp.ClientResponse) -> bool:
    """Whether an error status comes with a JSON-RPC error about our own arguments."""
    if response.status >= SERVER_ERROR or response.content_type != "application/json":
        return False
    try:
        result_of(_json(b"".join([chunk async for chunk in _bounded(response)])))
    except Refused as error:
        return error.ours
    except Nonsense:
        return False
    return False


async def _first_answer(response: aiohttp.ClientResponse) -> object:
    lines = b""
    async for chunk in _bounded(response):
        lines += chunk
        *events, lines = lines.replace(b"\r\n", b"\n").split(b"\n\n")
        for event in events:
            reply = _event_data(event)
            if isinstance(reply, dict) and ("result" in reply or "error" in reply):
                return reply
    raise Nonsense("the stream ended without an answer")


def _event_data(event: bytes) -> object:
    data = [line[5:].lstrip() for line in event.split(b"\n") if line.startswith(b"data:")]
    return _json(b"\n".join(data)) if any(data) else None


async def _bounded(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    read = 0
    async for chunk in response.content.iter_any():
        read += len(chunk)
        if read > MOST_BYTES:
            raise Nonsense(f"more than {MOST_BYTES} bytes")
        yield chunk


def _json(body: bytes) -> object:
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Nonsense("not JSON") from error
    return value
