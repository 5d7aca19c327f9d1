"""Tasks as people plan them: what is refused, what is the same call, who may, and what is noted."""

import asyncio
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest

from access.stage import faults_of
from factories import a_student
from schedules.stage import NOON, PLANNER, TYPES, Clock, Room, cron, every, once
from student_hub.platform.errors import HubError, InvalidInput, NotAllowed
from student_hub.platform.security.caller import SYSTEM, Caller, Role, Scope
from student_hub.schedules.errors import (
    AlreadyRunning,
    KeyReused,
    NotForAll,
    TaskNotFound,
    TaskOver,
)
from student_hub.schedules.schemas import (
    Outcome,
    ScheduleType,
    Status,
    TaskDraft,
    TaskFilter,
    TaskType,
)
from student_hub.schedules.service import Schedules
from student_hub.students.consents import Consents
from student_hub.students.errors import StudentNotFound
from student_hub.students.schemas import ProcessingIn, State

pytestmark = pytest.mark.requirement("schedules")

FAULTS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "no such type": ({"task_type": "x"}, {"task_type": "known: check, doom, fan, jobless, note"}),
    "an hour too much": ({"cron_expression": "0 25 * * *"}, {"cron_expression": "the hour"}),
    "never": ({"cron_expression": "0 0 30 2 *"}, {"cron_expression": "never fire"}),
    "nothing": ({"cron_expression": None}, {"cron_expression": "is needed"}),
    "both": ({"interval_seconds": 60}, {"interval_seconds": "does not go with"}),
    "all three": (
        {"interval_seconds": 60, "run_at": NOON + timedelta(days=1)},
        {"interval_seconds": "does not", "run_at": "does not"},
    ),
    "the beginning of time": (
        {
            "schedule_type": ScheduleType.ONE_TIME,
            "cron_expression": None,
            "run_at": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        },
        {"run_at": "between the years"},
    ),
    "a zone off the map": ({"timezone": "Asia/Atlantis"}, {"timezone": "is not the name"}),
    "a path for a zone": ({"timezone": "../../etc/passwd"}, {"timezone": "is not the name"}),
    "a folder of zones": ({"timezone": "America"}, {"timezone": "is not the name"}),
    "an empty zone": ({"timezone": ""}, {"timezone": "is not the name"}),
    "a zone with a null": ({"timezone": "Asia/Seoul\0"}, {"timezone": "is not the name"}),
    "config for nothing": ({"config": {"a": 1}}, {"config.a": "there is no such field"}),
    "a bad config": (
        {"task_type": "fan", "config": {"parts": 99, "kind": "두 낱말"}},
        {"config.parts": "less than or equal", "config.kind": "pattern"},
    ),
    "a config of the wrong kind": (
        {"task_type": "fan", "config": {"parts": []}},
        {"config.parts": "valid integer"},
    ),
    "no student": ({"task_type": "check"}, {"student_id": "is needed for check"}),
    "a student too many": (
        {"task_type": "sweep", "student_id": uuid4()},
        {"student_id": "is for all students"},
    ),
    "much at once": (
        {"task_type": "x", "cron_expression": "*/0 * * * *", "timezone": "x"},
        {"task_type": "known", "cron_expression": "minute: a step", "timezone": "is not"},
    ),
}


@pytest.mark.parametrize("case", FAULTS)
async def test_every_wrong_field_is_named_at_once(room: Room, case: str) -> None:
    """And nothing is stored."""
    given, expected = FAULTS[case]
    draft = cron("0 9 * * *").model_copy(update=given)
    with pytest.raises(InvalidInput) as refused:
        await room.schedules.create(SYSTEM, draft)
    found = {fault["field"]: fault["problem"] for fault in faults_of(refused.value)}
    assert found.keys() == expected.keys()
    for field, problem in expected.items():
        assert problem in found[field]
    assert (await room.schedules.page(SYSTEM)).tasks == []


@pytest.mark.parametrize("seconds", [59, 0, -60, 366 * 86_400 + 1, 2**40])
async def test_an_interval_has_bounds(room: Room, seconds: int) -> None:
    """A minute to a leap year."""
    with pytest.raises(InvalidInput, match="interval_seconds: is not between 60 and 31622400"):
        await room.schedules.create(SYSTEM, every(seconds))


@pytest.mark.parametrize(
    ("at", "problem"),
    [
        (NOON, "past"),
        (NOON - timedelta(days=400), "past"),
        (NOON + timedelta(days=4_000), "ten years"),
    ],
)
async def test_a_single_time_lies_ahead(room: Room, at: datetime, problem: str) -> None:
    """Now is too late, and eleven years on too early."""
    with pytest.raises(InvalidInput, match=f"run_at: .*{problem}"):
        await room.schedules.create(SYSTEM, once(at))


async def test_the_next_three_times_are_told(room: Room) -> None:
    """Of a cron expression in its zone, of an interval from now on, of a single time that one."""
    weekly = await room.schedules.create(SYSTEM, cron("0 10 * * MON"))
    assert [f"{at:%F %H:%M}" for at in weekly.next_runs] == [
        "2026-03-09 01:00",
        "2026-03-16 01:00",
        "2026-03-23 01:00",
    ]
    hourly = await room.schedules.create(SYSTEM, every(3_600))
    assert hourly.next_runs == [NOON + timedelta(hours=n) for n in (1, 2, 3)]
    single = await room.schedules.create(SYSTEM, once(NOON + timedelta(days=1)))
    assert single.next_runs == [NOON + timedelta(days=1)]
    assert weekly.model_dump(mode="json")["task_id"].startswith("TASK_")


async def test_the_same_call_within_ten_minutes_is_one_task(room: Room, clock: Clock) -> None:
    """By the same caller with the same words, also at the same moment; after that it is new."""
    created = [room.schedules.create(SYSTEM, every(60)) for _ in range(5)]
    ids = {task.task_id for task in await asyncio.gather(*created)}
    assert len(ids) == 1
    clock.pass_by(minutes=9)
    ids.add((await room.schedules.create(SYSTEM, every(60))).task_id)
    assert len(ids) == 1
    others = [
        await room.schedules.create(PLANNER, every(60)),
        await room.schedules.create(SYSTEM, every(61)),
    ]
    clock.pass_by(minutes=2)
    others.append(await room.schedules.create(SYSTEM, every(60)))
    assert len(ids | {task.task_id for task in others}) == 4


async def test_a_key_names_a_call_for_good(room: Room, clock: Clock) -> None:
    """With other arguments it is refused; another caller's same key is another call."""
    made = [room.schedules.create(SYSTEM, every(60), "a") for _ in range(3)]
    (first, *rest) = await asyncio.gather(*made)
    clock.pass_by(days=1)
    again = await room.schedules.create(SYSTEM, every(60), "a")
    assert {task.task_id for task in (*rest, again)} == {first.task_id}
    with pytest.raises(KeyReused):
        await room.schedules.create(SYSTEM, every(61), "a")
    assert (await room.schedules.create(PLANNER, every(60), "a")).task_id != first.task_id
    assert (await room.schedules.create(SYSTEM, every(60), "b")).task_id != first.task_id


async def test_a_single_time_asked_for_again_after_it_has_passed_is_the_same_task(
    room: Room, clock: Clock
) -> None:
    """Who repeats a call is not told that it is too late for what was planned in time."""
    draft = once(NOON + timedelta(minutes=1))
    first = await room.schedules.create(SYSTEM, draft)
    clock.pass_by(minutes=5)
    assert (await room.schedules.create(SYSTEM, draft)).task_id == first.task_id


async def test_pause_resume_and_cancel(room: Room, clock: Clock) -> None:
    """What came in a pause is not made up for; what is over can be changed no more."""
    task = await room.schedules.create(SYSTEM, cron("0 * * * *"))
    paused = await room.schedules.pause(SYSTEM, task.task_id)
    assert (paused.status, paused.next_runs) == (Status.PAUSED, [])
    assert (await room.schedules.pause(SYSTEM, task.task_id)).status is Status.PAUSED
    assert await room.schedules.tick(clock.pass_by(hours=5, minutes=30)) == []
    for _ in range(2):
        resumed = await room.schedules.resume(SYSTEM, task.task_id)
        assert (resumed.status, resumed.next_runs[0]) == (Status.ACTIVE, NOON + timedelta(hours=6))
    cancelled = await room.schedules.cancel(SYSTEM, task.task_id)
    assert (cancelled.status, cancelled.ended_at) == (Status.CANCELLED, clock.now)
    deeds = (room.schedules.pause, room.schedules.resume, room.schedules.cancel)
    for deed in (*deeds, room.schedules.run_now):
        with pytest.raises(TaskOver, match="cancelled"):
            await deed(SYSTEM, task.task_id)


async def test_a_single_time_that_passed_in_a_pause_fires_when_it_is_resumed(
    room: Room, clock: Clock
) -> None:
    """There is no next one to wait for."""
    task = await room.schedules.create(SYSTEM, once(NOON + timedelta(hours=1)))
    await room.schedules.pause(SYSTEM, task.task_id)
    clock.pass_by(hours=2)
    await room.schedules.resume(SYSTEM, task.task_id)
    assert len(await room.schedules.tick(clock.now)) == 1


async def test_run_now_is_a_run_beside_the_tasks_times(room: Room, clock: Clock) -> None:
    """Also of a paused task; a second one waits for the end of the first."""
    task = await room.schedules.create(SYSTEM, every(3_600))
    await room.schedules.pause(SYSTEM, task.task_id)
    run = await room.schedules.run_now(SYSTEM, task.task_id)
    assert (run.run_now, run.scheduled_for, run.outcome) == (True, NOON, None)
    clock.pass_by(seconds=5)
    with pytest.raises(AlreadyRunning):
        await room.schedules.run_now(SYSTEM, task.task_id)
    assert await room.work() == 1
    assert (await room.schedules.runs(SYSTEM, task.task_id)).runs[0].outcome is Outcome.DONE
    await room.schedules.run_now(SYSTEM, task.task_id)
    await room.schedules.resume(SYSTEM, task.task_id)
    assert len(await room.schedules.tick(clock.pass_by(hours=1))) == 1


async def test_run_now_of_a_stopped_student_is_skipped(room: Room, clock: Clock) -> None:
    """With that outcome, and without a job."""
    student = await a_student(room.students)
    wanted = every(60, task_type="check", student_id=student.id)
    task = await room.schedules.create(SYSTEM, wanted)
    consents = Consents(room.database, room.students, room.audit, clock)
    stop = ProcessingIn(state=State.STOPPED, reason="x")
    await consents.set_processing(SYSTEM, student.id, stop)
    run = await room.schedules.run_now(SYSTEM, task.task_id)
    assert (run.outcome, run.reason) == (Outcome.SKIPPED, "stopped")
    assert await room.work() == 0


async def test_tasks_and_runs_are_listed_page_by_page(room: Room, clock: Clock) -> None:
    """The newest first, with every given filter."""
    student = await a_student(room.students)
    tasks = []
    for number in range(5):
        tasks.append(await room.schedules.create(SYSTEM, every(60 + number)))
        clock.pass_by(seconds=1)
    own = every(60, task_type="check", student_id=student.id)
    tasks.append(await room.schedules.create(SYSTEM, own))
    await room.schedules.pause(SYSTEM, tasks[0].task_id)
    seen: list[UUID] = []
    cursor = None
    while True:
        page = await room.schedules.page(SYSTEM, cursor=cursor, limit=2)
        seen += [task.task_id for task in page.tasks]
        if (cursor := page.next) is None:
            break
    assert seen == [task.task_id for task in reversed(tasks)]
    for wanted, expected in (
        (TaskFilter(status=Status.PAUSED), [tasks[0]]),
        (TaskFilter(student_id=student.id), [tasks[-1]]),
        (TaskFilter(task_type="check", status=Status.ACTIVE), [tasks[-1]]),
        (TaskFilter(student_id=uuid4()), []),
    ):
        found = (await room.schedules.page(SYSTEM, wanted)).tasks
        assert [task.task_id for task in found] == [task.task_id for task in expected]
    for _ in range(3):
        await room.schedules.tick(clock.pass_by(minutes=3))
    first = await room.schedules.runs(SYSTEM, tasks[1].task_id, limit=2)
    rest = await room.schedules.runs(SYSTEM, tasks[1].task_id, limit=2, cursor=first.next)
    assert (len(first.runs), len(rest.runs), rest.next) == (2, 1, None)
    assert first.runs[1].scheduled_for > rest.runs[0].scheduled_for
    for wrong in ("x", "0001-01-01T00:00:00+14:00"):
        with pytest.raises(InvalidInput, match="cursor"):
            await room.schedules.runs(SYSTEM, tasks[1].task_id, cursor=wrong)
        with pytest.raises(InvalidInput, match="cursor"):
            await room.schedules.page(SYSTEM, cursor=wrong)


def teacher(*reach: str, scopes: frozenset[Scope] = PLANNER.scopes) -> Caller:
    return Caller("kim", scopes, Role.TEACHER, frozenset(reach))


async def test_a_teacher_plans_for_students_whom_they_see(room: Room) -> None:
    """Not for all, not for others; whoever is not theirs is as one who does not exist."""
    mine = await a_student(room.students)
    kim = teacher(f"student:{mine.id}")
    refused: list[tuple[TaskDraft, type[HubError]]] = [
        (every(60), NotForAll),
        (every(60, task_type="check", student_id=uuid4()), StudentNotFound),
    ]
    for draft, error in refused:
        with pytest.raises(error):
            await room.schedules.create(kim, draft)
    reader = teacher(f"student:{mine.id}", scopes=frozenset({Scope.READ}))
    with pytest.raises(NotAllowed):
        await room.schedules.create(reader, every(60, task_type="check", student_id=mine.id))
    assert await room.all("SELECT outcome FROM scheduled_task_runs") == []


async def test_tasks_of_others_and_for_all_are_as_if_there_were_none(room: Room) -> None:
    """Neither listed, nor read, nor changed by a teacher without a grant."""
    student = await a_student(room.students)
    own = every(60, task_type="check", student_id=student.id)
    tasks = [await room.schedules.create(SYSTEM, draft) for draft in (own, every(60))]
    stranger = teacher()
    assert (await room.schedules.page(stranger)).tasks == []
    service = room.schedules
    for task in tasks:
        deeds = (service.read, service.runs, service.pause, service.cancel, service.run_now)
        for deed in deeds:
            with pytest.raises(TaskNotFound):
                await deed(stranger, task.task_id)
    assert {task.status for task in (await service.page(SYSTEM)).tasks} == {Status.ACTIVE}


async def test_what_is_done_with_tasks_is_noted(room: Room) -> None:
    """Who, what, of which task and student; refusals too."""
    student = await a_student(room.students)
    draft = every(60, task_type="check", student_id=student.id)
    task = await room.schedules.create(PLANNER, draft)
    for deed in (room.schedules.pause, room.schedules.resume, room.schedules.run_now):
        await deed(PLANNER, task.task_id)
    await room.schedules.read(PLANNER, task.task_id)
    await room.schedules.cancel(PLANNER, task.task_id)
    with pytest.raises(TaskNotFound):
        await room.schedules.read(PLANNER, uuid4())
    await room.audit.drain()
    noted = await room.all(
        "SELECT action, outcome, student_ids FROM audit_inbox "
        "WHERE subject = 'planner' ORDER BY action, outcome"
    )
    about = [student.id]
    assert [(action, outcome) for action, outcome, _ in noted] == [
        ("task.cancel", "ok"),
        ("task.create", "ok"),
        ("task.pause", "ok"),
        ("task.read", "ok"),
        ("task.read", "refused"),
        ("task.resume", "ok"),
        ("task.run", "ok"),
    ]
    assert [ids for _, outcome, ids in noted if outcome == "ok"] == [about] * 6


async def test_a_students_tasks_are_known_for_an_export(room: Room) -> None:
    """All of them, whatever their status, and nobody else's."""
    student, other = await a_student(room.students), await a_student(room.students)
    made = [
        await room.schedules.create(SYSTEM, every(60, task_type="check", student_id=one.id))
        for one in (student, other)
    ]
    await room.schedules.cancel(SYSTEM, made[0].task_id)
    async with room.database.transaction(SYSTEM) as tx:
        tasks = await room.schedules.of_student(tx, student.id)
    assert [(task.task_id, task.status) for task in tasks] == [(made[0].task_id, Status.CANCELLED)]


async def test_two_types_of_one_name_and_a_config_of_free_text_are_refused(room: Room) -> None:
    """At the start of the process, by whoever wires them."""

    class Talkative(TaskDraft):
        """Has a field for any text."""

    with pytest.raises(TypeError, match="personal data"):
        TaskType("x", TYPES[0].job, config=Talkative)
    with pytest.raises(ValueError, match="one name"):
        Schedules(room.database, room.students, room.ledger, room.audit, room.clock, [TYPES[0]] * 2)


def test_the_kinds_of_schedules_are_those_of_the_contract() -> None:
    """And no other."""
    assert list(ScheduleType) == ["cron", "interval", "one_time"]
