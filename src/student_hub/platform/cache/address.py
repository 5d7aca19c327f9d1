"""Where the store is, and what has to be said to it first: what a REDIS_URL says."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio.connection import SSLConnection, parse_url

from student_hub.platform.cache.resp import command


@dataclass(frozen=True, slots=True)
class Address:
    """A server's address with the commands that open a connection to it."""

    host: str = "localhost"
    port: int = 6_379
    path: str | None = None
    tls: ssl.SSLContext | None = None
    greeting: tuple[bytes, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, url: str) -> "Address":
        """What redis:// (plain), rediss:// (TLS) or unix:// says; ValueError for another URL.

        It is read by the client library that Celery uses, so that one URL means one thing.
        """
        said: dict[str, Any] = dict(parse_url(url))
        return cls(
            host=said.get("host", "localhost"),
            port=said.get("port", 6_379),
            path=said.get("path"),
            tls=_tls(said) if said.get("connection_class") is SSLConnection else None,
            greeting=tuple(_greeting(said)),
        )

    async def connect(self, protocol: Callable[[], asyncio.Protocol]) -> None:
        """Opens a connection; OSError when there is none to be had."""
        loop = asyncio.get_running_loop()
        if self.path is not None:
            await loop.create_unix_connection(protocol, self.path)
        else:
            await loop.create_connection(protocol, self.host, self.port, ssl=self.tls)


def _greeting(said: dict[str, Any]) -> list[bytes]:
    spoken = []
    if "password" in said:
        who = [said["username"]] if "username" in said else []
        spoken.append(command("AUTH", *who, said["password"]))
    if said.get("db"):
        spoken.append(command("SELECT", int(said["db"])))
    return spoken


def _tls(said: dict[str, Any]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=said.get("ssl_ca_certs"))
    if said.get("ssl_certfile"):
        context.load_cert_chain(said["ssl_certfile"], said.get("ssl_keyfile"))
    if said.get("ssl_cert_reqs") in {"none", "CERT_NONE"}:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif not said.get("ssl_check_hostname", True):
        context.check_hostname = False
    return context
