"""A signed webhook, as standard-webhooks has it: an id that never changes, a time, an HMAC."""

import base64
import hmac
import ipaddress
import socket
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp
import orjson
import structlog
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from student_hub.notifications.channel import Message, Outcome, Result
from student_hub.platform.clock import Clock

TIMEOUT_S = 15.0
MOST_READ = 4_096
LATER = frozenset({408, 425, 429})
OF_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
log = structlog.get_logger()


class Refused(OSError):
    """The name leads to an address that is not on the public network."""


class PublicOnly(AbstractResolver):
    """Finds addresses of the public network alone: what it gives is what is connected to."""

    def __init__(self, resolver: AbstractResolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses; Refused as soon as one of them is private."""
        found = await self._resolver.resolve(host, port, family)
        if not all(_is_public(each["host"]) for each in found):
            raise Refused(host)
        return found

    async def close(self) -> None:
        await self._resolver.close()


class Webhook:
    """Posts to a destination that its reader chose; who gets it twice knows it by `webhook-id`."""

    repeatable = True

    def __init__(
        self,
        secret: str,
        clock: Clock,
        *,
        private: bool = False,
        resolver: Callable[[], AbstractResolver] = ThreadedResolver,
    ) -> None:
        self._secret = secret.encode()
        self._clock = clock
        self._private = private
        self._resolver = resolver

    def secret_of(self, recipient: str) -> str:
        """What signs messages to that recipient; it tells nothing of anybody else's."""
        return f"whsec_{base64.b64encode(self._key_of(recipient)).decode()}"

    async def send(self, message: Message) -> Result:
        """What the destination said; redirects are not followed, answers hardly read."""
        if (problem := problem_of(message.to, private=self._private)) is not None:
            log.warning("webhook_refused", reason=problem)
            return Result(Outcome.PERMANENT, "destination_refused", bad_address=True)
        try:
            status = await self._post(message)
        except Refused:
            return Result(Outcome.PERMANENT, "destination_refused", bad_address=True)
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, Refused):
                return Result(Outcome.PERMANENT, "destination_refused", bad_address=True)
            return Result(Outcome.TEMPORARY, "destination_away")
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return Result(Outcome.TEMPORARY, "destination_away")
        return _result(status)

    async def _post(self, message: Message) -> int:
        body = orjson.dumps({"type": message.kind, **message.data})
        found = self._resolver()
        resolver = found if self._private else PublicOnly(found)
        connector = aiohttp.TCPConnector(resolver=resolver, force_close=True)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as http,
            http.post(
                message.to,
                data=body,
                headers=self._headers(message, body),
                allow_redirects=False,
            ) as answer,
        ):
            await answer.content.read(MOST_READ)
            return answer.status

    def _headers(self, message: Message, body: bytes) -> dict[str, str]:
        stamp = str(int(self._clock().timestamp()))
        signed = f"{message.id}.{stamp}.".encode() + body
        digest = hmac.digest(self._key_of(message.recipient), signed, "sha256")
        return {
            "Content-Type": "application/json",
            "webhook-id": str(message.id),
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }

    def _key_of(self, recipient: str) -> bytes:
        return hmac.digest(self._secret, recipient.encode(), "sha256")


def problem_of(url: str, *, private: bool) -> str | None:
    """Why nothing is sent there, as far as the URL alone tells; None when something may be."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "is not an address"
    if parts.username or parts.password:
        return "has a password in it"
    on_loopback = private and host in OF_LOOPBACK
    if parts.scheme != "https" and not (parts.scheme == "http" and on_loopback):
        return "does not begin with https://"
    if not host or (_is_literal(host) and not private and not _is_public(host)):
        return "is not on the public network"
    if host == "localhost" and not private:
        return "is not on the public network"
    return None


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found.sixtofour or found
    return found.is_global and not found.is_multicast


def _result(status: int) -> Result:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Result(Outcome.ACCEPTED)
    if status in LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Result(Outcome.TEMPORARY, f"http_{status}")
    gone = status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
    return Result(Outcome.PERMANENT, f"http_{status}", bad_address=gone)
