"""One student's answers in compact form, and the beliefs that follow from them."""

from array import array
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from reference_nodes.learning.items import ItemBelief
from reference_nodes.learning.rasch import StudentBelief, Surprise, absorb
from reference_nodes.learning.review import Reviews


class Answer(NamedTuple):
    """An answer with the belief N(d, v_d) about its item from before it was folded."""

    at: float
    concepts: tuple[str, ...]
    correct: bool
    d: float
    v_d: float


class StudentHistory:
    """The fold of one student's answers.

    `arrival` is the filter in the order of arrival; items learn from it. What is shown is the
    filter in the order of time: the same thing until an answer comes late, from then on a replay.
    Each answer keeps the item belief that it met, so a replay depends on nothing but the log.
    """

    def __init__(self) -> None:
        self.attempted: set[ItemBelief] = set()
        self._arrival = StudentBelief()
        self._at = array("d")
        self._d = array("d")
        self._v = array("d")
        self._correct = array("b")
        self._concepts: list[tuple[str, ...]] = []
        self._latest = float("-inf")
        self._late = False
        self._replay: StudentBelief | None = None
        self._reviews: Reviews | None = None

    def __len__(self) -> int:
        return len(self._at)

    def add(self, answer: Answer) -> Surprise:
        """Fold one more answer; one from before the newest makes the next reading a replay."""
        if answer.at < self._latest:
            self._late, self._replay, self._reviews = True, None, None
        elif self._replay is not None:
            _absorb(self._replay, answer)
        self._latest = max(self._latest, answer.at)
        self._keep(answer)
        return _absorb(self._arrival, answer)

    def belief(self) -> StudentBelief:
        """The beliefs after all answers, taken in the order of (occurred_at, seq)."""
        if not self._late:
            return self._arrival
        if self._replay is None:
            self._replay = self.replay()
        return self._replay

    def replay(self, until: float = float("inf")) -> StudentBelief:
        """The beliefs after the answers before `until`, computed anew."""
        student = StudentBelief()
        for answer in self.answers(until):
            _absorb(student, answer)
        return student

    def answers(self, until: float = float("inf")) -> Iterator[Answer]:
        """The answers before `until`, by (occurred_at, seq)."""
        return (self._answer(i) for i in self._order() if self._at[i] < until)

    def due(self, now: datetime) -> frozenset[str]:
        """The concepts due for review; memory states are computed when first asked for."""
        reviews = self._reviews = self._reviews or Reviews()
        order = self._order()
        for i in order[reviews.answers :]:
            reviews.absorb(self._concepts[i], bool(self._correct[i]), self._at[i])
        return reviews.due(now)

    def _order(self) -> range | list[int]:
        everything = range(len(self._at))
        return sorted(everything, key=self._at.__getitem__) if self._late else everything

    def _keep(self, answer: Answer) -> None:
        self._at.append(answer.at)
        self._concepts.append(answer.concepts)
        self._correct.append(answer.correct)
        self._d.append(answer.d)
        self._v.append(answer.v_d)

    def _answer(self, i: int) -> Answer:
        correct = bool(self._correct[i])
        return Answer(self._at[i], self._concepts[i], correct, self._d[i], self._v[i])


def _absorb(student: StudentBelief, answer: Answer) -> Surprise:
    return absorb(student, answer.concepts, answer.d, answer.v_d, answer.correct, answer.at)
