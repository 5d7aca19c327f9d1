"""The demo school: a class of simulated learners, loaded into an empty hub."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from student_hub.entry.house import House, build
from student_hub.entry.programs import NODES
from student_hub.entry.stack.errors import StackError
from student_hub.history.importing.ndjson import Ndjson
from student_hub.history.importing.runner import Importer
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.security.caller import SYSTEM
from student_hub.platform.settings import Settings
from student_hub.students.service import Students

PATIENCE_S = 60.0
"""How long the start waits for the nodes to have taken in the demo's events."""


async def load_demo_school(settings: Settings, say: Callable[[str], None]) -> None:
    """Loads the demo class when the hub has no student yet, and waits until the nodes know it."""
    house = build(settings)
    try:
        if (await house.parts.get(Students).page(SYSTEM, limit=1)).students:
            return
        say("loading a demo school (simulated learners, 60 days)")
        await _load(house, settings.data_dir / "demo-school.ndjson", say)
    finally:
        await house.close()


async def _load(house: House, file: Path, say: Callable[[str], None]) -> None:
    await _write_demo(file)
    report = await house.parts.get(Importer).run(file, Ndjson(), lambda _progress: None)
    await asyncio.to_thread(file.unlink)
    say(f"loaded {report.students} students and {report.stored} learning events")
    await _until_taken_in(house.parts.get(Ledger), say)


async def _write_demo(file: Path) -> None:
    with file.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *NODES[1:], "demo-school", "--seed", "7", stdout=out
        )
        if await process.wait() != 0:
            raise StackError("the demo school could not be made: see the lines above.")


async def _until_taken_in(ledger: Ledger, say: Callable[[str], None]) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            while await ledger.waiting():  # noqa: ASYNC110 (the workers are other processes)
                await asyncio.sleep(0.2)
    except TimeoutError:
        say("the nodes are still taking in the demo's events; profiles fill up as they do")
