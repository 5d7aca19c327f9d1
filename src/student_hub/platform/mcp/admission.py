"""Which request is a tool call without any fault, so that it needs no second opinion.

A header that is unclear, a field too many, a number that readers may read differently: whatever
is not plainly good is not admitted, and the SDK says what is wrong with it, if anything is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import orjson
from mcp.shared.inbound import X_MCP_HEADER_KEY, InboundModernRoute, classify_inbound_request
from mcp_types import DEFAULT_NEGOTIATED_VERSION, CallToolRequestParams
from mcp_types.methods import validate_client_request
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, LATEST_MODERN_VERSION
from pydantic import BaseModel, ValidationError

from student_hub.platform.errors import Fact, InvalidInput
from student_hub.platform.mcp.tool import Tool

METHOD = "tools/call"
VERSION_HEADER = b"mcp-protocol-version"
METHOD_HEADER = b"mcp-method"
NAME_HEADER = b"mcp-name"
READ = frozenset({b"host", b"content-type", b"accept", VERSION_HEADER, METHOD_HEADER, NAME_HEADER})
BEYOND = frozenset({b"origin", b"mcp-session-id", b"last-event-id"})
JSON_TYPES = frozenset({b"application/json", b"application/json; charset=utf-8"})
ACCEPTS = frozenset(
    {
        b"application/json, text/event-stream",
        b"application/json,text/event-stream",
        b"text/event-stream, application/json",
        b"application/json",
        b"*/*",
    }
)
HANDSHAKE = {version.encode(): version for version in HANDSHAKE_PROTOCOL_VERSIONS}
MODERN = LATEST_MODERN_VERSION.encode()
LARGEST_ID = 2**53
LONGEST_ID = 200
LARGEST_META = 4_096
WIDEST = 2.0**63
"""From here on orjson reads an integer as a float, and the SDK does not."""

Headers = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call in which there is nothing left to check."""

    id: str | int
    tool: Tool
    arguments: BaseModel
    modern: bool


class Admission:
    """Knows the tools that may be called this way and the hosts that the hub answers to."""

    def __init__(self, tools: Mapping[str, Tool], allowed_hosts: Sequence[str]) -> None:
        self._tools = {
            name: tool
            for name, tool in tools.items()
            if X_MCP_HEADER_KEY.encode() not in orjson.dumps(tool.input_schema)
        }
        self._any_host = "*" in allowed_hosts
        self._hosts = frozenset(host.encode() for host in allowed_hosts)
        self._hosts_with_port = tuple(f"{host}:".encode() for host in allowed_hosts)

    def admit(self, headers: Headers, body: Fact) -> Call | None:
        """The call, or None for anything that is not plainly a good one."""
        said = _said(headers)
        if said is None or not self._addressed(said):
            return None
        version = _version(said)
        params = _params(body)
        if version is None or params is None or not _good_meta(version, params):
            return None
        return self._call(said, body, params, modern=version == LATEST_MODERN_VERSION)

    def _addressed(self, said: Mapping[bytes, bytes]) -> bool:
        if said.get(b"content-type") not in JSON_TYPES or said.get(b"accept") not in ACCEPTS:
            return False
        host = said.get(b"host", b"")
        return self._any_host or host in self._hosts or host.startswith(self._hosts_with_port)

    def _call(
        self, said: Mapping[bytes, bytes], body: Fact, params: dict[str, Fact], *, modern: bool
    ) -> Call | None:
        call_id = _id(body)
        name, arguments = params["name"], params.get("arguments", {})
        tool = self._tools.get(name) if isinstance(name, str) else None
        if call_id is None or tool is None or not isinstance(arguments, dict):
            return None
        if modern and said[NAME_HEADER] != tool.name.encode():
            return None
        try:
            read = None if _wide(arguments) else tool.read(arguments)
        except InvalidInput:
            return None
        return None if read is None else Call(call_id, tool, read, modern)


def _said(headers: Headers) -> dict[bytes, bytes] | None:
    said: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in READ:
            if name in said:
                return None
            said[name] = value
        elif name in BEYOND or name.startswith(b"mcp-param-"):
            return None
    return said


def _version(said: Mapping[bytes, bytes]) -> str | None:
    version = said.get(VERSION_HEADER)
    if version == MODERN:
        named = said.get(METHOD_HEADER) == METHOD.encode() and NAME_HEADER in said
        return LATEST_MODERN_VERSION if named else None
    if METHOD_HEADER in said or NAME_HEADER in said:
        return None
    return DEFAULT_NEGOTIATED_VERSION if version is None else HANDSHAKE.get(version)


def _params(body: Fact) -> dict[str, Fact] | None:
    if not isinstance(body, dict) or body.keys() != {"jsonrpc", "id", "method", "params"}:
        return None
    params = body["params"]
    if body["jsonrpc"] != "2.0" or body["method"] != METHOD or not isinstance(params, dict):
        return None
    known = "name" in params and params.keys() <= {"name", "arguments", "_meta"}
    return params if known else None


def _id(body: Fact) -> str | int | None:
    call_id = body["id"] if isinstance(body, dict) else None
    if isinstance(call_id, str):
        return call_id if len(call_id) <= LONGEST_ID else None
    if isinstance(call_id, int) and not isinstance(call_id, bool):
        return call_id if -LARGEST_ID <= call_id <= LARGEST_ID else None
    return None


def _good_meta(version: str, params: Mapping[str, Fact]) -> bool:
    if "_meta" not in params:
        return version != LATEST_MODERN_VERSION
    meta = orjson.dumps(params["_meta"])
    return len(meta) <= LARGEST_META and _checked_meta(version, meta)


@lru_cache(maxsize=512)
def _checked_meta(version: str, encoded: bytes) -> bool:
    """Asks the SDK's own checks; a client sends the same few `_meta` again and again."""
    meta = orjson.loads(encoded)
    params = {"name": "any", "arguments": {}, "_meta": meta}
    if not isinstance(meta, dict) or _holds_float(meta):
        return False
    try:
        validate_client_request(METHOD, version, params)
        CallToolRequestParams.model_validate(params, by_name=False)
    except ValidationError:
        return False
    return version != LATEST_MODERN_VERSION or _routed(params)


def _routed(params: Mapping[str, object]) -> bool:
    route = classify_inbound_request({"method": METHOD, "params": params})
    return isinstance(route, InboundModernRoute) and route.protocol_version == LATEST_MODERN_VERSION


def _holds_float(value: Fact) -> bool:
    return isinstance(value, float) or any(map(_holds_float, _inside(value)))


def _wide(value: Fact) -> bool:
    if isinstance(value, float):
        return abs(value) >= WIDEST
    return any(map(_wide, _inside(value)))


def _inside(value: Fact) -> Iterable[Fact]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
