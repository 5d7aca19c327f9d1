"""The real answer log, end to end: 90,586 answers of 342 students."""

import gzip
import os
from pathlib import Path

import pytest

from factories import IN_DEFAULT, scalar
from import_runner import KIND
from student_hub.history.importing.interactions import student_id_of
from student_hub.history.importing.reports import ImportReport, Progress
from student_hub.history.importing.runner import Importer
from student_hub.history.service import History
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.students.service import Students

LOG = Path(__file__).parents[3] / "shared/data/interactions/assistments2017_342students.tsv.gz"


@pytest.fixture
def real_log() -> Path:
    if not LOG.exists() and not os.environ.get("CI"):
        pytest.skip("the real answer log is not beside this checkout (../shared/data)")
    return LOG


@pytest.mark.requirement("import-interactions")
async def test_the_real_log_is_stored_whole_and_once(
    real_log: Path, database: Database, students: Students, history: History
) -> None:
    """Counts agree with the file's own, per student too; a second run stores nothing."""
    importer = Importer(database, students, history, utc_now)
    steps: list[Progress] = []
    assert await importer.run(real_log, KIND, steps.append) == ImportReport(
        students=342, stored=90_586
    )
    assert steps[-1].line == 90_587
    assert await importer.run(real_log, KIND, steps.append) == ImportReport(repeated=90_586)
    with gzip.open(real_log, "rt") as lines:
        users = [line.split("\t")[0] for line in lines][1:]
    for user in (users[0], users[len(users) // 2], users[-1]):
        count = await scalar(
            database,
            "SELECT count(*) FROM learning_history WHERE student_id = :id",
            id=student_id_of("SCH900", user),
        )
        assert count == users.count(user)
    assert await scalar(database, IN_DEFAULT) == 0
