"""Webhooks: signed as standard-webhooks has it, repeatable, and kept off private networks."""

import base64
import hmac
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import asyncpg
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from factories import a_student
from notification_stage import Room, a_notice, a_reader
from student_hub.notifications.channel import Message, Outcome
from student_hub.notifications.schemas import ChannelName, PreferencesIn, Recipient, State
from student_hub.notifications.webhook import Webhook, problem_of
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.ids import new_id
from student_hub.platform.security.caller import Caller, Role
from student_hub.platform.security.keyring import Keyring

pytestmark = pytest.mark.requirement("webhook")
SECRET = "a secret of the settings, at least 32 signs"
CLASS = {"kind": "class", "school_id": "SCH001", "grade": 10, "class_name": "1반"}


class Lying(AbstractResolver):
    """Finds a public address and a private one behind every name."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        base = {"hostname": host, "port": port, "family": family, "proto": 6, "flags": 0}
        return [{**base, "host": address} for address in ("8.8.8.8", "10.0.0.7")]  # type: ignore[typeddict-item]

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Listener:
    """Whoever gets the messages: keeps them, and answers as it is told."""

    url: str = ""
    status: int = 204
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    elsewhere: int = 0

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        headers = {"Location": "/elsewhere"} if 300 <= self.status < 400 else {}
        return web.Response(status=self.status, headers=headers)

    async def stray(self, _request: web.Request) -> web.Response:
        self.elsewhere += 1
        return web.Response()


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    found, app = Listener(), web.Application()
    app.router.add_post("/hook", found.take)
    app.router.add_route("*", "/elsewhere", found.stray)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield found
    await runner.cleanup()


@pytest.fixture
def webhook() -> Webhook:
    return Webhook(SECRET, utc_now, private=True)


@pytest.fixture
def room(database: Database, keyring: Keyring, webhook: Webhook) -> Room:
    return Room(database, keyring, {ChannelName.WEBHOOK: webhook})


def a_message(to: str) -> Message:
    return Message(
        new_id(utc_now()), to, "reader", "안내", "본문", "", "student_hub.test", {"data": {}}
    )


async def a_teacher(room: Room, owner: asyncpg.Connection, listener: Listener) -> Caller:
    teacher = await a_reader(owner, Role.TEACHER, "homeroom", "homeroom", **CLASS)
    wanted = {"webhook": listener.url, "channels": {"plans": ["webhook"]}}
    await room.wishes.store(teacher, PreferencesIn.model_validate(wanted))
    return teacher


async def test_a_reader_can_check_what_they_get(
    room: Room, owner: asyncpg.Connection, listener: Listener
) -> None:
    """With the secret of their preferences; it says ids and what it is about, and no name."""
    student = await a_student(room.students)
    teacher = await a_teacher(room, owner, listener)
    await room.notify(a_notice(student.id, recipients=frozenset({Recipient.TEACHER})))
    await room.work()
    ((heads, body),) = listener.got
    secret = (await room.wishes.read(teacher)).webhook_secret or ""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{heads['webhook-id']}.{heads['webhook-timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    assert heads["webhook-signature"] == f"v1,{digest}"
    assert heads["webhook-id"] == str((await room.only()).id)
    assert str(student.id).encode() in body
    assert student.name.encode() not in body


async def test_a_repeated_message_has_the_same_id(
    room: Room, owner: asyncpg.Connection, listener: Listener
) -> None:
    """Whoever takes ids once, takes it once: so it may be sent again after a fault."""
    student = await a_student(room.students)
    await a_teacher(room, owner, listener)
    listener.status = 503
    await room.notify(a_notice(student.id, recipients=frozenset({Recipient.TEACHER})))
    await room.work()
    listener.status = 200
    await room.work()
    assert (await room.only()).state is State.SENT
    assert len({heads["webhook-id"] for heads, _ in listener.got}) == 1
    assert len(listener.got) == 2


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.ACCEPTED),
        (302, Outcome.PERMANENT),
        (400, Outcome.PERMANENT),
        (410, Outcome.PERMANENT),
        (429, Outcome.TEMPORARY),
        (500, Outcome.TEMPORARY),
    ],
)
async def test_each_answer_has_its_outcome_and_no_redirect_is_followed(
    webhook: Webhook, listener: Listener, status: int, outcome: Outcome
) -> None:
    """What was signed for one place goes to no other."""
    listener.status = status
    assert (await webhook.send(a_message(listener.url))).outcome is outcome
    assert listener.elsewhere == 0


async def test_a_secret_is_of_one_reader(webhook: Webhook) -> None:
    """Nobody can sign for another, or learn what all are made of."""
    assert webhook.secret_of("one") != webhook.secret_of("two")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/hook",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://localhost/",
        "https://10.0.0.7/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:10.0.0.7]/",
        "https://user:pass@example.org/",
        "https:///nobody",
        "ftp://example.org/",
        "https://example.org:99999/",
    ],
)
async def test_no_webhook_goes_to_a_private_place(url: str) -> None:
    """Literal addresses of every kind, other schemes, passwords: refused before a connection."""
    assert problem_of(url, private=False) is not None
    result = await Webhook(SECRET, utc_now).send(a_message(url))
    assert (result.outcome, result.reason) == (Outcome.PERMANENT, "destination_refused")


async def test_a_name_that_leads_to_a_private_place_is_refused_when_it_is_looked_up() -> None:
    """What is connected to is what was checked: a name cannot change its mind in between."""
    webhook = Webhook(SECRET, utc_now, resolver=Lying)
    result = await webhook.send(a_message("https://school.example/hook"))
    assert (result.outcome, result.reason) == (Outcome.PERMANENT, "destination_refused")


async def test_a_webhook_of_a_public_name_may_be_stored() -> None:
    """The check refuses what it must and nothing else."""
    assert problem_of("https://school.example/hooks/1", private=False) is None
