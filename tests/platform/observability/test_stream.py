"""Where lines go, and when."""

import asyncio
import io
import threading

import pytest

from student_hub.platform.observability.stream import Lines

pytestmark = pytest.mark.requirement("logs-without-persons")


class Pipe(io.RawIOBase):
    """Keeps each write apart."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.writes.append(bytes(memoryview(data)))  # type: ignore[arg-type]
        return len(self.writes[-1])


def lines() -> tuple[Lines, Pipe]:
    pipe = Pipe()
    return Lines(io.TextIOWrapper(io.BufferedWriter(pipe))), pipe


async def test_the_lines_of_one_turn_of_the_loop_leave_in_one_write() -> None:
    """In their order, each with its end; the next turn's follow by themselves."""
    out, pipe = lines()
    for number in range(3):
        out.info(b"%d" % number)
    assert pipe.writes == []
    await asyncio.sleep(0)
    out.info(b"3")
    await asyncio.sleep(0)
    assert pipe.writes == [b"0\n1\n2\n", b"3\n"]


async def test_an_error_leaves_at_once_with_what_was_before_it() -> None:
    """Whatever becomes of the process."""
    out, pipe = lines()
    out.info(b"before")
    out.error(b"now")
    assert pipe.writes == [b"before\nnow\n"]
    await asyncio.sleep(0)
    assert pipe.writes == [b"before\nnow\n"]


def test_without_a_loop_a_line_leaves_at_once() -> None:
    """In a command's own thread nobody would come back to it."""
    out, pipe = lines()
    out.info(b"alone")
    assert pipe.writes == [b"alone\n"]


async def test_lines_of_threads_are_neither_lost_nor_torn() -> None:
    """Workers log from threads while the loop's lines are held."""
    out, pipe = lines()
    threads = [
        threading.Thread(target=lambda n=n: [out.info(b"%d-%d" % (n, i)) for i in range(200)])
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        out.info(b"loop")
        await asyncio.sleep(0)
    out.flush()
    said = b"".join(pipe.writes).split(b"\n")
    wanted = {b"%d-%d" % (n, i) for n in range(4) for i in range(200)}
    assert sorted(line for line in said if line not in {b"loop", b""}) == sorted(wanted)
