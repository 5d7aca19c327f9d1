"""Which request is a tool call without any fault, so that it needs no second opinion.

A header that is unclear, a field too many, a number that readers may read differently: whatever
is not plainly good is not admitted, and the SDK says what is wrong with it, if anything is.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

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
TELLING = (b"content-type", b"accept", b"host", VERSION_HEADER, METHOD_HEADER)
READ = frozenset({*TELLING, NAME_HEADER})
PARAMETER = b"mcp-param-"
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
NARROW = frozenset({str, int, bool, type(None)})
LARGEST_ID = 2**53
LONGEST_ID = 200
LARGEST_META = 4_096
WIDEST = 2.0**63
"""From here on orjson reads an integer as a float, and the SDK does not."""

Headers = Sequence[tuple[bytes, bytes]]


class Call(NamedTuple):
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
        # A client says the same in these headers again and again.
        self._revision = lru_cache(maxsize=1_024)(self._revision_of)

    def admit(self, headers: Headers, said: Mapping[bytes, bytes], body: Fact) -> Call | None:
        """The call, or None for anything that is not plainly a good one.

        `said` are the headers by name.
        """
        version = self._revision(*map(said.get, TELLING), NAME_HEADER in said)
        params = _params(body)
        if version is None or params is None or not _plain(headers, said):
            return None
        if not _good_meta(version, params):
            return None
        return self._call(said, body, params, modern=version == LATEST_MODERN_VERSION)

    def _revision_of(
        self,
        content_type: bytes | None,
        accept: bytes | None,
        host: bytes | None,
        version: bytes | None,
        method: bytes | None,
        named: bool,
    ) -> str | None:
        """The revision that a request with these headers speaks; None when one is not plain."""
        if content_type not in JSON_TYPES or accept not in ACCEPTS:
            return None
        if not (self._any_host or self._is_ours(host or b"")):
            return None
        if version == MODERN:
            return LATEST_MODERN_VERSION if method == METHOD.encode() and named else None
        if method is not None or named:
            return None
        return DEFAULT_NEGOTIATED_VERSION if version is None else HANDSHAKE.get(version)

    def _is_ours(self, host: bytes) -> bool:
        return host in self._hosts or host.startswith(self._hosts_with_port)

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
            narrow = NARROW.issuperset(map(type, arguments.values())) or not _wide(arguments)
            read = tool.read(arguments) if narrow else None
        except InvalidInput:
            return None
        return None if read is None else Call(call_id, tool, read, modern)


def _plain(headers: Headers, said: Mapping[bytes, bytes]) -> bool:
    """Whether no header is beyond this path, and none that matters is there twice."""
    if not BEYOND.isdisjoint(said) or PARAMETER in b"\n".join(said):
        return False
    if len(said) == len(headers):
        return True
    names = [name for name, _ in headers if name in READ]
    return len(names) == len(set(names))


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
