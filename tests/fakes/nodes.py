"""Nodes for tests: real HTTP servers on loopback that answer as they are told, in any dialect.

The MCP dialects are served by the official SDK; only the bare dialect and the faults are our own.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import mcp_types as types
import orjson
import uvicorn
from mcp.server.lowlevel.server import Server
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

Answers = Mapping[str, Any]
"""What each tool answers: an object or a list; an exception instance is a refusal."""
Fault = Callable[[Scope, Receive, Send], Awaitable[None]]


class NotThere(Exception):
    """A refusal that says: there is no such thing."""

    def __str__(self) -> str:
        return '{"error": {"code": "not_found", "message": "there is none"}}'


@dataclass
class FakeNode:
    """A node under a test's control: its answers and fault may change while it runs."""

    answers: dict[str, Any] = field(default_factory=dict)
    fault: Fault | None = None
    dialect: str = "modern"
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    posts: int = 0
    url: str = ""

    def answer(self, name: str, arguments: dict[str, Any]) -> Any:
        self.calls.append((name, arguments))
        return self.answers[name]


@asynccontextmanager
async def running(node: FakeNode) -> AsyncIterator[FakeNode]:
    """Serves the node on a free port of its own until the block ends."""
    async with AsyncExitStack() as stack:
        app = await _app(node, stack)
        node.url = await stack.enter_async_context(_served(_Faulty(app, node)))
        yield node


class _Faulty:
    def __init__(self, app: ASGIApp, node: FakeNode) -> None:
        self._app = app
        self._node = node

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._node.posts += 1
        fault = self._node.fault
        await (fault or self._app)(scope, receive, send)


async def _app(node: FakeNode, stack: AsyncExitStack) -> ASGIApp:
    if node.dialect == "bare":
        return _bare(node)
    server = _sdk_server(node)
    app = server.streamable_http_app(json_response=node.dialect == "modern", stateless_http=False)
    await stack.enter_async_context(server.session_manager.run())
    return app if node.dialect == "modern" else _before_2026(app)


def _sdk_server(node: FakeNode) -> Server[Any]:
    async def list_tools(_ctx: Any, _params: Any) -> types.ListToolsResult:
        tools = [types.Tool(name=name, input_schema={"type": "object"}) for name in node.answers]
        return types.ListToolsResult(tools=tools)

    async def call_tool(_ctx: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        return _tool_result(node.answer(params.name, dict(params.arguments or {})))

    return Server("fake-node", on_list_tools=list_tools, on_call_tool=call_tool)


def _tool_result(answer: Any) -> types.CallToolResult:
    if isinstance(answer, Exception):
        block = types.TextContent(type="text", text=str(answer))
        return types.CallToolResult(content=[block], is_error=True)
    block = types.TextContent(type="text", text=orjson.dumps(answer).decode())
    structured = answer if isinstance(answer, dict) else None
    return types.CallToolResult(content=[block], structured_content=structured)


def _before_2026(app: ASGIApp) -> ASGIApp:
    """A server of the handshake era: it has never heard of 2026-07-28."""

    async def old(scope: Scope, receive: Receive, send: Send) -> None:
        versions = [v for name, v in scope.get("headers", []) if name == b"mcp-protocol-version"]
        if b"2026-07-28" in versions:
            await Response("Unsupported protocol version", 400)(scope, receive, send)
            return
        await app(scope, receive, send)

    return old


def _bare(node: FakeNode) -> ASGIApp:
    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        body = orjson.loads(await Request(scope, receive).body())
        await JSONResponse(_bare_reply(node, body))(scope, receive, send)

    return endpoint


def _bare_reply(node: FakeNode, body: dict[str, Any]) -> dict[str, Any]:
    reply = {"jsonrpc": "2.0", "id": body.get("id")}
    if body["method"] != "tools/call":
        return {**reply, "error": {"code": -32601, "message": "method not found"}}
    answer = node.answer(body["params"]["name"], body["params"]["arguments"])
    if isinstance(answer, Exception):
        code = -32002 if isinstance(answer, NotThere) else -32000
        return {**reply, "error": {"code": code, "message": str(answer)}}
    return {**reply, "result": answer}


@asynccontextmanager
async def _served(app: ASGIApp) -> AsyncIterator[str]:
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:  # with it, asyncio sets TCP_NODELAY
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app, lifespan="off", log_level="critical", timeout_graceful_shutdown=0
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listener]))
        try:
            async with asyncio.timeout(10):
                while not server.started:  # noqa: ASYNC110 (uvicorn offers no event to wait for)
                    await asyncio.sleep(0.005)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
        finally:
            server.should_exit = server.force_exit = True
            await task


async def hang(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Takes the request and never answers."""
    await asyncio.Event().wait()


def status(code: int) -> Fault:
    """Answers every request with that HTTP status and no body."""

    async def fault(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(status_code=code)(scope, receive, send)

    return fault


def body(content: bytes, content_type: str = "application/json") -> Fault:
    """Answers every request with these bytes."""

    async def fault(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(content, media_type=content_type)(scope, receive, send)

    return fault


async def drip(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Sends a byte now and then, for ever: no single read is ever late."""
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    while True:
        await send({"type": "http.response.body", "body": b" ", "more_body": True})
        await asyncio.sleep(0.02)


async def flood(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Sends 50 MB, if anybody reads so much."""
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for _ in range(800):
        await send({"type": "http.response.body", "body": b" " * 65_536, "more_body": True})
    await send({"type": "http.response.body", "body": b"{}", "more_body": False})
