"""The three ways in which nodes take a tool call over HTTP, as pure functions of bytes.

Modern is MCP 2026-07-28 (stateless), handshake MCP up to 2025-11-25 (initialize, perhaps a
session), bare a plain JSON-RPC 2.0 endpoint whose `result` is the answer itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from mcp_types import CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, PROTOCOL_VERSION_META_KEY
from mcp_types.version import LATEST_HANDSHAKE_VERSION, LATEST_MODERN_VERSION

ACCEPT = {
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
    "Accept-Encoding": "identity",  # a small body must not become a large one
}
CLIENT = {"name": "student-hub", "version": "1"}
DISCOVER = "server/discover"
INITIALIZE = "initialize"
TOOLS_CALL = "tools/call"
TOOLS_LIST = "tools/list"


NO_SUCH_METHOD = -32601
OUR_FAULT = frozenset({NO_SUCH_METHOD, -32602, -32002, "not_found", "invalid", "invalid_arguments"})
"""Codes with which a node that is well says that our arguments, or what they name, do not exist."""

LONGEST_CODE = 40
ABSENT = frozenset({-32002, "not_found"})
"""Those of them that say: there is no such thing."""


class Refused(Exception):
    """The node understood the call and answered with an error."""

    def __init__(self, code: object) -> None:
        known = code if isinstance(code, int | str) else None
        self.ours = known in OUR_FAULT
        self.absent = known in ABSENT
        self.unoffered = known == NO_SUCH_METHOD
        super().__init__(str(code)[:LONGEST_CODE])


class Nonsense(Exception):
    """The node's answer is not what its protocol or its tool promises."""


@dataclass(frozen=True, slots=True)
class Modern:
    """MCP from 2026-07-28 on: every request says everything."""

    version: str = LATEST_MODERN_VERSION

    def headers(self, method: str, name: str | None) -> dict[str, str]:
        headers = {**ACCEPT, "MCP-Protocol-Version": self.version, "Mcp-Method": method}
        return headers if name is None else {**headers, "Mcp-Name": name}

    def params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        meta = {
            PROTOCOL_VERSION_META_KEY: self.version,
            CLIENT_CAPABILITIES_META_KEY: {},
            CLIENT_INFO_META_KEY: CLIENT,
        }
        return {**params, "_meta": meta}


@dataclass(frozen=True, slots=True)
class Handshake:
    """MCP up to 2025-11-25: the version agreed on, and the session if the node keeps one."""

    version: str = LATEST_HANDSHAKE_VERSION
    session: str | None = None

    def headers(self, _method: str, _name: str | None) -> dict[str, str]:
        headers = {**ACCEPT, "MCP-Protocol-Version": self.version}
        return headers if self.session is None else {**headers, "Mcp-Session-Id": self.session}

    def params(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return params


@dataclass(frozen=True, slots=True)
class Bare:
    """JSON-RPC 2.0 without MCP around it."""

    def headers(self, _method: str, _name: str | None) -> dict[str, str]:
        return ACCEPT

    def params(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return params


Dialect = Modern | Handshake | Bare
"""Says the headers of a call, by its method and the tool's name, and what its `params` are."""


def rpc(method: str, params: Mapping[str, Any], number: int | None) -> bytes:
    """A JSON-RPC 2.0 request, or a notification when it has no number."""
    body: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params}
    return orjson.dumps(body if number is None else {**body, "id": number})


def initialize_params() -> dict[str, Any]:
    return {
        "protocolVersion": LATEST_HANDSHAKE_VERSION,
        "capabilities": {},
        "clientInfo": CLIENT,
    }


def is_answer(message: bytes) -> bool:
    """Whether a message of a stream is an answer, or nothing that can be read at all."""
    try:
        told = orjson.loads(message)
    except orjson.JSONDecodeError:
        return True
    return isinstance(told, dict) and ("result" in told or "error" in told)


def result_of(message: bytes, number: int) -> object:
    """The `result` of the JSON-RPC answer to the request of that number.

    Raises Refused for an `error`, which may be without a number (JSON-RPC 2.0, section 5), and
    Nonsense for whatever is no answer to that request.
    """
    try:
        reply = orjson.loads(message)
    except orjson.JSONDecodeError as error:
        raise Nonsense("not JSON") from error
    told = reply if isinstance(reply, dict) else {}
    answers = type(told.get("id")) is int and told["id"] == number
    if "result" in told and answers:
        return told["result"]
    if isinstance(told.get("error"), dict) and (answers or told.get("id") is None):
        raise Refused(told["error"].get("code"))
    raise Nonsense("no answer to what was asked")


def tool_answer(dialect: Dialect, result: object) -> object:
    """The object or list that the tool answered with, out of the dialect's wrapping."""
    if isinstance(dialect, Bare) and not _is_mcp(result):
        return result
    if not isinstance(result, dict):
        raise Nonsense("an MCP result must be an object")
    if result.get("isError"):
        raise Refused(_error_code(result))
    structured = result.get("structuredContent")
    return _text_block(result.get("content")) if structured is None else structured


def _is_mcp(result: object) -> bool:
    """Whether an answer is wrapped as MCP does; stateless servers wrap it for bare callers too."""
    content = result.get("content") if isinstance(result, dict) else None
    return isinstance(content, list) and all(isinstance(b, dict) and "type" in b for b in content)


def _error_code(result: Mapping[str, Any]) -> object:
    """The code of a structured tool error, in `error` or by itself; `isError` without one."""
    try:
        told = result.get("structuredContent") or _text_block(result.get("content"))
    except Nonsense:
        told = None
    error = told.get("error", told) if isinstance(told, dict) else None
    return error.get("code", "isError") if isinstance(error, dict) else "isError"


def _text_block(content: object) -> object:
    for block in content if isinstance(content, list) else []:
        if isinstance(block, dict) and block.get("type") == "text":
            try:
                return orjson.loads(str(block.get("text")))
            except orjson.JSONDecodeError as error:
                raise Nonsense("the text block is not JSON") from error
    raise Nonsense("no structured content and no text block")
