"""A real SMTP server on a free port of loopback, which can be told how to fail."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

ACCEPT = "accept"
LATER = "later"
REFUSE = "refuse"
CUT = "cut"
"""Takes the message, and breaks the line instead of saying so."""
HANG = "hang"
"""Takes the message, and never says so."""


@dataclass
class Sink:
    """Keeps every mail whose data came through, whatever it said about it."""

    port: int = 0
    mode: str = ACCEPT
    kept: list[tuple[list[str], bytes]] = field(default_factory=list)
    took: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def mails(self) -> list[EmailMessage]:
        """What came, parsed as a mail program would."""
        return [
            message_from_bytes(raw, EmailMessage, policy=policy.default) for _, raw in self.kept
        ]

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's own name)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if self.mode == REFUSE:
            return "550 5.1.1 no such user here"
        if self.mode == LATER:
            return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 (aiosmtpd's own name)
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        self.kept.append((list(envelope.rcpt_tos), content))
        self.took.set()
        if self.mode == CUT and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        if self.mode == HANG:
            await asyncio.Event().wait()
        return f"250 2.0.0 Ok: queued as Q{len(self.kept)}"


@contextmanager
def mail_server() -> Iterator[Sink]:
    """Serves until the block ends, in a thread and loop of its own."""
    sink, loop = Sink(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def serve() -> asyncio.Server:
        def protocol() -> SMTP:
            return SMTP(sink, hostname="sink.test", loop=loop)

        return await loop.create_server(protocol, "127.0.0.1", 0)

    async def stop() -> None:
        server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    server = asyncio.run_coroutine_threadsafe(serve(), loop).result()
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
