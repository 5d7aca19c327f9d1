"""The doors of the room on the real hub: who may knock, and what each is shown."""

import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx2
import pytest

from access.matrix_stage import done
from factories import student_fields
from notification_stage import EVERYBODY, a_notice, by_mail
from student_hub.entry.house import build
from student_hub.notifications.schemas import Template
from student_hub.notifications.service import Notifications
from student_hub.notifications.unsubscribing import Links
from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import SYSTEM
from student_hub.platform.security.keyring import Keyring
from whole_hub import WholeHub, whole_hub

pytestmark = [pytest.mark.requirement("inbox", "no-leaks"), pytest.mark.timeout(300)]
CAST = {
    "pupil": ("student", {"kind": "student", "relation": "self"}),
    "mum": ("parent", {"kind": "student", "relation": "mother"}),
    "homeroom": ("teacher", {"kind": "class", "relation": "homeroom"}),
    "other": ("teacher", {"kind": "class", "relation": "homeroom", "class_name": "9반"}),
    "machine": ("service", None),
}
PLACE = {"school_id": "SCH001", "grade": 10, "class_name": "1반"}
READERS = ("pupil", "mum", "homeroom", "other")
DOORS = (("GET", "/v1/inbox"), ("GET", "/v1/preferences"), ("PUT", "/v1/preferences"))
ADDRESS = "parent@example.kr"


class Stage:
    """A hub, a student of whom all were told, and a key for each of the cast."""

    def __init__(self, hub: WholeHub) -> None:
        self.hub = hub
        self.student = student_fields(name="은하별나라", **by_mail(ADDRESS))
        self.keys: dict[str, str] = {}

    def ask(self, who: str, method: str, path: str, **given: Any) -> httpx2.Response:
        with self.hub.client(self.keys.get(who)) as client:
            return client.request(method, path, **given)

    async def prepare(self) -> None:
        made = done(self.ask("admin", "POST", "/v1/students", json=self.student)).json()
        self.student["id"] = made["id"]
        for name, (role, grant) in CAST.items():
            wanted = {"name": name, "role": role, "scopes": ["read"], "subject": name}
            key = done(self.ask("admin", "POST", "/admin/keys", json=wanted)).json()["key"]
            if grant is not None:
                mine = {"student_id": made["id"]} if grant["kind"] == "student" else PLACE
                wish = {"subject": name, **mine, **grant}
                done(self.ask("admin", "POST", "/admin/grants", json=wish))
            self.keys[name] = key
        await self.tell()

    async def tell(self) -> None:
        house = build(self.hub.settings)
        try:
            async with house.parts.get(Database).transaction(SYSTEM) as tx:
                for template in (Template.INTERVENTION_CREATED, Template.REPORT_READY):
                    notice = a_notice(
                        self.student["id"],  # type: ignore[arg-type]
                        template=template,
                        recipients=EVERYBODY,
                    )
                    await house.parts.get(Notifications).notify(tx, notice)
        finally:
            await house.close()

    def link(self, notification_id: str) -> str:
        """What a mail about that notification would have in it."""
        secret = self.hub.settings.encryption_key
        assert secret is not None
        keyring = Keyring.from_base64(secret.get_secret_value())
        return Links(keyring, "").link(UUID(notification_id))


@pytest.fixture
async def stage(database_url: str, valkey_url: str) -> AsyncIterator[Stage]:
    with whole_hub(database_url, valkey_url, rate_limit_per_minute=0) as hub:
        stage = Stage(hub)
        await stage.prepare()
        yield stage


async def test_each_role_reads_its_own_and_marks_its_own(stage: Stage) -> None:
    """Three readers have two messages, another class's teacher none, others no inbox at all."""
    boxes = {name: stage.ask(name, "GET", "/v1/inbox").json() for name in READERS}
    assert {name: len(box["messages"]) for name, box in boxes.items()} == {
        "pupil": 2,
        "mum": 2,
        "homeroom": 3,  # and that the family cannot be mailed, as there is no mail server
        "other": 0,
    }
    for name in ("admin", "machine"):
        for method, path in DOORS:
            assert stage.ask(name, method, path, json={}).status_code == 403, (name, path)
    path = f"/v1/inbox/{boxes['mum']['messages'][0]['id']}/read"
    absent = "/v1/inbox/00000000-0000-7000-8000-000000000000/read"
    for name in ("pupil", "homeroom", "other"):
        assert stage.ask(name, "POST", path).status_code == 404
        assert stage.ask(name, "POST", absent).status_code == 404
    assert stage.ask("mum", "POST", path).status_code == 204
    assert stage.ask("mum", "GET", "/v1/inbox").json()["unread"] == 1


async def test_preferences_are_each_readers_own(stage: Stage) -> None:
    """Stored, read, refused by field; another sees nothing of them."""
    wanted = {"language": "en", "email": "mum@example.kr", "channels": {"plans": ["email"]}}
    assert done(stage.ask("mum", "PUT", "/v1/preferences", json=wanted)).json()["language"] == "en"
    assert stage.ask("mum", "GET", "/v1/preferences").json()["email"] == "mum@example.kr"
    assert stage.ask("pupil", "GET", "/v1/preferences").json()["email"] is None
    refused = stage.ask("mum", "PUT", "/v1/preferences", json={"email": "x", "age": 3})
    assert refused.status_code == 422
    assert {error["field"] for error in refused.json()["errors"]} == {"email", "age"}


async def test_the_log_of_messages_has_neither_addresses_nor_words(stage: Stage) -> None:
    """Administrators filter it; nobody else is let in."""
    log = stage.ask("admin", "GET", "/admin/notifications", params={"channel": "in_app"})
    assert len(log.json()["notifications"]) == 7
    assert ADDRESS not in log.text
    assert "은하별나라" not in log.text
    for name in CAST:
        assert stage.ask(name, "GET", "/admin/notifications").status_code == 403


async def test_the_link_of_a_mail_needs_no_key_and_asks_before_it_ends_anything(
    stage: Stage,
) -> None:
    """A GET changes nothing, a POST as mail programs send it does (RFC 8058)."""
    log = stage.ask("admin", "GET", "/admin/notifications").json()["notifications"]
    row = next(r for r in log if r["recipient"] == "mum" and r["template"] == "report_ready")
    path, body = stage.link(row["id"]), {"List-Unsubscribe": "One-Click"}
    with httpx2.Client(base_url=stage.hub.url) as nobody:
        page = nobody.get(path)
        assert (page.status_code, "<form" in page.text) == (200, True)
        assert re.search(r"default-src 'none'", page.headers["content-security-policy"])
        before = stage.ask("mum", "GET", "/v1/preferences").json()["channels"]
        assert nobody.post(path, data=body).status_code == 200
        assert nobody.post("/unsubscribe?token=forged", data=body).status_code == 404
        assert nobody.post("/unsubscribe").status_code == 422
    assert before == {}
    assert stage.ask("mum", "GET", "/v1/preferences").json()["channels"] == {"reports": ["in_app"]}
