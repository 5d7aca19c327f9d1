"""An import as a process of its own, so that a test can kill it: `import_runner.py URL FILE`."""

import asyncio
import sys
from pathlib import Path

from doorway import an_audit
from student_hub.history.importing.interactions import Interactions, Options
from student_hub.history.importing.reports import Progress
from student_hub.history.importing.runner import Importer
from student_hub.history.service import History
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.security.keyring import Keyring
from student_hub.students.service import Students

KIND = Interactions(Options(school_id="SCH900", grade=8, class_name="1반"))


async def run(url: str, file: Path) -> None:
    """Imports the file and writes a line after each batch."""
    database = Database(url)
    students = Students(database, Keyring(bytes(range(32))), utc_now, an_audit(database))
    history = History(database, students, utc_now, an_audit(database))
    await Importer(database, students, history, utc_now).run(file, KIND, tell)
    await database.close()


def tell(progress: Progress) -> None:
    sys.stdout.write(f"{progress.line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], Path(sys.argv[2])))
