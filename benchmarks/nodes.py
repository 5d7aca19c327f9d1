"""Six fake nodes in one process: each tool answers with the same object after a set time.

`python -m benchmarks.nodes PORT DELAY_MS`
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import uvicorn
from starlette.types import Receive, Scope, Send

TODAY = datetime(2026, 1, 9, tzinfo=UTC)
ANSWERS: dict[str, dict[str, Any]] = {
    "get_knowledge_state": {
        "node": 1,
        "concepts": [
            {
                "name": f"이차함수의 성질 {number}",
                "code": f"10수학01-{number:02}",
                "mastery": 0.8,
                "interval": [0.7, 0.9],
                "answers": 20,
            }
            for number in range(1, 13)
        ],
    },
    "get_mastery_level": {"node": 2, "overall": 0.78, "by_subject": {"math": 0.82}},
    "get_recent_activities": {
        "activities": [
            {
                "date": (TODAY - timedelta(days=day)).date().isoformat(),
                "type": "study",
                "duration": 3_600,
                "problems_solved": 15,
            }
            for day in range(7)
        ]
    },
    "get_latest_reports": {
        "reports": [{"report_id": "REP1", "type": "weekly", "generated_at": TODAY.isoformat()}]
    },
    "analyze_weak_areas": {
        "weak_areas": [
            {"concept": f"이차함수의 성질 {number}", "current_mastery": 0.5, "target_mastery": 0.85}
            for number in range(1, 5)
        ]
    },
    "generate_learning_path": {
        "learning_path": [
            {
                "step": number,
                "activity": "practice",
                "concept": f"이차함수의 성질 {number}",
                "estimated_duration": 1_800,
                "num_problems": 10,
            }
            for number in range(1, 9)
        ]
    },
    "get_school": {"school_id": "SCH001", "name": "한빛고등학교", "region": "서울"},
}
DISCOVERED = {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}
JSON = [(b"content-type", b"application/json")]


class Nodes:
    """ASGI: MCP of revision 2026-07-28 at any path, as far as the hub's client asks."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reply = b"{}"
        if scope["method"] == "POST":
            body = b""
            more = True
            while more:
                message = await receive()
                body, more = body + message["body"], message["more_body"]
            reply = await self._reply(orjson.loads(body))
        headers = [*JSON, (b"content-length", str(len(reply)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": reply})

    async def _reply(self, call: dict[str, Any]) -> bytes:
        result: dict[str, Any] = DISCOVERED
        if call["method"] == "tools/call":
            await asyncio.sleep(self._delay_s)
            answer = ANSWERS[call["params"]["name"]]
            text = {"type": "text", "text": orjson.dumps(answer).decode()}
            result = {"content": [text], "structuredContent": answer, "isError": False}
        return orjson.dumps({"jsonrpc": "2.0", "id": call["id"], "result": result})


def serve(app: Any, port: int) -> None:
    """Serves an ASGI app as lean as uvicorn can."""
    uvicorn.run(
        app,
        port=port,
        loop="uvloop",
        http="httptools",
        lifespan="auto",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=65,
    )


if __name__ == "__main__":
    serve(Nodes(float(sys.argv[2]) / 1_000), int(sys.argv[1]))
