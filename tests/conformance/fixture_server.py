"""The tools that the conformance suite calls by name, on the hub's own transport stack.

Layers and doors are the hub's; only the tools behind them are the suite's. They answer with
content that no tool of the hub has (images, sounds, resources), because the suite looks at how
such content travels.
"""

import base64
from typing import Any

from mcp.server.caching import CacheHint
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    CallToolRequestParams,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ListToolsResult,
    TextContent,
    TextResourceContents,
    Tool,
)
from starlette.types import ASGIApp, Receive, Scope, Send

from doorway import ADMINISTRATOR_KEY, everybody, furnished, settings, well
from student_hub.entry.assembly import build_app, in_layers

PIXEL = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b5500"
        "00000a49444154789c636000000002000148afa4710000000049454e44ae426082"
    )
).decode()
SILENCE = base64.b64encode(
    b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\0\0\0\0"
).decode()
NOTHING = {"type": "object", "properties": {}, "additionalProperties": False}
DIALECT = "https://json-schema.org/draft/2020-12/schema"
ADDRESS_SCHEMA = {
    "$schema": DIALECT,
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
HEADER_SCHEMA = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "query": {"type": "string"},
    },
    "required": ["region"],
}


def text(words: str) -> TextContent:
    return TextContent(text=words)


def resource() -> EmbeddedResource:
    held = TextResourceContents(
        uri="test://example-resource", mime_type="text/plain", text="A resource inside an answer."
    )
    return EmbeddedResource(resource=held)


CONTENT: dict[str, list[ContentBlock]] = {
    "test_simple_text": [text("This is a simple text response for testing.")],
    "test_image_content": [ImageContent(data=PIXEL, mime_type="image/png")],
    "test_audio_content": [AudioContent(data=SILENCE, mime_type="audio/wav")],
    "test_embedded_resource": [resource()],
    "test_multiple_content_types": [
        text("Multiple content types test:"),
        ImageContent(data=PIXEL, mime_type="image/png"),
        resource(),
    ],
    "test_tool_with_progress": [text("Done, without a word on the way.")],
    "test_tool_with_logging": [text("Done, without a log on the way.")],
    "test_logging_tool": [text("Done, without a log on the way.")],
    "test_streaming_elicitation": [text("Done, without a question.")],
    "json_schema_2020_12_tool": [text("Understood.")],
    "test_header_region": [text("Understood.")],
}
SCHEMAS: dict[str, dict[str, Any]] = {
    "json_schema_2020_12_tool": ADDRESS_SCHEMA,
    "test_header_region": HEADER_SCHEMA,
}
FAILING = ("test_error_handling", "test_missing_capability")
TOOLS = [
    Tool(name=name, description="For the suite.", input_schema=SCHEMAS.get(name, NOTHING))
    for name in (*CONTENT, *FAILING)
]


async def list_tools(_: Any, __: Any) -> ListToolsResult:
    return ListToolsResult(tools=TOOLS)


async def call_tool(_: Any, params: CallToolRequestParams) -> CallToolResult:
    if params.name == "test_error_handling":
        return CallToolResult(content=[text("This tool always fails.")], is_error=True)
    if params.name == "test_missing_capability":
        raise MCPError(
            MISSING_REQUIRED_CLIENT_CAPABILITY,
            "This tool asks a model of the client.",
            {"requiredCapabilities": {"sampling": {}}},
        )
    if params.name not in CONTENT:
        raise MCPError(-32602, f"There is no tool of the name {params.name!r}.")
    return CallToolResult(content=CONTENT[params.name])


def with_key(app: ASGIApp) -> ASGIApp:
    """The suite cannot send a key: each of its requests gets one here, before the first layer."""

    async def keyed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["headers"] = [*scope["headers"], (b"x-api-key", ADMINISTRATOR_KEY.encode())]
        await app(scope, receive, send)

    return keyed


def fixture_app() -> ASGIApp:
    """The hub's layers and its /mcp with the suite's tools behind them."""
    server: Server[Any] = Server(
        "student-hub-fixtures",
        version="1",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        get_tool_input_schema={tool.name: tool.input_schema for tool in TOOLS}.get,
        cache_hints={"tools/list": CacheHint(ttl_ms=300_000, scope="public")},
    )
    server.middleware.clear()
    parts = furnished()
    app = build_app(parts, settings(), server, routers=[], admit=everybody, span=(well, well))
    return with_key(in_layers(app, parts, settings()))
