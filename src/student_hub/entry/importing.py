"""`student-hub import`: files of students and learning events, with progress on the terminal."""

from pathlib import Path

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from student_hub.entry.house import build
from student_hub.entry.migrating import require_database
from student_hub.entry.sources import Source
from student_hub.entry.stack.errors import StackError
from student_hub.history.importing.entries import Format
from student_hub.history.importing.interactions import Interactions, Options
from student_hub.history.importing.ndjson import Ndjson
from student_hub.history.importing.reports import ImportReport, Progress
from student_hub.history.importing.runner import Importer
from student_hub.platform.db.database import AT_LENGTH, Database
from student_hub.platform.settings import Settings

SHOWN_REFUSALS = 20


def format_of(source: Source, school: str, grade: int, class_name: str) -> Format:
    """How the file is read; StackError when the school or class of its students is not usable."""
    if source is Source.NDJSON:
        return Ndjson()
    try:
        return Interactions(Options(school_id=school, grade=grade, class_name=class_name))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        option = str(first["loc"][0]).removesuffix("_id").replace("_", "-")
        raise StackError(f"--{option} is not usable: {first['msg']}.") from error


async def run_import(settings: Settings, file: Path, kind: Format) -> ImportReport:
    """Imports the file and shows how far it is; what was refused is listed at the end."""
    house = build(settings, AT_LENGTH)
    try:
        await require_database(house.parts.get(Database))
        with _bar() as bar:
            task = bar.add_task(file.name, total=None)

            def show(progress: Progress) -> None:
                bar.update(task, completed=progress.bytes_done, total=progress.bytes_total)

            report = await house.parts.get(Importer).run(file, kind, show)
    finally:
        await house.close()
    _tell(report)
    return report


def _bar() -> Bar:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    return Bar(*columns, console=Console(stderr=True))


def _tell(report: ImportReport) -> None:
    if report.resumed_at_line is not None:
        typer.echo(f"went on at line {report.resumed_at_line}, where an earlier run had stopped")
    typer.echo(
        f"{report.students} students created or changed, {report.stored} events stored, "
        f"{report.repeated} known before, {report.refused} lines refused"
    )
    for refusal in report.refusals[:SHOWN_REFUSALS]:
        typer.echo(f"  line {refusal.line}: {refusal.field} {refusal.problem}")
    if report.refused > SHOWN_REFUSALS:
        typer.echo(f"  … and {report.refused - SHOWN_REFUSALS} more")
