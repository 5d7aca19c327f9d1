"""Mail by SMTP: one connection a message, and an honest word on where it broke off."""

import re
from collections.abc import Awaitable
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

import aiosmtplib
import structlog

from student_hub.notifications.channel import Message, Outcome, Result
from student_hub.notifications.servers import MailServer
from student_hub.platform.clock import Clock
from student_hub.platform.text import visible

TIMEOUT_S = 30.0
LONGEST_SUBJECT = 150
PERMANENT = 500
# RFC 5321 and 3463: a full mailbox (552) and a server's own trouble say nothing of the address.
BAD_ADDRESS = frozenset({510, 511, 512, 513, 550, 551, 553, 556})
# Folding at 78 loses blanks between encoded words on Python 3.11 and 3.12: long Korean subjects.
POLICY = policy.SMTP.clone(max_line_length=998)
QUEUED = re.compile(r"\b(?:queued as|id=)\s*([A-Za-z0-9._-]{1,100})", re.IGNORECASE)
BROKEN = (aiosmtplib.SMTPException, OSError, TimeoutError)
log = structlog.get_logger()


class Mail:
    """Sends by one server. Nobody can tell two mails from one, so that it is never repeated."""

    repeatable = False

    def __init__(self, server: MailServer, sender: str, clock: Clock) -> None:
        self._server = server
        self._sender = sender
        self._clock = clock

    async def send(self, message: Message) -> Result:
        """What the server said; `unknown` when the line broke after the message had begun."""
        try:
            mail = self._mail(message)
        except (ValueError, UnicodeError, IndexError):
            return Result(Outcome.PERMANENT, "address_unusable", bad_address=True)
        client = aiosmtplib.SMTP(
            hostname=self._server.host,
            port=self._server.port,
            username=self._server.user,
            password=self._server.password,
            use_tls=self._server.tls,
            start_tls=self._server.starttls,
            timeout=TIMEOUT_S,
        )
        try:
            return await self._hand_in(client, mail)
        finally:
            client.close()

    async def _hand_in(self, client: aiosmtplib.SMTP, mail: EmailMessage) -> Result:
        to = mail["To"].addresses[0].addr_spec
        refused = await _said(_greet(client, self._sender), "not_taken")
        refused = refused or await _said(client.rcpt(to), "recipient")
        if refused is not None:
            return refused
        try:
            response = await client.data(mail.as_bytes())
        except aiosmtplib.SMTPResponseException as error:
            permanent = error.code >= PERMANENT
            return Result(Outcome.PERMANENT if permanent else Outcome.TEMPORARY, f"{error.code}")
        except BROKEN as error:
            log.warning("mail_broke_off", reason=type(error).__name__)
            return Result(Outcome.UNKNOWN, "broke_off")
        queued = QUEUED.search(response.message)
        return Result(Outcome.ACCEPTED, provider_id=queued[1] if queued else None)

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage(policy=POLICY)
        mail["Subject"] = _one_line(message.title)[:LONGEST_SUBJECT]
        mail["From"] = Address("Student Hub", addr_spec=self._sender)
        mail["To"] = Address(addr_spec=_in_ascii(message.to))
        mail["Date"] = format_datetime(self._clock())
        mail["Message-ID"] = f"<{message.id}@{self._sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        if message.unsubscribe is not None:
            mail["List-Unsubscribe"] = f"<{message.unsubscribe}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        mail.set_content(message.text, cte="base64")
        mail.add_alternative(message.html, subtype="html", cte="base64")
        return mail


async def _greet(client: aiosmtplib.SMTP, sender: str) -> None:
    await client.connect()
    await client.mail(sender)


async def _said(step: Awaitable[object], name: str) -> Result | None:
    """Why the step was refused; None when it was done. Nothing has been handed over by then."""
    try:
        await step
    except aiosmtplib.SMTPResponseException as error:
        # What the server has against us is not the recipient's fault: it may be mended.
        final = name == "recipient" and error.code >= PERMANENT
        bad = final and error.code in BAD_ADDRESS
        outcome = Outcome.PERMANENT if final else Outcome.TEMPORARY
        return Result(outcome, f"{name}_{error.code}", bad_address=bad)
    except BROKEN as error:
        log.warning("mail_not_taken", reason=type(error).__name__)
        return Result(Outcome.TEMPORARY, "server_away")
    return None


def _one_line(text: str) -> str:
    return " ".join(visible(text).split())


def _in_ascii(address: str) -> str:
    """The address, its domain as the network knows it; ValueError where its name is not ASCII."""
    name, _, domain = address.rpartition("@")
    name.encode("ascii")
    return f"{name}@{domain.encode('idna').decode()}"
