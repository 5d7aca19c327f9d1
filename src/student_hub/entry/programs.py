"""The hub's own processes as programs for the supervisor."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from student_hub.entry.context import environment, local_url
from student_hub.entry.stack.ports import is_free
from student_hub.entry.stack.program import Program, plain_environment
from student_hub.nodes.registry import NodeName
from student_hub.platform.settings import Settings

HUB = (sys.executable, "-m", "student_hub.entry.cli")
NODES = (sys.executable, "-m", "reference_nodes")
OF_PYTHON = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")

Ready = Callable[[], Awaitable[bool]]


def reference_node(node: NodeName, port: int, folder: Path) -> Program:
    """One of the six reference nodes, with its event log in the folder; it learns no secret."""
    where = ("--port", str(port), "--data-dir", str(folder))
    return Program(
        name=node.value,
        argv=(*NODES, "serve", "--node", node.value, *where),
        env=node_environment(),
        cwd=folder,
        ready=_answers(f"http://127.0.0.1:{port}/livez"),
    )


def node_environment() -> dict[str, str]:
    """What a reference node needs of ours: how Python finds its modules, and nothing else."""
    kept = {name: os.environ[name] for name in OF_PYTHON if name in os.environ}
    return {**plain_environment(), **kept}


def mail_sink(port: int, folder: Path) -> Program:
    """Keeps the demo's mails in the folder; it learns no secret."""
    return Program(
        name="mail",
        argv=(*HUB, "mail-sink", "--port", str(port), "--data-dir", str(folder)),
        env=node_environment(),
        cwd=folder,
        ready=_listens(port),
    )


def api(settings: Settings) -> Program:
    return _hub("api", "serve", settings, _answers(f"{local_url(settings)}/readyz"))


def worker(settings: Settings) -> Program:
    return _hub("worker", "worker", settings)


def beat(settings: Settings) -> Program:
    return _hub("beat", "beat", settings)


def _hub(name: str, command: str, settings: Settings, ready: Ready | None = None) -> Program:
    return Program(
        name=name,
        argv=(*HUB, command),
        env=environment(settings),
        cwd=settings.data_dir,
        stop_grace=15.0,
        ready=ready,
    )


def _listens(port: int) -> Ready:
    async def ready() -> bool:
        return not await asyncio.to_thread(is_free, port)

    return ready


def _answers(url: str) -> Ready:
    async def ready() -> bool:
        timeout = aiohttp.ClientTimeout(total=2)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as http, http.get(url) as response:
                return response.ok
        except (aiohttp.ClientError, OSError):
            return False

    return ready
