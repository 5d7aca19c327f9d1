"""The hub's processes and its stores, any of which may be killed with -9 and comes back."""

import asyncio
import base64
import os
import secrets
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from servers import running_program, scratch_folder
from student_hub.entry import programs
from student_hub.entry.stack.ports import find_free
from student_hub.entry.stack.postgres import EmbeddedPostgres
from student_hub.entry.stack.program import Program
from student_hub.entry.stack.valkey import EmbeddedValkey
from student_hub.migrations import run as migrations
from student_hub.nodes.registry import NodeName
from student_hub.platform.settings import Settings

STORES = ("postgres", "valkey")


@dataclass
class Ensemble:
    """Programs by name; each is in a session of its own, so that its children die with it."""

    folder: Path
    key: str
    url: str = ""
    database_url: str = ""
    servers: dict[str, EmbeddedPostgres | EmbeddedValkey] = field(default_factory=dict)
    programs: dict[str, Program] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def start(self, name: str) -> None:
        """Runs the program, and returns when it is ready."""
        if name in self.servers:
            self.servers[name].prepare()
            self.programs[name] = self.servers[name].program()
        log = self.folder / "logs" / f"{name}-{len(self.processes)}-{secrets.token_hex(4)}.log"
        running = running_program(self.programs[name], log)
        self.processes[name] = self._stack.enter_context(running)

    def kill(self, name: str) -> None:
        """Ends the program and all of its children as `kill -9` does."""
        process = self.processes[name]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def close(self) -> None:
        self._stack.close()


@contextmanager
def ensemble(nodes: dict[NodeName, str], **given: Any) -> Iterator[Ensemble]:
    """Stores that sync to disk, API, worker and clock, all running; `given` are settings."""
    with scratch_folder() as folder:
        hub = Ensemble(folder, secrets.token_urlsafe(24))
        try:
            _set_up(hub, nodes, given)
            yield hub
        finally:
            hub.close()


def _set_up(hub: Ensemble, nodes: dict[NodeName, str], given: dict[str, Any]) -> None:
    postgres, valkey = EmbeddedPostgres(hub.folder, durable=True), EmbeddedValkey(hub.folder)
    hub.servers = {"postgres": postgres, "valkey": valkey}
    for name in STORES:
        hub.start(name)
    hub.database_url = postgres.url
    urls: dict[str, Any] = {f"node{node.number}_url": url for node, url in nodes.items()}
    port = find_free()
    settings = Settings(
        database_url=SecretStr(postgres.url),
        redis_url=SecretStr(valkey.url),
        encryption_key=SecretStr(base64.b64encode(bytes(range(32))).decode()),
        api_key=SecretStr(hub.key),
        port=port,
        data_dir=hub.folder,
        **{"rate_limit_per_minute": 0, "expensive_rate_limit_per_minute": 0, **urls, **given},
    )
    hub.url = f"http://127.0.0.1:{port}"
    _migrate(postgres.url)
    hub.programs |= {
        "api": programs.api(settings),
        "worker": programs.worker(settings),
        "beat": programs.beat(settings),
    }
    for name in ("api", "worker", "beat"):
        hub.start(name)


def _migrate(url: str) -> None:
    """In a thread, for the test's own loop may be running here."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, migrations.upgrade(url)).result()
