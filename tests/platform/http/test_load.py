"""What is too much, or takes too long, is refused; what operators ask is answered."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx2
import orjson
import pytest
from starlette.types import Message, Receive, Scope, Send

from student_hub.platform.http.edge import ALWAYS, Edge
from student_hub.platform.http.json_bodies import Bodies
from student_hub.platform.http.load import Load
from student_hub.platform.mcp.envelopes import JSONRPC_PATHS, refusal
from student_hub.platform.observability.metrics import Metrics

pytestmark = pytest.mark.requirement("load-shed")

Respond = Callable[[], Awaitable[None]]


class Room:
    """An app that answers when it is let go on."""

    def __init__(self) -> None:
        self.inside = 0
        self.go_on = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        self.inside += 1
        if scope["path"] not in ALWAYS:
            await self.go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    async def until(self, inside: int) -> None:
        async with asyncio.timeout(20):
            while self.inside < inside:  # noqa: ASYNC110 (the loop's own turn is waited for)
                await asyncio.sleep(0)


def client_of(room: Room, load: Load, metrics: Metrics | None = None) -> httpx2.AsyncClient:
    bodies = Bodies(room, most=1_000, only_json=JSONRPC_PATHS, refuse=refusal)
    app = Edge(bodies, refuse=refusal, metrics=metrics or Metrics(), load=load)
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://localhost", timeout=60
    )


async def test_one_request_too_many_is_refused_at_once_and_the_others_are_answered() -> None:
    """503 with Retry-After, in the door's form; when there is room again, all is as before."""
    room, load, metrics = Room(), Load(3), Metrics()
    async with client_of(room, load, metrics) as client:
        held = [asyncio.create_task(client.get("/v1/x")) for _ in range(3)]
        await room.until(3)
        rest, rpc = await client.get("/v1/x"), await client.post("/rpc", json={})
        assert (rest.status_code, rest.headers["retry-after"]) == (503, "1")
        assert rest.json()["type"] == "urn:student-hub:problem:overloaded"
        assert (rpc.status_code, rpc.json()["error"]["data"]) == (503, {"retry_after": 1})
        assert room.inside == 3
        room.go_on.set()
        assert [(await answer).status_code for answer in held] == [200] * 3
        assert (await client.get("/v1/x")).status_code == 200
    assert load.under_way == 0
    assert 'requests_shed_total{reason="requests"} 2.0' in metrics.text().decode()


@pytest.mark.parametrize("path", sorted(ALWAYS))
async def test_operators_are_answered_however_much_there_is_to_do(path: str) -> None:
    """States and figures are needed just then."""
    room = Room()
    async with client_of(room, Load(0)) as client:
        assert (await client.get("/v1/x")).status_code == 503
        assert (await client.get(path)).status_code == 200


async def test_a_loop_that_lags_lets_nothing_in_until_it_has_caught_up() -> None:
    """One hiccup is forgiven; a second one in a row means that there is too much to do."""
    room, load = Room(), Load()
    async with client_of(room, load) as client:
        held = asyncio.create_task(client.get("/v1/x"))
        await room.until(1)
        time.sleep(0.7)  # noqa: ASYNC251 (a lagging loop is what is tested)
        await asyncio.sleep(0)
        assert load.too_much() is None
        await lag(load)
        assert (await client.get("/v1/x")).status_code == 503
        await caught_up(load)
        room.go_on.set()
        assert (await held).status_code == 200
        assert (await client.get("/v1/x")).status_code == 200


async def lag(load: Load) -> None:
    async with asyncio.timeout(30):
        while load.too_much() is None:
            time.sleep(0.7)  # noqa: ASYNC251
            await asyncio.sleep(0.001)


async def caught_up(load: Load) -> None:
    async with asyncio.timeout(30):
        while load.too_much():  # noqa: ASYNC110 (what ends it is a clock)
            await asyncio.sleep(0.01)


async def test_what_takes_too_long_is_given_up_and_said_so() -> None:
    """503 with Retry-After; the work is cancelled, and counted."""
    room, metrics = Room(), Metrics()
    async with client_of(room, Load(longest_s=0.2), metrics) as client:
        answer = await client.get("/v1/x")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["type"] == "urn:student-hub:problem:too-slow"
    assert 'requests_shed_total{reason="time"} 1.0' in metrics.text().decode()


async def test_an_answer_that_has_begun_may_take_as_long_as_it_likes() -> None:
    """A stream is not cut off."""

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.5)
        await send({"type": "http.response.body", "body": b"done"})

    app = Edge(stream, refuse=refusal, metrics=Metrics(), load=Load(longest_s=0.1))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get("/v1/x")).text == "done"


@pytest.mark.parametrize("path", ["/rpc", "/mcp", "/v1/x"])
async def test_a_body_that_does_not_arrive_is_not_waited_for(path: str) -> None:
    """408, and the connection ends; who sends byte by byte gains nothing."""
    drops = iter([b'{"a":', b" ", b" "])

    async def drip() -> Message:
        drop = next(drops, None)
        if drop is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": drop, "more_body": True}

    said: list[Message] = []

    async def hear(message: Message) -> None:
        said.append(message)

    bodies = Bodies(Room(), most=1_000, only_json=JSONRPC_PATHS, refuse=refusal)
    load = Load(longest_body_s=0.2)
    app = Edge(bodies, refuse=refusal, metrics=Metrics(), load=load)
    headers = [(b"content-type", b"application/json")]
    await app({"type": "http", "method": "POST", "path": path, "headers": headers}, drip, hear)
    assert said[0]["status"] == 408
    assert (b"connection", b"close") in said[0]["headers"]
    told = orjson.loads(said[1]["body"])
    assert told.get("error", told)["code"] == -32600
    assert load.under_way == 0
