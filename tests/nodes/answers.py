"""What nodes answer that is not what was asked for."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from fakes.nodes import Fault
from nodes.lanes import KNOWN

OTHER = "650e8400-e29b-41d4-a716-446655440000"
ANOTHER_STUDENT = {**KNOWN, "student_id": OTHER}


def rpc(*, http_status: int = 200, **reply: object) -> Fault:
    """Answers every request with that, under the request's own id unless another one is given."""

    async def fault(scope: Any, receive: Any, send: Any) -> None:
        asked = orjson.loads(await Request(scope, receive).body())
        told = orjson.dumps({"jsonrpc": "2.0", "id": asked.get("id"), **reply})
        await Response(told, http_status, media_type="application/json")(scope, receive, send)

    return fault


def tool_error(code: str) -> Fault:
    """A refusal as MCP servers send it, with a structured code."""
    told = {"error": {"code": code, "message": "no", "fields": []}}
    block = {"type": "text", "text": orjson.dumps(told).decode()}
    return rpc(result={"content": [block], "structuredContent": told, "isError": True})


blamed = rpc(http_status=400, error={"code": -32602, "message": "no"})
"""HTTP 400 with a JSON-RPC error about the arguments, as the SDK's servers send it."""
