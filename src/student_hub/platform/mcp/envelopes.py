"""JSON-RPC 2.0 responses, and the form in which its doors refuse a request."""

from collections.abc import Callable, Mapping

import orjson
from starlette.responses import Response
from starlette.types import Scope

from student_hub.platform.codes import INTERNAL_ERROR, INVALID_REQUEST, structured
from student_hub.platform.errors import Fact, HubError
from student_hub.platform.http.problems import (
    UNEXPECTED,
    Condition,
    headers_of,
    http_code,
    problem,
    request_id_of,
    status_of,
)

RPC_PATH = "/rpc"
MCP_PATH = "/mcp"
JSONRPC_PATHS = frozenset({RPC_PATH, MCP_PATH})


def fault_in(message: object) -> str | None:
    """What keeps a decoded body from being one JSON-RPC 2.0 message; None when nothing does."""
    if not isinstance(message, dict):
        return "The body is not one JSON-RPC message, which is an object."
    if "result" in message or "error" in message:
        return None
    return next((words for right, words in RULES if not right(message)), None)


RULES: tuple[tuple[Callable[[dict[str, object]], bool], str], ...] = (
    (lambda m: m.get("jsonrpc") == "2.0", 'The message must say "jsonrpc": "2.0".'),
    (lambda m: isinstance(m.get("method"), str), "The message must name its method, a string."),
    (lambda m: isinstance(m.get("id", ""), str | int), "An id is a string or a whole number."),
    (lambda m: isinstance(m.get("params", {}), dict), "The params of a message are an object."),
)


def invalid_request(fault: str) -> Response:
    """The answer to what is no JSON-RPC message; it repeats nothing of what was sent."""
    error: dict[str, Fact] = {"code": INVALID_REQUEST, "message": fault, "data": {}}
    return Response(failure(None, error), 400, media_type="application/json")


def success(call_id: Fact, result: bytes) -> bytes:
    """The response that holds the result, which is JSON already, as it is."""
    return orjson.dumps({"jsonrpc": "2.0", "id": call_id, "result": orjson.Fragment(result)})


def failure(call_id: Fact, error: Mapping[str, Fact]) -> bytes:
    """The response that says an error."""
    return orjson.dumps({"jsonrpc": "2.0", "id": call_id, "error": error})


def unexpected(scope: Scope) -> dict[str, Fact]:
    """The error object of a failure nobody foresaw: where to look for it, and nothing else."""
    data: dict[str, Fact] = {"request_id": request_id_of(scope)}
    return {"code": INTERNAL_ERROR, "message": UNEXPECTED.detail, "data": data}


def refusal(scope: Scope, condition: Condition) -> Response:
    """The refusal of a request in the words of the door that it was for."""
    if scope["path"] not in JSONRPC_PATHS:
        return problem(scope, condition)
    if isinstance(condition, HubError):
        status, error = int(status_of(condition.kind)), structured(condition)
    else:
        status = condition.status_code
        error = {"code": http_code(status), "message": condition.detail}
        error["data"] = {"request_id": request_id_of(scope)}
    headers = headers_of(scope, condition)
    return Response(failure(None, error), status, headers, media_type="application/json")
