"""What a tool answered, put into an MCP response as the bytes that it is."""

from collections.abc import Mapping

import orjson
from mcp_types import SERVER_INFO_META_KEY

from student_hub.platform.mcp.admission import Call


class Splicing:
    """Writes responses that say what the SDK's would; `server_info` goes with the newest ones."""

    def __init__(self, server_info: Mapping[str, object]) -> None:
        stamp = orjson.dumps({SERVER_INFO_META_KEY: dict(server_info)})
        self._modern_end = b',"resultType":"complete","_meta":' + stamp + b"}}"

    def answer(self, call: Call, answer: bytes) -> bytes:
        """The answer, structured and as text; it is not parsed."""
        return self._response(call, answer, b'}],"isError":false', structured=True)

    def failure(self, call: Call, error: bytes) -> bytes:
        """The tool's error; structured only where no client chokes on that."""
        return self._response(call, error, b'}],"isError":true', structured=call.modern)

    def _response(self, call: Call, json: bytes, after: bytes, *, structured: bool) -> bytes:
        parts = [
            b'{"jsonrpc":"2.0","id":',
            orjson.dumps(call.id),
            b',"result":{"content":[{"type":"text","text":',
            _quoted(json),
            after,
        ]
        if structured:
            parts += (b',"structuredContent":', json)
        parts.append(self._modern_end if call.modern else b"}}")
        return b"".join(parts)


def _quoted(json: bytes) -> bytes:
    """JSON as a JSON string; where it has no blank but spaces, two characters alone need care."""
    if b"\n" in json or b"\r" in json or b"\t" in json:
        return orjson.dumps(json.decode())
    return b'"%b"' % json.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
