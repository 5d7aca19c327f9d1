"""A real answer log goes through the whole platform, and its figures agree with those by hand."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from journeys.by_hand import (
    Rasch,
    Row,
    answers_by_skill,
    in_order_of_arrival,
    is_in_order_of_time,
    read_log,
    solved_by_day,
)
from journeys.stack import Stack, started, until

pytestmark = pytest.mark.timeout(400)
SAMPLE = 12
CLOSE = 0.001
"""The nodes round to four places."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A platform without the demo school, whose items would be known beforehand."""
    with started(tmp_path_factory.mktemp("real"), "--no-demo") as stack:
        yield stack


@pytest.fixture(scope="session")
def log_file(shared_data: Path) -> Path:
    file = shared_data / "interactions/assistments2017_342students.tsv.gz"
    if not file.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{file} is not there")
    return file


@pytest.fixture(scope="session")
def rows(log_file: Path) -> list[Row]:
    return read_log(log_file)


@pytest.fixture(scope="module")
def imported(stack: Stack, log_file: Path) -> str:
    """What the importer said, once the nodes have taken everything in."""
    done = stack.hub("import", "interactions", str(log_file), "--school", "SCH005")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.requirement("import-interactions")
def test_the_whole_log_is_imported_and_a_second_run_repeats_it(
    stack: Stack, imported: str, log_file: Path
) -> None:
    """90,586 answers of 342 students are stored once; sent again, all are known."""
    assert "342 students" in imported
    assert "90586 events stored, 0 known before, 0 lines refused" in imported
    again = stack.hub("import", "interactions", str(log_file), "--school", "SCH005")
    assert "0 events stored, 90586 known before, 0 lines refused" in again.stdout


@pytest.mark.requirement("profile-of-real-student")
def test_profiles_of_real_students_agree_with_figures_by_hand(
    stack: Stack, imported: str, http: httpx2.Client, rows: list[Row]
) -> None:
    """Answers per skill and problems per day are exact, masteries those of the stated model."""
    assert imported
    until(lambda: len(arrivals(stack)) == len(rows), 120)
    model, arrived = Rasch(), in_order_of_arrival(rows, arrivals(stack))
    for row in arrived:
        model.absorb(row)
    students = http.get("/v1/students", params={"school_id": "SCH005", "limit": 200}).json()
    numbers = {student["student_number"]: student["id"] for student in students["students"]}
    sample = [user for user in numbers if is_in_order_of_time(arrived, user)][:SAMPLE]
    assert len(sample) == SAMPLE
    for user in sample:
        check_student(http, numbers[user], user, rows, model)


def arrivals(stack: Stack) -> list[str]:
    """The events in the order in which node 4 wrote them down."""
    log = stack.folder / "data/nodes/events.sqlite"
    with closing(sqlite3.connect(f"file:{log}?mode=rw", uri=True)) as connection:
        return [row[0] for row in connection.execute("SELECT source_id FROM events ORDER BY seq")]


def check_student(
    http: httpx2.Client, student_id: str, user: str, rows: list[Row], model: Rasch
) -> None:
    expected = answers_by_skill(rows, user)
    until(lambda: answers_in(profile_of(http, student_id)) == expected.total(), 90)
    profile = profile_of(http, student_id)
    concepts = profile["knowledge_state"]["concepts"]
    assert {concept["code"]: concept["answers"] for concept in concepts} == expected
    for concept in concepts:
        by_hand = model.mastery(user, concept["code"].removeprefix("skill-"))
        assert concept["mastery"] == pytest.approx(by_hand, abs=CLOSE)
    solved = {day["date"]: (day["problems_solved"], day["correct"]) for day in activities(profile)}
    assert solved == solved_by_day(rows, user, datetime.now(UTC) - timedelta(days=365))


def profile_of(http: httpx2.Client, student_id: str) -> dict[str, Any]:
    profile: dict[str, Any] = http.get(
        f"/v1/students/{student_id}/profile", params={"days": 365}
    ).json()
    return profile


def answers_in(profile: dict[str, Any]) -> int:
    knowledge = profile["knowledge_state"]
    return sum(concept["answers"] for concept in knowledge["concepts"]) if knowledge else 0


def activities(profile: dict[str, Any]) -> list[dict[str, Any]]:
    return [day for day in profile["recent_activities"] or [] if day["type"] == "study"]
