"""How many requests begin in one turn of the loop: so that turns stay short, however many come."""

import asyncio
from collections import deque
from collections.abc import Callable

A_TURN = 32

Begin = Callable[[], None]


class Pace:
    """Begins at most so many at a time; the others wait in their order for the next turns.

    A turn that begins a thousand takes a tenth of a second, in which nobody is even refused.
    """

    def __init__(self, a_turn: int = A_TURN) -> None:
        self._a_turn = a_turn
        self._begun = 0
        self._waiting: deque[Begin] = deque()

    @property
    def waiting(self) -> int:
        """How many have not begun."""
        return len(self._waiting)

    def begin(self, begin: Begin) -> None:
        """Begins now, or in its turn."""
        if self._waiting or self._begun >= self._a_turn:
            self._waiting.append(begin)
            return
        if not self._begun:
            asyncio.get_running_loop().call_soon(self._next_turn)
        self._begun += 1
        begin()

    def _next_turn(self) -> None:
        self._begun = min(self._a_turn, len(self._waiting))
        for _ in range(self._begun):
            self._waiting.popleft()()
        if self._begun:
            asyncio.get_running_loop().call_soon(self._next_turn)
