import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from entry.stack.table import members
from student_hub.entry.stack.errors import StackError
from student_hub.entry.stack.events import Event, EventKind
from student_hub.entry.stack.program import Program, plain_environment
from student_hub.entry.stack.supervisor import Supervisor

pytestmark = pytest.mark.requirement("supervisor-no-orphans")


def shell(name: str, script: str) -> Program:
    return Program(name, ("/bin/sh", "-c", script), env=plain_environment())


def has(file: Path) -> Callable[[], "asyncio.Future[bool]"]:
    return lambda: asyncio.ensure_future(_exists(file))


async def _exists(file: Path) -> bool:
    return await asyncio.to_thread(file.exists)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - processes set no event
            await asyncio.sleep(0.01)


class Heard(list[Event]):
    def kinds(self, name: str) -> list[EventKind]:
        return [event.kind for event in self if event.program == name]


async def test_programs_start_in_order_each_when_the_one_before_is_ready(tmp_path: Path) -> None:
    """The second is not started before the first says that it is ready; they stop in reverse."""
    heard = Heard()
    first = replace(shell("first", f"touch '{tmp_path}/a'; sleep 100"), ready=has(tmp_path / "a"))
    async with Supervisor(tmp_path, on_event=heard.append) as supervisor:
        assert await supervisor.start(first, shell("second", "sleep 100"))
        assert set(supervisor.pids) == {"first", "second"}
    assert [(event.program, event.kind.value) for event in heard] == [
        ("first", "starting"),
        ("first", "ready"),
        ("second", "starting"),
        ("second", "ready"),
        ("second", "stopping"),
        ("second", "stopped"),
        ("first", "stopping"),
        ("first", "stopped"),
    ]
    assert str(heard[0]) == "starting first"
    assert str(heard[1]).startswith("first is ready in ")


async def test_a_program_that_ends_while_it_starts_is_told_with_its_last_lines(
    tmp_path: Path,
) -> None:
    """The failure comes at once, not after the time for getting ready, and the rest is stopped."""
    broken = replace(shell("broken", "echo one; echo two >&2; exit 3"), ready=has(tmp_path / "no"))
    async with Supervisor(tmp_path) as supervisor:
        assert await supervisor.start(shell("first", "sleep 100"))
        group = supervisor.pids["first"]
        sentence = r"^broken did not start \(exit code 3\): it said: one \| two\.$"
        with pytest.raises(StackError, match=sentence):
            await supervisor.start(broken)
    assert not members(group)
    assert (tmp_path / "logs" / "broken.log").read_text() == "one\ntwo\n"


async def test_a_known_cause_is_told_instead_of_the_last_lines(tmp_path: Path) -> None:
    """Whoever starts the stack reads that the disk is full."""
    script = "echo 'could not write: No space left on device'; exit 1"
    full = replace(shell("full", script), ready=has(tmp_path / "no"))
    async with Supervisor(tmp_path) as supervisor:
        with pytest.raises(StackError, match="the disk is full"):
            await supervisor.start(full)


async def test_a_program_that_never_gets_ready_is_given_up(tmp_path: Path) -> None:
    """The wait is bounded, and nothing of it stays."""
    slow = replace(
        shell("slow", "echo $$; sleep 100"), ready=has(tmp_path / "no"), ready_within=0.3
    )
    lines: list[tuple[str, str]] = []
    async with Supervisor(tmp_path, on_line=lambda *line: lines.append(line)) as supervisor:
        with pytest.raises(StackError, match="slow was not ready within 0 s"):
            await supervisor.start(slow)
    [(name, pid)] = lines
    assert name == "slow"
    assert not members(int(pid))


async def test_a_program_that_cannot_run_is_told(tmp_path: Path) -> None:
    """A missing binary is a sentence."""
    missing = Program("missing", ("/no/such/binary",), ready=has(tmp_path / "no"))
    async with Supervisor(tmp_path) as supervisor:
        with pytest.raises(StackError, match="cannot run /no/such/binary: No such file"):
            await supervisor.start(missing)


async def test_what_dies_is_restarted_and_its_workers_with_it(tmp_path: Path) -> None:
    """The group of a killed leader is emptied before the next run begins."""
    heard = Heard()
    async with Supervisor(tmp_path, on_event=heard.append) as supervisor:
        await supervisor.start(shell("family", "sleep 100 & sleep 100"))
        first = supervisor.pids["family"]
        await until(lambda: len(members(first)) == 3)
        os.kill(first, signal.SIGKILL)
        await until(lambda: heard.kinds("family").count(EventKind.READY) == 2)
        assert not members(first)
        assert supervisor.pids["family"] != first
    [died] = [event for event in heard if event.kind is EventKind.DIED]
    assert str(died) == "family died (signal SIGKILL) and restarts in 1 s"


async def test_a_program_for_one_run_is_not_restarted(tmp_path: Path) -> None:
    """It just ends, and how is told."""
    heard = Heard()
    async with Supervisor(tmp_path, on_event=heard.append) as supervisor:
        await supervisor.start(replace(shell("once", "sleep 0.1; exit 4"), restart=False))
        await until(lambda: EventKind.ENDED in heard.kinds("once"))
        assert supervisor.pids == {}
    assert str(heard[-1]) == "once ended (exit code 4)"


async def test_a_running_program_whose_disk_is_full_is_told_once(tmp_path: Path) -> None:
    """A server that lives on but cannot write does not stay unnoticed, nor fill the screen."""
    heard = Heard()
    script = "for i in 1 2 3; do echo 'AOF: No space left on device'; done; echo end; sleep 100"
    lines: list[str] = []
    async with Supervisor(
        tmp_path, on_event=heard.append, on_line=lambda _, line: lines.append(line)
    ) as supervisor:
        await supervisor.start(shell("full", script))
        await until(lambda: "end" in lines)
    assert heard.kinds("full").count(EventKind.TROUBLED) == 1


async def test_the_deaf_are_stopped_by_force_with_all_their_workers(tmp_path: Path) -> None:
    """After the grace the whole group ends."""
    deaf = replace(shell("deaf", "trap '' TERM; echo set; sleep 100 & sleep 100"), stop_grace=0.2)
    lines: list[str] = []
    async with Supervisor(tmp_path, on_line=lambda _, line: lines.append(line)) as supervisor:
        await supervisor.start(deaf)
        await until(lambda: bool(lines))
        group = supervisor.pids["deaf"]
    assert not members(group)


async def test_a_signal_stops_all_and_a_second_one_stops_harder(tmp_path: Path) -> None:
    """The first asks each program to stop in its own way; the second waits for none."""
    deaf = replace(shell("deaf", "trap '' TERM; echo set; sleep 1000"), stop_grace=1000)
    lines: list[str] = []
    heard = Heard()
    async with Supervisor(
        tmp_path, on_event=heard.append, on_line=lambda _, line: lines.append(line)
    ) as supervisor:
        await supervisor.start(shell("first", "sleep 1000"), deaf)
        await until(lambda: bool(lines))
        running = asyncio.create_task(supervisor.run_until_stopped())
        signal.raise_signal(signal.SIGINT)
        await until(lambda: EventKind.STOPPING in heard.kinds("deaf"))
        assert "deaf" in supervisor.pids
        signal.raise_signal(signal.SIGINT)
        await running
        assert supervisor.pids == {}
    assert EventKind.DIED not in [event.kind for event in heard]


async def test_a_signal_ends_work_between_the_programs(tmp_path: Path) -> None:
    """Ctrl-C is heard while something else is done; what the work raises is not lost."""
    cancelled = asyncio.Event()

    async def endless() -> None:
        signal.raise_signal(signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async def broken() -> None:
        raise StackError("it broke")

    async with Supervisor(tmp_path) as supervisor:
        assert await supervisor.unless_stopping(asyncio.sleep(0))
        with pytest.raises(StackError, match="it broke"):
            await supervisor.unless_stopping(broken())
        assert not await supervisor.unless_stopping(endless())
        assert cancelled.is_set()


async def test_a_signal_during_the_start_ends_it(tmp_path: Path) -> None:
    """Nobody has to wait for a program to get ready before Ctrl-C works."""
    heard = Heard()
    slow = replace(shell("slow", "sleep 1000"), ready=has(tmp_path / "no"))
    async with Supervisor(tmp_path, on_event=heard.append) as supervisor:
        starting = asyncio.create_task(supervisor.start(slow, shell("next", "sleep 1000")))
        await until(lambda: "slow" in supervisor.pids)
        signal.raise_signal(signal.SIGTERM)
        assert not await starting
    assert heard.kinds("next") == []
    assert heard.kinds("slow")[-1] is EventKind.STOPPED
