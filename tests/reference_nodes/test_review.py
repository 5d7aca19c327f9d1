"""What is due for review, and that asking costs little."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from fsrs import Card, Rating, Scheduler

from learning_events import START
from reference_nodes.learning.history import Answer, StudentHistory
from reference_nodes.learning.review import Reviews

pytestmark = pytest.mark.requirement("nodes-real-models")

BASE = START.timestamp()
DAY = 86_400.0


def reviewed(*answers: tuple[float, bool], concepts: Sequence[str] = ("x",)) -> Reviews:
    reviews = Reviews()
    for days, correct in answers:
        reviews.absorb(tuple(concepts), correct, BASE + days * DAY)
    return reviews


def test_a_concept_becomes_due_when_its_recall_falls_under_nine_tenths() -> None:
    """Right after a right answer it is not due, long after it is."""
    reviews = reviewed((0, True))
    assert reviews.due(START + timedelta(hours=1)) == frozenset()
    assert reviews.due(START + timedelta(days=60)) == {"x"}
    recall = reviews.retrievability("x", START + timedelta(days=60))
    assert recall is not None
    assert recall < 0.9


def test_what_was_never_answered_is_never_due() -> None:
    """Review is of what has been learned."""
    assert reviewed().due(START) == frozenset()
    assert reviewed((0, True)).retrievability("y", START) is None


def test_practice_spread_over_days_lasts_longer() -> None:
    """The spacing effect: later reviews make for slower forgetting."""
    once, spaced = reviewed((0, True)), reviewed((0, True), (3, True), (10, True))
    after = timedelta(days=20)
    r_once = once.retrievability("x", START + after)
    r_spaced = spaced.retrievability("x", START + timedelta(days=10) + after)
    assert r_once is not None
    assert r_spaced is not None
    assert r_spaced > r_once


def test_a_wrong_answer_counts_as_again_and_a_right_one_as_good() -> None:
    """The states are those of the library's own scheduler without learning steps or fuzz."""
    scheduler = Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    card = Card(card_id=1, due=START)
    for days, rating in ((0, Rating.Again), (2, Rating.Good), (9, Rating.Again)):
        card, _ = scheduler.review_card(card, rating, START + timedelta(days=days))
    now = START + timedelta(days=12)
    ours = reviewed((0, False), (2, True), (9, False)).retrievability("x", now)
    assert ours == scheduler.get_card_retrievability(card, now)


def test_an_answer_reviews_each_of_its_concepts() -> None:
    """One answer, a list of concepts."""
    reviews = reviewed((0, True), concepts=("x", "y"))
    assert reviews.due(START + timedelta(days=90)) == {"x", "y"}


def test_reviews_are_folded_when_first_asked_for_and_then_go_on() -> None:
    """Asking twice, with answers in between, gives what asking once gives; late answers too."""
    answers = [Answer(BASE + n * DAY, ("x",), n % 2 > 0, 0.0, 1.0) for n in (0, 3, 9)]
    late = Answer(BASE + 1 * DAY, ("x",), False, 0.0, 1.0)
    asked, fresh = StudentHistory(), StudentHistory()
    now = START + timedelta(days=11)
    for answer in (*answers, late):
        asked.add(answer)
        asked.due(now)
        fresh.add(answer)
    for days in range(9, 40):
        moment = START + timedelta(days=days)
        assert asked.due(moment) == fresh.due(moment)
