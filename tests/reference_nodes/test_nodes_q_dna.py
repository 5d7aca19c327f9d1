"""Node 2: how far a student has come, and where the weak spots are."""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import pytest
from pydantic import BaseModel

from learning_events import answer, call, context_of, student_id
from reference_nodes.curriculum import graph
from reference_nodes.events import LearningEvent
from reference_nodes.nodes.q_dna import MasteryLevel, WeakAreas, tools

pytestmark = pytest.mark.requirement("nodes-real-models")

T = TypeVar("T", bound=BaseModel)
QUADRATIC, FACTORING, PARABOLA = "9수02-20", "9수02-19", "9수02-21"


def asked(
    kind: type[T], folder: Path, events: Iterable[LearningEvent], tool: str, **arguments: object
) -> T:
    context = context_of(folder, events)
    with context.log:
        given = call(tools(context), tool, student_id=student_id("a"), **arguments)
    assert isinstance(given, kind)
    return given


def level(folder: Path, events: Iterable[LearningEvent]) -> MasteryLevel:
    return asked(MasteryLevel, folder, events, "get_mastery_level")


def weak(folder: Path, events: Iterable[LearningEvent], target: float = 0.85) -> WeakAreas:
    return asked(WeakAreas, folder, events, "analyze_weak_areas", target_level=target)


def run_of(concept: str, results: str, difficulty: float | None = None) -> list[LearningEvent]:
    """Answers a minute apart, `x` wrong and `o` right."""
    return [
        answer(
            "a",
            f"{concept}-{n}",
            result == "o",
            minutes=n,
            concepts=[concept],
            difficulty=difficulty,
        )
        for n, result in enumerate(results)
    ]


def test_without_answers_there_is_no_level(tmp_path: Path) -> None:
    """Null, not 0: nothing is known."""
    nobody = level(tmp_path, [])
    assert (nobody.overall, nobody.interval, nobody.by_subject) == (None, None, {})
    assert (nobody.coverage.seen, nobody.coverage.of, nobody.answers) == (0, 0, 0)


def test_every_practised_concept_counts_the_same(tmp_path: Path) -> None:
    """Overall is the mean of the concepts, however many answers each has."""
    events = [*run_of(FACTORING, "oooooooooo"), *run_of("9수04-07", "xx")]
    context = context_of(tmp_path, events)
    with context.log:
        means = [m.mean for m in context.model.masteries(str(student_id("a"))).values()]
        got = call(tools(context), "get_mastery_level", student_id=student_id("a"))
    assert isinstance(got, MasteryLevel)
    assert got.overall == pytest.approx(sum(means) / 2, abs=1e-4)
    assert got.by_subject["math"] == got.overall
    assert set(got.by_subject) == {"math", "변화와 관계", "자료와 가능성"}
    assert got.answers == 12


def test_the_interval_narrows_with_answers(tmp_path: Path) -> None:
    """More evidence, less doubt; the figure lies inside."""
    few, many = (
        level(tmp_path / "few", run_of(QUADRATIC, "ox")),
        level(tmp_path / "many", run_of(QUADRATIC, "ox" * 15)),
    )
    assert few.interval is not None
    assert many.interval is not None
    assert many.overall is not None
    assert many.interval[0] < many.overall < many.interval[1]
    assert many.interval[1] - many.interval[0] < few.interval[1] - few.interval[0]


def test_coverage_counts_the_grades_at_work(tmp_path: Path) -> None:
    """Unseen concepts of these grades are reported as coverage, not as zero."""
    concepts = graph.load().concepts
    ninth = [code for code, concept in concepts.items() if concept.grade == 9]
    got = level(tmp_path, [*run_of(QUADRATIC, "o"), *run_of("skill-70", "o")])
    assert (got.coverage.seen, got.coverage.of) == (2, len(ninth) + 1)


def test_answers_without_concepts_give_a_level(tmp_path: Path) -> None:
    """The ability alone says something; no domain is named."""
    got = level(tmp_path, [answer("a", "p", True, concepts=None)])
    assert got.overall is not None
    assert set(got.by_subject) == {"math"}


def test_a_clearly_weak_concept_is_found(tmp_path: Path) -> None:
    """Name, gap and interval are in the answer."""
    (area,) = weak(tmp_path, run_of(QUADRATIC, "xxoxx")).weak_areas
    assert (area.code, area.concept, area.answers) == (QUADRATIC, "이차방정식", 5)
    assert area.current_mastery < area.target_mastery == 0.85


def test_two_answers_are_too_few_to_call_a_concept_weak(tmp_path: Path) -> None:
    """The rule asks for three."""
    assert weak(tmp_path, run_of(QUADRATIC, "xx")).weak_areas == []


def test_a_mastered_concept_is_not_weak(tmp_path: Path) -> None:
    """Nothing to mend when the mean is over the target."""
    assert weak(tmp_path, run_of(QUADRATIC, "o" * 12), target=0.6).weak_areas == []


def test_a_small_gap_that_may_be_none_is_not_weak(tmp_path: Path) -> None:
    """Under the target by less than .1, with an interval that reaches it: unsure, so not named."""
    events = run_of(QUADRATIC, "oxooxo")
    mean = level(tmp_path / "mean", events).overall
    assert mean is not None
    assert weak(tmp_path / "near", events, target=mean + 0.05).weak_areas == []
    assert weak(tmp_path / "far", events, target=mean + 0.15).weak_areas != []


def test_a_weak_prerequisite_is_added(tmp_path: Path) -> None:
    """Two wrong answers on factoring are few, but it stands behind the weak concept."""
    events = [*run_of(QUADRATIC, "xxxx"), *run_of(FACTORING, "xx")]
    found = {area.code: area for area in weak(tmp_path, events).weak_areas}
    assert set(found) == {QUADRATIC, FACTORING}
    assert found[FACTORING].blocks == [QUADRATIC]


def test_what_blocks_more_comes_first(tmp_path: Path) -> None:
    """Gap times number of concepts that wait for it."""
    events = [*run_of(QUADRATIC, "xxx"), *run_of(PARABOLA, "xxx"), *run_of(FACTORING, "xxx")]
    areas = weak(tmp_path, events).weak_areas
    weights = [(a.target_mastery - a.current_mastery) * (1 + len(a.blocks)) for a in areas]
    assert areas[0].code == FACTORING
    assert weights == sorted(weights, reverse=True)


def test_harder_items_count_for_more(tmp_path: Path) -> None:
    """Item difficulties are kept: the same share on harder items is a higher ability."""
    hard = context_of(tmp_path / "hard", run_of(QUADRATIC, "oxoxox", difficulty=0.9))
    easy = context_of(tmp_path / "easy", run_of(QUADRATIC, "oxoxox", difficulty=0.1))
    with hard.log, easy.log:
        student = str(student_id("a"))
        assert hard.model.level(student, QUADRATIC) > easy.model.level(student, QUADRATIC) + 0.5
