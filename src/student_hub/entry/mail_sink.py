"""Where the demo's mails go while no mail server is named: into files of the data folder."""

import asyncio
import signal
from datetime import UTC, datetime
from email import message_from_binary_file, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from student_hub.entry.stack.private import write_private

FOLDER = "mails"
SHOWN = 50
MOST_KEPT = 500
LOOPBACK = "127.0.0.1"
MOST_BYTES = 1_024 * 1_024


class Keeper:
    """Takes every mail and keeps it as a file; none goes anywhere."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    async def handle_DATA(  # noqa: N802 (aiosmtpd's own name)
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keeps the mail, readable by its owner alone: people's data is in it."""
        self._number += 1
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{self._number:05}"
        content = envelope.content
        raw = content if isinstance(content, bytes) else str(content).encode()
        await asyncio.to_thread(self._keep, f"{name}.eml", raw.decode("ascii"))
        return f"250 2.0.0 Ok: queued as {name}"

    def _keep(self, name: str, text: str) -> None:
        write_private(self._folder / name, text)
        for old in sorted(self._folder.glob("*.eml"))[:-MOST_KEPT]:
            old.unlink()


def run_mail_sink(folder: Path, port: int) -> None:
    """Takes mail on loopback until SIGTERM."""
    kept = folder / FOLDER
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    asyncio.run(_serve(kept, port))


def listed(folder: Path) -> str:
    """The newest mails: when, to whom, about what, and where they lie."""
    files = sorted((folder / FOLDER).glob("*.eml"))[-SHOWN:]
    lines = [_line(file) for file in files]
    return "\n".join([*lines, f"{len(lines)} mails in {folder / FOLDER}"])


async def _serve(folder: Path, port: int) -> None:
    keeper, loop, told = Keeper(folder), asyncio.get_running_loop(), asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, told.set)

    def protocol() -> Any:
        return SMTP(keeper, hostname="student-hub", loop=loop, data_size_limit=MOST_BYTES)

    server = await loop.create_server(protocol, LOOPBACK, port)
    await told.wait()
    server.close()


def _line(file: Path) -> str:
    with file.open("rb") as opened:
        mail = message_from_binary_file(opened, EmailMessage, policy=policy.default)
    return f"{file.stem[:15]}  {mail['To']}  {mail['Subject']}"
