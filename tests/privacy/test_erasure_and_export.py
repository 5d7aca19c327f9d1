"""A student who is exported whole, and erased for good: the whole hub, real stores."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest
import redis

from student_hub.entry.house import build
from student_hub.privacy.erasing import Erasing
from student_hub.privacy.errors import ProofRefused
from student_hub.privacy.schemas import Erasure
from whole_hub import WholeHub, whole_hub

NAME, EMAIL, NEED, PROBLEM = "은하별나라", "erased@family.example", "관찰기록", "problem-of-theirs"


@pytest.fixture
def hub(database_url: str, valkey_url: str, tmp_path: Path) -> Iterator[WholeHub]:
    with whole_hub(database_url, valkey_url, data_dir=tmp_path) as running:
        yield running


@pytest.fixture
def admin(hub: WholeHub) -> Iterator[httpx2.Client]:
    with hub.client() as client:
        yield client


def a_pupil(admin: httpx2.Client) -> str:
    pupil = {
        "id": str(uuid4()),
        "name": NAME,
        "school_id": "SCH001",
        "grade": 6,
        "class_name": "1반",
        "email": EMAIL,
        "metadata": {"special_needs": [NEED]},
    }
    assert admin.post("/v1/students", json=pupil).status_code == 201
    event = {
        "student_id": pupil["id"],
        "event_type": "study",
        "source_node": 4,
        "source_id": f"answer-{pupil['id']}",
        "occurred_at": "2026-11-09T05:30:00Z",
        "content": {"action": "solved_problem", "problem_id": PROBLEM},
    }
    voided = {**event, "source_id": f"voided-{pupil['id']}"}
    assert admin.post("/v1/events", json={"events": [event, voided]}).json()["stored"] == 2
    key = {"source_node": 4, "source_id": voided["source_id"]}
    assert admin.post("/v1/events/void", json=key).status_code == 200
    consent = {
        "purpose": "learning",
        "version": "2026-03",
        "method": "written",
        "given_by_relation": "mother",
    }
    path = f"/v1/students/{pupil['id']}"
    assert admin.post(f"{path}/consents", json=consent).status_code == 201
    grant = {"subject": "teacher:kim", "kind": "student", "student_id": pupil["id"]}
    granted = admin.post("/admin/grants", json={**grant, "relation": "homeroom"})
    assert granted.status_code == 201, granted.text
    for days in (7, 30):
        assert admin.get(f"{path}/profile", params={"days": days}).status_code == 200
    return str(pupil["id"])


def a_key(admin: httpx2.Client, role: str, subject: str) -> str:
    wanted = {"name": role, "role": role, "subject": subject, "scopes": ["read"]}
    return str(admin.post("/admin/keys", json=wanted).json()["key"])


@pytest.mark.requirement("export")
def test_an_export_holds_everything_that_was_planted(admin: httpx2.Client) -> None:
    """Register, care, consents, history, what was voided, who may see and who has seen."""
    student_id = a_pupil(admin)
    answer = admin.post(f"/v1/students/{student_id}/export", json={"reason": "보호자 요청"})
    assert answer.status_code == 200
    held = answer.json()
    assert held["student"]["name"] == NAME
    assert held["student"]["email"] == EMAIL
    assert held["student"]["metadata"]["special_needs"] == [NEED]
    assert [event["content"]["problem_id"] for event in held["history"]] == [PROBLEM]
    assert [event["source_id"] for event in held["voided_events"]] == [f"voided-{student_id}"]
    assert [consent["version"] for consent in held["consents"]] == ["2026-03"]
    assert "teacher:kim" in {viewer["subject"] for viewer in held["seen_by"]}
    assert "student.create" in {access["action"] for access in held["accesses"]}
    assert held["processing"]["state"] == "open"


@pytest.mark.requirement("export")
def test_an_export_is_for_the_entitled_alone(hub: WholeHub, admin: httpx2.Client) -> None:
    """A service and a teacher are refused, a guardian is not, another's guardian finds nobody."""
    student_id, other = a_pupil(admin), str(uuid4())
    made = {"id": other, "name": "다른학생", "school_id": "SCH001", "grade": 6}
    assert admin.post("/v1/students", json={**made, "class_name": "2반"}).status_code == 201
    grant = {"subject": "parent:lee", "kind": "student", "student_id": student_id}
    assert admin.post("/admin/grants", json={**grant, "relation": "guardian"}).status_code == 201
    seen = {}
    for role, subject in (("service", "x"), ("teacher", "teacher:kim"), ("parent", "parent:lee")):
        with hub.client(a_key(admin, role, subject)) as client:
            path = "/v1/students/{}/export"
            reason = {"reason": "기록 확인"}
            seen[role] = [
                client.post(path.format(who), json=reason).status_code
                for who in (student_id, other)
            ]
    assert seen == {"service": [403, 403], "teacher": [403, 403], "parent": [200, 404]}


@pytest.mark.requirement("export")
def test_an_export_without_a_reason_is_no_export(admin: httpx2.Client) -> None:
    """The reason is asked for, and the audit log has it."""
    student_id = a_pupil(admin)
    path = f"/v1/students/{student_id}/export"
    assert admin.post(path, json={}).status_code == 422
    assert admin.post(path, json={"reason": "전학"}).status_code == 200
    wanted = {"student_id": student_id, "action": "student.export"}
    entries = admin.get("/admin/audit", params=wanted).json()["entries"]
    assert [entry["reason"] for entry in entries] == ["전학"]


@pytest.mark.requirement("erasure")
def test_nothing_of_an_erased_student_is_left(
    hub: WholeHub, admin: httpx2.Client, database_url: str, valkey_url: str
) -> None:
    """No row but the proof and the audit log, no cache entry, no answer, no node unasked."""
    student_id = a_pupil(admin)
    done = admin.post(f"/v1/students/{student_id}/erasure", json={"reason": "졸업"})
    assert done.status_code == 200, done.text
    assert admin.get(f"/v1/students/{student_id}").status_code == 404
    asyncio.run(hub.work())
    left = asyncio.run(rows_with(database_url, student_id))
    assert left <= {"erasures", "audit_inbox", "audit_log", "jobs"}
    with redis.Redis.from_url(valkey_url) as store:
        assert [name for name in store.scan_iter() if student_id.encode() in name] == []
    proof = admin.get("/admin/erasures").json()["erasures"][0]
    assert proof["genuine"] is True
    assert proof["counts"]["learning_history"] == 1
    assert proof["nodes"] == {"lab-node": "not_offered"}
    assert proof["cache_emptied_at"] is not None


async def rows_with(url: str, text: str) -> set[str]:
    """The tables that have a row in which the text is."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relkind = 'r' "
            "AND relnamespace = 'public'::regnamespace"
        )
        found = set()
        for (table,) in tables:
            query = f'SELECT 1 FROM "{table}" AS t WHERE t::text LIKE $1 LIMIT 1'  # noqa: S608
            if await connection.fetchval(query, f"%{text}%"):
                found.add(table)
        return found
    finally:
        await connection.close()


@pytest.mark.requirement("erasure")
def test_a_student_who_comes_back_with_a_backup_is_erased_again(
    hub: WholeHub, admin: httpx2.Client, database_url: str
) -> None:
    """The ledger of erasures is replayed; who is gone stays gone, a forged proof erases nobody."""
    student_id, innocent = a_pupil(admin), str(uuid4())
    proof = admin.post(f"/v1/students/{student_id}/erasure", json={"reason": "졸업"}).json()
    back = {"id": student_id, "name": NAME, "school_id": "SCH001", "grade": 6, "class_name": "1반"}
    for pupil in (back, {**back, "id": innocent, "name": "남은학생"}):
        assert admin.post("/v1/students", json=pupil).status_code == 201
    asyncio.run(as_from_a_backup(database_url, student_id))
    first, second = asyncio.run(replayed(hub, [proof])), asyncio.run(replayed(hub, [proof]))
    assert (first, second) == ((1, 0), (0, 1))
    assert admin.get(f"/v1/students/{student_id}").status_code == 404
    with pytest.raises(ProofRefused):
        asyncio.run(replayed(hub, [{**proof, "student_id": innocent}]))
    assert admin.get(f"/v1/students/{innocent}").status_code == 200


async def as_from_a_backup(url: str, student_id: str) -> None:
    """Who comes with a backup was registered before their erasure, not after it."""
    connection = await asyncpg.connect(url)
    try:
        earlier = "UPDATE students SET created_at = now() - interval '1 year' WHERE id = $1"
        await connection.execute(earlier, student_id)
    finally:
        await connection.close()


async def replayed(hub: WholeHub, proofs: list[dict[str, Any]]) -> tuple[int, int]:
    async def read() -> AsyncIterator[Erasure]:
        for proof in proofs:
            yield Erasure.model_validate(proof)

    worker = build(hub.settings)
    try:
        done = await worker.parts.get(Erasing).replay(read())
    finally:
        await worker.close()
    return done.erased_again, done.still_gone
