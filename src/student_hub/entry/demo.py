"""The demo school: a class of simulated learners, loaded into an empty hub."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from student_hub.entry.house import House, build
from student_hub.entry.programs import NODES, node_environment
from student_hub.entry.stack.errors import StackError
from student_hub.history.importing import checkpoints
from student_hub.history.importing.checkpoints import START
from student_hub.history.importing.ndjson import Ndjson
from student_hub.history.importing.runner import Importer
from student_hub.platform.db.database import AT_LENGTH, Database
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.security.caller import SYSTEM
from student_hub.platform.settings import Settings
from student_hub.students.service import Students

Say = Callable[[str], None]
PATIENCE_S = 60.0
"""How long the start waits for the nodes to have taken in the demo's events."""
FILE = "demo-school.ndjson"
"""Lies in the data folder until all of it is in the hub."""


async def load_demo_school(settings: Settings, say: Say) -> None:
    """Loads the demo class into a hub without students, and waits until the nodes know it.

    A load that was broken off goes on where it was.
    """
    house, file = build(settings, AT_LENGTH), settings.data_dir / FILE
    try:
        if await _was_broken_off(house, file):
            say("going on with the demo school, where it was broken off")
        elif (await house.parts.get(Students).page(SYSTEM, limit=1)).students:
            return
        else:
            say("loading a demo school (simulated learners, 60 days)")
            await _write_demo(file)
        await _load(house, file, say)
    finally:
        await house.close()


async def _was_broken_off(house: House, file: Path) -> bool:
    """Whether this database has a part of the file, and not all of it."""
    if not await asyncio.to_thread(file.exists):
        return False
    mark = await asyncio.to_thread(checkpoints.fingerprint, file, Ndjson().identity)
    async with house.parts.get(Database).transaction() as tx:
        return await checkpoints.resume(tx, mark) != START


async def _load(house: House, file: Path, say: Say) -> None:
    report = await house.parts.get(Importer).run(file, Ndjson(), lambda _progress: None)
    await asyncio.to_thread(file.unlink)
    say(f"loaded {report.students} students and {report.stored} learning events")
    await _until_taken_in(house.parts.get(Ledger), say)


async def _write_demo(file: Path) -> None:
    """The file, whole or not at all."""
    draft = file.with_suffix(".draft")
    try:
        with draft.open("wb") as out:
            status = await _make_demo(out)
        if status != 0:
            raise StackError("the demo school could not be made: see the lines above.")
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


async def _make_demo(out: BinaryIO) -> int:
    process = await asyncio.create_subprocess_exec(
        *(*NODES, "demo-school", "--seed", "7"), stdout=out, env=node_environment()
    )
    try:
        return await process.wait()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise


async def _until_taken_in(ledger: Ledger, say: Say) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            while await ledger.waiting():  # noqa: ASYNC110 (the workers are other processes)
                await asyncio.sleep(0.2)
    except TimeoutError:
        say("the nodes are still taking in the demo's events; profiles fill up as they do")
