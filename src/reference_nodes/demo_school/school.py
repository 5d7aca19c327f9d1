"""The days of the demo school: who sits down when, on what, with which result."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from math import exp, log
from random import Random
from typing import TextIO
from uuid import UUID

import orjson

from reference_nodes.demo_school.roster import students as roster_of
from reference_nodes.demo_school.truth import CLASS_SIZE, Habit, Problem, Truth, truth
from reference_nodes.events import Content, LearningEvent
from reference_nodes.learners import Pupil
from reference_nodes.learning.activity import SEOUL

DAYS = 60
LATEST_HOUR = 22.7
TEST_WEEKDAY = 4
TEST_PROBLEMS = 8
TARGET = log(0.75 / 0.25)
"""Problems are picked so that about three in four come out right, as practice software does."""


@dataclass
class Desk:
    """One pupil's place: what they are, what they have done, and their own chance."""

    student_id: str
    number: int
    pupil: Pupil
    habit: Habit
    random: Random
    prefix: str
    events: int = 0


def write(out: TextIO, seed: int, *, students: int = CLASS_SIZE, today: datetime) -> None:
    """Write the class as NDJSON: a line for each student, then a line for each event."""
    for student in roster_of(seed, students):
        _line(out, {"kind": "student", "student": asdict(student)})
    for event in events(seed, students=students, today=today):
        shown = event.model_dump(mode="json", exclude_unset=True)
        _line(out, {"kind": "event", "event": shown})


def events(seed: int, *, students: int = CLASS_SIZE, today: datetime) -> Iterator[LearningEvent]:
    """Sixty days of study in the order of time, ending where today begins in Seoul.

    The same seed, class size and day give the same events; their source ids name all of it, so
    that a run of another day is other study, and never contradicts this one.
    """
    known = truth(seed, students)
    first = today.astimezone(SEOUL).date() - timedelta(days=DAYS)
    desks = _desks(known, seed, first)
    for day in range(DAYS):
        happened = [event for desk in desks for event in _day(known, desk, first, day)]
        yield from sorted(happened, key=lambda event: (event.occurred_at, event.source_id))


def _desks(known: Truth, seed: int, first: date) -> list[Desk]:
    def desk(number: int, student: str) -> Desk:
        random = Random(f"{seed}/study/{number}/{first}")  # noqa: S311 # a simulation
        prefix = f"demo-{seed}-{len(known.learners)}-{first:%Y%m%d}-{number:02d}"
        pupil = Pupil(known.learners[student])
        return Desk(student, number, pupil, known.habits[student], random, prefix)

    return [desk(number, student) for number, student in enumerate(known.learners, 1)]


def _day(known: Truth, desk: Desk, first: date, day: int) -> Iterator[LearningEvent]:
    if not desk.habit.problems or day >= DAYS - desk.habit.stops:
        return
    morning = datetime.combine(first + timedelta(days=day), time(), SEOUL)
    if morning.weekday() == TEST_WEEKDAY and day > TEST_WEEKDAY:
        yield from _sitting(known, desk, morning, 14.2, day, TEST_PROBLEMS, "test")
    weekend = morning.weekday() > TEST_WEEKDAY
    if desk.random.random() < (desk.habit.weekend if weekend else desk.habit.weekday):
        hour = desk.random.uniform(10, 20) if weekend else desk.random.gauss(desk.habit.hour, 0.9)
        problems = max(4, round(desk.random.gauss(desk.habit.problems, 3)))
        start = min(max(hour, 16.2 if not weekend else 10), 21.5)
        yield from _sitting(known, desk, morning, start, day, problems, "study")


def _sitting(
    known: Truth, desk: Desk, morning: datetime, hour: float, day: int, problems: int, kind: str
) -> Iterator[LearningEvent]:
    now = hour * 3600
    if kind == "study" and desk.random.random() < 0.2:  # noqa: PLR2004 # every fifth reads first
        seconds = desk.random.uniform(200, 700)
        now += seconds
        content = Content(
            action="reviewed_concept",
            concepts=[_topic(known, desk, day)],
            time_spent=round(seconds),
        )
        yield _event(desk, kind, morning, now, content)
    for _ in range(problems):
        if now > LATEST_HOUR * 3600:
            return
        content = _solve(desk, _pick(known, desk, day))
        now += (content.time_spent or 0) + desk.random.uniform(4, 40)
        yield _event(desk, kind, morning, now, content)


def _topic(known: Truth, desk: Desk, day: int) -> str:
    """Mostly what the class does this week, else something from before."""
    reached = max(1, round(len(known.concepts) * (day + 1) / DAYS))
    this_week = max(0, reached - 3)
    earlier = this_week and desk.random.random() < 0.35  # noqa: PLR2004 # a third is repetition
    low, high = (0, this_week) if earlier else (this_week, reached)
    return known.concepts[desk.random.randrange(low, high)]


def _pick(known: Truth, desk: Desk, day: int) -> Problem:
    offered: Sequence[Problem] = desk.random.sample(known.problems[_topic(known, desk, day)], 3)
    return min(
        offered, key=lambda each: abs(desk.pupil.level(each.item.concepts) - each.item.d - TARGET)
    )


def _solve(desk: Desk, problem: Problem) -> Content:
    correct = desk.pupil.answer(problem.item, desk.random)
    seconds = 75 * exp(0.3 * problem.item.d + desk.random.gauss(0, 0.45) + 0.25 * (not correct))
    return Content(
        action="solved_problem",
        problem_id=problem.item.problem_id,
        concepts=list(problem.item.concepts),
        result="correct" if correct else "incorrect",
        time_spent=round(min(max(seconds, 5), 900)),
        difficulty=problem.difficulty,
    )


def _event(
    desk: Desk, kind: str, morning: datetime, seconds: float, content: Content
) -> LearningEvent:
    desk.events += 1
    return LearningEvent.model_validate(
        {
            "student_id": UUID(desk.student_id),
            "event_type": kind,
            "source_node": 4,
            "source_id": f"{desk.prefix}-{desk.events:05d}",
            "occurred_at": morning + timedelta(seconds=round(seconds)),
            "content": content,
        }
    )


def _line(out: TextIO, row: dict[str, object]) -> None:
    out.write(orjson.dumps(row).decode() + "\n")
