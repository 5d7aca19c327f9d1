"""Node 1: what a student knows, concept by concept."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from learning_events import START, answer, call, context_of, student_id
from reference_nodes.events import LearningEvent
from reference_nodes.nodes.logic_engine import KnowledgeState, tools

pytestmark = pytest.mark.requirement("nodes-real-models")

QUADRATIC, FACTORING = "9수02-20", "9수02-19"


def state_of(
    folder: Path, events: Iterable[LearningEvent], *, days: float = 1, student: str = "a"
) -> KnowledgeState:
    context = context_of(folder, events, now=START + timedelta(days=days))
    with context.log:
        state = call(tools(context), "get_knowledge_state", student_id=student_id(student))
    assert isinstance(state, KnowledgeState)
    return state


def run_of(concept: str, results: str, *, since: float = 0) -> list[LearningEvent]:
    """Answers a minute apart, `x` wrong and `o` right."""
    return [
        answer("a", f"{concept}-{n}", result == "o", minutes=since + n, concepts=[concept])
        for n, result in enumerate(results)
    ]


def test_each_practised_concept_has_its_state(tmp_path: Path) -> None:
    """Name of the curriculum, mastery inside its interval, and what it rests on."""
    state = state_of(tmp_path, run_of(QUADRATIC, "ooxo"))
    (concept,) = state.concepts
    assert (concept.code, concept.name, concept.answers) == (QUADRATIC, "이차방정식", 4)
    assert concept.interval[0] < concept.mastery < concept.interval[1]
    assert concept.last_at == START + timedelta(minutes=3)
    assert (state.student_id, state.generated_at) == (student_id("a"), START + timedelta(days=1))


def test_the_newest_concept_comes_first(tmp_path: Path) -> None:
    """What a student works on now stands at the top."""
    events = [*run_of(FACTORING, "o"), *run_of(QUADRATIC, "o", since=60)]
    assert [at.code for at in state_of(tmp_path, events).concepts] == [QUADRATIC, FACTORING]


def test_right_answers_mean_more_mastery_than_wrong_ones(tmp_path: Path) -> None:
    """The direction is right for two students on the same items."""
    right = state_of(tmp_path / "right", run_of(QUADRATIC, "oooooo"))
    wrong = state_of(tmp_path / "wrong", run_of(QUADRATIC, "xxxxxx"))
    assert right.concepts[0].mastery > wrong.concepts[0].interval[1]


def test_a_concept_is_due_after_a_long_time(tmp_path: Path) -> None:
    """Mastery does not fall with time, but review becomes due."""
    fresh = state_of(tmp_path / "fresh", run_of(QUADRATIC, "oo"), days=0.1).concepts[0]
    old = state_of(tmp_path / "old", run_of(QUADRATIC, "oo"), days=120).concepts[0]
    assert (fresh.due, old.due) == (False, True)
    assert fresh.mastery == old.mastery


def test_a_weak_prerequisite_is_named(tmp_path: Path) -> None:
    """Factoring under .70 stands behind quadratic equations; unpractised ones are not judged."""
    events = [*run_of(FACTORING, "xxxxxxxx"), *run_of(QUADRATIC, "oxo", since=60)]
    quadratic = state_of(tmp_path, events).concepts[0]
    assert quadratic.unmet_prerequisites == [FACTORING]


def test_a_strange_skill_is_named_by_its_string(tmp_path: Path) -> None:
    """Foreign logs have skills that no curriculum knows."""
    (concept,) = state_of(tmp_path, run_of("skill-70", "oo")).concepts
    assert (concept.code, concept.name) == ("skill-70", "skill-70")
    assert concept.unmet_prerequisites == []


def test_nobody_has_an_empty_state(tmp_path: Path) -> None:
    """A student without events is no error: the hub knows who exists."""
    assert state_of(tmp_path, [], student="nobody").concepts == []
