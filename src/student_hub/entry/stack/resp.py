"""As much of the Redis protocol (RESP2) as readiness needs."""

import asyncio
import contextlib

from student_hub.entry.stack.ports import LOOPBACK

_NO_ANSWER = (asyncio.IncompleteReadError, asyncio.LimitOverrunError)


async def pings(port: int, password: str, seconds: float = 2.0) -> bool:
    """Whether a server on the loopback takes the password and answers PONG."""
    with contextlib.suppress(OSError, TimeoutError, *_NO_ANSWER):
        async with asyncio.timeout(seconds):
            return await _ask(port, password)
    return False


async def _ask(port: int, password: str) -> bool:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        writer.write(_command("AUTH", password) + _command("PING"))
        await writer.drain()
        answers = [await reader.readuntil(b"\r\n") for _ in range(2)]
        return answers == [b"+OK\r\n", b"+PONG\r\n"]
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _command(*words: str) -> bytes:
    parts = [word.encode() for word in words]
    body = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
    return b"*%d\r\n%s" % (len(parts), body)
