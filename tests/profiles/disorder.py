"""Reads and writes in seeded disorder, and what of it was stale."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from profiles.stage import Stage
from student_hub.nodes.registry import NodeName
from student_hub.platform.errors import HubError
from student_hub.platform.security.caller import SYSTEM
from student_hub.profiles.service import Profiles

STEPS = 25


@dataclass(frozen=True)
class Stale:
    """A read that showed an older write than the last one that had ended when it began."""

    shown: int
    expected: int
    seconds: float
    """How long ago, when the read began, the first write that it does not show had ended."""


class Play:
    """One seeded schedule: the node's answer counts the writes, each of which ends with a touch."""

    def __init__(self, stage: Stage, processes: Sequence[Profiles], seed: int) -> None:
        self._stage = stage
        self._processes = processes
        self._random = random.Random(seed)  # noqa: S311 (a repeatable disorder)
        self._written = 0
        self._ended_at: dict[int, float] = {}
        self.stale: list[Stale] = []
        self.read = 0
        self.refused = 0

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(STEPS):
                step = self._write if self._random.random() < 0.25 else self._read
                group.create_task(step())
                for _ in range(self._random.choice((0, 0, 1, 5, 40))):
                    await asyncio.sleep(0)

    async def _write(self) -> None:
        self._written += 1
        version = self._written
        answer = {"overall": version / 1_000, "by_subject": {}}
        self._stage.nodes[NodeName.Q_DNA].answers["get_mastery_level"] = answer
        await self._stage.touch(self._stage.student.id)
        self._ended_at[version] = time.monotonic()

    async def _read(self) -> None:
        began, ended = time.monotonic(), dict(self._ended_at)
        service = self._random.choice(self._processes)
        self.read += 1
        try:
            profile = orjson.loads(await service.get(SYSTEM, self._stage.student.id))
        except HubError:  # on a machine that has other things to do the database may be slow
            self.refused += 1
            return
        shown = round(profile["mastery_levels"]["overall"] * 1_000)
        missed = [at for version, at in ended.items() if version > shown]
        if missed and profile["sources"]["q-dna"]["state"] != "stale":
            self.stale.append(Stale(shown, max(ended), began - min(missed)))


async def played(stage: Stage, processes: Sequence[Profiles], seed: int) -> Play:
    """A schedule that has been played to its end."""
    stage.nodes[NodeName.Q_DNA].answers["get_mastery_level"] = {"overall": 0, "by_subject": {}}
    await stage.touch(stage.student.id)
    play = Play(stage, processes, seed)
    await play.run()
    return play
