from pathlib import Path

import pytest

from student_hub.entry.stack.backoff import Backoff
from student_hub.entry.stack.logs import ProgramLog

pytestmark = pytest.mark.requirement("embedded-servers")


def test_lines_are_whole_however_they_arrive(tmp_path: Path) -> None:
    """Chunks are joined to lines, an unfinished last one included, and the file has every byte."""
    log = ProgramLog(tmp_path / "a.log")
    assert log.feed(b"one\ntw") == ["one"]
    assert log.feed("o 학교\r\nthree".encode()) == ["two 학교"]
    assert log.finish() == ["three"]
    assert log.tail == "one\ntwo 학교\nthree"
    log.close()
    assert (tmp_path / "a.log").read_text() == "one\ntwo 학교\nthree\n"


def test_a_full_file_moves_over(tmp_path: Path) -> None:
    """Two files at most are kept, each a little over the limit."""
    log = ProgramLog(tmp_path / "a.log", limit=100)
    for number in range(52):
        log.feed(b"%20d\n" % number)
    log.close()
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sizes == {"a.log": 42, "a.log.1": 105}


def test_an_endless_line_does_not_fill_the_memory(tmp_path: Path) -> None:
    """A line beyond 64 KiB is cut, not gathered."""
    log = ProgramLog(tmp_path / "a.log")
    assert log.feed(b"x" * 40_000) == []
    assert [len(line) for line in log.feed(b"x" * 40_000)] == [80_000]
    assert log.finish() == []
    log.close()


def test_a_log_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    """The last lines are still there to be told."""
    log = ProgramLog(tmp_path / "missing" / "a.log")
    assert log.feed(b"one\n") == ["one"]
    assert log.tail == "one"


def test_restarts_wait_longer_each_time_and_begin_anew_after_a_good_run() -> None:
    """1 s doubling to 30 s, and 1 s again after a minute of work."""
    backoff = Backoff()
    assert [backoff.after(0.1) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert [backoff.after(60), backoff.after(0.1)] == [1, 2]
