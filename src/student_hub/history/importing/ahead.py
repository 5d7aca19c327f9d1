"""Reading ahead: the next part is made in a thread while the one before it is being stored."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from typing import TypeVar

T = TypeVar("T")


async def ahead(parts: Iterator[T]) -> AsyncGenerator[T, None]:
    """The parts in their order, one of them made ahead; errors arrive where their part would."""
    coming = asyncio.create_task(asyncio.to_thread(next, parts, None))
    try:
        while (part := await coming) is not None:
            coming = asyncio.create_task(asyncio.to_thread(next, parts, None))
            yield part
    finally:
        # The thread must be done with the file before its owner closes it.
        await asyncio.wait([coming])
        coming.exception()
