"""Turns: so many at a time, in order, and nobody waits in vain."""

import asyncio

import pytest

from nodes.ticks import Ticks
from student_hub.profiles.errors import TooBusy
from student_hub.profiles.turns import Turns

pytestmark = pytest.mark.requirement("profile-turns")


class Crowd:
    """Takes turns; each ends when it is told to."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._ends: dict[int, asyncio.Event] = {}
        self.begun: list[int] = []
        self.tasks: dict[int, asyncio.Task[None]] = {}

    async def come(self, *numbers: int) -> None:
        for number in numbers:
            self._ends[number] = asyncio.Event()
            self.tasks[number] = asyncio.create_task(self._take(number))
            await settled()

    async def end(self, *numbers: int) -> None:
        for number in numbers:
            self._ends[number].set()
            await settled()

    async def _take(self, number: int) -> None:
        async with self._turns.turn():
            self.begun.append(number)
            await self._ends[number].wait()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_turns_are_given_in_the_order_of_asking() -> None:
    """Two at a time: the third begins when one of them ends."""
    crowd = Crowd(Turns(2, 60))
    await crowd.come(1, 2, 3, 4, 5)
    assert crowd.begun == [1, 2]
    await crowd.end(2)
    assert crowd.begun == [1, 2, 3]
    await crowd.end(1, 3, 4, 5)
    assert crowd.begun == [1, 2, 3, 4, 5]
    await asyncio.gather(*crowd.tasks.values())


async def test_who_goes_away_leaves_the_turn_to_the_next() -> None:
    """While waiting, and while at it."""
    crowd = Crowd(Turns(1, 60))
    await crowd.come(1, 2, 3, 4)
    crowd.tasks[2].cancel()
    crowd.tasks[1].cancel()
    await settled()
    assert crowd.begun == [1, 3]
    await crowd.end(3, 4)
    assert crowd.begun == [1, 3, 4]


async def test_nobody_waits_for_longer_than_they_may() -> None:
    """The turn is not to be had in time, and the next who comes has it once it is free."""
    crowd = Crowd(Turns(1, 0.01))
    await crowd.come(1, 2)
    with pytest.raises(TooBusy):
        await crowd.tasks[2]
    await crowd.end(1)
    await crowd.come(3)
    assert crowd.begun == [1, 3]
    await crowd.end(3)


async def test_who_would_wait_in_vain_is_told_at_once() -> None:
    """Ten turns end in a second, so that in three seconds it is the turn of thirty, or a few more.

    As long as the queue is younger than a second nobody knows.
    """
    ticks = Ticks()
    crowd = Crowd(Turns(1, 3.0, monotonic=ticks))
    await crowd.come(*range(60))
    assert not any(task.done() for task in crowd.tasks.values())
    for number in range(20):
        ticks.move(0.1)
        await crowd.end(number)
    await crowd.come(60)
    assert isinstance(crowd.tasks[60].exception(), TooBusy)
    await crowd.end(20, 21, 22)
    await crowd.come(61)
    assert not crowd.tasks[61].done()
    await crowd.end(*range(23, 60), 61)
    await asyncio.gather(*(task for number, task in crowd.tasks.items() if number != 60))


async def test_a_slow_hour_is_not_held_against_a_quick_one() -> None:
    """What was before the queue was last empty does not count."""
    ticks = Ticks()
    crowd = Crowd(Turns(1, 3.0, monotonic=ticks))
    await crowd.come(*range(40))
    for number in range(40):
        ticks.move(1)
        await crowd.end(number)
    await crowd.come(*range(100, 150))
    assert not any(crowd.tasks[number].done() for number in range(100, 150))
    await crowd.end(*range(100, 150))
