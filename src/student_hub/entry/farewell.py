"""What a person does next, once everything runs."""

import json
from typing import Any

import aiohttp

from student_hub.entry.context import local_url, secret
from student_hub.entry.house import build
from student_hub.entry.mail_sink import FOLDER
from student_hub.entry.stack.state import StackState
from student_hub.platform.security.caller import SYSTEM
from student_hub.platform.settings import Settings
from student_hub.students.schemas import Student, StudentFilter
from student_hub.students.service import EVERYONE, Students

NEXT = """
Student Hub is up at {url}   (its REST interface: {url}/docs)

  key      {key}

  try      curl -s -H "X-API-Key: {key}" \\
             {url}{path}

  MCP      {mcp}

{mails}  stop     Ctrl-C; the data stays, and the next start finds it again
"""

MAILS = """  mails    student-hub mails   (none leaves this machine: they are kept in {folder})

"""
EXAMPLE = StudentFilter(name="김철수")
"""The first student of the demo school."""

WELL = frozenset({"healthy", "degraded"})


async def what_next(settings: Settings) -> str:
    """The address, a key, a command to try, and the line that adds the hub to an MCP client."""
    url, key = local_url(settings), secret(settings, "api_key")
    student = await _someone(settings)
    path = f"/v1/students/{student.id}/profile" if student else "/v1/students"
    server = {"type": "http", "url": f"{url}/mcp", "headers": {"X-API-Key": key}}
    mcp = json.dumps({"mcpServers": {"student-hub": server}})
    mails = MAILS if (folder := settings.data_dir / FOLDER).is_dir() else ""
    return NEXT.format(url=url, key=key, path=path, mcp=mcp, mails=mails.format(folder=folder))


async def _someone(settings: Settings) -> Student | None:
    house = build(settings)
    students = house.parts.get(Students)
    try:
        for wanted in (EXAMPLE, EVERYONE):
            page = await students.page(SYSTEM, wanted, limit=1)
            if page.students:
                return page.students[0]
    finally:
        await house.close()
    return None


async def status_text(state: StackState) -> tuple[str, bool]:
    """What runs and how it is, a line each; and whether the hub can answer requests."""
    health = await _health(state.url)
    lines = [f"{name:<14}pid {pid}" for name, pid in sorted(state.pids.items())]
    overall = health.pop("status", "does not answer")
    parts = {**health.pop("nodes", {}), **health}
    lines += ["", *(f"{name:<14}{how}" for name, how in sorted(parts.items()))]
    return "\n".join([f"{state.url} {overall}", "", *lines]), overall in WELL


async def _health(url: str) -> dict[str, Any]:
    timeout = aiohttp.ClientTimeout(total=5)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.get(f"{url}/health") as response,
        ):
            answer: dict[str, Any] = await response.json()
            return answer
    except (aiohttp.ClientError, OSError):
        return {}
