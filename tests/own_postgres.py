"""A PostgreSQL of a test's own, which may be killed and started again."""

import subprocess
from contextlib import ExitStack
from pathlib import Path

from servers import running_program
from student_hub.entry.stack.postgres import EmbeddedPostgres


class OwnPostgres:
    """Runs from the start; its address stays the same when it is started again.

    It syncs as in earnest: what was committed survives that.
    """

    def __init__(self, folder: Path) -> None:
        self._postgres = EmbeddedPostgres(folder, durable=True)
        self._log = folder / "logs" / "postgres.log"
        self._running = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return self._postgres.url

    def start(self) -> None:
        self._postgres.prepare()
        program = self._postgres.program()
        self._process = self._running.enter_context(running_program(program, self._log))

    def kill(self) -> None:
        """As `kill -9` of the server does; its other processes see that and end."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        self._running.close()
