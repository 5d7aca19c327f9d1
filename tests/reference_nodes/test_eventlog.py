"""The event log: append-only, each event once, shared by processes."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from fcntl import LOCK_EX, flock
from pathlib import Path
from threading import Thread

import pytest

from learning_events import answer, student_id, trace
from reference_nodes.eventlog import FILE_NAME, LOCK_NAME, EventLog
from reference_nodes.events import Content

pytestmark = pytest.mark.requirement("nodes-real-models")

APPENDER = """
import sys
from pathlib import Path
from threading import Thread
from reference_nodes.eventlog import EventLog
from reference_nodes.events import Content, LearningEvent
folder, first = Path(sys.argv[1]), int(sys.argv[2])
with EventLog(folder) as log:
    for number in range(first, first + 300):
        log.append([LearningEvent(
            student_id="00000000-0000-4000-8000-000000000001", event_type="study", source_node=4,
            source_id=f"e-{number}", occurred_at="2026-03-02T09:00:00Z", content=Content())])
"""


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    with EventLog(tmp_path / "made" / "on demand") as opened:
        yield opened


def test_an_event_sent_twice_is_stored_once(log: EventLog) -> None:
    """(source_node, source_id) alone identifies an event, within a call and across calls."""
    event = answer("a", "p1", True, source_id="x")
    assert log.append([event, event]) == (1, 1)
    assert log.append([event, answer("a", "p2", True, source_id="y")]) == (1, 1)
    assert [row.problem_id for row in log.read_after(0)] == ["p1", "p2"]


def test_the_same_source_id_of_another_node_is_another_event(log: EventLog) -> None:
    """Identity is the pair, not the source id."""
    event = answer("a", "p1", True, source_id="x")
    assert log.append([event, event.model_copy(update={"source_node": 0})]) == (2, 0)


def test_reading_goes_on_where_it_stopped(log: EventLog) -> None:
    """Numbers grow with arrival, so that a reader needs to keep only the last one."""
    log.append(answer("a", f"p{n}", True, minutes=-n) for n in range(5))
    first = log.read_after(0, 3)
    rest = log.read_after(first[-1].seq, 3)
    assert [row.problem_id for row in first + rest] == ["p0", "p1", "p2", "p3", "p4"]
    assert log.head() == rest[-1].seq


def test_an_empty_log_has_head_zero(log: EventLog) -> None:
    """Nobody has to treat the beginning apart."""
    assert (log.head(), log.read_after(0)) == (0, [])


def test_a_students_events_come_in_the_order_of_time(log: EventLog) -> None:
    """By occurred_at, then by arrival; other students' events are left out."""
    log.append([answer("a", "late", True, minutes=9), answer("b", "other", True)])
    log.append([answer("a", "early", False, minutes=1), answer("a", "tied", True, minutes=9)])
    events = log.of_student(str(student_id("a")))
    assert [event.problem_id for event in events] == ["early", "late", "tied"]


def test_a_students_events_can_be_bounded_in_time(log: EventLog) -> None:
    """The first moment belongs to the span, the last one does not."""
    log.append(answer("a", f"p{n}", True, minutes=n) for n in range(4))
    one, three = (row.at for row in log.read_after(0) if row.problem_id in {"p1", "p3"})
    student = str(student_id("a"))
    assert [e.problem_id for e in log.of_student(student, one, three)] == ["p1", "p2"]
    newest = log.last_before(student, three)
    assert newest is not None
    assert newest.problem_id == "p2"


def test_nothing_before_the_first_event(log: EventLog) -> None:
    """`last_before` says None, for a student of whom nothing is known too."""
    log.append([answer("a", "p", True)])
    assert log.last_before(str(student_id("a")), log.read_after(0)[0].at) is None
    assert log.last_before(str(student_id("nobody")), 4e9) is None


def test_content_is_kept_whole(log: EventLog, tmp_path: Path) -> None:
    """Keys that the model does not read stay in the log as they came."""
    sent = {"action": "watched", "video": {"id": 7}, "time_spent": 12, "제목": "이차함수"}
    log.append([trace("a", Content.model_validate(sent))])
    with sqlite3.connect(tmp_path / "made" / "on demand" / FILE_NAME) as db:
        (stored,) = db.execute("SELECT content FROM events").fetchone()
    db.close()
    assert json.loads(stored) == sent


def test_a_row_says_what_the_model_needs(log: EventLog) -> None:
    """Result, item, concepts (each once), difficulty and time come back typed."""
    event = answer("a", "p", False, concepts=["x", "y", "x"], difficulty=0.25, time_spent=80)
    log.append([event])
    (row,) = log.read_after(0)
    assert (row.problem_id, row.correct, row.concepts) == ("p", False, ("x", "y"))
    assert (row.difficulty, row.time_spent, row.is_answer) == (0.25, 80, True)
    assert row.occurred_at == event.occurred_at


def test_several_processes_append_at_once(tmp_path: Path) -> None:
    """Three writers with overlapping events lose none and store none twice."""
    starts = ("0", "150", "300")
    writers = [
        subprocess.Popen([sys.executable, "-c", APPENDER, str(tmp_path), start]) for start in starts
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    with EventLog(tmp_path) as log:
        assert len(log.read_after(0, 10_000)) == 600


def test_nodes_that_start_together_prepare_the_file_one_after_another(tmp_path: Path) -> None:
    """SQLite's change to WAL fails when two processes do it at once, so they take turns."""
    opener = Thread(target=lambda: EventLog(tmp_path).close())
    with (tmp_path / LOCK_NAME).open("w") as somebody:
        flock(somebody, LOCK_EX)
        opener.start()
        opener.join(0.2)
        assert opener.is_alive()
    opener.join(30)
    assert not opener.is_alive()


def test_what_one_process_wrote_another_reads_at_once(tmp_path: Path) -> None:
    """A reader opened before sees every append that has returned."""
    with EventLog(tmp_path) as reader, EventLog(tmp_path) as writer:
        assert reader.head() == 0
        writer.append([answer("a", "p", True)])
        assert reader.head() == 1


def test_a_failing_batch_leaves_nothing_behind(log: EventLog) -> None:
    """A transaction is whole or not there, and the log goes on working."""
    good = answer("a", "p1", True)
    bad = answer("a", "p2", True).model_copy(update={"event_type": None})
    with pytest.raises(sqlite3.IntegrityError):
        log.append([good, bad])
    assert log.head() == 0
    assert log.append([good]) == (1, 0)
