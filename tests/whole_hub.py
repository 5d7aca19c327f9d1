"""The whole hub as `student-hub serve` builds it, in threads: real stores, nodes that answer."""

import base64
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import orjson
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from doorway import Running, running
from student_hub.entry.api import create_app
from student_hub.entry.house import build
from student_hub.entry.run_api import health_of
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.workshop import Workshop
from student_hub.platform.settings import Settings

ANSWERS: dict[str, Any] = {
    "get_knowledge_state": {"concepts": [{"name": "이차방정식", "mastery": 0.85}]},
    "get_mastery_level": {"overall": 0.78, "by_subject": {"math": 0.82}},
    "get_recent_activities": [
        {"date": "2026-01-08", "type": "study", "duration": 3600, "problems_solved": 15}
    ],
    "get_latest_reports": [
        {"report_id": "REP123", "type": "weekly", "generated_at": "2026-01-05T10:00:00Z"}
    ],
    "analyze_weak_areas": [{"concept": "이차함수", "current_mastery": 0.65}],
    "generate_learning_path": [
        {"step": 1, "activity": "practice", "concept": "이차함수", "num_problems": 10}
    ],
    "get_school": lambda wanted: {"school_id": wanted["school_id"], "name": "한빛고등학교"},
}


@dataclass
class BareNode:
    """All six nodes in one, speaking bare JSON-RPC; its answers may change while it runs.

    An answer that can be called is given the call's arguments.
    """

    answers: dict[str, Any]
    seen: list[str] = field(default_factory=list)
    """Every request, headers and body."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        body = await request.body()
        self.seen.append(f"{request.url} {request.headers.items()} {body.decode()}")
        call = orjson.loads(body)
        reply = {"jsonrpc": "2.0", "id": call.get("id")}
        params = call.get("params", {})
        answer = self.answers.get(params.get("name"))
        if callable(answer):
            answer = answer(params["arguments"])
        if call.get("method") != "tools/call" or answer is None:
            return JSONResponse({**reply, "error": {"code": -32601, "message": "no such thing"}})
        return JSONResponse({**reply, "result": answer})


@dataclass
class WholeHub:
    """A running hub, its administrator's key, and the nodes behind it."""

    address: Running
    key: str
    node: BareNode
    app: ASGIApp
    settings: Settings

    @property
    def url(self) -> str:
        return self.address.url

    async def work(self) -> None:
        """Does every job that is due, as a worker with the same settings would."""
        worker = build(self.settings)
        try:
            for queue in Queue:
                await worker.parts.get(Workshop).work(queue)
        finally:
            await worker.close()

    def client(self, key: str | None = None) -> httpx2.Client:
        """A client with the administrator's key, or another one."""
        headers = {"X-API-Key": key or self.key}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=30)


@contextmanager
def whole_hub(
    database_url: str, valkey_url: str, *, at_port: int = 0, **given: Any
) -> Iterator[WholeHub]:
    """Serves the hub until the block ends; `given` are settings."""
    node, key = BareNode(dict(ANSWERS)), secrets.token_urlsafe(24)
    with ExitStack() as stack:
        nodes = stack.enter_context(running(node))
        urls: dict[str, Any] = {f"node{number}_url": nodes.url for number in range(1, 7)}
        settings = Settings(
            database_url=SecretStr(database_url),
            redis_url=SecretStr(valkey_url),
            encryption_key=SecretStr(base64.b64encode(secrets.token_bytes(32)).decode()),
            api_key=SecretStr(key),
            **urls,
            **given,
        )
        house = build(settings)
        app = create_app(house.parts, settings, health_of(house), house.close, house.open)
        yield WholeHub(stack.enter_context(running(app, at_port)), key, node, app, settings)
