"""Answer logs: read whole, resumed after a kill, broken rows named by line and column."""

import asyncio
import gzip
import signal
import sys
from pathlib import Path

import pytest

from factories import IN_DEFAULT, scalar
from import_runner import KIND
from student_hub.history.errors import ImportUnreadable
from student_hub.history.importing.interactions import student_id_of
from student_hub.history.importing.reports import ImportReport, Progress, Refusal
from student_hub.history.importing.runner import BATCH, Importer
from student_hub.history.service import History
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import SYSTEM
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("import-interactions")
HEADER = "user_id\titem_id\ttimestamp\tcorrect\tskill_id"
EVENTS = "SELECT count(*) FROM learning_history"
RUNNER = Path(__file__).parents[1] / "import_runner.py"


@pytest.fixture
def importer(database: Database, students: Students, history: History) -> Importer:
    return Importer(database, students, history, utc_now)


def log_file(folder: Path, *rows: str, header: str = HEADER) -> Path:
    file = folder / "log.tsv"
    file.write_text("\n".join([header, *rows, ""]))
    return file


def ignore(_: Progress) -> None:
    """Progress that nobody watches."""


async def test_a_user_becomes_a_student_and_a_line_an_answer(
    importer: Importer, students: Students, history: History, tmp_path: Path
) -> None:
    """Names, numbers, ids, times and contents are as documented."""
    file = log_file(tmp_path, "7\t809\t62208000\t0\t70", "7\t806\t62208058\t1\t340")
    report = await importer.run(file, KIND, ignore)
    assert report == ImportReport(students=1, stored=2)
    student = await students.read(SYSTEM, student_id_of("SCH900", "7"))
    assert (student.name, student.student_number, student.class_name) == ("학생 7", "7", "1반")
    newest, first = (await history.of_student(SYSTEM, student.id, days=365)).events
    assert (first.source_node, first.source_id) == (4, "7-809-62208000")
    assert first.occurred_at.isoformat() == "2026-02-21T15:00:00+00:00"
    assert newest.content == {
        "action": "solved_problem",
        "problem_id": "item-806",
        "concepts": ["skill-340"],
        "result": "correct",
    }


async def test_columns_are_found_by_name_and_gzip_by_its_mark(
    importer: Importer, tmp_path: Path, database: Database
) -> None:
    """Another order, more columns, a byte-order mark, CRLF and gzip change nothing."""
    lines = "\ufeffskill_id\tcorrect\tnote\titem_id\tuser_id\ttimestamp\r\n70\t1\tx\t8\t7\t5\r\n"
    file = tmp_path / "whatever"
    file.write_bytes(gzip.compress(lines.encode()))
    assert await importer.run(file, KIND, ignore) == ImportReport(students=1, stored=1)
    assert await scalar(database, "SELECT source_id FROM event_keys") == "7-8-5"


async def test_broken_rows_are_refused_by_line_and_column(
    importer: Importer, tmp_path: Path, database: Database
) -> None:
    """Each says why; the good rows around them are stored."""
    rows = [
        "7\t809\t100\t0\t70",
        "7\t809\t100",
        "7\t809\tsoon\t0\t70",
        "7\t809\t-5\t0\t70",
        "7\t809\t200\t2\t70",
        "\t809\t200\t1\t70",
        "7\t809\t9999999999\t1\t70",
        "7\t809\t100\t1\t70",
        f"{'9' * 21}\t809\t100\t1\t70",
        "",
        "7\t810\t100\t1\t70",
    ]
    report = await importer.run(log_file(tmp_path, *rows), KIND, ignore)
    assert (report.students, report.stored, report.refused) == (1, 2, 9)
    assert [(refusal.line, refusal.field) for refusal in report.refusals] == [
        (3, "line"),
        (4, "timestamp"),
        (5, "timestamp"),
        (6, "correct"),
        (7, "user_id"),
        (8, "timestamp"),
        (9, "user_id, item_id, timestamp"),
        (10, "user_id"),
        (10, "user_id"),
    ]
    assert await scalar(database, EVENTS) == 2


async def test_bytes_that_are_no_text_are_refused_by_line(
    importer: Importer, tmp_path: Path
) -> None:
    """A line in another encoding, or without end, costs only itself."""
    file = tmp_path / "log.tsv"
    good = b"7\t1\t1\t1\t1\n"
    file.write_bytes(HEADER.encode() + b"\n\xb1\xe8\t1\t1\t1\t1\n" + b"x" * 600_000 + b"\n" + good)
    report = await importer.run(file, KIND, ignore)
    assert report.stored == 1
    assert report.refusals == [
        Refusal(line=2, field="line", problem="is not UTF-8 text"),
        Refusal(line=3, field="line", problem="is longer than 262144 bytes"),
    ]


@pytest.mark.parametrize(
    "content", [b"", b"7\t809\t100\t0\t70\n", b"\x00\xff\n", b"user_id,item_id\n"]
)
async def test_a_file_without_the_header_is_one_clear_error(
    importer: Importer, tmp_path: Path, database: Database, content: bytes
) -> None:
    """It names the columns that are wanted, and nothing is stored."""
    file = tmp_path / "log.tsv"
    file.write_bytes(content)
    with pytest.raises(ImportUnreadable, match="line 1 must name the columns user_id, item_id"):
        await importer.run(file, KIND, ignore)
    assert await scalar(database, EVENTS) == 0


async def test_a_file_that_is_not_there_is_one_clear_error(
    importer: Importer, tmp_path: Path
) -> None:
    """The error says what the system says, not where the file should have been."""
    with pytest.raises(ImportUnreadable, match="No such file"):
        await importer.run(tmp_path / "nothing.tsv", KIND, ignore)


async def test_a_cut_off_file_keeps_what_came_before_and_says_where(
    importer: Importer, tmp_path: Path, database: Database
) -> None:
    """A half-copied gzip file: the batches before the damage are stored."""
    rows = [f"7\t{n}\t{n}\t1\t{n * 7919 % 10007}" for n in range(2 * BATCH)]
    whole = gzip.compress("\n".join([HEADER, *rows, ""]).encode())
    file = tmp_path / "log.tsv.gz"
    file.write_bytes(whole[: len(whole) * 3 // 4])
    with pytest.raises(ImportUnreadable, match=r"damaged or cut off after line \d+"):
        await importer.run(file, KIND, ignore)
    assert await scalar(database, EVENTS) == BATCH


async def test_a_finished_import_run_again_finds_everything_repeated(
    importer: Importer, tmp_path: Path
) -> None:
    """Nothing is stored twice, and nothing is changed."""
    file = log_file(tmp_path, *(f"{n % 3}\t{n}\t{n}\t1\t5" for n in range(30)))
    assert await importer.run(file, KIND, ignore) == ImportReport(students=3, stored=30)
    assert await importer.run(file, KIND, ignore) == ImportReport(repeated=30)


async def test_an_import_that_broke_off_goes_on_where_it_was(
    importer: Importer, tmp_path: Path
) -> None:
    """The second run starts after the last whole batch and reports about the whole file."""
    rows = [f"{n % 3}\t{n}\t{n}\t1\t5" for n in range(BATCH * 2)]
    file = log_file(tmp_path, *rows)

    def break_off(_: Progress) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        await importer.run(file, KIND, break_off)
    seen: list[Progress] = []
    report = await importer.run(file, KIND, seen.append)
    first_new = BATCH + 2
    assert report == ImportReport(students=3, stored=BATCH * 2, resumed_at_line=first_new)
    assert [progress.line for progress in seen] == [2 * BATCH + 1]


async def test_progress_ends_at_the_size_of_the_file(importer: Importer, tmp_path: Path) -> None:
    """A bar over bytes reaches its end, also when the file is packed."""
    rows = [f"7\t{n}\t{n}\t1\t5" for n in range(BATCH + 1)]
    file = tmp_path / "log.tsv.gz"
    file.write_bytes(gzip.compress("\n".join([HEADER, *rows]).encode()))
    seen: list[Progress] = []
    await importer.run(file, KIND, seen.append)
    assert [progress.report.stored for progress in seen] == [BATCH, BATCH + 1]
    assert seen[-1].bytes_done == seen[-1].bytes_total == file.stat().st_size


async def test_an_old_log_lands_in_partitions_of_its_months(
    importer: Importer, tmp_path: Path, database: Database
) -> None:
    """Nothing is left in DEFAULT that would have to be moved."""
    rows = [f"7\t{n}\t{n * 2_600_000}\t1\t5" for n in range(12)]
    await importer.run(log_file(tmp_path, *rows), KIND, ignore)
    assert await scalar(database, IN_DEFAULT) == 0
    assert await scalar(database, EVENTS) == 12


async def test_an_import_killed_in_the_middle_loses_and_doubles_nothing(
    importer: Importer, tmp_path: Path, database: Database, database_url: str
) -> None:
    """Kill -9 of a real process; the next run resumes and the history is whole."""
    size = BATCH * 10
    file = log_file(tmp_path, *(f"{n % 97}\t{n}\t{n}\t1\t5" for n in range(size)))
    process = await asyncio.create_subprocess_exec(
        sys.executable, RUNNER, database_url, file, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    for _ in range(3):
        await process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL
    report = await importer.run(file, KIND, ignore)
    assert report.resumed_at_line is not None
    assert report.resumed_at_line >= 3 * BATCH
    assert (report.students, report.stored, report.repeated, report.refused) == (97, size, 0, 0)
    assert await scalar(database, EVENTS) == size
    assert await scalar(database, "SELECT count(*) FROM event_keys") == size
