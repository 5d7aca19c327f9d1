"""How many calls to a node may be repeated: a share of all calls, so that repeats stay few."""

from student_hub.nodes.window import Monotonic, Window

WINDOW_S = 10
CALLS_PER_RETRY = 5
FREE_PER_SECOND = 1


class RetryBudget:
    """In any 10 s, one repeat for five calls and one for each second."""

    def __init__(self, monotonic: Monotonic) -> None:
        self._window = Window(monotonic, WINDOW_S)

    def count_call(self) -> None:
        """A call was made; repeats are not counted here."""
        self._window.add(marked=False)

    def take(self) -> bool:
        """Whether one more repeat may be made; if so, it counts as made."""
        events, retries = self._window.counts()
        allowed = retries < (events - retries) // CALLS_PER_RETRY + WINDOW_S * FREE_PER_SECOND
        if allowed:
            self._window.add(marked=True)
        return allowed
