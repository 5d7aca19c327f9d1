import asyncio
from pathlib import Path

from student_hub.entry.stack.backoff import Backoff
from student_hub.entry.stack.errors import StackError, cause_in, tells_of_full_disk
from student_hub.entry.stack.events import Event, EventKind, OnEvent, OnLine
from student_hub.entry.stack.guard import Guard
from student_hub.entry.stack.logs import ProgramLog
from student_hub.entry.stack.program import Program
from student_hub.entry.stack.running import Running

_TROUBLE_EVERY = 60.0


class Keeper:
    """Keeps one program running: starts it, restarts what dies, stops it."""

    def __init__(
        self, program: Program, guard: Guard, logs: Path, on_event: OnEvent, on_line: OnLine
    ) -> None:
        self.program = program
        self._guard = guard
        self._log = ProgramLog(logs / f"{program.name}.log")
        self._on_event = on_event
        self._on_line = on_line
        self._backoff = Backoff()
        self._running: Running | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._troubled_until = 0.0

    @property
    def pid(self) -> int | None:
        """The process that runs now."""
        return self._running.pid if self._running else None

    async def start(self) -> None:
        """Run it until it is ready, and watch over it from then on; raises StackError."""
        await self._run_until_ready()
        self._keeping = asyncio.create_task(self._keep())

    async def let_go(self) -> None:
        """Watch over it no longer: what ends from now on stays down."""
        if self._keeping:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)

    async def stop(self) -> None:
        """Stop it in its own way, and after its grace by force."""
        await self.let_go()
        if self._running:
            self._tell(EventKind.STOPPING)
            begun = asyncio.get_running_loop().time()
            await self._running.stop(self._guard)
            self._running = None
            self._tell(EventKind.STOPPED, asyncio.get_running_loop().time() - begun)
        self._log.close()

    def stop_harder(self) -> None:
        """Let nothing be waited for any more."""
        if self._running:
            self._running.signal_group(self.program.hard_signal)

    async def _run_until_ready(self) -> None:
        self._tell(EventKind.STARTING)
        self._running = await Running.start(self.program, self._guard, self._log, self._hear)
        await self._running.until_ready(self._log)
        self._tell(EventKind.READY, self._running.uptime)

    async def _keep(self) -> None:
        while self._running:
            uptime, reason = await self._until_end(self._running)
            if not self.program.restart:
                self._tell(EventKind.ENDED, reason=reason)
                return
            await self._restart(uptime, reason)

    async def _until_end(self, running: Running) -> tuple[float, str]:
        how = await running.ended(self._guard)
        uptime, self._running = running.uptime, None
        cause = cause_in(self._log.tail)
        return uptime, f"{how}: {cause}" if cause else how

    async def _restart(self, uptime: float, reason: str) -> None:
        while True:
            wait = self._backoff.after(uptime)
            self._tell(EventKind.DIED, wait, reason)
            await asyncio.sleep(wait)
            try:
                await self._run_until_ready()
            except StackError as error:
                uptime, reason = 0.0, str(error)
                await self._drop()
            else:
                return

    async def _drop(self) -> None:
        if self._running:
            await self._running.stop(self._guard)
            self._running = None

    def _hear(self, line: str) -> None:
        self._on_line(self.program.name, line)
        now = asyncio.get_running_loop().time()
        if tells_of_full_disk(line) and now >= self._troubled_until:
            self._troubled_until = now + _TROUBLE_EVERY
            self._tell(EventKind.TROUBLED, reason=cause_in(line) or line)

    def _tell(self, kind: EventKind, seconds: float = 0.0, reason: str = "") -> None:
        self._on_event(Event(kind, self.program.name, seconds, reason))
