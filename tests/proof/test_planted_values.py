"""Personal values, planted at the doors and looked for wherever they may not be in clear."""

import asyncio
import base64
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx2
import pytest
import redis
from pydantic import SecretStr

from doorway import running
from notification_stage import EVERYBODY, a_notice
from servers import running_program, scratch_folder
from student_hub.entry import programs
from student_hub.entry.house import build
from student_hub.entry.stack.ports import find_free
from student_hub.notifications.service import Notifications
from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import SYSTEM
from student_hub.platform.settings import Settings
from whole_hub import ANSWERS, BareNode

pytestmark = pytest.mark.requirement("no-personal-data-in-clear")

PLANTED = {
    "name": "은하별나라",
    "email": "planted.pupil@family.example",
    "parent_contact": "010-4242-7373",
    "special_needs": "말더듬관찰기록",
    "reader_mail": "planted.reader@family.example",
}
SECRETS = ("planted-password-8f3", "shk_live_0123456789ab")


@dataclass
class Hub:
    """A hub in processes of its own, and everything that it wrote to its logs."""

    url: str
    key: str
    logs: Path
    settings: Settings

    def ask(self, method: str, path: str, **given: Any) -> httpx2.Response:
        headers = {"X-API-Key": self.key}
        with httpx2.Client(base_url=self.url, headers=headers, timeout=30) as client:
            return client.request(method, path, **given)

    def call(self, path: str, arguments: dict[str, object]) -> httpx2.Response:
        params = {"name": "get_unified_profile", "arguments": arguments}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        return self.ask("POST", path, json=body)

    def written(self) -> str:
        return "".join(file.read_text() for file in self.logs.glob("*.log"))


@pytest.fixture
def hub(database_url: str, valkey_url: str) -> Iterator[Hub]:
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder())
        nodes = stack.enter_context(running(BareNode(dict(ANSWERS))))
        urls: dict[str, Any] = {f"node{number}_url": nodes.url for number in range(1, 7)}
        settings = Settings(
            database_url=SecretStr(database_url),
            redis_url=SecretStr(valkey_url),
            encryption_key=SecretStr(base64.b64encode(secrets.token_bytes(32)).decode()),
            api_key=SecretStr(secrets.token_urlsafe(24)),
            port=find_free(),
            data_dir=folder,
            log_level="debug",
            **urls,
        )
        for program in (programs.api(settings), programs.worker(settings)):
            log = folder / "logs" / f"{program.name}.log"
            stack.enter_context(running_program(program, log))
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        yield Hub(f"http://127.0.0.1:{settings.port}", key, folder / "logs", settings)


def test_planted_values_are_nowhere_in_clear(hub: Hub, database_url: str, valkey_url: str) -> None:
    """Not in the database, the cache, the broker, the logs, the metrics or an error."""
    errors = plant(hub)
    places = {
        "errors": errors,
        "metrics": hub.ask("GET", "/metrics").text,
        "health": hub.ask("GET", "/health").text,
        "store": store_of(valkey_url),
        "database": asyncio.run(tables_of(database_url)),
        "logs": hub.written(),
    }
    assert "profile_fetched" in places["logs"] or "tool_call" in places["logs"]
    assert "students" in places["database"]
    found = [
        (place, value)
        for place, text in places.items()
        for value in (*PLANTED.values(), *SECRETS)
        for form in forms_of(value)
        if form in text
    ]
    assert found == []


def plant(hub: Hub) -> str:
    """Sends the values by every door, rightly and wrongly; the texts of all refusals."""
    pupil = a_pupil()
    made = hub.ask("POST", "/v1/students", json=pupil)
    assert made.status_code == 201, made.text
    student_id = made.json()["id"]
    for _ in range(2):
        assert PLANTED["name"] in hub.ask("GET", f"/v1/students/{student_id}/profile").text
    assert PLANTED["email"] in hub.ask("GET", f"/v1/students/{student_id}").text
    listed = hub.ask("GET", "/v1/students", params={"name": PLANTED["name"]})
    assert student_id in listed.text
    hub.ask("PATCH", f"/v1/students/{student_id}", json={"email": "x" + PLANTED["email"]})
    hub.ask("POST", "/v1/events", json={"events": [an_event(student_id)]})
    refused_wish = tell(hub, student_id)
    refused = [
        refused_wish,
        hub.ask("POST", "/v1/students", json=pupil),
        hub.ask("POST", "/v1/students", json={**pupil, "grade": 99, "age": 3}),
        hub.ask("PATCH", f"/v1/students/{student_id}", json={"grade": PLANTED["name"]}),
        hub.ask("GET", f"/v1/students/{PLANTED['name']}"),
        hub.ask("GET", "/v1/students", params={"grade": PLANTED["name"]}),
        hub.ask("GET", f"/v1/students/{student_id}/history", params={"before": PLANTED["email"]}),
        hub.ask("POST", "/v1/students/import", json={"students": [{**pupil, "grade": "x"}]}),
        hub.ask("GET", "/v1/students", headers={"X-API-Key": SECRETS[0]}),
        hub.ask("GET", "/v1/students", headers={"Authorization": f"Bearer {SECRETS[1]}"}),
        hub.call("/rpc", {"student_id": PLANTED["name"]}),
        hub.call("/rpc", {"student_id": student_id, "days": PLANTED["email"]}),
        hub.call("/mcp", {"student_id": PLANTED["parent_contact"]}),
    ]
    return "\n".join(answer.text for answer in refused)


def tell(hub: Hub, student_id: str) -> httpx2.Response:
    """A reader stores an address, and is told of the pupil; the text of a refusal."""
    wanted = {"name": "reader", "role": "parent", "scopes": ["read"], "subject": "planted-reader"}
    key = hub.ask("POST", "/admin/keys", json=wanted).json()["key"]
    grant = {"subject": "planted-reader", "kind": "student", "relation": "mother"}
    assert hub.ask("POST", "/admin/grants", json={**grant, "student_id": student_id}).is_success
    reader = {"headers": {"X-API-Key": key}}
    wish = {"email": PLANTED["reader_mail"], "channels": {"plans": ["email", "in_app"]}}
    assert hub.ask("PUT", "/v1/preferences", json=wish, **reader).is_success
    asyncio.run(notified(hub, student_id))
    inbox = hub.ask("GET", "/v1/inbox", **reader)
    assert PLANTED["name"] in inbox.text
    log = hub.ask("GET", "/admin/notifications")
    assert log.json()["notifications"]
    assert not any(value in log.text for value in PLANTED.values())
    return hub.ask("PUT", "/v1/preferences", json={"language": PLANTED["reader_mail"]}, **reader)


async def notified(hub: Hub, student_id: str) -> None:
    """A notice as a room of the hub puts it."""
    house = build(hub.settings)
    try:
        async with house.parts.get(Database).transaction(SYSTEM) as tx:
            notice = a_notice(UUID(student_id), recipients=EVERYBODY)
            assert await house.parts.get(Notifications).notify(tx, notice)
    finally:
        await house.close()


def a_pupil() -> dict[str, object]:
    return {
        "id": str(uuid4()),
        "name": PLANTED["name"],
        "school_id": "SCH001",
        "grade": 10,
        "class_name": "1반",
        "student_number": "1",
        "email": PLANTED["email"],
        "parent_contact": PLANTED["parent_contact"],
        "metadata": {
            "special_needs": [PLANTED["special_needs"]],
            "parent_preferences": {"notification_method": "kakao"},
        },
    }


def an_event(student_id: str) -> dict[str, object]:
    return {
        "student_id": student_id,
        "event_type": "study",
        "source_node": 4,
        "source_id": "planted-1",
        "occurred_at": "2026-01-09T05:30:00Z",
        "content": {"action": "solved_problem", "result": "correct"},
    }


def forms_of(value: str) -> set[str]:
    """The value as it might have been written: plain, escaped, in hexadecimal, in base64."""
    raw = value.encode()
    escaped = value.encode("unicode_escape").decode()
    return {value, escaped, raw.hex(), base64.b64encode(raw).decode().rstrip("=")}


def store_of(url: str) -> str:
    """Everything that the store holds in any of its databases, names and values."""
    texts: list[str] = []
    with redis.Redis.from_url(url) as store:
        for name in store.scan_iter():
            texts += [repr(name), dumped(store, name)]
    return "\n".join(texts)


def dumped(store: redis.Redis, name: bytes) -> str:
    kind = store.type(name)
    held = store.get(name) if kind == b"string" else store.dump(name)
    return repr(held) + (held.decode("utf-8", "replace") if isinstance(held, bytes) else "")


async def tables_of(url: str) -> str:
    """Every row of every table, as PostgreSQL writes it as text; bytes are in hexadecimal."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relkind = 'r' "
            "AND relnamespace = 'public'::regnamespace"
        )
        texts = []
        for (table,) in tables:
            rows = await connection.fetch(f'SELECT t::text AS row FROM "{table}" AS t')  # noqa: S608
            texts += [f"{table}: {row['row']}" for row in rows]
        return "\n".join(texts)
    finally:
        await connection.close()
