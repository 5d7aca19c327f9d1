"""/mcp: the tools over MCP streamable HTTP, every revision on one endpoint, without sessions."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
import structlog
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from student_hub.platform.codes import INVALID_PARAMS, structured
from student_hub.platform.errors import Fact, HubError
from student_hub.platform.http.exchange import exchange_of
from student_hub.platform.http.limiting import Ask, charge, unlimited
from student_hub.platform.http.refusal import Refuse
from student_hub.platform.limits.costs import ORDINARY
from student_hub.platform.mcp.dispatcher import Dispatcher
from student_hub.platform.mcp.envelopes import fault_in, invalid_request, unexpected
from student_hub.platform.mcp.errors import UnknownTool
from student_hub.platform.mcp.listing import listed
from student_hub.platform.mcp.origins import Origins

Context = ServerRequestContext[Any, Any]
CALL = "tools/call"
LIST_FRESH_MS = 300_000
HEADERS_405 = {"Allow": "POST"}
log = structlog.get_logger()


class McpDoor:
    """An ASGI app; `run` must be open (in the lifespan of the app) while it serves.

    It asks for permits for what is no tool call; those are the dispatcher's business.
    """

    def __init__(
        self,
        server: Server,
        *,
        allowed_hosts: Sequence[str],
        allowed_origins: Sequence[str],
        max_body_bytes: int,
        refuse: Refuse,
        ask: Ask = unlimited,
    ) -> None:
        self._ask = ask
        self._origins = Origins(allowed_hosts, allowed_origins)
        self._refuse = refuse
        self._manager = StreamableHTTPSessionManager(
            app=server,
            json_response=True,
            stateless=True,
            security_settings=_security(allowed_hosts, allowed_origins),
            max_request_body_size=max_body_bytes,
        )

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Serves while the block is open; once only."""
        async with self._manager.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._origins.allow(scope["headers"]):
            refusal = HTTPException(403, "Pages of this origin may not speak to the hub.")
            await self._refuse(scope, refusal)(scope, receive, send)
            return
        if scope["method"] != "POST":  # older clients would hold an idle stream open with GET
            refusal = HTTPException(405, "Send MCP messages with POST.", headers=HEADERS_405)
            await self._refuse(scope, refusal)(scope, receive, send)
            return
        try:
            await self._permitted(scope)
        except HubError as error:
            await self._refuse(scope, error)(scope, receive, send)
            return
        fault = fault_in(scope["state"].get("json"))
        if fault is not None:  # the SDK's own words would repeat what was sent
            await invalid_request(fault)(scope, receive, send)
            return
        await self._manager.handle_request(scope, receive, send)

    async def _permitted(self, scope: Scope) -> None:
        message = scope["state"].get("json")
        if not isinstance(message, dict) or message.get("method") != CALL:
            caller = scope["state"]["caller"]
            await charge(self._ask, caller, ORDINARY, exchange_of(scope)).granted()


def build_server(dispatcher: Dispatcher, *, version: str, instructions: str) -> Server:
    """The MCP server of all tools of the dispatcher."""
    tools = listed(dispatcher.tools.values())
    schemas = {tool.name: tool.input_schema for tool in tools}

    async def list_tools(_: Context, __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=tools)

    async def call_tool(context: Context, params: CallToolRequestParams) -> CallToolResult:
        return await _call(dispatcher, context, params)

    server: Server = Server(
        "student-hub",
        title="Student Hub",
        version=version,
        instructions=instructions,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        get_tool_input_schema=schemas.get,
        cache_hints={"tools/list": CacheHint(ttl_ms=LIST_FRESH_MS, scope="public")},
    )
    server.middleware.clear()
    return server


async def _call(
    dispatcher: Dispatcher, context: Context, params: CallToolRequestParams
) -> CallToolResult:
    scope = _scope(context)
    try:
        answer = await dispatcher.call(
            params.name, params.arguments or {}, scope["state"]["caller"], exchange_of(scope)
        )
    except UnknownTool as error:
        raise MCPError(INVALID_PARAMS, error.message) from error
    except HubError as error:
        return _failed(context, structured(error))
    except Exception:  # the edge of this door: behind it the SDK would swallow the trace
        log.exception("tool_failed", tool=params.name)
        return _failed(context, unexpected(scope))
    return CallToolResult(
        content=[TextContent(text=answer.decode())], structured_content=orjson.loads(answer)
    )


def _scope(context: Context) -> Scope:
    request: Request | None = context.request
    if request is None:
        raise RuntimeError("MCP is served over HTTP only")
    return request.scope


def _failed(context: Context, error: dict[str, Fact]) -> CallToolResult:
    text = TextContent(text=orjson.dumps(error).decode())
    # A widespread client of the older revisions holds structured content against the tool's output
    # schema even when it is an error, and throws the error away: there, the text alone carries it.
    modern = context.protocol_version in MODERN_PROTOCOL_VERSIONS
    content = error if modern else None
    return CallToolResult(content=[text], structured_content=content, is_error=True)


def _security(hosts: Sequence[str], origins: Sequence[str]) -> TransportSecuritySettings:
    named = [form for host in hosts for form in (host, f"{host}:*")]
    own = [f"{scheme}://{form}" for scheme in ("http", "https") for form in named]
    return TransportSecuritySettings(
        enable_dns_rebinding_protection="*" not in hosts,
        allowed_hosts=named,
        allowed_origins=[*origins, *own],
    )
