"""A Valkey of a test's own, which may be frozen, killed and started again."""

import os
import signal
from contextlib import ExitStack
from pathlib import Path

from redis import Redis

from servers import running_program
from student_hub.entry.stack.valkey import EmbeddedValkey


class OwnStore:
    """Runs from the start; its address stays the same when it is started again."""

    def __init__(self, folder: Path) -> None:
        self._valkey = EmbeddedValkey(folder, durable=False)
        self._log = folder / "logs" / "valkey.log"
        self._running = ExitStack()
        self._pid = 0
        self.start()

    @property
    def url(self) -> str:
        return self._valkey.url

    def start(self) -> None:
        self._valkey.prepare()
        self._running.enter_context(running_program(self._valkey.program(), self._log))
        with Redis.from_url(self.url) as redis:
            self._pid = redis.info("server")["process_id"]

    def freeze(self) -> None:
        os.kill(self._pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._pid, signal.SIGCONT)

    def stop(self) -> None:
        self._running.close()
