"""When a concept is due for review: FSRS-6, kept apart from mastery.

Mastery says what a student can do, retrievability whether it is still at hand. FSRS (open spaced
repetition, package `fsrs`) is used with its published parameters; a wrong answer counts as
`Again`, a right one as `Good`. A concept is due when its retrievability has fallen under .9.
"""

from datetime import UTC, datetime

from fsrs import Card, Rating, Scheduler

DUE_BELOW = 0.9


class Reviews:
    """The memory states of one student's concepts. Answers must come in the order of time."""

    _scheduler = Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)

    def __init__(self) -> None:
        self._cards: dict[str, Card] = {}
        self.answers = 0

    def absorb(self, concepts: tuple[str, ...], correct: bool, at: float) -> None:
        """Take in one answer, `at` seconds since 1970."""
        when = datetime.fromtimestamp(at, UTC)
        rating = Rating.Good if correct else Rating.Again
        for concept in concepts:
            # An explicit id: the library sleeps a millisecond to make one up.
            card = self._cards.get(concept) or Card(card_id=len(self._cards), due=when)
            self._cards[concept], _ = self._scheduler.review_card(card, rating, when)
        self.answers += 1

    def retrievability(self, concept: str, now: datetime) -> float | None:
        """The probability of recall, None for a concept never answered on."""
        card = self._cards.get(concept)
        return None if card is None else self._scheduler.get_card_retrievability(card, now)

    def due(self, now: datetime) -> frozenset[str]:
        """The concepts whose retrievability is under .9."""
        recall = self._scheduler.get_card_retrievability
        return frozenset(c for c, card in self._cards.items() if recall(card, now) < DUE_BELOW)
