"""The demo school: a plausible class, the same every time, whose truth the model finds."""

import io
import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from statistics import fmean

import pytest

from learning_events import rank_correlation
from reference_nodes.curriculum import graph
from reference_nodes.demo_school import school
from reference_nodes.demo_school.roster import students
from reference_nodes.demo_school.truth import Truth, truth
from reference_nodes.eventlog import EventLog
from reference_nodes.events import LearningEvent
from reference_nodes.learning.activity import SEOUL, midnight
from reference_nodes.learning.model import LearningModel
from reference_nodes.learning.rasch import sigmoid

pytestmark = pytest.mark.requirement("nodes-demo-school")

TODAY = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)  # noon in Seoul
SEED = 7


@pytest.fixture(scope="module")
def events() -> list[LearningEvent]:
    return list(school.events(SEED, today=TODAY))


@pytest.fixture(scope="module")
def model(
    events: list[LearningEvent], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LearningModel]:
    with EventLog(tmp_path_factory.mktemp("demo")) as log:
        log.append(events)
        folded = LearningModel(log, graph.load().canonical)
        assert folded.catch_up(patience=60)
        yield folded


@pytest.fixture(scope="module")
def known() -> Truth:
    return truth(SEED)


def local(event: LearningEvent) -> datetime:
    return event.occurred_at.astimezone(SEOUL)


def practised(events: list[LearningEvent]) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for event in events:
        if event.content.result:
            counts[str(event.student_id)].update(event.content.concepts or [])
    return counts


def test_the_command_writes_students_and_then_events() -> None:
    """One JSON object a line; each event is one that node 4 would take."""
    out = io.StringIO()
    school.write(out, 3, students=4, today=TODAY)
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [row["kind"] for row in rows[:5]] == ["student"] * 4 + ["event"]
    assert {row["kind"] for row in rows[5:]} == {"event"}
    for row in rows[4:]:
        LearningEvent.model_validate_json(json.dumps(row["event"]), strict=True)
    assert isinstance(rows[-1]["event"]["content"]["time_spent"], int)


def test_the_class_is_one_that_a_hub_takes() -> None:
    """26 different people of SCH001:10:1반, 김철수 first, nobody real to reach."""
    roster = students(SEED, 26)
    assert roster[0].name == "김철수"
    assert len({s.id for s in roster}) == len({s.name for s in roster}) == 26
    assert {(s.school_id, s.grade, s.class_name) for s in roster} == {("SCH001", 10, "1반")}
    assert [s.student_number for s in roster] == [f"{n:02d}" for n in range(1, 27)]
    for student in roster:
        assert unicodedata.is_normalized("NFC", student.name)
        assert student.email.endswith("@example.com")
        assert re.fullmatch(r"010-0000-\d{4}|parent\d\d@example\.com", student.parent_contact)
        assert student.metadata.interests


def test_a_rerun_on_the_same_day_is_the_same() -> None:
    """Hours do not matter, days do; the people stay."""

    def class_on(today: datetime) -> list[LearningEvent]:
        return list(school.events(SEED, students=5, today=today))

    first, later = class_on(TODAY), class_on(TODAY + timedelta(hours=9))
    tomorrow = class_on(TODAY + timedelta(days=1))
    assert later == first
    assert not {e.source_id for e in first} & {e.source_id for e in tomorrow}
    assert {e.student_id for e in first} == {e.student_id for e in tomorrow}


def test_another_seed_is_another_class() -> None:
    """Nobody is shared between seeds."""
    assert not {s.id for s in students(1, 26)} & {s.id for s in students(2, 26)}


def test_events_are_in_the_order_of_time_and_each_has_its_own_id(
    events: list[LearningEvent],
) -> None:
    """Sixty days up to the beginning of today in Seoul, nothing from the future."""
    times = [event.occurred_at for event in events]
    assert times == sorted(times)
    assert len({event.source_id for event in events}) == len(events)
    assert {event.source_node for event in events} == {4}
    assert midnight(date(2026, 9, 24)) <= times[0]
    assert times[-1] < midnight(date(2026, 11, 23))


def test_pupils_study_in_sittings_and_not_at_night(events: list[LearningEvent]) -> None:
    """Between 10 and 23, on most days and on weekends too, at several problems a sitting."""
    assert {local(event).hour for event in events} <= set(range(10, 23))
    assert {local(event).weekday() for event in events} == set(range(7))
    days = Counter((event.student_id, local(event).date()) for event in events)
    assert 8 <= fmean(days.values()) <= 25


def test_some_are_idle_and_one_is_new(events: list[LearningEvent], known: Truth) -> None:
    """The page has something to show: no data, idle for weeks, and steady ones."""
    last = {str(event.student_id): event.occurred_at for event in events}
    quiet = {s for s, when in last.items() if TODAY - when > timedelta(days=14)}
    assert quiet == {s for s, habit in known.habits.items() if habit.stops}
    assert 1 <= len(quiet) <= 6
    assert [s for s, habit in known.habits.items() if habit.name == "newcomer"] == [
        str(student.id) for student in students(SEED, 26) if str(student.id) not in last
    ]


def test_the_concepts_are_those_of_grades_9_and_10(events: list[LearningEvent]) -> None:
    """Codes of the curriculum, as main codes."""
    concepts = graph.load().concepts
    seen = {code for event in events for code in event.content.concepts or []}
    assert {concepts[code].grade for code in seen} == {9, 10}
    assert len(seen) > 20


def test_the_model_ranks_the_class_as_the_truth_does(
    events: list[LearningEvent], model: LearningModel, known: Truth
) -> None:
    """Estimated against true mean mastery of the class: rank correlation above .9."""
    counts = practised(events)
    true, estimated = [], []
    for student, concepts in counts.items():
        learner = known.learners[student]
        true.append(fmean(learner.level(code, n) for code, n in concepts.items()))
        estimated.append(fmean(model.level(student, code) for code in concepts))
    assert len(true) == 25
    assert rank_correlation(true, estimated) > 0.9


def test_the_intervals_cover_the_truth(
    events: list[LearningEvent], model: LearningModel, known: Truth
) -> None:
    """Mastery of pupil and concept lies in its 80 % interval about as often as that says.

    The class is not drawn from the model's priors and its problems suit the pupil, so the band is
    wider than the acceptance test's.
    """
    inside = []
    for student, concepts in practised(events).items():
        for code, n in concepts.items():
            met = [p.item for p in known.problems[code] if model.item(p.item.problem_id)]
            difficulty = fmean(item.d for item in met)
            mastery = sigmoid(known.learners[student].level(code, n) - difficulty)
            estimate = model.mastery(student, code)
            inside.append(estimate.low <= mastery <= estimate.high)
    assert len(inside) > 500
    assert 0.7 <= fmean(inside) <= 0.92
