"""The rate limit at every door, counted in a real Valkey."""

import uuid
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from dirty_equals import IsInt, IsPartialDict, IsStr
from fastapi import APIRouter

from doorway import (
    KNOWN,
    TOOLS,
    UNKNOWN,
    Echo,
    Echoed,
    Running,
    StudentId,
    echo_app,
    furnished,
    in_process,
    running,
)
from store_relay import Relay
from student_hub.platform.cache.line import Line
from student_hub.platform.cache.store import Cache
from student_hub.platform.http.limiting import Ask, PermitDep, Tariff, per_item
from student_hub.platform.limits.costs import EXPENSIVE, ORDINARY, Allowance, Cost
from student_hub.platform.limits.limiter import Limiter
from student_hub.platform.limits.permit import Permit
from student_hub.platform.mcp.tool import tool
from student_hub.platform.security.caller import SYSTEM, Caller

pytestmark = pytest.mark.requirement("rate-limit")

OLDER = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25"}
LIMIT, DEAR_LIMIT = 10, 1
REFUSED = {
    "code": -32004,
    "message": IsStr(regex=r"Too many (ordinary|expensive) calls: come back in \d+ s\."),
    "data": {"allowance": IsStr(), "retry_after": IsInt(ge=1, le=60)},
}


class Ran:
    """How often something ran."""

    times = 0


async def echo_dearly(echo: Echo, student_id: StudentId) -> Echoed:
    """Costs much."""
    Ran.times += 1
    return echo.echo(SYSTEM, student_id, 1, history=False)


async def echo_early(echo: Echo, caller: Caller, permit: Permit, student_id: StudentId) -> Echoed:
    """Begins before it is allowed, and does not ask whether it is."""
    del permit
    Ran.times += 1
    return echo.echo(caller, student_id, 1, history=False)


async def echo_all(echo: Echo, caller: Caller, student_ids: list[uuid.UUID]) -> Echoed:
    """Costs as much as it has students."""
    return echo.echo(caller, student_ids[0], 1, history=False)


ALL_TOOLS = [
    *TOOLS,
    tool(echo_dearly, title="Dear", read_only=False, idempotent=False, cost=EXPENSIVE),
    tool(echo_early, title="Early", read_only=True, idempotent=True),
    tool(echo_all, title="All", read_only=True, idempotent=True, weighs="student_ids"),
]
PRICES = {"POST /v1/dear": EXPENSIVE, "POST /v1/many": per_item("items")}
router = APIRouter(prefix="/v1")


@router.post("/dear")
async def dear() -> None:
    Ran.times += 1


@router.post("/many")
async def many(body: dict[str, list[int]]) -> int:
    return len(body["items"])


@router.get("/early")
async def early(permit: PermitDep) -> None:
    Ran.times += 1
    await permit.granted()


def limited(line: Line, ordinary: int = LIMIT) -> Ask:
    """Gives permits to a caller whom no other test has."""
    limiter = Limiter(line, {Allowance.ORDINARY: ordinary, Allowance.EXPENSIVE: DEAR_LIMIT})
    own = uuid.uuid4().hex

    def ask(caller: Caller, cost: Cost) -> Permit:
        return limiter.ask(Caller(caller.subject, caller.scopes, credential=own), cost)

    return ask


@pytest.fixture
def hub(valkey_url: str) -> Iterator[Running]:
    """The doors with a limit that is soon reached, and nothing used of it."""
    Ran.times = 0
    line = Line(valkey_url)
    tariff = Tariff(limited(line), PRICES, frozenset({"GET /v1/early"}))
    app = echo_app(
        furnished(), routers=[router], tools=ALL_TOOLS, tariff=tariff, on_stop=line.close
    )
    with running(app) as hub:
        yield hub


def call(name: str, **arguments: object) -> dict[str, Any]:
    params = {"name": name, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


ECHO = call("echo_student", student_id=str(KNOWN))


async def post(hub: Running, path: str, body: object) -> Any:
    async with hub.client() as client:
        return await client.post(path, json=body, headers=OLDER if path == "/mcp" else {})


async def test_every_answer_of_rest_says_what_is_left_and_the_last_one_when_to_come_back(
    hub: Running,
) -> None:
    """200 with both headers, and 429 with Retry-After and the platform's code."""
    async with hub.client() as client:
        answers = [await client.get(f"/v1/echo/{KNOWN}") for _ in range(LIMIT)]
        refused = await client.get(f"/v1/echo/{KNOWN}")
    assert [answer.status_code for answer in answers] == [200] * LIMIT
    assert answers[0].headers["ratelimit-policy"] == '"ordinary";q=10;w=60'
    assert [answer.headers["ratelimit"].partition(";t=")[0] for answer in answers] == [
        f'"ordinary";r={left}' for left in reversed(range(LIMIT))
    ]
    assert refused.status_code == 429
    assert refused.json() == IsPartialDict(code=-32004, type="urn:student-hub:problem:rate-limited")
    assert int(refused.headers["retry-after"]) == refused.json()["data"]["retry_after"]
    assert refused.headers["ratelimit"].startswith('"ordinary";r=0;t=')


async def test_an_mcp_tool_refuses_with_a_result_that_a_model_can_read(hub: Running) -> None:
    """The result isError has the structured error, in time for the answer's headers."""
    for _ in range(LIMIT):
        answer = await post(hub, "/mcp", ECHO)
        assert answer.json()["result"]["isError"] is False
        assert answer.headers["ratelimit-policy"] == '"ordinary";q=10;w=60'
    answer = await post(hub, "/mcp", ECHO)
    assert answer.json()["result"]["isError"] is True
    assert orjson.loads(answer.json()["result"]["content"][0]["text"]) == REFUSED
    assert answer.headers["ratelimit"].startswith('"ordinary";r=0')


@pytest.mark.parametrize("extra", [{}, {"mcp-session-id": "x"}], ids=["fast", "by the SDK"])
async def test_both_ways_to_a_tool_are_limited_alike(hub: Running, extra: dict[str, str]) -> None:
    """The SDK's way has the same result and the same headers as the fast path."""
    async with hub.client() as client:
        for _ in range(LIMIT):
            await client.post("/mcp", json=ECHO, headers={**OLDER, **extra})
        answer = await client.post("/mcp", json=ECHO, headers={**OLDER, **extra})
    assert answer.json()["result"]["isError"] is True
    assert answer.headers["ratelimit"].startswith('"ordinary";r=0')


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}),
        ("/mcp", {"jsonrpc": "2.0", "id": 1}),
    ],
)
async def test_what_is_no_tool_call_costs_an_ordinary_one(
    hub: Running, path: str, body: object
) -> None:
    """Listing, and what is no message at all: 429 when there is nothing left."""
    for _ in range(LIMIT):
        assert (await post(hub, path, body)).status_code != 429
    refused = await post(hub, path, body)
    assert refused.status_code == 429
    assert refused.json()["error"] == REFUSED


@pytest.mark.parametrize(
    "body",
    [
        ECHO,
        call("echo_student", student_id=str(UNKNOWN)),
        call("echo_student", student_id="x"),
        call("no_such_tool"),
        {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
        {"jsonrpc": "2.0", "id": 1, "method": "no/such"},
    ],
)
async def test_failing_costs_as_much_as_succeeding(hub: Running, body: object) -> None:
    """Guessing ids, names and arguments is limited like anything else."""
    for _ in range(LIMIT):
        assert (await post(hub, "/rpc", body)).json().get("error", {}).get("code") != -32004
    assert (await post(hub, "/rpc", body)).json()["error"] == REFUSED


async def test_each_call_of_a_batch_counts(hub: Running) -> None:
    """Those beyond the limit are refused alone, in their places."""
    answers = (await post(hub, "/rpc", [ECHO] * (LIMIT + 2))).json()
    refused = [answer for answer in answers if "error" in answer]
    assert len(refused) == 2
    assert all(answer["error"] == REFUSED for answer in refused)


async def test_a_tool_and_a_route_of_many_weigh_as_many(hub: Running) -> None:
    """Ten students in one call are ten calls."""
    many = call("echo_all", student_ids=[str(KNOWN)] * (LIMIT - 2))
    assert "result" in (await post(hub, "/rpc", many)).json()
    assert (await post(hub, "/v1/many", {"items": [1, 2, 3]})).status_code == 429
    assert (await post(hub, "/v1/many", {"items": [1, 2]})).status_code == 200
    assert (await post(hub, "/rpc", many)).json()["error"] == REFUSED


async def test_what_is_refused_has_not_run(hub: Running) -> None:
    """A tool or route that may change something begins when it is allowed to."""
    dear = call("echo_dearly", student_id=str(KNOWN))
    assert "result" in (await post(hub, "/rpc", dear)).json()
    assert (await post(hub, "/rpc", dear)).json()["error"] == REFUSED
    assert (await post(hub, "/v1/dear", {})).status_code == 429
    assert Ran.times == 1


async def test_an_early_tools_answer_does_not_leave_before_its_permit(hub: Running) -> None:
    """What began before it was allowed is not told when it was not, even if the tool forgot."""
    call_early = call("echo_early", student_id=str(KNOWN))
    for _ in range(LIMIT):
        assert "result" in (await post(hub, "/rpc", call_early)).json()
    assert (await post(hub, "/rpc", call_early)).json()["error"] == REFUSED
    assert Ran.times == LIMIT + 1


async def test_an_early_route_awaits_its_permit_itself(hub: Running) -> None:
    """It has run, and is refused where it asks."""
    async with hub.client() as client:
        answers = [(await client.get("/v1/early")).status_code for _ in range(LIMIT + 1)]
    assert answers == [200] * LIMIT + [429]
    assert Ran.times == LIMIT + 1


async def test_public_paths_have_no_limit(valkey_url: str) -> None:
    """A supervisor asks as often as it likes."""
    line = Line(valkey_url)
    tariff = Tariff(limited(line, ordinary=1))
    async with in_process(echo_app(furnished(), tariff=tariff), key=None) as client:
        for _ in range(5):
            answer = await client.get("/livez")
            assert answer.status_code == 200
            assert "ratelimit" not in answer.headers
    await line.close()


async def test_the_permit_and_the_cached_value_are_asked_for_in_one_round_trip(
    valkey_url: str,
) -> None:
    """Both commands leave in one write, so that a cached answer waits for the store once."""
    async with Relay(valkey_url).serving() as relay:
        cache = Cache(relay.url, bytes(32))
        limiter = Limiter(cache.line, {Allowance.ORDINARY: LIMIT})
        caller = Caller("key:x", frozenset(), credential=uuid.uuid4().hex)
        await limiter.ask(caller, ORDINARY).granted()
        before = relay.pieces
        permit = limiter.ask(caller, ORDINARY)
        assert await cache.get("nothing") is None
        await permit.granted()
        assert relay.pieces == before + 1
        await cache.close()
