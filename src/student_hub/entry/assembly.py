"""The ASGI app out of doors and layers; it knows no room, so that tests can furnish their own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import APIRouter, Depends, FastAPI
from mcp.server.lowlevel.server import Server
from starlette.routing import Route
from starlette.types import ASGIApp

from student_hub.access.service import Access
from student_hub.entry.tokens import challenge_of
from student_hub.platform.http.authentication import Authentication
from student_hub.platform.http.docs import docs_router
from student_hub.platform.http.edge import Edge
from student_hub.platform.http.guard import Admit, guard, guard_plain
from student_hub.platform.http.health import Health
from student_hub.platform.http.json_bodies import Bodies
from student_hub.platform.http.limiting import FREE, Tariff, limited
from student_hub.platform.http.problems import DESCRIBED
from student_hub.platform.http.raised import say_errors
from student_hub.platform.http.states import states_router
from student_hub.platform.limits.failures import Failures
from student_hub.platform.mcp.admission import Admission
from student_hub.platform.mcp.dispatcher import Dispatcher
from student_hub.platform.mcp.envelopes import JSONRPC_PATHS, MCP_PATH, RPC_PATH, refusal
from student_hub.platform.mcp.fast_path import FastPath
from student_hub.platform.mcp.rpc import RpcDoor
from student_hub.platform.mcp.server import McpDoor, build_server
from student_hub.platform.mcp.splicing import Splicing
from student_hub.platform.mcp.tool import Tool
from student_hub.platform.observability.metrics import Metrics
from student_hub.platform.parts import Parts
from student_hub.platform.settings import Settings

Start = Callable[[], Awaitable[None]]
Stop = Callable[[], Awaitable[None]]

DESCRIPTION = (
    "The single source of truth for students and their learning history. Every path but the "
    "states needs an API key, as `X-API-Key` or as a bearer token. Errors are problem details "
    "(RFC 9457) with the platform's codes. Tools are served at `/mcp` (MCP) and `/rpc` (JSON-RPC)."
)
INSTRUCTIONS = (
    "Student Hub knows the students of a mathematics platform: who they are, what they have "
    "learned and how they are doing. Students are named by their UUID. An answer may lack "
    "sections whose source is away; it says so itself."
)


async def nothing() -> None:
    """For an app beside which nothing is to be set going."""


def assemble(
    parts: Parts,
    settings: Settings,
    health: Health,
    *,
    routers: Sequence[APIRouter],
    tools: Sequence[Tool],
    admit: Admit,
    on_stop: Stop,
    on_start: Start = nothing,
    tariff: Tariff = FREE,
    failures: Failures | None = None,
    fast_path: bool = True,
) -> ASGIApp:
    """The whole app; needs `Access` and `Metrics` among the parts.

    `on_start` runs in the app's own loop before its first request, `on_stop` after its last one.
    Without the fast path every MCP call goes through the SDK: slower, the same in every answer.
    """
    metrics = parts.get(Metrics)
    dispatcher = Dispatcher(tools, parts, metrics, admit, tariff.ask)
    server = build_server(dispatcher, version=version("student-hub"), instructions=INSTRUCTIONS)
    all_routers = [states_router(health, metrics), docs_router(), *routers]
    app = build_app(
        parts,
        settings,
        server,
        routers=all_routers,
        admit=admit,
        span=(on_start, on_stop),
        tariff=tariff,
    )
    rpc = RpcDoor(dispatcher)
    rpc_route = Route(RPC_PATH, rpc.answer, methods=["POST"])
    guard_plain([rpc_route], admit)
    app.router.routes.append(rpc_route)
    front: ASGIApp = app
    if fast_path:
        admission = Admission(dispatcher.tools, settings.allowed_hosts)
        splicing = Splicing(server.server_info_stamp)
        front = FastPath(app, dispatcher, admission=admission, splicing=splicing, metrics=metrics)
    return in_layers(front, parts, settings, failures)


def build_app(
    parts: Parts,
    settings: Settings,
    server: Server,
    *,
    routers: Sequence[APIRouter],
    admit: Admit,
    span: tuple[Start, Stop],
    tariff: Tariff = FREE,
) -> FastAPI:
    """The app without its layers: the rooms' routes and the server at /mcp, each guarded."""
    mcp = McpDoor(
        server,
        allowed_hosts=settings.allowed_hosts,
        allowed_origins=settings.allowed_origins,
        max_body_bytes=settings.max_body_bytes,
        refuse=refusal,
        ask=tariff.ask,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        on_start, on_stop = span
        await on_start()
        async with mcp.run():
            yield
        await parts.get(Access).drain()
        await on_stop()

    app = FastAPI(
        title="Student Hub",
        version=version("student-hub"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses=DESCRIBED,
        dependencies=[Depends(guard(admit)), Depends(limited(tariff))],
        redirect_slashes=False,  # such an answer would repeat whatever Host the request named
    )
    app.state.parts = parts
    say_errors(app)
    for router in routers:
        app.include_router(router)
    app.router.routes.append(Route(MCP_PATH, mcp))
    guard_plain(app.router.routes, admit)
    return app


def in_layers(
    app: ASGIApp, parts: Parts, settings: Settings, failures: Failures | None = None
) -> ASGIApp:
    """The app behind, from the outside in: edge, authentication, bounded bodies."""
    most = settings.max_body_bytes
    bounded = Bodies(app, most=most, only_json=JSONRPC_PATHS, refuse=refusal)
    locked = Authentication(
        bounded,
        authenticate=parts.get(Access).authenticate,
        refuse=refusal,
        failures=failures,
        challenge=challenge_of(settings),
    )
    return Edge(locked, refuse=refusal, metrics=parts.get(Metrics), forms=JSONRPC_PATHS)
