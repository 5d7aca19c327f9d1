"""The rules of the doors: none without one, none but for a door, and nobody past them."""

from collections.abc import Iterator

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from starlette.responses import Response
from starlette.types import ASGIApp
from structlog.testing import capture_logs

from doorway import KNOWN, Running, echo_app, furnished, in_process, running, settings, well
from student_hub.access.errors import NotForThisRole
from student_hub.access.rules import PUBLIC, RULES, Doors
from student_hub.entry.api import create_app
from student_hub.entry.tools import TOOLS
from student_hub.platform.errors import NotAuthenticated
from student_hub.platform.http.authentication import PUBLIC as PUBLIC_PATHS
from student_hub.platform.http.guard import door_name
from student_hub.platform.http.health import Health
from student_hub.platform.security.caller import Caller, Role, Scope

pytestmark = pytest.mark.requirement("door-rules")

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")


def the_app() -> ASGIApp:
    """The app of the whole hub; nothing behind its doors is asked here."""
    return create_app(furnished(), settings(), Health(well, well, {}), well)


def routed(app: ASGIApp) -> FastAPI:
    """What is behind the layers."""
    while not isinstance(app, FastAPI):
        app = vars(app)["_app"]
    return app


def doors_of(app: ASGIApp) -> set[str]:
    """Every route, mount and tool of the app, by the name that its rule has."""
    doors = {f"tool {tool.name}" for tool in TOOLS}
    for route in iter_route_contexts(routed(app).router.routes):
        path = str(route.path)
        doors |= {door_name(method, path) for method in route.methods or ()} or {path}
    return doors


def test_every_door_has_a_rule_and_every_rule_a_door() -> None:
    """A new route, tool or mount needs a line in the table; one that goes takes its line along."""
    doors = doors_of(the_app())
    assert doors - RULES.keys() == set()
    assert RULES.keys() - doors == set()


def test_the_walk_finds_what_is_added() -> None:
    """The test above sees a route of a router, a plain route and a mounted app."""
    app = the_app()
    added = APIRouter(prefix="/v1/added")
    added.add_api_route("/{number}", well, methods=["PUT"])
    routed(app).include_router(added)
    routed(app).add_route("/plain", lambda _: Response(), methods=["GET"])
    routed(app).mount("/mounted", Response())
    assert doors_of(app) - RULES.keys() == {"PUT /v1/added/{number}", "GET /plain", "/mounted"}


def test_what_is_public_is_stated_once() -> None:
    """The lock on the house and the rules of the doors mean the same paths."""
    public = {door.split()[-1] for door, rule in RULES.items() if rule is PUBLIC}
    assert public == PUBLIC_PATHS


async def test_every_door_but_the_public_ones_is_locked() -> None:
    """401 without a credential at every route and mount, whatever the method and the id."""
    app = the_app()
    paths = {door.split()[-1] for door in doors_of(app) if not door.startswith("tool ")}
    asked = 0
    async with in_process(app, key=None) as client:
        for path in sorted(paths - PUBLIC_PATHS):
            for method in METHODS:
                answer = await client.request(method, path.replace("{student_id}", str(KNOWN)))
                assert answer.status_code == 401, (method, path)
                asked += 1
    assert asked >= len(METHODS) * 15


async def test_an_administrative_door_is_for_administrators() -> None:
    """Every other role is refused there before anything is done."""
    doors = Doors(RULES)
    closed = [door for door in RULES if "/admin/" in door]
    assert closed
    for door in closed:
        for role in Role:
            caller = Caller("key:x", frozenset(Scope), role)
            if role is Role.ADMIN:
                doors.admit(door, caller)
            else:
                with pytest.raises(NotForThisRole):
                    doors.admit(door, caller)


def test_a_door_without_a_rule_is_closed_and_the_log_says_so() -> None:
    """Also to administrators: who forgets the line finds out at once."""
    with capture_logs() as lines, pytest.raises(NotForThisRole):
        Doors({}).admit("GET /new", Caller("key:x", frozenset(Scope), Role.ADMIN))
    assert [(line["event"], line["door"]) for line in lines] == [("door_without_rule", "GET /new")]


def test_nobody_knocks_at_a_door_that_is_not_public() -> None:
    """A layer that forgot to authenticate is no way in."""
    doors = Doors({"GET /open": PUBLIC, "GET /closed": frozenset(Role)})
    doors.admit("GET /open", None)
    with pytest.raises(NotAuthenticated):
        doors.admit("GET /closed", None)


@pytest.fixture
def shut() -> Iterator[Running]:
    """The test room behind doors that have no rules."""
    with running(echo_app(furnished(), admit=Doors({"POST /rpc": frozenset(Role)}).admit)) as hub:
        yield hub


async def test_routes_mounts_and_tools_without_a_rule_refuse_even_administrators(
    shut: Running,
) -> None:
    """403 with the platform's code, and the room was not asked: fail closed at every door."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    params = {"name": "echo_student", "arguments": {"student_id": str(KNOWN)}}
    async with shut.client() as client:
        for method, path in (("GET", f"/v1/echo/{KNOWN}"), ("POST", "/v1/echo"), ("GET", "/mcp")):
            refused = await client.request(method, path)
            assert (refused.status_code, refused.json()["code"]) == (403, -32003), path
        told = await client.post("/rpc", json={**call, "params": params})
    assert told.json()["error"] == {
        "code": -32003,
        "message": "This is not for the role admin.",
        "data": {"role": "admin"},
    }
