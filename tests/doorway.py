"""The doors with a small room of their own behind them, served for real on a free port."""

import atexit
import secrets
import shutil
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated
from uuid import UUID

import httpx2
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp

from student_hub.access.audit.service import Audit
from student_hub.access.audit.spool import Spool
from student_hub.access.service import Access
from student_hub.entry.assembly import Stop, assemble
from student_hub.entry.serve import make_server
from student_hub.platform.cache.line import Line
from student_hub.platform.db.database import Database
from student_hub.platform.errors import HubError, Kind
from student_hub.platform.http.deps import CallerDep, part
from student_hub.platform.http.guard import Admit
from student_hub.platform.http.health import Health
from student_hub.platform.http.limiting import FREE, Tariff
from student_hub.platform.limits.failures import Failures
from student_hub.platform.limits.limiter import Limiter
from student_hub.platform.mcp.tool import Encoded, Tool, tool
from student_hub.platform.observability.metrics import Metrics
from student_hub.platform.parts import Parts
from student_hub.platform.security.caller import Caller
from student_hub.platform.settings import Settings

ADMINISTRATOR_KEY = "the-administrator's-key"
PEPPERS = {"00000000": bytes(range(32))}
KNOWN = UUID("550e8400-e29b-41d4-a716-446655440000")
UNKNOWN = UUID("550e8400-e29b-41d4-a716-446655440001")
NO_STORE = "redis://127.0.0.1:1/0"
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
MOST_BYTES = 1_024 * 1_024
STOP_S = 60


class NobodyThere(HubError):
    """There is no student {student_id}."""

    kind = Kind.NOT_FOUND


class NodeAway(HubError):
    """The node {node} could not be asked: {reason}."""

    kind = Kind.UNAVAILABLE


class Echoed(BaseModel):
    """A student as they were asked for."""

    student_id: UUID
    days: int
    include_history: bool
    caller: str


class Echo:
    """The service of the test room: knows one student, and fails as it is told."""

    def echo(self, caller: Caller, student_id: UUID, days: int, history: bool) -> Echoed:
        if student_id != KNOWN:
            raise NobodyThere(student_id=str(student_id))
        return Echoed(
            student_id=student_id, days=days, include_history=history, caller=caller.subject
        )


StudentId = Annotated[UUID, Field(description="Whom to echo.")]
Days = Annotated[int, Field(ge=1, le=365, description="How many days.")]


async def echo_student(
    echo: Echo,
    caller: Caller,
    student_id: StudentId,
    include_history: bool = True,
    days: Days = 30,
) -> Echoed:
    """Says again who was asked for.

    Of use to nobody but tests.
    """
    return echo.echo(caller, student_id, days, include_history)


async def echo_encoded(echo: Echo, caller: Caller, student_id: StudentId) -> Encoded[Echoed]:
    """The same, encoded by the tool itself."""
    answer = echo.echo(caller, student_id, 7, history=False)
    return Encoded(b" " + answer.model_dump_json().encode())


async def break_down(echo: Echo) -> Echoed:
    """Fails as nobody foresaw."""
    raise RuntimeError(f"secret detail of {type(echo).__name__}")


async def ask_node(echo: Echo) -> Echoed:
    """Fails because a node is away."""
    del echo
    raise NodeAway(node="q-dna", tool="get_mastery_level", reason="timeout")


TOOLS = [
    tool(echo_student, title="Echo a student", read_only=True, idempotent=True),
    tool(echo_encoded, title="Echo, encoded", read_only=True, idempotent=True),
    tool(break_down, title="Break down", read_only=True, idempotent=True),
    tool(ask_node, title="Ask a node", read_only=True, idempotent=True),
]


class Note(BaseModel):
    """A body for the test room's one writing route."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(max_length=20)]
    weight: float = 1.0


router = APIRouter(prefix="/v1/echo")


@router.get("/{student_id}")
async def read_echo(
    student_id: UUID, echo: Annotated[Echo, part(Echo)], caller: CallerDep, days: Days = 30
) -> Echoed:
    return echo.echo(caller, student_id, days, history=True)


@router.post("")
async def write_note(note: Note) -> Note:
    return note


@router.post("/break")
async def break_route() -> None:
    raise RuntimeError("secret detail")


def everybody(_door: str, _caller: Caller | None) -> None:
    """The rules of the test room: whoever has a credential may knock anywhere."""


async def well() -> None:
    """A check that finds nothing wrong."""


@cache
def spool_folder() -> Path:
    """Where this process's tests note reads; gone with the process."""
    folder = Path(tempfile.mkdtemp(prefix="student-hub-spool-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def an_audit(database: Database) -> Audit:
    """An audit log whose reads stay in a spool of its own."""
    return Audit(database, Spool(spool_folder() / secrets.token_hex(8)))


def furnished(database: Database | None = None) -> Parts:
    """The parts that the test room needs, with an administrator's key that is known."""
    database = database or Database(NOWHERE)
    parts = Parts()
    parts.put(Echo())
    parts.put(Metrics())
    parts.put(Limiter(Line(NO_STORE), {}))
    parts.put(
        Access(
            database,
            peppers=PEPPERS,
            audit=an_audit(database),
            administrator_key=ADMINISTRATOR_KEY,
        )
    )
    return parts


def settings() -> Settings:
    return Settings(max_body_bytes=MOST_BYTES)


def echo_app(
    parts: Parts,
    health: Health | None = None,
    *,
    routers: Sequence[APIRouter] = (),
    tools: Sequence[Tool] = TOOLS,
    on_stop: Stop = well,
    admit: Admit = everybody,
    tariff: Tariff = FREE,
    failures: Failures | None = None,
) -> ASGIApp:
    """The hub's own stack of layers and doors around the test room."""
    return assemble(
        parts,
        settings(),
        health or Health(well, well, {}),
        routers=[router, *routers],
        tools=tools,
        admit=admit,
        on_stop=on_stop,
        tariff=tariff,
        failures=failures,
    )


@dataclass(frozen=True)
class Running:
    """Where an app is served."""

    url: str

    def client(self, key: str | None = ADMINISTRATOR_KEY) -> httpx2.AsyncClient:
        """A client that sends the key with every request."""
        headers = {} if key is None else {"X-API-Key": key}
        return httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=30)


@contextmanager
def running(app: ASGIApp, port: int = 0) -> Iterator[Running]:
    """Serves the app in a thread until the block ends; on any free port, unless one is given."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        server = make_server(app, Health(well, well, {}), host="127.0.0.1", port=0)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield Running(f"http://127.0.0.1:{listening.getsockname()[1]}")
        finally:
            server.should_exit = True
            thread.join(STOP_S)
            assert not thread.is_alive(), "the server did not stop"


@asynccontextmanager
async def in_process(
    app: ASGIApp, key: str | None = ADMINISTRATOR_KEY
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the app in this very loop, for tests of what needs no network and no /mcp."""
    headers = {} if key is None else {"X-API-Key": key}
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://localhost", headers=headers
    ) as client:
        yield client
