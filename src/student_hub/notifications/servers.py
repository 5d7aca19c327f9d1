"""A mail server as its URL says it."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
SENDER = re.compile(r"[!-~]+@[A-Za-z0-9.-]+")
FORM = "SMTP_URL must look like smtp://user:password@host:port?starttls=1 or smtps://host"
PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in, and as whom; a password goes over TLS only, but on loopback."""

    host: str
    port: int
    tls: bool
    starttls: bool | None
    """None: when it is offered."""
    user: str | None
    password: str | None

    @classmethod
    def of(cls, url: str) -> "MailServer":
        """The server; ValueError, without the URL, for one that cannot be used."""
        try:
            parts = urlsplit(url)
            host, port, scheme = parts.hostname, parts.port, parts.scheme
        except ValueError as error:
            raise ValueError(FORM) from error
        if scheme not in PORTS or not host:
            raise ValueError(FORM)
        must = parse_qs(parts.query).get("starttls") == ["1"]
        user = unquote(parts.username) if parts.username else None
        if user and not (must or scheme == "smtps" or host in LOOPBACK):
            raise ValueError("SMTP_URL has a password: it needs smtps:// or ?starttls=1")
        return cls(
            host=host,
            port=port or PORTS[scheme],
            tls=scheme == "smtps",
            starttls=None if not must else True,
            user=user,
            password=unquote(parts.password) if parts.password else None,
        )


def sender_of(text: str) -> str:
    """The address that mail comes from; ValueError for one that is none."""
    if not SENDER.fullmatch(text):
        raise ValueError("MAIL_FROM must be an address such as hub@school.example")
    return text
