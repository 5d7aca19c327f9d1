"""What is looked up when the metrics are scraped, and not at every scrape."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

FRESH_S = 5.0
PATIENCE_S = 1.0
T = TypeVar("T")
log = structlog.get_logger()


class Look(Generic[T]):
    """The latest reading, a few seconds old at most; None while it cannot be had."""

    def __init__(self, read: Callable[[], Awaitable[T]], *, failed: str) -> None:
        self._read = read
        self._failed = failed
        self._at = float("-inf")
        self.found: T | None = None

    async def refresh(self) -> None:
        """Reads anew, if that was not done just now; `failed` is what the log says else."""
        now = time.monotonic()
        if now - self._at < FRESH_S:
            return
        self._at = now
        try:
            async with asyncio.timeout(PATIENCE_S):
                self.found = await self._read()
        except Exception as error:  # noqa: BLE001 (a gap in the series is the right thing to show)
            self.found = None
            log.warning(self._failed, reason=type(error).__name__)
