"""A room whose mail goes to a real server, and whose webhooks to a real listener."""

from collections.abc import Iterator

import pytest

from fakes.mailserver import Sink, mail_server
from notification_stage import Room
from student_hub.notifications.mail import Mail
from student_hub.notifications.schemas import ChannelName
from student_hub.notifications.servers import MailServer
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.security.keyring import Keyring


@pytest.fixture
def sink() -> Iterator[Sink]:
    with mail_server() as running:
        yield running


@pytest.fixture
def room(database: Database, keyring: Keyring, sink: Sink) -> Room:
    mail = Mail(MailServer.of(sink.url), "hub@school.example", utc_now)
    return Room(database, keyring, {ChannelName.EMAIL: mail})
