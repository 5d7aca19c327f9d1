"""The hub's own processes as programs for the supervisor."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from student_hub.entry.context import environment
from student_hub.entry.stack.program import Program
from student_hub.nodes.registry import NodeName
from student_hub.platform.settings import Settings

HUB = (sys.executable, "-m", "student_hub.entry.cli")
NODES = (sys.executable, "-m", "reference_nodes")


def reference_node(node: NodeName, port: int, folder: Path, settings: Settings) -> Program:
    """One of the six reference nodes, with its event log in the folder."""
    where = ("--port", str(port), "--data-dir", str(folder))
    return Program(
        name=node.value,
        argv=(*NODES, "serve", "--node", node.value, *where),
        env=environment(settings),
        cwd=folder,
        ready=_answers(f"http://127.0.0.1:{port}/livez"),
    )


def api(settings: Settings) -> Program:
    return Program(
        name="api",
        argv=(*HUB, "serve"),
        env=environment(settings),
        cwd=settings.data_dir,
        stop_grace=15.0,
        ready=_answers(f"http://127.0.0.1:{settings.port}/readyz"),
    )


def worker(settings: Settings) -> Program:
    return Program(
        name="worker",
        argv=(*HUB, "worker"),
        env=environment(settings),
        cwd=settings.data_dir,
        stop_grace=15.0,
    )


def beat(settings: Settings) -> Program:
    return Program(
        name="beat", argv=(*HUB, "beat"), env=environment(settings), cwd=settings.data_dir
    )


def _answers(url: str) -> Callable[[], Awaitable[bool]]:
    async def ready() -> bool:
        timeout = aiohttp.ClientTimeout(total=2)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as http, http.get(url) as response:
                return response.ok
        except (aiohttp.ClientError, OSError):
            return False

    return ready
