"""Role by change by student, and role by administration, through every door of the real hub."""

from uuid import uuid4

import httpx2
import pytest

from access.matrix import ABSENT, CAST, PLACES, WRITES, Actor, Target
from access.matrix_stage import Stage, said
from student_hub.access.rules import RULES

pytestmark = [pytest.mark.requirement("no-leaks", "door-rules"), pytest.mark.timeout(600)]

DENIED = {401, 403}
MALFORMED = 422
ONLY_WRITES = "importer"
"""May write without reading: what it learns has tests of its own (`writing-learns-nothing`)."""


def may_write(actor: Actor) -> bool:
    return actor.role in {"admin", "service"} and bool({"write", "admin"} & actor.scopes)


def may_administer(actor: Actor) -> bool:
    return actor.role == "admin" and "admin" in actor.scopes


def snapshot(stage: Stage) -> list[str]:
    """All that there is of the students."""
    parts = ("", "/history?days=365", "/consents", "/processing")
    ids = [stage.targets[place].id for place in PLACES]
    asked = [f"/v1/students/{student_id}{part}" for student_id in ids for part in parts]
    listed = stage.administrator.get("/v1/students", params={"limit": 200}).text
    return [listed, *(stage.administrator.get(path).text for path in asked)]


def test_who_may_not_write_changes_nothing_and_learns_nothing(stage: Stage) -> None:
    """403 for every student alike, there or not, in reach or not; and all is as it was."""
    before = snapshot(stage)
    refused = 0
    for name, actor in CAST.items():
        if may_write(actor):
            continue
        for title, ask in WRITES.items():
            answers = {
                place: ask(stage.clients[name], target, 30)
                for place, target in stage.targets.items()
            }
            nobody = said(answers[ABSENT], stage.targets[ABSENT])
            for place, target in stage.targets.items():
                assert answers[place].status_code == 403, (name, title, place)
                assert said(answers[place], target) == nobody, (name, title, place)
                assert not shows(answers[place], target)
                refused += 1
    assert snapshot(stage) == before
    assert refused == len(WRITES) * len(stage.targets) * sum(
        not may_write(a) for a in CAST.values()
    )


def test_who_may_write_is_let_in_everywhere(stage: Stage) -> None:
    """The refusals above are the rule's: the very same requests are understood."""
    for name, actor in CAST.items():
        if not may_write(actor) or name == ONLY_WRITES:
            continue
        for title, ask in WRITES.items():
            status = ask(stage.clients[name], stage.targets["own"], 30).status_code
            assert status not in DENIED | {MALFORMED}, (name, title)


def test_administration_is_for_administrators_with_that_scope(stage: Stage) -> None:
    """Everybody else gets one and the same 403 at each of its doors, whatever they send."""
    doors = [door for door in RULES if "/admin/" in door]
    assert doors
    for door in doors:
        for name, actor in CAST.items():
            answer = knock(stage.clients[name], door)
            cell = door, name, answer.text
            if may_administer(actor):
                assert answer.status_code not in DENIED, cell
            elif answer.status_code == MALFORMED:
                assert actor.role == "admin", cell  # the door is open, and nothing was done
            else:
                assert (answer.status_code, answer.json()["code"]) == (403, -32003), cell
                assert not any(shows(answer, target) for target in stage.targets.values()), cell


BODIES: dict[str, dict[str, object]] = {
    "POST /admin/keys": {"name": "x", "scopes": ["read"]},
    "POST /admin/grants": {
        "subject": "somebody",
        "relation": "head",
        "kind": "school",
        "school_id": "SCH009",
    },
    "POST /admin/encryption-keys/rotation": {},
    "POST /admin/notifications/{notification_id}/resolve": {"sent": True},
}


QUERIES = {"GET /admin/audit/review": {"month": "2026-11"}}


def shows(answer: httpx2.Response, target: Target) -> bool:
    return any(value in answer.text for value in target.planted.values())


def knock(client: httpx2.Client, door: str) -> httpx2.Response:
    method, template = door.split()
    path = template.replace("{key_id}", "0123456789ab").replace("{grant_id}", str(uuid4()))
    path = path.replace("{notification_id}", str(uuid4()))
    return client.request(method, path, json=BODIES.get(door), params=QUERIES.get(door))
