"""The fold of the log: the same beliefs however the events come and are cut."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from threading import Thread

import pytest

from learning_events import START, answer, student_id
from reference_nodes.curriculum import graph
from reference_nodes.eventlog import EventLog
from reference_nodes.events import LearningEvent
from reference_nodes.learning.history import Answer, StudentHistory
from reference_nodes.learning.model import Estimate, Keeper, LearningModel

pytestmark = pytest.mark.requirement("nodes-real-models")

CONCEPTS = ("9수02-19", "9수02-20", "9수02-21")
Beliefs = dict[str, dict[str, Estimate]]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    with EventLog(tmp_path) as opened:
        yield opened


def study(seed: int, students: int = 6, each: int = 40) -> list[LearningEvent]:
    """A class's answers in the order of time, repeats of items among them."""
    random = Random(seed)  # noqa: S311 # a simulation
    return [
        answer(
            random.randrange(students),
            f"p{random.randrange(30)}",
            random.random() < 0.6,
            minutes=n,
            concepts=random.sample(CONCEPTS, random.randint(1, 2)),
        )
        for n in range(students * each)
    ]


def folded(log: EventLog, size: int = 500) -> LearningModel:
    model = LearningModel(log)
    while model.fold_slice(size):
        pass
    return model


def beliefs(model: LearningModel, students: int = 6) -> Beliefs:
    return {s: model.masteries(s) for s in (str(student_id(n)) for n in range(students))}


def same(one: Beliefs, other: Beliefs) -> bool:
    return all(
        one[s][c][:3] == pytest.approx(other[s][c][:3], abs=1e-9) for s in one for c in one[s]
    )


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, at most until the test's own time runs out."""
    while not condition():
        Thread(target=int).start()  # gives the other threads their turn


def test_a_replay_gives_what_folding_bit_by_bit_gave(log: EventLog) -> None:
    """Whether events come one by one or all at once makes no difference at all."""
    model = LearningModel(log)
    for event in study(1):
        log.append([event])
        assert model.catch_up()
    assert beliefs(model) == beliefs(folded(log)) == beliefs(folded(log, size=7))


def test_a_late_event_recomputes_only_that_student(log: EventLog) -> None:
    """The late student ends up as if the answer had come in time, the others stay."""
    log.append([answer(0, f"p{n}", n % 3 > 0, minutes=n) for n in range(20)])
    log.append([answer(1, f"p{n}", n % 2 > 0, minutes=n) for n in range(20)])
    model = folded(log)
    before = beliefs(model, 2)
    log.append([answer(0, "p0", False, minutes=-5)])  # a repeat: it tells nothing about the item
    model.catch_up()
    after = beliefs(model, 2)
    late, other = str(student_id(0)), str(student_id(1))
    assert after[other] == before[other]
    assert after[late] != before[late]
    first = model.answers(late)[0]
    assert (first.at, first.correct) == (START.timestamp() - 300, False)


def test_late_answers_give_the_beliefs_of_the_order_of_time() -> None:
    """With given items, a shuffled delivery ends where an orderly one does, to 1e-9."""
    random = Random(4)  # noqa: S311 # a simulation
    answers = [
        Answer(60.0 * n, CONCEPTS[n % 3 :][:1], random.random() < 0.6, random.gauss(0, 1), 0.4)
        for n in range(80)
    ]
    orderly, disorderly = StudentHistory(), StudentHistory()
    for one in answers:
        orderly.add(one)
    random.shuffle(answers)
    for one in answers:
        disorderly.add(one)
        disorderly.belief()
    assert disorderly.belief().theta == pytest.approx(orderly.belief().theta, abs=1e-9)
    assert disorderly.belief().v == pytest.approx(orderly.belief().v, abs=1e-9)
    for concept, known in orderly.belief().concepts.items():
        again = disorderly.belief().concepts[concept]
        assert (again.t, again.v) == pytest.approx((known.t, known.v), abs=1e-9)
        assert (again.n, again.last_at) == (known.n, known.last_at)


def test_folding_late_events_is_the_same_in_every_process(log: EventLog) -> None:
    """Item beliefs are kept with each answer, so the moment of a replay does not matter."""
    events = study(2)
    Random(9).shuffle(events)  # noqa: S311 # a simulation
    eager = LearningModel(log)
    for event in events:
        log.append([event])
        eager.catch_up()
        eager.masteries(str(event.student_id))
    assert same(beliefs(eager), beliefs(folded(log, size=13)))


def test_what_was_known_at_a_moment_can_be_asked_later(log: EventLog) -> None:
    """Beliefs before a moment are those that a fold of the earlier events alone gives."""
    events = study(3)
    half = len(events) // 2
    log.append(events[:half])
    early = folded(log)
    log.append(events[half:])
    model = folded(log)
    for number in range(6):
        student = str(student_id(number))
        then = model.belief_before(student, events[half].occurred_at)
        assert then.theta == pytest.approx(early.belief(student).theta, abs=1e-9)
        assert then.v == pytest.approx(early.belief(student).v, abs=1e-9)


def test_only_first_attempts_teach_about_an_item(log: EventLog) -> None:
    """Somebody who repeats an item tells about their memory, not about the item."""
    log.append([answer(0, "p", False)])
    model = folded(log)
    item = model.item("p")
    assert item is not None
    d, v = item.d, item.v
    log.append([answer(0, "p", False, minutes=n) for n in range(1, 5)])
    model.catch_up()
    assert (item.d, item.v, item.answers) == (d, v, 1)
    log.append([answer(1, "p", False)])
    model.catch_up()
    assert item.d > d
    assert item.answers == 2


def test_an_answer_without_concepts_takes_those_of_its_item(log: EventLog) -> None:
    """Earlier events told the item's concepts; the contract's sample event has none."""
    log.append([answer(0, "p", True), answer(1, "p", True, concepts=None)])
    assert set(folded(log).masteries(str(student_id(1)))) == {"9수02-20"}


def test_an_unknown_item_without_concepts_still_tells_about_ability(log: EventLog) -> None:
    """No concept gets the credit, the ability does."""
    log.append([answer(0, "p", True, concepts=None)])
    model = folded(log)
    assert model.masteries(str(student_id(0))) == {}
    assert model.belief(str(student_id(0))).theta > 0


def test_the_codes_of_one_concept_are_one_concept(log: EventLog) -> None:
    """Brackets, and further standards that a concept covers, lead to its main code."""
    curriculum = graph.load()
    twofold = next(concept for concept in curriculum.concepts.values() if concept.also)
    spellings = [twofold.code, twofold.also[0], f"[{twofold.code}]"]
    log.append([answer(0, f"p{n}", True, concepts=[name]) for n, name in enumerate(spellings)])
    model = LearningModel(log, curriculum.canonical)
    model.catch_up()
    known = model.masteries(str(student_id(0)))
    assert [(code, m.answers) for code, m in known.items()] == [(twofold.code, 3)]
    assert model.mastery(str(student_id(0)), twofold.also[0]) == known[twofold.code]


def test_events_that_are_no_answers_leave_the_beliefs_alone(log: EventLog) -> None:
    """A result without an item, or an item without a result, is activity only."""
    lesson = answer(0, "p", True)
    lesson.content.result = None
    log.append([lesson])
    model = folded(log)
    assert model.position == 1
    assert model.belief(str(student_id(0))).answers == 0
    assert model.item("p") is None


def test_a_student_without_answers_has_the_prior(log: EventLog) -> None:
    """Nobody is unknown to the model: an estimate is wide instead of missing."""
    estimate = folded(log).mastery(str(student_id("nobody")), "9수02-20")
    assert estimate.mean == 0.5
    assert estimate.high - estimate.low > 0.4
    assert (estimate.answers, estimate.last_at) == (0, None)


def test_mastery_is_measured_on_the_concepts_average_item(log: EventLog) -> None:
    """The same answers are worth more on hard items than on easy ones."""
    log.append(answer("hard", f"h{n}", n % 2 > 0, concepts=["h"], difficulty=0.9) for n in range(9))
    log.append(answer("easy", f"e{n}", n % 2 > 0, concepts=["e"], difficulty=0.1) for n in range(9))
    model = folded(log)
    hard, easy = str(student_id("hard")), str(student_id("easy"))
    assert model.level(hard, "h") > model.level(easy, "e")
    assert abs(model.mastery(hard, "h").mean - model.mastery(easy, "e").mean) < 0.25
    assert (model.chance(hard, "e0") or 0) > (model.chance(easy, "h0") or 1)
    assert model.chance(hard, "never seen") is None


def test_a_call_does_not_wait_for_a_long_fold(log: EventLog) -> None:
    """Without patience nothing is folded, and the caller is told that the head is ahead."""
    log.append(study(4))
    model = LearningModel(log)
    assert not model.catch_up(patience=0)
    assert model.catch_up()
    assert model.position == log.head()


def test_a_settled_model_stays_as_it_is(log: EventLog) -> None:
    """Within the block no other thread folds, so that one answer is of one state."""
    log.append([answer(0, "p1", True)])
    model = LearningModel(log)
    with model.settled():
        known = model.masteries(str(student_id(0)))
        log.append([answer(0, "p2", False)])
        other = Thread(target=model.catch_up)
        other.start()
        assert model.masteries(str(student_id(0))) == known
    other.join()
    assert model.masteries(str(student_id(0))) != known


def test_the_keeper_follows_the_log(log: EventLog) -> None:
    """Events that nobody asks about are folded all the same."""
    model = LearningModel(log)
    keeper = Keeper(model, every=0.001)
    keeper.start()
    log.append(study(5))
    until(lambda: model.position == log.head())
    keeper.stop()
    assert model.belief(str(student_id(0))).answers > 0
