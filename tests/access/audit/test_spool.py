"""The files in which reads are noted before their answers leave."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from access.audit import limited_writer
from student_hub.access.audit.errors import AuditAway
from student_hub.access.audit.spool import Segment, Spool
from student_hub.platform.errors import Kind

pytestmark = pytest.mark.requirement("audit-reads")
LINE = b"." * 99 + b"\n"


def lines_of(segment: Segment) -> list[bytes]:
    """Every line, read piece by piece."""
    lines: list[bytes] = []
    offset = 0
    while offset < segment.size:
        some, offset = segment.read(offset)
        lines += some
    return lines


def test_only_the_owner_may_read_the_spool(spool_folder: Path) -> None:
    """Folder 0700, file 0600; and what is noted is in the file at once."""
    Spool(spool_folder).append(LINE)
    (file,) = spool_folder.iterdir()
    assert spool_folder.stat().st_mode & 0o777 == 0o700
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_bytes() == LINE


def test_a_full_spool_refuses_the_read(spool_folder: Path) -> None:
    """What lies behind counts too; there is room again once it is carried away."""
    spool = Spool(spool_folder, most_bytes=1_000)
    for _ in range(5):
        spool.append(LINE)
    (behind,) = spool.behind()
    for _ in range(5):
        spool.append(LINE)
    with pytest.raises(AuditAway) as refused:
        spool.append(LINE)
    assert refused.value.kind is Kind.AWAY
    spool.carried(behind)
    spool.append(LINE)


def test_a_spool_that_cannot_be_written_refuses_the_read(spool_folder: Path) -> None:
    """A file in the folder's place; and it goes on by itself once the folder can be made."""
    spool = Spool(spool_folder)
    spool_folder.write_text("in the way")
    with pytest.raises(AuditAway):
        spool.append(LINE)
    spool_folder.unlink()
    spool.append(LINE)
    assert [lines_of(segment) for segment in spool.behind()] == [[LINE[:-1]]]


def test_a_full_disk_spoils_no_line_but_the_one_it_refuses(spool_folder: Path) -> None:
    """Of lines that were cut off, none is taken for noted, and none is glued to another."""
    done = subprocess.run(
        [sys.executable, limited_writer.__file__, str(spool_folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    told = [word for word in done.stdout.split() if not word.startswith("{")]
    assert [word for word in told if word.isdigit()] == ["0", "1", "2", "10"]
    assert "away" in told
    (left,) = Spool(spool_folder).behind()
    whole = [int(line[:3]) for line in lines_of(left) if len(line) == 299]
    assert whole == [0, 1, 2, 10]


def test_threads_note_side_by_side(spool_folder: Path) -> None:
    """While segments are being closed, no line is lost or torn."""
    spool, carried = Spool(spool_folder), list[bytes]()

    def note(number: int) -> None:
        for count in range(500):
            spool.append(f"{number}-{count}\n".encode())

    def carry() -> None:
        for segment in spool.behind():
            carried.extend(lines_of(segment))
            spool.carried(segment)

    threads = [threading.Thread(target=note, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        carry()
    carry()
    assert sorted(carried) == sorted(
        f"{number}-{count}".encode() for number in range(4) for count in range(500)
    )
    assert list(spool_folder.iterdir()) == []


def test_what_a_living_process_writes_is_left_to_it(spool_folder: Path) -> None:
    """Nobody takes a segment that is locked; once it is let go, another takes it, and one only."""
    living = Spool(spool_folder)
    living.append(LINE)
    others = [Spool(spool_folder), Spool(spool_folder)]
    assert [other.behind() for other in others] == [[], []]
    living.close()
    assert [len(other.behind()) for other in others] == [1, 0]


def test_a_spool_whose_file_was_deleted_begins_a_new_one(spool_folder: Path) -> None:
    """What went to the deleted file is still carried away, what comes next survives again."""
    spool = Spool(spool_folder)
    spool.append(b"first\n")
    next(spool_folder.iterdir()).unlink()
    (behind,) = spool.behind()
    spool.append(b"second\n")
    assert lines_of(behind) == [b"first"]
    assert [file.read_bytes() for file in spool_folder.iterdir()] == [b"second\n"]


def test_a_piece_without_an_end_of_line_is_one_line(spool_folder: Path) -> None:
    """Rubbish of any length is read to its end, and so is what comes after it."""
    spool_folder.mkdir()
    (spool_folder / "1-left.ndjson").write_bytes(b"x" * 600_000 + b"\n" + LINE + b"torn")
    (left,) = Spool(spool_folder).behind()
    lines = lines_of(left)
    assert b"".join(lines[:-2]) == b"x" * 600_000
    assert lines[-2:] == [LINE[:-1], b"torn"]
