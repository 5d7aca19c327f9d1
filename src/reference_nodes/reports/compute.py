"""A student's report out of the log and the model."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from reference_nodes.curriculum.graph import Graph
from reference_nodes.eventlog import EventLog, LoggedEvent
from reference_nodes.learning.activity import days_of_study, midnight, seoul_day
from reference_nodes.learning.change import Change, change
from reference_nodes.learning.model import LearningModel
from reference_nodes.learning.rasch import StudentBelief
from reference_nodes.reports.advice import next_step, reasons, summary
from reference_nodes.reports.shapes import (
    ConceptChange,
    Kind,
    MasteryChange,
    NextStep,
    Period,
    Report,
    Totals,
)

MOST_CONCEPTS = 5


def day_of(day: date) -> Period:
    """The period of one day."""
    return Period(first=day, last=day)


def week_of(day: date) -> Period:
    """The week, Monday to Sunday, that a day is in."""
    monday = day - timedelta(days=day.weekday())
    return Period(first=monday, last=monday + timedelta(days=6))


def begins(period: Period) -> datetime:
    """The first moment of a period."""
    return midnight(period.first)


def ends(period: Period) -> datetime:
    """The moment at which a period is over."""
    return midnight(period.last + timedelta(days=1))


@dataclass(frozen=True)
class Stretch:
    """What was known of a student at the two ends of a period."""

    before: StudentBelief
    after: StudentBelief

    def answers(self) -> Counter[str]:
        """Answers in the period by concept; concepts without any are left out."""
        old = self.before.concepts
        counts = Counter({code: known.n for code, known in self.after.concepts.items()})
        counts.subtract({code: known.n for code, known in old.items()})
        return +counts


@dataclass(frozen=True)
class Reporter:
    """Writes reports from one log, model and concept graph."""

    log: EventLog
    model: LearningModel
    graph: Graph

    def latest_day(self, student: UUID, now: datetime) -> Report | None:
        """The report of the latest finished day with activity, None without any."""
        last = self.log.last_before(str(student), midnight(seoul_day(now)).timestamp())
        return self._around(student, "daily", last)

    def latest_week(self, student: UUID, now: datetime) -> Report | None:
        """The report of the latest finished week with activity, None without any."""
        this_week = begins(week_of(seoul_day(now)))
        last = self.log.last_before(str(student), this_week.timestamp())
        return self._around(student, "weekly", last)

    def _around(self, student: UUID, kind: Kind, event: LoggedEvent | None) -> Report | None:
        if event is None:
            return None
        day = seoul_day(event.occurred_at)
        return self.report(student, kind, day_of(day) if kind == "daily" else week_of(day))

    def report(self, student: UUID, kind: Kind, period: Period) -> Report | None:
        """The report of a period, None when the student did nothing in it."""
        bounds = begins(period).timestamp(), ends(period).timestamp()
        events = self.log.of_student(str(student), *bounds)
        return self._written(student, kind, period, events) if events else None

    def _written(
        self, student: UUID, kind: Kind, period: Period, events: Sequence[LoggedEvent]
    ) -> Report:
        stretch = self._stretch(str(student), period)
        overall, practised = self._overall(stretch), self._practised(stretch)
        sums = totals(events)
        return Report(
            report_id=f"RPT-{kind[0].upper()}-{period.first:%Y%m%d}-{student.hex[:12]}",
            type=kind,
            student_id=student,
            period=period,
            generated_at=ends(period).astimezone(UTC),
            summary=summary(sums, overall),
            totals=sums,
            overall=overall,
            concepts=practised[:MOST_CONCEPTS],
            reasons=reasons(self.model, events, overall, sums, period),
            next_step=self._next_step(str(student), stretch.after, practised, ends(period)),
        )

    def _stretch(self, student: str, period: Period) -> Stretch:
        return Stretch(
            self.model.belief_before(student, begins(period)),
            self.model.belief_before(student, ends(period)),
        )

    def _overall(self, stretch: Stretch) -> MasteryChange | None:
        concepts = list(stretch.after.concepts)
        return _shown(self._change(stretch, concepts)) if concepts else None

    def _practised(self, stretch: Stretch) -> list[ConceptChange]:
        answers = stretch.answers()
        return [
            ConceptChange(
                code=code,
                concept=self.graph.name_of(code),
                answers=count,
                **_shown(self._change(stretch, [code])).model_dump(),
            )
            for code, count in sorted(answers.items(), key=lambda pair: (-pair[1], pair[0]))
        ]

    def _change(self, stretch: Stretch, concepts: Sequence[str]) -> Change:
        difficulty = self.model.items.mean_difficulty
        return change(stretch.before, stretch.after, concepts, difficulty)

    def _next_step(
        self, student: str, after: StudentBelief, practised: Sequence[ConceptChange], now: datetime
    ) -> NextStep:
        masteries = {code: self.model.estimate(after, code) for code in after.concepts}
        due = self.model.due(student, now) & set(masteries)
        return next_step(self.graph, masteries, [each.code for each in practised], due)


def totals(events: Sequence[LoggedEvent]) -> Totals:
    """Sums over a student's events, which must be in the order of time."""
    days = days_of_study(events)
    return Totals(
        minutes=round(sum(day.duration for day in days) / 60),
        problems=sum(day.problems_solved for day in days),
        correct=sum(day.correct for day in days),
        active_days=len({day.date for day in days}),
    )


def _shown(change: Change) -> MasteryChange:
    return MasteryChange(
        before=round(change.before, 4),
        after=round(change.after, 4),
        change=round(change.change, 4),
        interval=[round(change.low, 4), round(change.high, 4)],
    )
