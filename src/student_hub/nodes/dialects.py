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

ACCEPT = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
CLIENT = {"name": "student-hub", "version": "1"}
DISCOVER = "server/discover"
INITIALIZE = "initialize"
TOOLS_CALL = "tools/call"


OUR_FAULT = frozenset({-32602, -32002, "not_found", "invalid", "invalid_arguments"})
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
        super().__init__(str(code)[:LONGEST_CODE])


class Nonsense(Exception):
    """The node's answer is not what its protocol or its tool promises."""


@dataclass(frozen=True, slots=True)
class Message:
    """One HTTP POST: its headers and its JSON body."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Modern:
    """MCP from 2026-07-28 on: every request says everything."""

    version: str = LATEST_MODERN_VERSION

    def request(self, method: str, params: Mapping[str, Any], number: int) -> Message:
        meta = {
            PROTOCOL_VERSION_META_KEY: self.version,
            CLIENT_CAPABILITIES_META_KEY: {},
            CLIENT_INFO_META_KEY: CLIENT,
        }
        headers = {**ACCEPT, "MCP-Protocol-Version": self.version, "Mcp-Method": method}
        if "name" in params:
            headers["Mcp-Name"] = params["name"]
        return Message(headers, rpc(method, {**params, "_meta": meta}, number))


@dataclass(frozen=True, slots=True)
class Handshake:
    """MCP up to 2025-11-25: the version agreed on, and the session if the node keeps one."""

    version: str = LATEST_HANDSHAKE_VERSION
    session: str | None = None

    def request(self, method: str, params: Mapping[str, Any], number: int | None) -> Message:
        headers = {**ACCEPT, "MCP-Protocol-Version": self.version}
        if self.session is not None:
            headers["Mcp-Session-Id"] = self.session
        return Message(headers, rpc(method, params, number))


@dataclass(frozen=True, slots=True)
class Bare:
    """JSON-RPC 2.0 without MCP around it."""

    def request(self, method: str, params: Mapping[str, Any], number: int) -> Message:
        return Message(ACCEPT, rpc(method, params, number))


Dialect = Modern | Handshake | Bare


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


def result_of(reply: object) -> object:
    """The `result` of a JSON-RPC answer; Refused for an `error`, Nonsense for neither."""
    if isinstance(reply, dict) and "result" in reply:
        return reply["result"]
    if isinstance(reply, dict) and isinstance(reply.get("error"), dict):
        raise Refused(reply["error"].get("code"))
    raise Nonsense("neither result nor error")


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
