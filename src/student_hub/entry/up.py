"""`student-hub up`: the whole platform on one machine, from an empty folder to a first profile."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from student_hub.entry import programs
from student_hub.entry.context import completed, kept_keys, local_url, secret
from student_hub.entry.demo import load_demo_school
from student_hub.entry.farewell import what_next
from student_hub.entry.migrating import upgrade
from student_hub.entry.nodes import NODE_FOLDER
from student_hub.entry.stack.events import Event, EventKind
from student_hub.entry.stack.folder import open_folder
from student_hub.entry.stack.lock import FolderLock
from student_hub.entry.stack.ports import kept_port, require_free
from student_hub.entry.stack.postgres import EmbeddedPostgres
from student_hub.entry.stack.state import StackState, remove_state, renew_pids, write_state
from student_hub.entry.stack.supervisor import Supervisor
from student_hub.entry.stack.valkey import EmbeddedValkey
from student_hub.nodes.registry import NodeName
from student_hub.platform.settings import Settings

Say = Callable[[str], None]


@dataclass(frozen=True)
class Wishes:
    """What a person asked of `up`."""

    settings: Settings
    say: Say
    first_node_port: int = 8_001
    demo: bool = True
    show_logs: bool = False

    @property
    def node_ports(self) -> dict[NodeName, int]:
        """The reference nodes to run: those for which no setting names another server."""
        return {
            node: self.first_node_port + node.number - 1
            for node in NodeName
            if f"node{node.number}_url" not in self.settings.model_fields_set
        }

    @property
    def keeps_mail(self) -> bool:
        """Whether mails stay here as files: those of a demo for which no mail server is named."""
        return self.demo and self.settings.smtp_url is None


async def up(wishes: Wishes) -> None:
    """Starts everything, says what to do next, and runs until it is told to stop.

    Raises StackError, one sentence for a person, when something stands in the way; what had been
    started is stopped first.
    """
    folder = await asyncio.to_thread(open_folder, wishes.settings.data_dir)
    with FolderLock(folder) as lock:
        require_free({"--port": wishes.settings.port})
        for port in wishes.node_ports.values():
            require_free({"--nodes-port": port})
        async with _supervisor(wishes, folder, lock) as supervisor:
            try:
                await _run(wishes, supervisor, folder)
            finally:
                remove_state(folder)
    wishes.say(f"everything has stopped; the data stays in {folder}")


def _supervisor(wishes: Wishes, folder: Path, lock: FolderLock) -> Supervisor:
    def tell(event: Event) -> None:
        wishes.say(str(event))
        if event.kind is EventKind.READY:
            renew_pids(folder, supervisor.pids)

    def show(program: str, line: str) -> None:
        wishes.say(f"{program:>12} | {line}")

    on_line = show if wishes.show_logs else None
    supervisor = Supervisor(folder, lock=lock, on_event=tell, on_line=on_line)
    return supervisor


async def _run(wishes: Wishes, supervisor: Supervisor, folder: Path) -> None:
    settings = await _start_servers(wishes, supervisor, folder)
    if settings is None:
        return
    if not await supervisor.unless_stopping(_migrate(settings, wishes.say)):
        return
    if not await _start_platform(wishes, supervisor, folder, settings):
        return
    if wishes.demo and not await supervisor.unless_stopping(load_demo_school(settings, wishes.say)):
        return
    _publish(supervisor, folder, settings)
    wishes.say(await what_next(settings))
    await supervisor.run_until_stopped()


async def _migrate(settings: Settings, say: Say) -> None:
    for revision in await upgrade(settings):
        say(f"migrated the database: {revision}")


async def _start_servers(wishes: Wishes, supervisor: Supervisor, folder: Path) -> Settings | None:
    """The settings of the whole stack, its servers running; None when it was asked to stop."""
    servers: dict[str, EmbeddedPostgres | EmbeddedValkey] = {
        "database_url": EmbeddedPostgres(folder),
        "redis_url": EmbeddedValkey(folder),
    }
    urls: dict[str, str] = {}
    for name, server in servers.items():
        if getattr(wishes.settings, name) is None:
            await asyncio.to_thread(server.prepare)
            urls[name] = server.url
            if not await supervisor.start(server.program()):
                return None
    nodes = {
        f"node{node.number}_url": f"http://127.0.0.1:{port}/mcp"
        for node, port in wishes.node_ports.items()
    }
    mail = (
        {"smtp_url": SecretStr(f"smtp://127.0.0.1:{_mail_port(folder)}")}
        if wishes.keeps_mail
        else {}
    )
    settings = wishes.settings.model_copy(update={"data_dir": folder, **nodes, **mail})
    return completed(settings, kept_keys(folder), **urls)


async def _start_platform(
    wishes: Wishes, supervisor: Supervisor, folder: Path, settings: Settings
) -> bool:
    """Nodes side by side, then the hub; False when it was asked to stop meanwhile."""
    log_folder = folder / NODE_FOLDER
    log_folder.mkdir(mode=0o700, exist_ok=True)
    nodes = [
        programs.reference_node(node, port, log_folder) for node, port in wishes.node_ports.items()
    ]
    started = await asyncio.gather(*(supervisor.start(node) for node in nodes))
    hub = [programs.api(settings), programs.worker(settings), programs.beat(settings)]
    if wishes.keeps_mail:
        hub.insert(0, programs.mail_sink(_mail_port(folder), folder))
    return all(started) and await supervisor.start(*hub)


def _mail_port(folder: Path) -> int:
    return kept_port(folder / "mail.port")


def _publish(supervisor: Supervisor, folder: Path, settings: Settings) -> None:
    state = StackState(
        pid=os.getpid(),
        url=local_url(settings),
        api_key=secret(settings, "api_key"),
        database_url=secret(settings, "database_url"),
        redis_url=secret(settings, "redis_url"),
        ports={"api": settings.port},
        pids=supervisor.pids,
    )
    write_state(folder, state)
