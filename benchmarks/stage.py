"""Everything that a bench run needs, running as processes of its own; gone when the block ends."""

import base64
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import orjson
import redis
import uvloop
from pydantic import SecretStr

from benchmarks.floor import PREFIX
from student_hub.entry import programs
from student_hub.entry.stack.folder import open_folder
from student_hub.entry.stack.guard import Guard
from student_hub.entry.stack.ports import LOOPBACK, find_free, is_free
from student_hub.entry.stack.postgres import EmbeddedPostgres
from student_hub.entry.stack.program import Program
from student_hub.entry.stack.valkey import EmbeddedValkey
from student_hub.migrations import run as migrations
from student_hub.platform.settings import Settings

ROOT = Path(__file__).parents[1]
PER_IMPORT = 1_000
SCHOOL = "SCH001"
DELAYS_MS = (5, 50)
NO_END = 100_000_000
"""Calls a minute: the limit is counted at each call and never reached."""
REFUSED = 400
LONGEST_START_S = 30


@dataclass(frozen=True)
class Server:
    """Where something is served, and by which process."""

    port: int
    pid: int


@dataclass
class Stage:
    """The servers by name; `hub_5ms` and `hub_50ms` differ in the nodes behind them only.

    Both are without rate limits; `hub_limited`, with the nodes of the first, counts every call.
    """

    key: str
    redis_url: str
    database_url: str
    start_worker: Callable[[], None]
    """A worker of the first hub begins; it ends with the stage."""
    servers: dict[str, Server] = field(default_factory=dict)

    def ask(self, path: str, body: object = None) -> Any:
        """What the hub answers, as JSON; raises RuntimeError when it refuses."""
        connection = HTTPConnection(LOOPBACK, self.servers["hub_5ms"].port, timeout=60)
        headers = {"X-API-Key": self.key, "Content-Type": "application/json"}
        method = "GET" if body is None else "POST"
        connection.request(method, path, orjson.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status >= REFUSED:
            raise RuntimeError(f"{path}: {content[:500]!r}")
        return orjson.loads(content)

    def fill(self, how_many: int, grade: int) -> list[str]:
        """New students, in classes of 25; their ids."""
        ids: list[str] = []
        for start in range(0, how_many, PER_IMPORT):
            rows = [_student(start + at, grade) for at in range(min(PER_IMPORT, how_many - start))]
            self.ask("/v1/students/import", {"students": rows})
            ids += [str(row["id"]) for row in rows]
        return ids

    def show(self, values: dict[str, bytes]) -> None:
        """Puts the values where the yardsticks read them."""
        with redis.Redis.from_url(self.redis_url) as store:
            for name, value in values.items():
                store.set(PREFIX + name.encode(), value)


@contextmanager
def running_stage() -> Iterator[Stage]:
    """The stage, everything on it ready."""
    with ExitStack() as stack:
        folder = stack.enter_context(_folder())
        guard = Guard()
        stack.callback(guard.close)
        settings = _settings(stack, guard, folder)
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        url = settings.redis_url.get_secret_value() if settings.redis_url else ""
        database = settings.database_url.get_secret_value() if settings.database_url else ""
        working: list[Settings] = []
        stage = Stage(key, url, database, lambda: _work(stack, guard, working[0]))
        for delay in DELAYS_MS:
            nodes = _module(
                stack, guard, folder, f"nodes_{delay}ms", ("benchmarks.nodes", str(delay))
            )
            stage.servers[f"hub_{delay}ms"] = _hub(stack, guard, _beside(settings, nodes))
            working.append(_beside(settings, nodes))
            if delay == DELAYS_MS[0]:
                limited = settings.model_copy(update={"rate_limit_per_minute": NO_END})
                stage.servers["hub_limited"] = _hub(stack, guard, _beside(limited, nodes))
        for name, argv in _yardsticks(url).items():
            stage.servers[name] = _module(stack, guard, folder, name, argv)
        yield stage


def _settings(stack: ExitStack, guard: Guard, folder: Path) -> Settings:
    postgres = EmbeddedPostgres(folder, durable=False, fallback=folder)
    valkey = EmbeddedValkey(folder, durable=False)
    for server in (postgres, valkey):
        server.prepare()
        _start(stack, guard, folder, server.program())
    uvloop.run(migrations.upgrade(postgres.url))
    return Settings(
        database_url=SecretStr(postgres.url),
        redis_url=SecretStr(valkey.url),
        encryption_key=SecretStr(base64.b64encode(os.urandom(32)).decode()),
        api_key=SecretStr(secrets.token_urlsafe(24)),
        forward_events=False,
        rate_limit_per_minute=0,
        expensive_rate_limit_per_minute=0,
        data_dir=folder,
    )


def _beside(settings: Settings, nodes: Server) -> Settings:
    urls = {f"node{n}_url": f"http://{LOOPBACK}:{nodes.port}/{n}/mcp" for n in range(1, 7)}
    return settings.model_copy(update={**urls, "port": find_free()})


def _hub(stack: ExitStack, guard: Guard, settings: Settings) -> Server:
    folder = settings.data_dir / f"hub-{settings.port}"
    folder.mkdir()
    program = programs.api(settings.model_copy(update={"audit_spool_dir": folder}))
    return Server(settings.port, _start(stack, guard, settings.data_dir, program))


def _work(stack: ExitStack, guard: Guard, settings: Settings) -> None:
    folder = settings.data_dir / "worker"
    folder.mkdir()
    program = programs.worker(settings.model_copy(update={"audit_spool_dir": folder}))
    _start(stack, guard, settings.data_dir, program)


def _yardsticks(redis_url: str) -> dict[str, tuple[str, ...]]:
    return {
        "floor": ("benchmarks.floor", redis_url, "lean"),
        "floor_redis_py": ("benchmarks.floor", redis_url, "redis-py"),
        "plain_sdk": ("benchmarks.plain_sdk", redis_url),
    }


def _module(
    stack: ExitStack, guard: Guard, folder: Path, name: str, argv: tuple[str, ...]
) -> Server:
    port = find_free()
    module, *rest = argv
    program = Program(
        name=name,
        argv=(sys.executable, "-m", module, str(port), *rest),
        env=dict(os.environ),
        cwd=ROOT,
    )
    pid = _start(stack, guard, folder, program)
    _wait_for(port, name)
    return Server(port, pid)


def _start(stack: ExitStack, guard: Guard, folder: Path, program: Program) -> int:
    if program.before:
        program.before()
    log = stack.enter_context((folder / "logs" / f"{program.name}.log").open("ab"))
    process = subprocess.Popen(  # noqa: S603 (the bench starts what it measures)
        guard.leashed(program),
        env=dict(program.env),
        cwd=program.cwd,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        pass_fds=(guard.pipe,),
        start_new_session=True,
    )
    stack.callback(_stop, process, program)
    until = time.monotonic() + program.ready_within
    while program.ready is not None and not uvloop.run(_answer(program)):
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(
                f"{program.name} did not start: {Path(log.name).read_text()[-2000:]}"
            )
        time.sleep(0.05)
    return process.pid


async def _answer(program: Program) -> bool:
    return program.ready is None or await program.ready()


def _stop(process: subprocess.Popen[bytes], program: Program) -> None:
    process.send_signal(program.stop_signal)
    try:
        process.wait(program.stop_grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for(port: int, name: str) -> None:
    until = time.monotonic() + LONGEST_START_S
    while is_free(port):
        if time.monotonic() > until:
            raise RuntimeError(f"{name} did not start")
        time.sleep(0.05)


@contextmanager
def _folder() -> Iterator[Path]:
    folder = open_folder(Path(tempfile.gettempdir()) / f"student-hub-bench-{secrets.token_hex(4)}")
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _student(number: int, grade: int) -> dict[str, object]:
    return {
        "id": str(uuid.uuid4()),
        "name": f"김학생{number}",
        "school_id": SCHOOL,
        "grade": grade,
        "class_name": f"{number // 25 + 1}반",
        "student_number": str(number),
    }
