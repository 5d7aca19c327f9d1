"""The command `student-hub`."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from student_hub.entry.context import connected, read_settings, running_stack
from student_hub.entry.sources import Source
from student_hub.entry.stack.errors import StackError
from student_hub.platform.errors import HubError
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.security.keyring import MasterKeyUnusable

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Student Hub, Node 0 of the Mathesis platform.\n\n"
    "`student-hub up` runs the whole platform on this machine. The other commands work on the hub "
    "that DATABASE_URL, REDIS_URL and ENCRYPTION_KEY name, or else on the one that runs on the "
    "data folder.",
)

audit_app = typer.Typer(no_args_is_help=True, help="Check and review the audit log.")
app.add_typer(audit_app, name="audit")

DataDir = Annotated[
    Path | None,
    typer.Option(help="Folder of the embedded servers, keys and logs (default: ./data)."),
]
Port = Annotated[int | None, typer.Option(help="Port of the API (default: 8000).")]


@app.command("up")
def up_command(
    data_dir: DataDir = None,
    port: Port = None,
    nodes_port: Annotated[
        int, typer.Option(help="Port of the first of the six reference nodes.")
    ] = 8_001,
    no_demo: Annotated[bool, typer.Option("--no-demo", help="Load no demo school.")] = False,
    logs: Annotated[bool, typer.Option("--logs", help="Show every program's log lines.")] = False,
) -> None:
    """Run everything here: PostgreSQL, Valkey, six reference nodes, API, worker and clock.

    Nothing has to be installed or running before. An empty hub is given a demo school of simulated
    learners. Ctrl-C stops everything; the next start finds the data again. A node for which
    NODE1_URL … NODE6_URL is set is not started here but used there, and a database or Valkey
    likewise.
    """
    from student_hub.entry.up import Wishes, up

    settings = read_settings(data_dir, **_given(port=port))
    asyncio.run(up(Wishes(settings, _say, nodes_port, not no_demo, logs)))


@app.command()
def status(data_dir: DataDir = None) -> None:
    """Say what runs and how it is; exit code 1 when the hub does not run or is unhealthy."""
    from student_hub.entry.farewell import status_text

    text, well = asyncio.run(status_text(running_stack(read_settings(data_dir))))
    typer.echo(text)
    raise typer.Exit(0 if well else 1)


@app.command()
def env(data_dir: DataDir = None) -> None:
    """Print STUDENT_HUB_URL and STUDENT_HUB_API_KEY of the running hub, for scripts.

    For a shell: export $(student-hub env)
    """
    state = running_stack(read_settings(data_dir))
    typer.echo(f"STUDENT_HUB_URL={state.url}\nSTUDENT_HUB_API_KEY={state.api_key}")


@app.command()
def migrate(
    data_dir: DataDir = None,
    to: Annotated[str, typer.Option(help="Revision to go down to; default: up to date.")] = "",
) -> None:
    """Bring the database schema up to date, or down to an older revision."""
    from student_hub.entry.migrating import downgrade, upgrade

    settings = connected(read_settings(data_dir))
    if to:
        asyncio.run(downgrade(settings, to))
        typer.echo(f"the database is at {to}")
        return
    done = asyncio.run(upgrade(settings))
    typer.echo("\n".join(f"migrated: {name}" for name in done) or "the database is up to date")


@app.command("import")
def import_command(
    source: Annotated[Source, typer.Argument(help="What the file holds.")],
    file: Annotated[Path, typer.Argument(help="The file; .gz is unpacked on the way.")],
    data_dir: DataDir = None,
    school: Annotated[str, typer.Option(help="School of the students (interactions).")] = "SCH005",
    grade: Annotated[int, typer.Option(help="Their grade, 1 to 12 (interactions).")] = 8,
    class_name: Annotated[str, typer.Option(help="Their class (interactions).")] = "1반",
) -> None:
    """Bring students and learning events in from a file, each event once however often.

    `interactions`: tab-separated answers with the columns user_id, item_id, timestamp, correct and
    skill_id. `ndjson`: one {"kind": "student", "student": {…}} or {"kind": "event", "event": {…}} a
    line. An import that was broken off goes on where it stopped. What is refused is listed with
    its line and the reason; exit code 1 when anything was refused.
    """
    from student_hub.entry.importing import format_of, run_import

    settings = connected(read_settings(data_dir))
    kind = format_of(source, school, grade, class_name)
    report = asyncio.run(run_import(settings, file, kind))
    raise typer.Exit(1 if report.refused else 0)


@app.command()
def serve(data_dir: DataDir = None, port: Port = None) -> None:
    """Run the API alone: MCP at /mcp, JSON-RPC at /rpc, REST under /v1."""
    from student_hub.entry.run_api import run_api

    run_api(connected(read_settings(data_dir, **_given(port=port))))


@app.command()
def worker(
    data_dir: DataDir = None,
    queue: Annotated[
        list[Queue] | None, typer.Option(help="Queue to work on; again for more; default: all.")
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option(min=1, help="Jobs at a time of each queue; default: by its setting."),
    ] = None,
) -> None:
    """Run a worker alone: does the jobs of the ledger in PostgreSQL."""
    from student_hub.entry.worker import places_of, run_worker

    settings = connected(read_settings(data_dir))
    places = {name: concurrency or most for name, most in places_of(settings).items()}
    run_worker(settings, {name: places[name] for name in queue or Queue})


@app.command()
def beat(data_dir: DataDir = None) -> None:
    """Run the clock alone: tells the workers each minute that it is time for upkeep."""
    from student_hub.entry.beat import run_beat

    run_beat(connected(read_settings(data_dir)))


@app.command()
def mails(data_dir: DataDir = None) -> None:
    """List the mails that `up` keeps while SMTP_URL names no mail server."""
    from student_hub.entry.mail_sink import listed

    typer.echo(listed(read_settings(data_dir).data_dir.expanduser().resolve()))


@app.command(hidden=True)
def mail_sink(port: Annotated[int, typer.Option()], data_dir: DataDir = None) -> None:
    """Keep mails as files in the data folder."""
    from student_hub.entry.mail_sink import run_mail_sink

    run_mail_sink(read_settings(data_dir).data_dir.expanduser().resolve(), port)


@app.command()
def nodes(
    data_dir: DataDir = None,
    nodes_port: Annotated[int, typer.Option(help="Port of the first of the six.")] = 8_001,
) -> None:
    """Run the six reference nodes alone."""
    from student_hub.entry.nodes import run_nodes

    asyncio.run(run_nodes(read_settings(data_dir), nodes_port, _say))


@audit_app.command("verify")
def audit_verify(
    data_dir: DataDir = None,
    anchors: Annotated[
        Path | None,
        typer.Option(help="A copy of audit-anchors.ndjson; default: that of the data folder."),
    ] = None,
) -> None:
    """Say whether the audit log is what was sealed; exit code 1 and the first flaw when not."""
    from student_hub.entry.auditing import verify

    settings = connected(read_settings(data_dir))
    text, whole = asyncio.run(verify(settings, anchors))
    typer.echo(text)
    raise typer.Exit(0 if whole else 1)


@audit_app.command("review")
def audit_review(
    month: Annotated[str, typer.Option(help="The month (Asia/Seoul), such as 2026-11.")],
    data_dir: DataDir = None,
) -> None:
    """Print who did what in a month: volumes, exports with reasons, refusals, odd hours."""
    from student_hub.entry.auditing import review

    typer.echo(asyncio.run(review(connected(read_settings(data_dir)), month)))


def main() -> None:
    """Runs the command; what a person can mend is told in one sentence, with exit code 1."""
    try:
        app()
    except (StackError, MasterKeyUnusable, HubError) as error:
        typer.echo(f"student-hub: {error}", err=True)
        sys.exit(1)


def _given(**options: object) -> dict[str, object]:
    return {name: value for name, value in options.items() if value is not None}


_say: Callable[[str], None] = typer.echo


if __name__ == "__main__":
    main()
