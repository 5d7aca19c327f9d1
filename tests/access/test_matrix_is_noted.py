"""Every door that shows or changes a student leaves a note of it, or of the refusal."""

import time
from collections.abc import Iterable, Iterator, Mapping

import httpx2
import pytest

from access.matrix import PLACES, READS, WRITES, Ask, Target
from access.matrix_stage import Stage

pytestmark = [pytest.mark.requirement("audit-reads", "audit-writes"), pytest.mark.timeout(300)]

DAYS = 30
WITHDRAWAL = "POST /v1/students/{student_id}/consents/{consent_id}/withdraw"
"""It is sent with the id of no consent, so that nothing is changed; its own tests see its note."""
IN_ORDER = ("POST /v1/students", "POST /v1/events")
PATIENCE_S = 30
Entry = Mapping[str, object]


def log_of(stage: Stage) -> Iterator[Entry]:
    """The whole audit log, the newest entry first."""
    cursor: str | None = None
    while True:
        params = {"limit": "200"} | ({"cursor": cursor} if cursor else {})
        page = stage.administrator.get("/admin/audit", params=params).json()
        yield from page["entries"]
        cursor = page["next"]
        if cursor is None:
            return


def notes_of(stage: Stage, wanted: Iterable[str]) -> dict[str, list[Entry]]:
    """The entries of each of these requests: reads are noted aside, and come within moments."""
    end = time.monotonic() + PATIENCE_S
    found: dict[str, list[Entry]] = {}
    while time.monotonic() < end and not all(found.get(request) for request in wanted):
        found = {request: [] for request in wanted}
        for entry in log_of(stage):
            found.get(str(entry["request_id"]), []).append(entry)
    return found


def unnoted(
    asked: Mapping[str, tuple[httpx2.Response, Target]], stage: Stage, outcome: str
) -> Iterator[str]:
    """Whatever was asked for and is in no entry with its student, its outcome and its door."""
    requests = {name: answer.headers["x-request-id"] for name, (answer, _) in asked.items()}
    notes = notes_of(stage, requests.values())
    for name, (_, target) in asked.items():
        of_it = [
            entry
            for entry in notes[requests[name]]
            if is_about(entry, target) and entry["outcome"] == outcome
        ]
        if {entry["door"] for entry in of_it} != {door_of(name)}:
            yield f"{name}: {notes[requests[name]]}"


def is_about(entry: Entry, target: Target) -> bool:
    """It names the student, or the class whose figures they are part of."""
    place = PLACES[target.place]
    named = f"{place['school_id']}:{place['grade']}:{place['class_name']}"
    return str(target.id) in str(entry["student_ids"]) or named in str(entry["detail"])


def door_of(name: str) -> str:
    """The door that an entry must name: of tools it is in the operation's title."""
    return "mcp" if "by /mcp" in name else "rpc" if "by /rpc" in name else "rest"


def test_every_way_to_read_a_student_is_noted(stage: Stage) -> None:
    """By whom, of whom, through which door: an entry for each operation of the matrix."""
    target = stage.targets["own"]
    asked = {
        name: (operation.ask(stage.administrator, target, DAYS), target)
        for name, operation in READS.items()
    }
    assert {answer.status_code for answer, _ in asked.values()} == {200}
    assert list(unnoted(asked, stage, "ok")) == []


def test_every_way_to_read_a_student_in_vain_is_noted(stage: Stage) -> None:
    """Who tries the ids of others is found out: each refusal says whose data was asked for."""
    teacher, target = stage.clients["class teacher"], stage.targets["other school"]
    asked = {
        name: (operation.ask(teacher, target, DAYS), target)
        for name, operation in READS.items()
        if "teacher" in operation.roles and name != "list by name"
    }
    assert list(unnoted(asked, stage, "refused")) == []


def in_order() -> dict[str, Ask]:
    """What makes something, then what changes it, at last what erases it."""
    last = {name: ask for name, ask in WRITES.items() if "erasure" in name or "DELETE" in name}
    first = {name: WRITES[name] for name in IN_ORDER}
    rest = WRITES.keys() - last.keys() - first.keys() - {WITHDRAWAL}
    return first | {name: WRITES[name] for name in sorted(rest)} | last


def test_every_way_to_change_a_student_is_noted(stage: Stage) -> None:
    """In the transaction of the change: each of them about a student of its own."""
    asked: dict[str, tuple[httpx2.Response, Target]] = {}
    for name, ask in in_order().items():
        target = Target.at("own")
        if name not in {"POST /v1/students", "POST /v1/students/import"}:
            assert stage.administrator.post("/v1/students", json=target.register()).is_success
        if name.endswith("/void"):
            stage.administrator.post("/v1/events", json={"events": [target.event()]})
        asked[name] = ask(stage.administrator, target, DAYS), target
    assert {name for name, (answer, _) in asked.items() if not answer.is_success} == set()
    assert list(unnoted(asked, stage, "ok")) == []
    assert len(asked) == len(WRITES) - 1
