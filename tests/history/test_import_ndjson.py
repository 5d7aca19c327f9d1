"""Students and events as JSON lines."""

import json
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from factories import IN_DEFAULT, event, scalar, student_fields
from student_hub.history.importing.ndjson import Ndjson
from student_hub.history.importing.reports import ImportReport, Progress
from student_hub.history.importing.runner import Importer
from student_hub.history.service import History
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import SYSTEM
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("import-ndjson")


@pytest.fixture
def importer(database: Database, students: Students, history: History) -> Importer:
    return Importer(database, students, history, utc_now)


def ignore(_: Progress) -> None:
    """Progress that nobody watches."""


def student_line(student_id: UUID, **fields: object) -> str:
    student = student_fields(id=str(student_id), **fields)
    return json.dumps({"kind": "student", "student": student}, ensure_ascii=False)


def event_line(student_id: UUID, **fields: object) -> str:
    return json.dumps({"kind": "event", "event": {**event(student_id), **fields}})


def json_lines(folder: Path, *lines: str) -> Path:
    file = folder / "school.ndjson"
    file.write_text("\n".join(lines) + "\n")
    return file


async def test_students_and_their_events_are_stored(
    importer: Importer, tmp_path: Path, database: Database
) -> None:
    """A second run of the same file finds it all there."""
    some = [uuid4() for _ in range(3)]
    lines = [*map(student_line, some), "", *(event_line(one) for one in some * 4)]
    file = json_lines(tmp_path, *lines)
    assert await importer.run(file, Ndjson(), ignore) == ImportReport(students=3, stored=12)
    assert await importer.run(file, Ndjson(), ignore) == ImportReport(repeated=12)
    assert await scalar(database, IN_DEFAULT) == 0


async def test_broken_lines_are_refused_by_line_and_field(
    importer: Importer, tmp_path: Path
) -> None:
    """Broken JSON, unknown kinds, bad students, bad events, events of nobody."""
    one = uuid4()
    lines = [
        student_line(one),
        "{",
        '{"kind": "teacher"}',
        '{"kind": "event", "event": {}, "more": 1}',
        "[]",
        student_line(uuid4(), grade=0),
        event_line(one, occurred_at="1970-01-01T00:00:00Z"),
        event_line(one, occurred_at="9999-99"),
        event_line(uuid4()),
        '{"kind": "event", "event": null}',
        event_line(one),
    ]
    report = await importer.run(json_lines(tmp_path, *lines), Ndjson(), ignore)
    assert (report.students, report.stored, report.refused) == (1, 1, 9)
    assert [(refusal.line, refusal.field) for refusal in report.refusals] == [
        (2, "line"),
        (3, "kind"),
        (4, "kind"),
        (5, "kind"),
        (6, "grade"),
        (7, "occurred_at"),
        (8, "occurred_at"),
        (9, "student_id"),
        (10, "kind"),
    ]


async def test_a_student_who_changed_is_updated(
    importer: Importer, students: Students, tmp_path: Path, database: Database
) -> None:
    """A newer file moves a student; the history stays."""
    one = uuid4()
    old, new = student_fields(id=str(one)), {}
    new = {**old, "grade": 11}
    for student, changed in ((old, 1), (new, 1), (new, 0)):
        line = json.dumps({"kind": "student", "student": student})
        file = json_lines(tmp_path, line, " " * changed)
        report = await importer.run(file, Ndjson(), ignore)
        assert report.students == changed
    async with database.transaction(SYSTEM) as tx:
        assert (await students.require(tx, one)).grade == 11


async def test_every_refused_line_is_counted_however_many_there_are(
    importer: Importer, tmp_path: Path
) -> None:
    """The list of them ends at a hundred, the count does not."""
    bad = student_line(uuid4(), grade=0)
    lines = [*[bad] * 1_990, *["{"] * 5, *[event_line(uuid4())] * 15]
    report = await importer.run(json_lines(tmp_path, *lines), Ndjson(), ignore)
    assert (report.refused, len(report.refusals)) == (2_010, 100)
