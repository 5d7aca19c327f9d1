"""The socket that a node listens on."""

import asyncio
import socket

import pytest

from reference_nodes.__main__ import _listener

pytestmark = pytest.mark.requirement("nodes-serving")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_answers_leave_at_once(host: str) -> None:
    """Nagle's algorithm is off on what it accepts: with it, an answer may wait 40 ms for an ACK."""
    at_once: asyncio.Queue[int] = asyncio.Queue()

    def take(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken = writer.get_extra_info("socket")
        at_once.put_nowait(taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    with _listener(host, 0) as listener:
        async with await asyncio.start_server(take, sock=listener):
            with socket.create_connection(listener.getsockname()[:2]):
                assert await asyncio.wait_for(at_once.get(), 10)
