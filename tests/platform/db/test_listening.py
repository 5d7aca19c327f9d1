"""The line to PostgreSQL's news, and how it is put down."""

import asyncio
import random

import pytest

from student_hub.platform.db import listening
from student_hub.platform.db.listening import Listener

pytestmark = pytest.mark.requirement("remembered-rows")

CLOSES = 40
BOUND_S = 10


async def test_a_listener_can_be_closed_at_any_moment(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also at the very moment when a heartbeat's answer has come: a process must be able to end."""
    monkeypatch.setattr(listening, "HEARTBEAT_S", 0.0)
    dice = random.Random(7)  # noqa: S311 (a seed that can be repeated)
    for _ in range(CLOSES):
        listener = Listener(database_url)
        async with asyncio.timeout(BOUND_S):
            while not listener.hears:  # noqa: ASYNC110 (the server's answer is what is waited for)
                await asyncio.sleep(0.002)
        for _ in range(dice.randrange(12)):
            await asyncio.sleep(0)
        done, _pending = await asyncio.wait(
            [asyncio.create_task(listener.close())], timeout=BOUND_S
        )
        assert done, "the listener goes on"
