import asyncio
import signal
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from student_hub.entry.stack.events import Event, OnEvent, OnLine
from student_hub.entry.stack.folder import LOGS
from student_hub.entry.stack.guard import Guard
from student_hub.entry.stack.keeper import Keeper
from student_hub.entry.stack.lock import FolderLock
from student_hub.entry.stack.program import Program

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_GUARD_EVERY = 1.0


class Supervisor:
    """Runs programs in order, keeps them running, and stops them in reverse order.

    An async context manager for the main thread. Inside the block SIGINT, SIGTERM and SIGHUP ask
    for a clean stop, and a second one for a harder one; at its end nothing runs any more. Each
    program writes to a log file of its own in the data folder.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        lock: FolderLock | None = None,
        on_event: OnEvent | None = None,
        on_line: OnLine | None = None,
    ) -> None:
        self._logs = data_dir / LOGS
        self._lock = lock
        self._on_event = on_event or _ignore_event
        self._on_line = on_line or _ignore_line
        self._keepers: list[Keeper] = []
        self._stop_asked = asyncio.Event()

    @property
    def pids(self) -> dict[str, int]:
        """The processes that run now, by the names of their programs; each leads its own group."""
        return {keeper.program.name: keeper.pid for keeper in self._keepers if keeper.pid}

    @property
    def stopping(self) -> bool:
        """Whether somebody has asked it to stop."""
        return self._stop_asked.is_set()

    async def __aenter__(self) -> Self:
        self._logs.mkdir(mode=0o700, exist_ok=True)
        self._guard = Guard((self._lock.descriptor,) if self._lock else ())
        self._watching = asyncio.create_task(self._watch_guard())
        self._handled = [number for number in _SIGNALS if self._handle(number)]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self.stop()
        finally:
            self._watching.cancel()
            await asyncio.to_thread(self._guard.close)
            for number in self._handled:
                asyncio.get_running_loop().remove_signal_handler(number)

    async def start(self, *programs: Program) -> bool:
        """Start them one after another, each when the one before is ready.

        False when it was asked to stop meanwhile; raises StackError when one does not start.
        """
        for program in programs:
            if self.stopping:
                return False
            keeper = Keeper(program, self._guard, self._logs, self._on_event, self._on_line)
            self._keepers.append(keeper)
            await self.unless_stopping(keeper.start())
        return not self.stopping

    async def unless_stopping(self, work: Coroutine[Any, Any, None]) -> bool:
        """Do the work, which is cancelled when somebody asks to stop; False then.

        Raises what the work raises.
        """
        doing = asyncio.create_task(work)
        asked = asyncio.create_task(self._stop_asked.wait())
        try:
            await asyncio.wait([doing, asked], return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
            doing.cancel()
            await asyncio.wait([doing])
        if not doing.cancelled():
            doing.result()
        return not self.stopping

    async def run_until_stopped(self) -> None:
        """Wait until somebody asks it to stop, and stop everything."""
        await self._stop_asked.wait()
        await self.stop()

    async def stop(self) -> None:
        """Stop everything, the latest started first."""
        self._stop_asked.set()
        for keeper in self._keepers:
            await keeper.let_go()
        while self._keepers:
            await self._keepers[-1].stop()
            self._keepers.pop()

    def ask_to_stop(self) -> None:
        """End `start` or `run_until_stopped`; asked again, stop everything by force."""
        if self.stopping:
            for keeper in reversed(self._keepers):
                keeper.stop_harder()
        self._stop_asked.set()

    def _handle(self, number: signal.Signals) -> bool:
        if signal.getsignal(number) is signal.SIG_IGN:  # as nohup asks for
            return False
        asyncio.get_running_loop().add_signal_handler(number, self.ask_to_stop)
        return True

    async def _watch_guard(self) -> None:
        while True:
            await asyncio.sleep(_GUARD_EVERY)
            self._guard.revive()


def _ignore_event(_event: Event) -> None:
    pass


def _ignore_line(_name: str, _line: str) -> None:
    pass
