"""Which steps of a path a student's learning events show to be done.

Practice, and any step that names a number of problems, is done with so many answers, right or
wrong, to problems of its set or on its concepts. A review is done when the student worked on its
concept for half of the time it was estimated to take, or when an event says that it was reviewed.
An answer counts once: for the first step, in the path's order, that is still open and that it
fits. Other steps are marked by a person.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from student_hub.history.schemas import Event
from student_hub.interventions.schemas import Step
from student_hub.interventions.words import word

ANSWERED = "solved_problem"
REVIEWED = frozenset({"reviewed_concept", "review_concept"})
BY_EVENTS = "events"
SHARE_OF_REVIEW = 0.5
USUAL_REVIEW_S = 1_800

Marks = Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class _Open:
    """A step that is not done yet, and what has been done for it."""

    step: Step
    words: frozenset[str]
    answers: int = 0
    seconds: float = 0.0
    done_at: datetime | None = None

    def takes(self, event: Event) -> bool:
        """Whether the event counted for this step."""
        if not self._fits(event.content):
            return False
        if self.step.num_problems is not None:
            return self._count_answer(event)
        return self._count_review(event)

    def _fits(self, content: Mapping[str, Any]) -> bool:
        of_set = content.get("problem_set_id")
        if of_set is not None and of_set == self.step.problem_set_id:
            return True
        return not self.words.isdisjoint(words_of(content))

    def _count_answer(self, event: Event) -> bool:
        if event.content.get("action") != ANSWERED:
            return False
        self.answers += 1
        if self.answers >= (self.step.num_problems or 1):
            self.done_at = event.occurred_at
        return True

    def _count_review(self, event: Event) -> bool:
        if self.step.activity != "review_concept":
            return False
        if event.content.get("action") in REVIEWED:
            self.done_at = event.occurred_at
            return True
        if event.content.get("action") == ANSWERED:
            return False
        self.seconds += _seconds(event.content)
        if self.seconds >= SHARE_OF_REVIEW * (self.step.estimated_duration or USUAL_REVIEW_S):
            self.done_at = event.occurred_at
        return True


def shown_done(
    path: Sequence[Step], marks: Marks, events: Iterable[Event]
) -> dict[str, dict[str, Any]]:
    """All marks by step number: those of people as they are, those of events computed anew.

    `events` are all of the student since the plan began, the oldest first.
    """
    by_people = {n: dict(mark) for n, mark in marks.items() if mark.get("by") != BY_EVENTS}
    waiting = [_Open(s, words_of_step(s)) for s in path if str(s.step) not in by_people]
    for event in events:
        next((each for each in waiting if each.done_at is None and each.takes(event)), None)
    by_events = {
        str(each.step.step): {"at": each.done_at.isoformat(), "by": BY_EVENTS}
        for each in waiting
        if each.done_at is not None
    }
    return {**by_people, **by_events}


def words_of_step(step: Step) -> frozenset[str]:
    """The names and codes by which an event may name the step's concepts."""
    names = [step.code, *step.codes]
    if isinstance(step.concept, str):
        names.append(step.concept)
    return frozenset(map(word, filter(None, names)))


def words_of(content: Mapping[str, Any]) -> Iterator[str]:
    """The concepts that an event names."""
    many, one = content.get("concepts"), content.get("concept")
    found = [*(many if isinstance(many, list) else []), one]
    return (word(name) for name in found if isinstance(name, str))


def _seconds(content: Mapping[str, Any]) -> float:
    spent = content.get("time_spent", content.get("duration", 0))
    return float(spent) if isinstance(spent, (int, float)) and spent > 0 else 0.0
