"""A script: runs PostgreSQL, Valkey and a stubborn family until told to stop, for tests to kill.

Argument: the data folder. Prints its events, and `up` once all run.
"""

import asyncio
import os
import sys
from pathlib import Path

from student_hub.entry.stack.errors import StackError
from student_hub.entry.stack.events import Event
from student_hub.entry.stack.folder import open_folder
from student_hub.entry.stack.lock import FolderLock
from student_hub.entry.stack.postgres import EmbeddedPostgres
from student_hub.entry.stack.program import Program, plain_environment
from student_hub.entry.stack.state import StackState, remove_state, write_state
from student_hub.entry.stack.supervisor import Supervisor
from student_hub.entry.stack.valkey import EmbeddedValkey

DEAF = "trap '' TERM INT; sleep 1000 & while true; do sleep 1000; done"
FAMILY = Program("family", ("/bin/sh", "-c", DEAF), env=plain_environment(), stop_grace=0.3)


async def run(data_dir: Path) -> None:
    folder = open_folder(data_dir)
    with FolderLock(folder) as lock:
        EmbeddedPostgres(folder, durable=False).prepare()  # the files made without syncing: faster
        postgres, valkey = EmbeddedPostgres(folder), EmbeddedValkey(folder)
        postgres.prepare()
        valkey.prepare()
        async with Supervisor(folder, lock=lock, on_event=say) as supervisor:
            if await supervisor.start(postgres.program(), valkey.program(), FAMILY):
                write_state(folder, state(supervisor, postgres, valkey))
                say("up")
                await supervisor.run_until_stopped()
        remove_state(folder)
    say("down")


def state(supervisor: Supervisor, postgres: EmbeddedPostgres, valkey: EmbeddedValkey) -> StackState:
    ports = {"postgres": postgres.port, "valkey": valkey.port}
    return StackState(os.getpid(), "", "", postgres.url, valkey.url, ports, supervisor.pids)


def say(happened: Event | str) -> None:
    sys.stdout.write(f"{happened}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        asyncio.run(run(Path(sys.argv[1])))
    except StackError as error:
        sys.exit(str(error))
