"""The whole way: PostgreSQL, reference nodes 1 and 2, the cache, and who is told what."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from doorway import an_audit
from factories import event, student_in
from node_servers import node
from reference_nodes.eventlog import EventLog
from reference_nodes.events import LearningEvent
from student_hub.analytics.asking import ClassNodes
from student_hub.analytics.errors import ClassNotFound
from student_hub.analytics.gathering import ClassGatherer
from student_hub.analytics.plans import ClassPlans
from student_hub.analytics.schemas import ClassAnalytics
from student_hub.analytics.service import Classes, Reply
from student_hub.analytics.shelf import Shelf
from student_hub.history.service import History
from student_hub.nodes.gateway import Gateway
from student_hub.nodes.logic_engine import LogicEngine
from student_hub.nodes.q_dna import QDna
from student_hub.nodes.registry import Address, NodeName
from student_hub.platform.cache.store import Cache
from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import SYSTEM, Caller, Role, Scope
from student_hub.students.service import Students

NAMESPACE = "SCH001:10:1반"
GONE = "http://127.0.0.1:1/mcp"


class NoPlans:
    """Nobody has any."""

    async def of_students(self, ids: Sequence[UUID]) -> ClassPlans:
        del ids
        return ClassPlans()


@dataclass
class Stage:
    classes: Classes
    database: Database
    students: Students
    pupils: list[UUID]

    async def ask(self, class_id: str = NAMESPACE, caller: Caller = SYSTEM) -> Reply:
        return await self.classes.analytics(caller, class_id)

    async def read(self, class_id: str = NAMESPACE) -> ClassAnalytics:
        return ClassAnalytics.model_validate_json((await self.ask(class_id)).json)


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def stage(
    stack: AsyncExitStack,
    database: Database,
    students: Students,
    history: History,
    valkey_url: str,
    tmp_path: Path,
) -> Stage:
    """Six students of one class with answers now and forty days ago, one of another class."""
    pupils = [(await students.create(SYSTEM, student_in())).id for _ in range(6)]
    await students.create(SYSTEM, student_in(class_name="2반"))
    now = datetime.now(UTC)
    events = [
        event(
            pupil,
            occurred_at=(now - timedelta(days=days, minutes=number)).isoformat(),
            content={
                "action": "solved_problem",
                "problem_id": f"item-{number}",
                "concepts": ["9수02-20"],
                "result": "incorrect" if place < 2 else "correct",
                "time_spent": 60,
            },
        )
        for place, pupil in enumerate(pupils)
        for days in (40, 1)
        for number in range(4)
    ]
    await history.record(SYSTEM, events)
    log = EventLog(tmp_path)
    log.append([LearningEvent.model_validate(each) for each in events])
    log.close()
    one = await stack.enter_async_context(node("logic-engine", tmp_path))
    two = await stack.enter_async_context(node("q-dna", tmp_path))
    classes = await a_service(stack, database, students, valkey_url, f"{one}/mcp", f"{two}/mcp")
    return Stage(classes, database, students, pupils)


async def a_service(
    stack: AsyncExitStack, database: Database, students: Students, valkey_url: str, *urls: str
) -> Classes:
    cache = Cache(valkey_url, uuid.uuid4().bytes * 2)
    stack.push_async_callback(cache.close)
    addresses = {
        name: Address(url)
        for name, url in zip((NodeName.LOGIC_ENGINE, NodeName.Q_DNA), urls, strict=True)
    }
    gateway = Gateway(addresses, lambda *_: None, attempt_s=5.0)
    stack.push_async_callback(gateway.close)
    nodes, shelf = ClassNodes(LogicEngine(gateway), QDna(gateway)), Shelf(cache)
    gatherer = ClassGatherer(database, students, nodes, NoPlans(), shelf)
    stack.push_async_callback(gatherer.close)
    return Classes(database, gatherer, shelf, an_audit(database))


@pytest.mark.requirement("class-analytics")
async def test_a_class_has_figures_with_n_and_growth(stage: Stage) -> None:
    """Roster, mastery, engagement and growth are there, each with the number it rests on."""
    answer = await stage.read()
    assert (answer.roster.students, answer.roster.with_data) == (6, 6)
    assert answer.mastery.overall is not None
    assert answer.mastery.overall.n == 6
    (concept,) = answer.mastery.by_concept
    assert (concept.code, concept.n_students, concept.n_answers) == ("9수02-20", 6, 48)
    assert concept.ci[0] < concept.mean < concept.ci[1]
    assert sum(day.problems for day in answer.engagement.per_day) == 24
    assert sum(day.minutes for day in answer.engagement.per_day) == 24
    assert answer.growth is not None
    assert answer.growth.n == 6
    assert (await stage.read("SCH001:10")).roster.students == 7


@pytest.mark.requirement("class-cache")
async def test_a_change_makes_its_class_and_grade_stale_and_no_other(stage: Stage) -> None:
    """Asked again it is kept; after a touch of one student, class and grade are gathered anew."""
    ids = (NAMESPACE, "SCH001:10", "SCH001:10:2반")
    for class_id in ids:
        assert (await stage.ask(class_id)).facts["cached"] is False
        assert (await stage.ask(class_id)).facts["cached"] is True
    async with stage.database.transaction(SYSTEM) as tx:
        await stage.students.touch(tx, [stage.pupils[0]])
    cached = [(await stage.ask(class_id)).facts["cached"] for class_id in ids]
    assert cached == [False, False, True]


@pytest.mark.requirement("class-access")
async def test_not_yours_is_answered_as_not_there(stage: Stage) -> None:
    """Another teacher gets the error of a class that does not exist; also when it is cached."""
    await stage.ask()
    stranger = Caller(
        "t", frozenset({Scope.READ}), Role.TEACHER, frozenset({"class:SCH001:10:2반"})
    )
    for class_id in (NAMESPACE, "SCH001:10", "SCH404:10:1반"):
        with pytest.raises(ClassNotFound):
            await stage.ask(class_id, stranger)
    with pytest.raises(ClassNotFound):
        await stage.ask("SCH404:10:1반")


@pytest.mark.requirement("class-access")
async def test_a_group_under_five_is_hidden_from_all_but_its_teacher(stage: Stage) -> None:
    """Of the class of one, an administrator learns its size, and that figures are withheld."""
    answer = await stage.read("SCH001:10:2반")
    assert answer.roster.students == 1
    assert answer.mastery.overall is None
    assert [caveat.code for caveat in answer.caveats] == ["small_group"]


@pytest.mark.requirement("class-analytics")
async def test_nodes_that_cannot_be_had_are_said_and_not_kept(
    stage: Stage, stack: AsyncExitStack, valkey_url: str
) -> None:
    """With both nodes away nothing is averaged: it is counted, and asked again."""
    classes = await a_service(stack, stage.database, stage.students, valkey_url, GONE, GONE)
    for _ in range(2):
        reply = await classes.analytics(SYSTEM, NAMESPACE)
        answer = ClassAnalytics.model_validate_json(reply.json)
        assert reply.facts["cached"] is False
        assert answer.roster.unanswered == 6
        assert answer.mastery.overall is None
        assert "unanswered" in {caveat.code for caveat in answer.caveats}
