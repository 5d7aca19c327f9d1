"""Role by operation by student by field, through every door of the real hub, cold and warm."""

import re
from collections.abc import Iterator

import httpx2
import pytest

from access.matrix import (
    ABSENT,
    CAST,
    PLACES,
    PLANS,
    READS,
    SECRETS,
    WRITES,
    Actor,
    Operation,
    Target,
)
from access.matrix_stage import Stage, done, said
from student_hub.access.rules import PUBLIC, RULES

pytestmark = [pytest.mark.requirement("no-leaks"), pytest.mark.timeout(600)]

FORBIDDEN = re.compile(r'\\?"code\\?":-32003')
"""As it is, and within the text of a tool's result."""
FIELDS = ("name", "student_number", "interests", "event", *SECRETS)
WARM_DAYS = 200


def faults_of_cell(
    actor: Actor,
    operation: Operation,
    target: Target,
    stage: Stage,
    answers: dict[str, httpx2.Response],
) -> Iterator[str]:
    """What is wrong with one answer, by the expectations alone."""
    place = target.place
    text = answers[place].text
    refused = actor.role not in operation.roles or not actor.reads
    shown = not refused and place in actor.sees
    visible = set(operation.shows) - set(actor.withheld) if shown else set()
    for name, other in stage.targets.items():
        for planted in FIELDS:
            found = other.planted[planted] in text
            expected = name == place and planted in visible
            if found is not expected:
                yield f"{planted} of {name} is {'there' if found else 'missing'}"
    if refused and not FORBIDDEN.search(text.replace(" ", "")):
        yield "is not refused"
    if not shown and said(answers[place], target) != said(answers[ABSENT], stage.targets[ABSENT]):
        yield "differs from that of somebody who does not exist"
    if shown and '"withheld"' in text:
        yield from wrongly_withheld(answers[place], actor)


def wrongly_withheld(response: httpx2.Response, actor: Actor) -> Iterator[str]:
    body = response.json()
    student = body.get("student") or body.get("students", [body])[0]
    if sorted(student["withheld"]) != sorted(actor.withheld):
        yield f"withholds {student['withheld']}"


def walk(stage: Stage, days_of: dict[str, int]) -> tuple[int, list[str]]:
    """Asks every cell; how many fields were looked for, and every fault."""
    looked, faults = 0, []
    for name, actor in CAST.items():
        for title, operation in READS.items():
            answers = {
                place: operation.ask(stage.clients[name], target, days_of[name])
                for place, target in stage.targets.items()
            }
            for place, target in stage.targets.items():
                looked += len(FIELDS) * len(stage.targets)
                found = faults_of_cell(actor, operation, target, stage, answers)
                faults += [f"{name}, {title}, {place}: {fault}" for fault in found]
    return looked, faults


def test_no_cell_of_the_matrix_leaks_cold_or_warm(stage: Stage) -> None:
    """Each sees just their students and fields; not theirs is answered as if there were none.

    Cold: nobody has asked for the same window of days before. Warm: the administrator, who sees
    all, has asked for everything, and everybody was here before.
    """
    cold = {name: number for number, name in enumerate(CAST, start=1)}
    assert walk(stage, cold) == (looks(), [])
    for operation in READS.values():
        for place in PLACES:
            operation.ask(stage.administrator, stage.targets[place], WARM_DAYS)
    assert walk(stage, dict.fromkeys(CAST, WARM_DAYS)) == (looks(), [])


def looks() -> int:
    return len(CAST) * len(READS) * (len(PLACES) + 1) ** 2 * len(FIELDS)


def test_a_revoked_grant_ends_what_is_warm_at_once(stage: Stage) -> None:
    """What this process and the cache remember is shown to nobody who has lost the right to it."""
    client, target = stage.clients["class teacher"], stage.targets["own"]
    asked = [operation.ask for operation in READS.values() if "teacher" in operation.roles]
    before = [ask(client, target, WARM_DAYS) for ask in asked]
    assert [answer.status_code for answer in before] == [200] * len(before), before
    done(stage.administrator.delete(f"/admin/grants/{stage.grants['class teacher']}"))
    absent = stage.targets[ABSENT]
    for ask in asked:
        after, nobody = ask(client, target, WARM_DAYS), ask(client, absent, WARM_DAYS)
        assert said(after, target) == said(nobody, absent)
        assert not any(value in after.text for value in target.planted.values())


def test_a_student_who_moves_is_seen_by_the_new_teacher_and_no_more_by_the_old_one(
    stage: Stage,
) -> None:
    """The grant is for the class, not for whoever was in it once; caches make no difference."""
    client, target = stage.clients["class teacher"], stage.targets["own"]
    newcomer = stage.targets["other class"]
    ways = [way for way in READS.values() if way.shows and "teacher" in way.roles]
    for way in ways:
        way.ask(client, target, WARM_DAYS)
    for student, room in ((target, "2반"), (newcomer, "1반")):
        change = {"class_name": room}
        done(stage.administrator.patch(f"/v1/students/{student.id}", json=change))
    for way in ways:
        gone, come = way.ask(client, target, WARM_DAYS), way.ask(client, newcomer, WARM_DAYS)
        assert not any(target.planted[value] in gone.text for value in way.shows)
        assert all(newcomer.planted[value] in come.text for value in way.shows)


def test_a_list_has_whom_its_reader_sees_and_not_a_page_more(stage: Stage) -> None:
    """Page by page: neither rows nor the number of pages tell of anybody else."""
    for name, actor in CAST.items():
        if not actor.reads:
            continue
        listed, pages, cursor = [], 0, None
        while pages == 0 or cursor is not None:
            params = {"limit": "1"} | ({"cursor": cursor} if cursor else {})
            page = done(stage.clients[name].get("/v1/students", params=params)).json()
            listed += [student["id"] for student in page["students"]]
            cursor, pages = page["next"], pages + 1
        assert sorted(listed) == sorted(str(stage.targets[place].id) for place in actor.sees), name
        assert pages == max(1, len(actor.sees))


READERS_OWN = {
    "GET /v1/inbox",
    "POST /v1/inbox/{notification_id}/read",
    "GET /v1/preferences",
    "PUT /v1/preferences",
}
"""Name no student: `tests/notifications/test_doors.py` asks there as every role."""


def test_the_matrix_has_every_door_that_shows_a_student() -> None:
    """A new way to a student needs its line in the matrix, and what it may show to whom."""
    asked = {door for operation in READS.values() for door in operation.doors}
    others = {door for door, rule in RULES.items() if rule is PUBLIC or "/admin/" in door}
    apart = others | WRITES.keys() | PLANS | READERS_OWN | {"GET /metrics"}
    assert RULES.keys() - apart == asked
