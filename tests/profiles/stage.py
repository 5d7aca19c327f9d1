"""A hub with five fake nodes behind it: what the profile's tests play on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from doorway import an_audit
from fakes.nodes import FakeNode, running
from student_hub.nodes.gateway import Gateway
from student_hub.nodes.lab import Lab
from student_hub.nodes.logic_engine import LogicEngine
from student_hub.nodes.q_dna import QDna
from student_hub.nodes.registry import Address, NodeName
from student_hub.nodes.report import Report
from student_hub.nodes.school import SchoolInfo
from student_hub.platform.cache.store import Cache
from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import SYSTEM
from student_hub.profiles.asking import ProfileNodes
from student_hub.profiles.gathering import Gatherer
from student_hub.profiles.schemas import UnifiedProfile
from student_hub.profiles.service import Profiles
from student_hub.profiles.shelf import Shelf
from student_hub.students.schemas import Student, StudentIn
from student_hub.students.service import Students

ANSWERS: dict[NodeName, dict[str, Any]] = {
    NodeName.LOGIC_ENGINE: {
        "get_knowledge_state": {"concepts": [{"name": "이차방정식", "mastery": 0.85}]}
    },
    NodeName.Q_DNA: {"get_mastery_level": {"overall": 0.78, "by_subject": {"math": 0.82}}},
    NodeName.LAB: {
        "get_recent_activities": [
            {"date": "2026-01-08", "type": "study", "duration": 3600, "problems_solved": 15}
        ]
    },
    NodeName.REPORT: {
        "get_latest_reports": [
            {"report_id": "REP123", "type": "weekly", "generated_at": "2026-01-05T10:00:00Z"}
        ]
    },
    NodeName.SCHOOL: {"get_school": {"school_id": "SCH001", "name": "한빛고등학교"}},
}


async def no_plans(_student_id: UUID) -> bytes:
    """Nobody has an intervention here."""
    return b"[]"


def unobserved(_seconds: float, _cached: bool) -> None:
    """Nobody counts here."""


@dataclass
class SetClock:
    """A clock that stands until it is moved."""

    now: datetime = datetime(2026, 1, 9, 5, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Stage:
    """The profile service, the fake nodes behind it, a student, and the clock."""

    profiles: Profiles
    gatherer: Gatherer
    gateway: Gateway
    students: Students
    database: Database
    nodes: dict[NodeName, FakeNode]
    student: Student
    clock: SetClock

    async def profile(self, *, include_history: bool = True, days: int = 30) -> UnifiedProfile:
        json = await self.profiles.get(
            SYSTEM, self.student.id, include_history=include_history, days=days
        )
        return UnifiedProfile.model_validate_json(json, extra="forbid")

    def calls(self) -> dict[str, int]:
        """How often each node was asked for its section."""
        return {name.value: len(node.calls) for name, node in self.nodes.items()}

    async def until_busy(self) -> None:
        """Waits until something is being gathered."""
        async with asyncio.timeout(10):
            while not self.gatherer.is_busy:  # noqa: ASYNC110 (the loop's own turn is waited for)
                await asyncio.sleep(0)

    async def settled(self) -> None:
        """Waits until nothing is being gathered any more."""
        await self.gatherer.settle()

    @asynccontextmanager
    async def with_cache(
        self, cache: Cache, students: Students | None = None
    ) -> AsyncIterator[Profiles]:
        """The same service with another way to the store, as another process has it."""
        shelf = Shelf(cache, 300)
        gatherer = Gatherer(profile_nodes(self.gateway), shelf, cache, self.clock, 3.0, no_plans)
        yield Profiles(
            students or self.students,
            gatherer,
            shelf,
            an_audit(self.database),
            unobserved,
            clock=self.clock,
        )
        await gatherer.close()

    async def touch(self, student_id: UUID) -> None:
        async with self.database.transaction(SYSTEM) as tx:
            await self.students.touch(tx, [student_id])


@asynccontextmanager
async def set_up(database: Database, students: Students, cache: Cache) -> AsyncIterator[Stage]:
    """The stage with every node answering."""
    nodes = {name: FakeNode(dict(answers)) for name, answers in ANSWERS.items()}
    clock = SetClock()
    async with AsyncExitStack() as stack:
        for node in nodes.values():
            await stack.enter_async_context(running(node))
        gateway = Gateway(
            {name: Address(node.url) for name, node in nodes.items()},
            lambda _node, _tool, _status, _seconds: None,
            attempt_s=2.0,
            clock=clock,
        )
        stack.push_async_callback(gateway.close)
        shelf = Shelf(cache, 300)
        gatherer = Gatherer(profile_nodes(gateway), shelf, cache, clock, 3.0, no_plans)
        stack.push_async_callback(gatherer.close)
        profiles = Profiles(students, gatherer, shelf, an_audit(database), unobserved, clock=clock)
        student = await students.create(SYSTEM, a_student())
        yield Stage(profiles, gatherer, gateway, students, database, nodes, student, clock)


def profile_nodes(gateway: Gateway) -> ProfileNodes:
    return ProfileNodes(
        LogicEngine(gateway), QDna(gateway), Lab(gateway), Report(gateway), SchoolInfo(gateway)
    )


def a_student(name: str = "김철수") -> StudentIn:
    return StudentIn(name=name, school_id="SCH001", grade=10, class_name="1반")
