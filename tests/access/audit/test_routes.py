"""/admin/audit, over HTTP and on a real database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from access.audit.persons import STUDENT, teacher
from doorway import Running, echo_app, furnished, running
from student_hub.access.audit.routes import router
from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.access.audit.spool import Spool
from student_hub.platform.db.database import Database

pytestmark = pytest.mark.requirement("audit-queries")


@pytest.fixture
def hub(database_url: str, spool_folder: Path) -> Iterator[Running]:
    database = Database(database_url)
    parts = furnished(database)
    audit = parts.put(Audit(database, Spool(spool_folder)))

    async def stop() -> None:
        await audit.close()
        await database.close()

    with running(echo_app(parts, routers=[router], on_stop=stop)) as hub:
        yield hub


async def test_an_administrator_reads_the_log(
    hub: Running, audit: Audit, database: Database
) -> None:
    """Every field of an entry, under the filters of the query string."""
    async with database.transaction() as tx:
        await audit.note(tx, teacher("kim", "r-1"), Action.STUDENT_UPDATE, [STUDENT], reason="왜")
    wanted = {"student_id": str(STUDENT), "from": "2026-01-01T00:00:00Z", "subject": "kim"}
    async with hub.client() as administrator:
        answer = await administrator.get("/admin/audit", params=wanted)
        before = await administrator.get("/admin/audit", params={"to": "2026-01-01T00:00:00Z"})
    (entry,) = answer.json()["entries"]
    assert (answer.status_code, answer.json()["next"]) == (200, None)
    assert entry == {
        "id": entry["id"],
        "seq": None,
        "sealed": False,
        "at": entry["at"],
        "subject": "kim",
        "role": "teacher",
        "credential": "token:1",
        "door": "mcp",
        "address": "192.0.2.7",
        "request_id": "r-1",
        "action": "student.update",
        "outcome": "ok",
        "student_ids": [str(STUDENT)],
        "reason": "왜",
        "detail": {},
    }
    assert before.json()["entries"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"action": "student.eat"}, "action"),
        ({"student_id": "x"}, "student_id"),
        ({"from": "2026-01-01T00:00:00"}, "from"),
        ({"limit": "0"}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"door": "window"}, "door"),
        ({"subject": "a\u0000"}, "subject"),
        ({"who": "me"}, "who"),
    ],
)
async def test_a_bad_filter_is_named(hub: Running, query: dict[str, str], field: str) -> None:
    """422 with the field, as everywhere."""
    async with hub.client() as administrator:
        answer = await administrator.get("/admin/audit", params=query)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_month_is_reviewed(hub: Running) -> None:
    """And what is no month is named."""
    async with hub.client() as administrator:
        good = await administrator.get("/admin/audit/review", params={"month": "2026-11"})
        bad = await administrator.get("/admin/audit/review", params={"month": "2026-13"})
    assert (good.status_code, good.json()["month"]) == (200, "2026-11")
    assert [error["field"] for error in bad.json()["errors"]] == ["month"]
