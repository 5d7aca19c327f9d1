"""Events taken out of the log: voided ones and those of forgotten students; models begin anew."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from learning_events import answer, call, context_of, student_id
from node_servers import node
from reference_nodes.eventlog import EventLog
from reference_nodes.learning.model import Keeper, LearningModel
from reference_nodes.nodes.lab import Forgotten, Voided, tools
from student_hub.nodes.gateway import Gateway
from student_hub.nodes.lab import Lab
from student_hub.nodes.registry import Address, NodeName

pytestmark = pytest.mark.requirement("void-in-nodes")
A, B = str(student_id("a")), str(student_id("b"))


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    with EventLog(tmp_path) as opened:
        yield opened


def test_a_voided_event_is_gone_and_stays_gone_when_it_is_sent_again(log: EventLog) -> None:
    """Also in one batch with others, and by another process's log."""
    sent = [answer("a", f"p{n}", True, source_id=f"s{n}") for n in range(3)]
    log.append(sent)
    assert log.void(4, "s1")
    assert not log.void(4, "s1")
    assert log.append(sent) == (0, 3)
    assert [row.problem_id for row in log.of_student(A)] == ["p0", "p2"]


def test_an_event_that_is_voided_before_it_arrives_never_counts(log: EventLog) -> None:
    """The word of its voiding may overtake it."""
    assert not log.void(4, "late")
    assert log.append([answer("a", "p", True, source_id="late")]) == (0, 1)
    assert log.head() == 0


def test_the_same_source_id_of_another_node_is_not_voided(log: EventLog) -> None:
    """Identity is the pair."""
    log.append([answer("a", "p", True, source_id="x")])
    assert not log.void(0, "x")
    assert len(log.of_student(A)) == 1


def test_numbers_are_not_given_twice_though_the_newest_event_is_gone(log: EventLog) -> None:
    """Whoever reads on from where they were misses nothing."""
    log.append([answer("a", "p1", True, source_id="x")])
    before = log.head()
    log.void(4, "x")
    log.append([answer("a", "p2", True)])
    assert [row.problem_id for row in log.read_after(before)] == ["p2"]


def test_a_forgotten_student_leaves_nothing_in_the_files(log: EventLog, tmp_path: Path) -> None:
    """Not in the tables, nor in free pages, nor in the write-ahead log."""
    planted = [answer("a", f"planted-problem-{n}", True) for n in range(50)]
    log.append([*planted, answer("b", "p", True)])
    assert log.forget(A) == 50
    assert log.forget(A) == 0
    files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"planted-problem" not in files
    assert A.encode() not in files
    assert len(log.of_student(B)) == 1


def test_a_model_without_an_event_is_as_if_it_had_never_come(log: EventLog, tmp_path: Path) -> None:
    """Beliefs about items come from everybody: all are folded anew, of every student."""
    events = [
        answer(n % 3, f"p{n % 7}", n % 4 > 0, minutes=n, source_id=f"s{n}") for n in range(90)
    ]
    log.append(events)
    model = LearningModel(log)
    model.catch_up(patience=60)
    wrong = model.masteries(str(student_id(0)))
    for event in events[::9]:
        log.void(4, event.source_id)
    assert model.catch_up(patience=60)
    with EventLog(tmp_path / "never") as other:
        other.append(event for n, event in enumerate(events) if n % 9)
        without = LearningModel(other)
        without.catch_up(patience=60)
    for n in range(3):
        assert model.masteries(str(student_id(n))) == without.masteries(str(student_id(n)))
    assert model.masteries(str(student_id(0))) != wrong


def test_what_is_shown_stays_whole_while_a_new_fold_is_coming(log: EventLog) -> None:
    """Nobody seems to have learned nothing for as long as it takes."""
    log.append(answer(n % 2, f"p{n}", True, minutes=n) for n in range(60))
    log.append([answer("gone", "p", True, source_id="x")])
    model = LearningModel(log)
    model.catch_up(patience=60)
    log.void(4, "x")
    model.fold_slice(10)
    assert model.belief(str(student_id(0))).answers == 30
    assert model.catch_up(patience=60)
    assert model.belief(str(student_id(0))).answers == 30
    assert model.belief(str(student_id("gone"))).answers == 0


def test_the_keeper_folds_anew_without_being_asked(log: EventLog) -> None:
    """A node that nobody asks forgets too."""
    log.append([answer("a", "p", True), answer("b", "p", True)])
    model = LearningModel(log)
    keeper = Keeper(model, every=0.001)
    keeper.start()
    try:
        until_answers(model, B, 1)
        log.forget(A)
        until_answers(model, A, 0)
    finally:
        keeper.stop()
    assert model.belief(B).answers == 1


def until_answers(model: LearningModel, student: str, count: int) -> None:
    """Waits, at most until the test's own time runs out."""
    while model.belief(student).answers != count:
        Thread(target=int).start()  # gives the other threads their turn


def test_the_tools_say_what_there_was(tmp_path: Path) -> None:
    """And the second time, that there is nothing any more."""
    context = context_of(tmp_path, [answer("a", "p", True, source_id="x"), answer("a", "q", True)])
    with context.log:
        offered = tools(context)
        which = {"source_node": 4, "source_id": "x"}
        voided = [call(offered, "void_event", **which) for _ in range(2)]
        gone = [call(offered, "forget_student", student_id=A) for _ in range(2)]
    assert voided == [Voided(voided=True), Voided(voided=False)]
    assert [one.forgotten for one in gone if isinstance(one, Forgotten)] == [1, 0]


async def test_the_hub_tells_node_4_over_the_wire(tmp_path: Path) -> None:
    """The hub's client and the node's tools agree on names, arguments and answers."""
    with EventLog(tmp_path) as log:
        log.append([answer("a", f"p{n}", True, source_id=f"s{n}") for n in range(4)])
    async with node("lab-node", tmp_path) as url:
        gateway = Gateway({NodeName.LAB: Address(f"{url}/mcp")}, lambda *_: None)
        try:
            lab = Lab(gateway)
            assert [await lab.void_event(4, "s0") for _ in range(2)] == [True, False]
            assert [await lab.forget_student(student_id("a")) for _ in range(2)] == [3, 0]
        finally:
            await gateway.close()
