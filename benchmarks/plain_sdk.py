"""The yardstick of convenience: the same tool, written plainly on the MCP SDK's own server.

`python -m benchmarks.plain_sdk PORT REDIS_URL`. It reads the profile from Valkey and answers with
it: no keys, no policy, no encryption, no log lines.
"""

import sys
from typing import Any

import orjson
from mcp.server.mcpserver import MCPServer

from benchmarks.floor import PREFIX, Usual
from benchmarks.nodes import serve


def build(url: str) -> MCPServer:
    """The server with its one tool."""
    store = Usual(url)
    server = MCPServer("plain")

    @server.tool()
    async def get_unified_profile(
        student_id: str, include_history: bool = True, days: int = 30
    ) -> dict[str, Any]:
        """Everything the platform knows about one student."""
        del include_history, days
        profile: dict[str, Any] = orjson.loads(await store.get(PREFIX + student_id.encode()))
        return profile

    return server


if __name__ == "__main__":
    app = build(sys.argv[2]).streamable_http_app(json_response=True, stateless_http=True)
    serve(app, int(sys.argv[1]))
