"""The learning model: the fold of the event log into students, concepts and items.

Beliefs about items come from everybody, so an event cannot be unlearned: when one is taken out of
the log, the whole log is folded anew beside what is shown until then.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from math import sqrt
from time import monotonic
from typing import NamedTuple

from reference_nodes.eventlog import EventLog, LoggedEvent
from reference_nodes.learning.history import Answer, StudentHistory
from reference_nodes.learning.items import ItemBelief, ItemTable
from reference_nodes.learning.rasch import (
    CONCEPT_VARIANCE,
    Z80,
    StudentBelief,
    predict,
    shrunk,
    sigmoid,
)

SLICE = 500
PATIENCE = 0.2
"""Seconds that a call waits for the fold to reach the log's head."""


class Estimate(NamedTuple):
    """Mastery: the probability of a right answer on a concept's average item, 80 % interval."""

    mean: float
    low: float
    high: float
    answers: int
    last_at: datetime | None


class Fold:
    """Beliefs after the events up to a position, of a log from which so much was taken out."""

    def __init__(self, canonical: Callable[[str], str], revision: int = 0) -> None:
        self._canonical = canonical
        self._named: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.students: dict[str, StudentHistory] = {}
        self.items = ItemTable()
        self.position = 0
        self.revision = revision

    def add(self, event: LoggedEvent) -> None:
        """Fold one more event."""
        self.position = event.seq
        if event.problem_id is None or event.correct is None:
            return
        sent = None if event.concepts is None else self._names(event.concepts)
        item = self.items.meet(event.problem_id, sent, event.difficulty)
        concepts = item.concepts if sent is None else sent
        history = self.students.get(event.student_id)
        if history is None:
            history = self.students[event.student_id] = StudentHistory()
        answer = Answer(event.at, concepts, event.correct, item.d, item.v)
        surprise = history.add(answer)
        if item not in history.attempted:  # repeats tell about memory, not about the item
            history.attempted.add(item)
            self.items.learn(item, surprise)

    def _names(self, concepts: tuple[str, ...]) -> tuple[str, ...]:
        names = self._named.get(concepts)
        if names is None:
            names = tuple(dict.fromkeys(map(self._canonical, concepts)))
            self._named[concepts] = names
        return names


class LearningModel:
    """All beliefs that follow from a log, folded in the order of arrival.

    Equal logs give equal beliefs, however the folding was cut into pieces and whichever process
    did it. Hold `settled()` while reading several things that should belong together.
    """

    def __init__(self, log: EventLog, canonical: Callable[[str], str] = str) -> None:
        """Fold `log`; `canonical` gives the one name of a concept that goes by several codes."""
        self._log, self._canonical = log, canonical
        self._lock = threading.RLock()
        self._shown = Fold(canonical)
        self._coming: Fold | None = None

    @property
    def items(self) -> ItemTable:
        """What is known of all items."""
        return self._shown.items

    @property
    def position(self) -> int:
        """The number of the last event folded."""
        return self._shown.position

    def catch_up(self, patience: float = PATIENCE) -> bool:
        """Fold what is new, for at most about `patience` seconds; whether the head was reached."""
        deadline = monotonic() + patience
        aim = self._log.standing()
        while self._shown.revision < aim.revision or self._shown.position < aim.head:
            if monotonic() >= deadline:
                return False
            self.fold_slice()
        return True

    @contextmanager
    def settled(self, patience: float = PATIENCE) -> Iterator[None]:
        """Catch up, then keep the model as it is for the length of the block."""
        self.catch_up(patience)
        with self._lock:
            yield

    def fold_slice(self, size: int = SLICE) -> int:
        """Fold at most `size` events and tell how many there were."""
        with self._lock:
            fold = self._followed(self._log.standing().revision)
            rows = self._log.read_after(fold.position, size)
            for row in rows:
                fold.add(row)
            if fold is self._coming and len(rows) < size:
                self._shown, self._coming = fold, None
        return len(rows)

    def belief(self, student_id: str) -> StudentBelief:
        """What is known of a student; the prior for one without answers."""
        history = self._shown.students.get(student_id)
        return history.belief() if history else StudentBelief()

    def belief_before(self, student_id: str, moment: datetime) -> StudentBelief:
        """What the answers before a moment say, with the item difficulties they met."""
        history = self._shown.students.get(student_id)
        return history.replay(moment.timestamp()) if history else StudentBelief()

    def answers(self, student_id: str) -> list[Answer]:
        """The student's answers in the order of time."""
        history = self._shown.students.get(student_id)
        return list(history.answers()) if history else []

    def mastery(self, student_id: str, concept: str) -> Estimate:
        """Mastery of one concept; without answers on it, what the ability alone lets expect."""
        return self.estimate(self.belief(student_id), self._canonical(concept))

    def masteries(self, student_id: str) -> dict[str, Estimate]:
        """Mastery of every concept that the student has answered on."""
        belief = self.belief(student_id)
        return {concept: self.estimate(belief, concept) for concept in belief.concepts}

    def estimate(self, belief: StudentBelief, concept: str) -> Estimate:
        """Mastery of a concept under given beliefs, today's difficulties taken as known."""
        known = belief.concepts.get(concept)
        mu = _level(belief, concept) - self.items.mean_difficulty(concept)
        variance = belief.v + (known.v if known else CONCEPT_VARIANCE)
        half = Z80 * sqrt(variance)
        last_at = datetime.fromtimestamp(known.last_at, UTC) if known else None
        return Estimate(
            shrunk(mu, variance), sigmoid(mu - half), sigmoid(mu + half),
            known.n if known else 0, last_at,
        )  # fmt: skip

    def level(self, student_id: str, concept: str) -> float:
        """Ability plus strength in logits: the difficulty met with even chances."""
        return _level(self.belief(student_id), self._canonical(concept))

    def chance(self, student_id: str, problem_id: str) -> float | None:
        """The probability of a right answer on an item, None for an item never seen."""
        item = self.item(problem_id)
        if item is None:
            return None
        return predict(self.belief(student_id), item.concepts, item.d, item.v)

    def item(self, problem_id: str) -> ItemBelief | None:
        """What is known of an item: concepts, difficulty d with variance v."""
        return self.items.get(problem_id)

    def due(self, student_id: str, now: datetime) -> frozenset[str]:
        """The concepts whose retrievability (FSRS) is under .9."""
        history = self._shown.students.get(student_id)
        return history.due(now) if history else frozenset()

    def _followed(self, revision: int) -> Fold:
        """The fold to go on with: a new one when events were taken out since it began."""
        fold = self._coming or self._shown
        if fold.revision != revision:
            fold = self._coming = Fold(self._canonical, revision)
        return fold


def _level(belief: StudentBelief, concept: str) -> float:
    known = belief.concepts.get(concept)
    return belief.theta + (known.t if known else 0.0)


class Keeper:
    """A thread that keeps a model near its log's head, so that calls find little left to fold."""

    def __init__(self, model: LearningModel, every: float = 0.25) -> None:
        self._model, self._every = model, every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.002 if self._model.fold_slice() else self._every):
            pass
