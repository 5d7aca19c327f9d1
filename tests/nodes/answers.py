"""What nodes answer that is not what was asked for."""

from typing import Any

import orjson

from fakes.nodes import Fault, body
from nodes.lanes import KNOWN

OTHER = "650e8400-e29b-41d4-a716-446655440000"
ANOTHER_STUDENT = {**KNOWN, "student_id": OTHER}


def rpc(**reply: object) -> Fault:
    return body(orjson.dumps({"jsonrpc": "2.0", "id": 1, **reply}))


def tool_error(code: str) -> Fault:
    """A refusal as MCP servers send it, with a structured code."""
    told = {"error": {"code": code, "message": "no", "fields": []}}
    block = {"type": "text", "text": orjson.dumps(told).decode()}
    return rpc(result={"content": [block], "structuredContent": told, "isError": True})


async def blamed(_scope: Any, _receive: Any, send: Any) -> None:
    """HTTP 400 with a JSON-RPC error about the arguments, as the SDK's servers send it."""
    error = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32602, "message": "no"}}
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": orjson.dumps(error)})
