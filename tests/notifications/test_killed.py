"""A sender that is killed at the worst moment, as a real process."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from factories import a_student
from fakes.mailserver import ACCEPT, HANG, Sink
from notification_stage import Room, a_notice, by_mail
from student_hub.notifications.schemas import State

pytestmark = pytest.mark.requirement("send-killed")
WORKER = Path(__file__).parents[1] / "notification_worker.py"
PATIENCE_S = 60
ROUNDS = 3


@contextmanager
def worker(database_url: str, sink: Sink) -> Iterator[subprocess.Popen[bytes]]:
    wanted = json.dumps({"database_url": database_url, "smtp_url": sink.url})
    with subprocess.Popen([sys.executable, str(WORKER), wanted]) as process:
        try:
            yield process
        finally:
            process.kill()


async def test_killed_between_accept_and_mark_there_is_one_mail_and_a_person_decides(
    room: Room, sink: Sink, database_url: str
) -> None:
    """The server has the mail and has not said so: kill -9; the next worker sends no second one."""
    for number in range(1, ROUNDS + 1):
        student = await a_student(room.students, **by_mail())
        sink.mode = HANG
        sink.took.clear()
        await room.notify(a_notice(student.id))
        with worker(database_url, sink) as first:
            assert await asyncio.to_thread(sink.took.wait, PATIENCE_S)
            (row,) = await room.log(student_id=student.id)
            assert row.state is State.SENDING
            first.kill()
        sink.mode = ACCEPT
        with worker(database_url, sink) as second:
            assert await asyncio.to_thread(second.wait, PATIENCE_S) == 0
        (row,) = await room.log(student_id=student.id)
        assert (row.state, len(sink.kept)) == (State.UNKNOWN, number)
