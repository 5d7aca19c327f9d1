"""A real Valkey that a test may kill, stop, fill and bring back."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis

from servers import scratch_folder
from student_hub.entry.stack.guard import Guard
from student_hub.entry.stack.valkey import EmbeddedValkey

ROOM = "256mb"
NO_ROOM = "1kb"


class Store:
    """Keeps nothing on disk; its address stays the same."""

    def __init__(self, folder: Path, guard: Guard) -> None:
        self._valkey = EmbeddedValkey(folder, durable=False, maxmemory=ROOM)
        self._valkey.prepare()
        self._log = folder / "valkey.log"
        self._guard = guard
        self._process: subprocess.Popen[bytes] | None = None
        self.url = self._valkey.url

    async def start(self) -> None:
        """Runs, and answers."""
        program = self._valkey.program()
        if program.before is not None:
            program.before()
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: ASYNC220 (takes a millisecond)
                self._guard.leashed(program),
                env=dict(program.env),
                cwd=program.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(self._guard.pipe,),
                start_new_session=True,
            )
        async with asyncio.timeout(program.ready_within):
            while program.ready is not None and not await program.ready():  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # another process has no event to wait for

    def kill(self) -> None:
        """Gone as by `kill -9`, with all that it kept."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Hangs: connections stay, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    async def fill(self) -> None:
        """Refuses every write for want of room."""
        await self._configure(maxmemory=NO_ROOM, policy="noeviction")

    async def relieve(self) -> None:
        await self._configure(maxmemory=ROOM, policy="volatile-lru")

    async def commands(self) -> dict[str, int]:
        """How often each command was sent to it since it started."""
        async with Redis.from_url(self.url) as redis:
            stats = await redis.info("commandstats")
        return {name.removeprefix("cmdstat_"): said["calls"] for name, said in stats.items()}

    async def _configure(self, *, maxmemory: str, policy: str) -> None:
        async with Redis.from_url(self.url) as redis:
            await redis.config_set("maxmemory-policy", policy)
            await redis.config_set("maxmemory", maxmemory)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)


@asynccontextmanager
async def store() -> AsyncIterator[Store]:
    """A store that runs, until the block ends."""
    guard = Guard()
    try:
        with scratch_folder() as folder:
            made = Store(folder, guard)
            await made.start()
            try:
                yield made
            finally:
                made.kill()
    finally:
        guard.close()
