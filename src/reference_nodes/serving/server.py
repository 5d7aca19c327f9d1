"""A node as an MCP server: streamable HTTP, both protocol eras, stateless, JSON answers."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from anyio import to_thread
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)
from pydantic import BaseModel, ValidationError
from starlette.types import ASGIApp

from reference_nodes.serving.context import NodeTool, ToolError

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
A_DAY = 86_400_000
MOST_BODY = 4 * 1024 * 1024
MOST_COMPLAINTS = 20

Runner = Callable[[Callable[[], BaseModel]], BaseModel]
"""How a tool is run: called in a worker thread with the tool's work, gives its answer."""


def plainly(work: Callable[[], BaseModel]) -> BaseModel:
    """Run a tool as it is, for nodes that follow no model."""
    return work()


def mcp_application(
    name: str, tools: Sequence[NodeTool], run: Runner = plainly, *, loopback_only: bool = True
) -> ASGIApp:
    """The ASGI application that serves these tools at /mcp.

    With `loopback_only` requests under another host's name are refused (DNS rebinding).
    """
    return mcp_server(name, tools, run).streamable_http_app(
        json_response=True,
        stateless_http=True,
        max_request_body_size=MOST_BODY,
        transport_security=_security(loopback_only),
    )


def mcp_server(name: str, tools: Sequence[NodeTool], run: Runner = plainly) -> Server[Any]:
    """The MCP server of these tools, for any transport."""
    table = {tool.name: tool for tool in tools}
    listed = ListToolsResult(tools=[_listed(tool) for tool in tools])
    schemas: Mapping[str, Mapping[str, Any]] = {t.name: t.input_schema for t in listed.tools}

    async def list_tools(
        _: ServerRequestContext[Any], __: PaginatedRequestParams | None
    ) -> ListToolsResult:
        return listed

    async def call_tool(
        _: ServerRequestContext[Any], params: CallToolRequestParams
    ) -> CallToolResult:
        tool = table.get(params.name)
        if tool is None:
            raise MCPError(INVALID_PARAMS, f"Unknown tool: {params.name[:100]}")
        return await to_thread.run_sync(_called, tool, params.arguments or {}, run)

    server: Server[Any] = Server(
        name,
        title=f"Mathesis reference node: {name}",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        get_tool_input_schema=schemas.get,
        cache_hints={"tools/list": CacheHint(A_DAY, "public")},
    )
    server.middleware.clear()  # tracing is the caller's business
    return server


def _security(loopback_only: bool) -> TransportSecuritySettings:
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=loopback_only,
        allowed_hosts=[f"{host}:*" for host in LOOPBACK],
        allowed_origins=[f"http://{host}:*" for host in LOOPBACK],
    )


def _listed(tool: NodeTool) -> Tool:
    return Tool(
        name=tool.name,
        title=tool.title or tool.name,
        description=tool.description,
        input_schema=tool.arguments.model_json_schema(),
        output_schema=tool.answer.model_json_schema(mode="serialization"),
        annotations=ToolAnnotations(
            title=tool.title or tool.name,
            read_only_hint=tool.read_only,
            destructive_hint=tool.destructive,
            idempotent_hint=tool.idempotent,
            open_world_hint=False,
        ),
    )


def _called(tool: NodeTool, arguments: dict[str, Any], run: Runner) -> CallToolResult:
    try:
        # By way of JSON: strict, and yet a UUID or a time may come as the text it is in JSON.
        question = tool.arguments.model_validate_json(json.dumps(arguments), strict=True)
        answer = run(lambda: tool.run(question))
    except ValidationError as error:
        return _refusal(error)
    except ToolError as error:
        return _failed(error.code, str(error), [error.field] if error.field else [])
    return CallToolResult(
        content=[TextContent(text=answer.model_dump_json())],
        structured_content=answer.model_dump(mode="json"),
    )


def _refusal(error: ValidationError) -> CallToolResult:
    complaints = {
        ".".join(map(str, each["loc"])) or "arguments": each["msg"]
        for each in error.errors(include_url=False, include_input=False, include_context=False)
    }
    shown = list(complaints.items())[:MOST_COMPLAINTS]
    message = "; ".join(f"{field}: {complaint}" for field, complaint in shown)
    return _failed("invalid_arguments", message, [field for field, _ in shown])


def _failed(code: str, message: str, fields: list[str]) -> CallToolResult:
    problem = {"error": {"code": code, "message": message, "fields": fields}}
    return CallToolResult(
        content=[TextContent(text=json.dumps(problem, ensure_ascii=False))],
        structured_content=problem,
        is_error=True,
    )
