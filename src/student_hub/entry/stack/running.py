import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable

from student_hub.entry.stack.errors import failure
from student_hub.entry.stack.guard import Guard
from student_hub.entry.stack.logs import ProgramLog
from student_hub.entry.stack.program import Program

_POLL = 0.02
_HARD_GRACE = 2.0
_LAST_WORDS = 1.0
_CHUNK = 64 * 1024


class Running:
    """One run of a program, from its start to the end of its whole process group."""

    def __init__(
        self, program: Program, process: asyncio.subprocess.Process, reading: asyncio.Task[None]
    ) -> None:
        self._program = program
        self._process = process
        self._reading = reading
        self._started = asyncio.get_running_loop().time()

    @classmethod
    async def start(
        cls, program: Program, guard: Guard, log: ProgramLog, on_line: Callable[[str], None]
    ) -> "Running":
        """Start it, tied to this process; raises StackError when it cannot even be tried."""
        log.begin()
        try:
            if program.before:
                await asyncio.to_thread(program.before)
            guard.revive()
            process, output = await _spawn(program, guard)
        except OSError as error:
            raise failure(program.name, "cannot be started", str(error)) from error
        guard.remember(process.pid, program)
        return cls(program, process, asyncio.create_task(_read(output, log, on_line)))

    @property
    def pid(self) -> int:
        """The process, whose number is also that of its group."""
        return self._process.pid

    @property
    def uptime(self) -> float:
        """Seconds."""
        return asyncio.get_running_loop().time() - self._started

    async def until_ready(self, log: ProgramLog) -> None:
        """Wait until it is ready; raises StackError when it ends before, or takes too long."""
        ended = asyncio.create_task(self._process.wait())
        try:
            async with asyncio.timeout(self._program.ready_within):
                while not await self._is_ready():
                    await asyncio.wait([ended], timeout=_POLL)
                    if ended.done():
                        await self._hear_out()
                        raise failure(
                            self._program.name, self._how_it_ended("did not start"), log.tail
                        )
        except TimeoutError as error:
            happened = f"was not ready within {self._program.ready_within:.0f} s"
            raise failure(self._program.name, happened, log.tail) from error
        finally:
            ended.cancel()

    async def ended(self, guard: Guard) -> str:
        """Wait for its end, and stop what it left of its group; how it ended."""
        await self._process.wait()
        await self._empty_group()
        guard.forget(self.pid)
        await self._hear_out()
        return self._how_it_ended()

    async def stop(self, guard: Guard) -> None:
        """Ask the leader to stop, and after the grace make the whole group."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(self._program.stop_signal)
        if not await self._ends_within(self._program.stop_grace):
            self.signal_group(self._program.hard_signal)
            if not await self._ends_within(_HARD_GRACE):
                self.signal_group(signal.SIGKILL)
        await self.ended(guard)

    def signal_group(self, number: signal.Signals) -> bool:
        """Signal every process of the group; whether there was one."""
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):  # macOS says the latter of zombies
            return False
        return True

    async def _is_ready(self) -> bool:
        return self._program.ready is None or await self._program.ready()

    async def _ends_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._process.wait()
        return self._process.returncode is not None

    async def _empty_group(self) -> None:
        tries = int(_LAST_WORDS / _POLL)
        while self.signal_group(signal.SIGKILL) and tries:  # killed is not yet gone
            await asyncio.sleep(_POLL)
            tries -= 1

    async def _hear_out(self) -> None:
        """Read to the end; a stranger that inherited the output must not hold us up."""
        await asyncio.wait([self._reading], timeout=_LAST_WORDS)
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    def _how_it_ended(self, prefix: str = "") -> str:
        code = self._process.returncode or 0
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return f"{prefix} ({how})" if prefix else how


async def _spawn(program: Program, guard: Guard) -> tuple[asyncio.subprocess.Process, int]:
    # Not asyncio's own pipe, for the end of the process is not always that of its output.
    reader, writer = os.pipe()
    try:
        return await _execute(program, guard, writer), reader
    except BaseException:
        os.close(reader)
        raise
    finally:
        os.close(writer)


async def _execute(program: Program, guard: Guard, writer: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *guard.leashed(program),
        env=dict(program.env),
        cwd=program.cwd,
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=writer,
        pass_fds=(guard.pipe,),
        start_new_session=True,
    )


async def _read(descriptor: int, log: ProgramLog, on_line: Callable[[str], None]) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb")
    )
    try:
        while chunk := await reader.read(_CHUNK):
            for line in log.feed(chunk):
                on_line(line)
        for line in log.finish():
            on_line(line)
    finally:
        transport.close()
