"""A hub as it runs in earnest: an API process of its own, before stores and nodes of a test."""

import base64
import secrets
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr

from servers import running_program, scratch_folder
from student_hub.entry import programs
from student_hub.entry.stack.ports import find_free, is_free
from student_hub.entry.stack.program import Program, plain_environment
from student_hub.nodes.registry import NodeName
from student_hub.platform.settings import Settings

ROOT = Path(__file__).parents[2]
PER_IMPORT = 1_000
UNLIMITED = {"rate_limit_per_minute": 0, "expensive_rate_limit_per_minute": 0}


@dataclass(frozen=True)
class Hub:
    """Where it is, which process it is, and a client with the administrator's key."""

    url: str
    process: subprocess.Popen[bytes]
    http: aiohttp.ClientSession

    async def enrol(self, how_many: int, *, school: str = "SCH001") -> list[str]:
        """New students of that school; their ids."""
        return await enrol(self.http, how_many, school=school)

    async def touch(self, student_id: str, number: int) -> None:
        """A change to the student, after which nothing that is cached of them is fresh."""
        change = {"student_number": str(number)}
        async with self.http.patch(f"/v1/students/{student_id}", json=change) as response:
            response.raise_for_status()

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of the series of that name which have these labels."""
        async with self.http.get("/metrics") as response:
            lines = (await response.text()).splitlines()
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        rows = [line for line in lines if line.startswith(name + "{")]
        return sum(float(row.split()[-1]) for row in rows if all(w in row for w in wanted))


async def enrol(http: aiohttp.ClientSession, how_many: int, *, school: str = "SCH001") -> list[str]:
    """New students of that school; their ids."""
    ids = [str(uuid.uuid4()) for _ in range(how_many)]
    for start in range(0, how_many, PER_IMPORT):
        part = ids[start : start + PER_IMPORT]
        rows = [_student(student_id, school, start + at) for at, student_id in enumerate(part)]
        async with http.post("/v1/students/import", json={"students": rows}) as response:
            response.raise_for_status()
    return ids


@asynccontextmanager
async def serving(
    database_url: str, valkey_url: str, nodes: Mapping[NodeName, str], **given: Any
) -> AsyncIterator[Hub]:
    """An API process with its usual settings, but for the rate limit and those that are given.

    All have the same master key, so that several may stand before the same stores.
    """
    urls: dict[str, Any] = {f"node{node.number}_url": url for node, url in nodes.items()}
    key, port = secrets.token_urlsafe(24), find_free()
    with scratch_folder() as folder:
        settings = Settings(
            database_url=SecretStr(database_url),
            redis_url=SecretStr(valkey_url),
            encryption_key=SecretStr(base64.b64encode(bytes(range(32))).decode()),
            api_key=SecretStr(key),
            port=port,
            data_dir=folder,
            forward_events=False,
            **{**UNLIMITED, **urls, **given},
        )
        with running_program(programs.api(settings), folder / "logs" / "api.log") as process:
            url = f"http://127.0.0.1:{port}"
            connector = aiohttp.TCPConnector(limit=0)
            headers = {"X-API-Key": key}
            async with aiohttp.ClientSession(url, headers=headers, connector=connector) as http:
                yield Hub(url, process, http)


@contextmanager
def light_nodes(delay_ms: float = 5) -> Iterator[dict[NodeName, str]]:
    """Six nodes in a process of their own that cost little, by their URLs."""
    port = find_free()
    program = Program(
        name="nodes",
        argv=(sys.executable, "-m", "benchmarks.nodes", str(port), str(delay_ms)),
        env=plain_environment(),
        cwd=ROOT,
        ready=lambda: _listens(port),
    )
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder())
        stack.enter_context(running_program(program, folder / "logs" / "nodes.log"))
        yield {node: f"http://127.0.0.1:{port}/{node.number}/mcp" for node in NodeName}


async def _listens(port: int) -> bool:
    return not is_free(port)


def _student(student_id: str, school: str, number: int) -> dict[str, object]:
    return {
        "id": student_id,
        "name": "김학생",
        "school_id": school,
        "grade": 1 + number // 1_000 % 12,
        "class_name": "1반",
        "student_number": str(number),
    }


def in_pairs(nodes: Sequence[NodeName]) -> list[list[NodeName]]:
    return [[one, other] for at, one in enumerate(nodes) for other in nodes[at + 1 :]]
