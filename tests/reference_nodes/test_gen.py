"""Node 3: learning paths out of real answers, problem sets that can be made again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import exp
from pathlib import Path
from typing import Literal
from uuid import UUID

import pytest
from pydantic import ValidationError

from reference_nodes.curriculum.graph import load
from reference_nodes.eventlog import EventLog
from reference_nodes.events import Content, LearningEvent
from reference_nodes.learning.model import LearningModel
from reference_nodes.nodes.gen import (
    GivenSet,
    LearningPath,
    PathQuestion,
    ProblemSetQuestion,
    tools,
)
from reference_nodes.problems.maker import remake
from reference_nodes.serving.context import NodeContext, NodeTool

pytestmark = pytest.mark.requirement("nodes-paths")

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
STUDENT = UUID("550e8400-e29b-41d4-a716-446655440000")
GOAL, FACTORS = "9수02-20", "9수02-19"


class Node:
    """Node 3 over a log of its own."""

    def __init__(self, log: EventLog) -> None:
        graph = load()
        self.log = log
        self.model = LearningModel(log, graph.canonical)
        self.tools: dict[str, NodeTool] = {
            tool.name: tool for tool in tools(NodeContext(log, self.model, graph, lambda: NOW))
        }

    def answered(self, code: str, results: str, seconds: float = 120, days_ago: int = 3) -> None:
        """One answer a letter, r for right; all on one day."""
        begun = NOW - timedelta(days=days_ago)
        self.log.append(
            self._event(code, i, letter == "r", begun + timedelta(minutes=5 * i), seconds)
            for i, letter in enumerate(results)
        )
        self.model.catch_up()

    def _event(
        self, code: str, i: int, right: bool, when: datetime, seconds: float
    ) -> LearningEvent:
        result: Literal["correct", "incorrect"] = "correct" if right else "incorrect"
        return LearningEvent(
            student_id=STUDENT,
            event_type="study",
            source_node=2,
            source_id=f"{code}-{when.isoformat()}",
            occurred_at=when,
            content=Content(
                problem_id=f"{code}-{i}", concepts=[code], result=result, time_spent=seconds
            ),
        )

    def path(self, **arguments: object) -> LearningPath:
        question = PathQuestion.model_validate({"student_id": str(STUDENT)} | arguments)
        path = self.tools["generate_learning_path"].run(question)
        assert isinstance(path, LearningPath)
        return path

    def problems(self, **arguments: object) -> GivenSet:
        question = ProblemSetQuestion.model_validate(arguments)
        made = self.tools["generate_problem_set"].run(question)
        assert isinstance(made, GivenSet)
        return made


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with EventLog(tmp_path) as log:
        yield Node(log)


def test_a_path_follows_the_students_own_answers(node: Node) -> None:
    """Factorisation, wrong again and again, comes before the quadratic equation."""
    node.answered(GOAL, "rwwrww")
    node.answered(FACTORS, "wwwwww")
    path = node.path(weak_areas=[{"code": GOAL, "concept": "이차방정식"}], duration_days=60)
    practised = [step.code for step in path.learning_path if step.activity == "practice"]
    assert practised == [FACTORS, GOAL]
    assert [step.step for step in path.learning_path] == list(range(1, len(practised) * 2 + 1))
    assert "n=6" in path.learning_path[0].why
    assert (path.student_id, path.generated_at) == (STUDENT, NOW)


@pytest.mark.parametrize(
    "area",
    [
        "이차방정식",
        "quadratic equations",
        "[9수02-20]",
        {"concept": "이차방정식"},
        {"code": "9수02-20", "concept": "무엇이든"},
        {"concept": "이차방정식", "current_mastery": 0.4, "target_mastery": 0.9},
        {"code": GOAL, "concept": "이차방정식", "current_mastery": 0.4, "target_mastery": 0.85,
         "interval": [0.3, 0.5], "answers": 9, "blocks": ["10공수1-02-02"]},
    ],
)  # fmt: skip
def test_weak_areas_come_in_many_shapes(node: Node, area: object) -> None:
    """As node 2 sends them, or as a teacher types a name or a code."""
    path = node.path(weak_areas=[area], duration_days=60)
    assert {step.code for step in path.learning_path} == {GOAL}
    assert {step.concept for step in path.learning_path} == {"이차방정식"}


def test_the_mastery_that_is_told_counts_over_the_own_one(node: Node) -> None:
    """The caller's node 2 may know more: its mastery, its count, and problems as easy as that."""
    node.answered(GOAL, "rrrrrrrr")
    area = {"code": GOAL, "current_mastery": 0.11, "answers": 40}
    review, practice = node.path(weak_areas=[area], duration_days=60).learning_path
    assert "0.11 (n=40)" in review.why
    assert practice.difficulty == 0.03


def test_difficulty_follows_the_students_own_ability(node: Node) -> None:
    """Where the told mastery is the own one, theta + t_k decides: P(right) = 0.80 on average."""
    node.answered(GOAL, "rwrwrw")
    own = node.model.mastery(str(STUDENT), GOAL).mean
    area = {"code": GOAL, "current_mastery": own}
    practice = node.path(weak_areas=[area], duration_days=60).learning_path[-1]
    level = node.model.level(str(STUDENT), GOAL)
    assert practice.difficulty == pytest.approx(1 / (1 + 4 * exp(-level)), abs=0.005)


def test_a_concept_of_foreign_data_is_planned_under_its_own_name(node: Node) -> None:
    """Without prerequisites and without a problem set."""
    path = node.path(weak_areas=["skill-70"], duration_days=60)
    assert {step.code for step in path.learning_path} == {"skill-70"}
    assert all(step.problem_set_id is None for step in path.learning_path)


def test_the_path_fits_the_students_own_pace(node: Node) -> None:
    """Thirty minutes a day is what this student works; the rest is named as cut."""
    node.answered(GOAL, "w" * 6, seconds=300)
    areas = ["일차방정식", "피타고라스 정리", "확률"]
    path = node.path(weak_areas=areas, duration_days=3)
    assert sum(step.estimated_duration for step in path.learning_path) <= 3 * 30 * 60
    assert path.cut
    assert "90분" in path.cut[0].why


def test_a_student_without_answers_gets_a_path_and_no_weak_areas_an_empty_one(node: Node) -> None:
    """Who exists is not this node's business."""
    assert node.path(weak_areas=["확률"], duration_days=60).learning_path
    assert node.path(weak_areas=[], duration_days=60).learning_path == []


def test_due_concepts_are_reviewed_in_between(node: Node) -> None:
    """What was right months ago comes back as every third step."""
    node.answered("9수01-01", "rr", days_ago=80)
    path = node.path(weak_areas=["일차방정식", "확률"], duration_days=200)
    assert path.learning_path[2].activity == "mixed_review"
    assert path.learning_path[2].codes == ["9수01-01"]


def test_a_steps_problem_set_is_the_one_that_the_other_tool_makes(node: Node) -> None:
    """Asked with the step's concept, number and difficulty."""
    path = node.path(weak_areas=[{"code": GOAL, "current_mastery": 0.7}], duration_days=60)
    (practice,) = path.learning_path
    made = node.problems(
        weak_areas=[{"code": practice.code, "difficulty": practice.difficulty}],
        num_problems=practice.num_problems,
    )
    assert practice.problem_set_id == made.problem_set_id
    assert len(made.problems) == practice.num_problems


def test_a_problem_set_takes_turns_between_its_concepts(node: Node) -> None:
    """No two problems alike, each made again from its id, each answer right."""
    made = node.problems(weak_areas=["이차방정식", "확률"], num_problems=10, seed=3)
    assert [problem.code for problem in made.problems] == [GOAL, "9수04-06"] * 5
    assert len({problem.statement for problem in made.problems}) == 10
    for problem in made.problems:
        again = remake(problem.problem_id)
        assert again.statement == problem.statement
        assert again.is_right(problem.answer)
        assert problem.choices is None or problem.answer in problem.choices


def test_the_same_wish_and_seed_give_the_same_set(node: Node) -> None:
    """Another seed gives another id and other problems."""
    first, again, other = (
        node.problems(weak_areas=["이차방정식"], num_problems=5, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first.problem_set_id != other.problem_set_id
    assert first.problems != other.problems


def test_concepts_without_a_template_are_named_and_nothing_is_invented(node: Node) -> None:
    """The set holds problems of the others only, or none."""
    made = node.problems(weak_areas=["벡터", "확률", "skill-70"], num_problems=4)
    assert made.without_template == ["벡터", "skill-70"]
    assert {problem.code for problem in made.problems} == {"9수04-06"}
    nothing = node.problems(weak_areas=["벡터"], num_problems=4)
    assert (nothing.problems, nothing.short_by) == ([], 4)


def test_a_small_pool_gives_fewer_problems_and_says_so(node: Node) -> None:
    """Two dice know about twenty questions."""
    made = node.problems(weak_areas=[{"code": "9수04-06", "difficulty": 0.5}], num_problems=50)
    assert 15 <= len(made.problems) < 50
    assert made.short_by == 50 - len(made.problems)


def test_stronger_students_get_harder_problems(node: Node) -> None:
    """The level follows the mastery."""
    levels = [
        node.problems(weak_areas=[{"code": GOAL, "current_mastery": m}], num_problems=1)
        .problems[0]
        .level
        for m in (0.3, 0.75, 0.9)
    ]
    assert levels == [1, 2, 3]


@pytest.mark.parametrize(
    ("tool", "arguments", "field"),
    [
        ("path", {"weak_areas": [{"current_mastery": 0.5}]}, "weak_areas"),
        ("path", {"weak_areas": ["확률"], "duration_days": 0}, "duration_days"),
        ("path", {"weak_areas": ["확률"], "duration_days": 366}, "duration_days"),
        ("path", {"weak_areas": ["확률"], "target_level": 0}, "target_level"),
        ("path", {"weak_areas": ["확률"], "target_level": 1.5}, "target_level"),
        ("path", {"weak_areas": ["확률"] * 51}, "weak_areas"),
        ("path", {"weak_areas": ["확률"], "extra": 1}, "extra"),
        ("path", {"weak_areas": [{"concept": "확률", "current_mastery": 2}]}, "weak_areas"),
        ("problems", {"weak_areas": ["확률"], "num_problems": 0}, "num_problems"),
        ("problems", {"weak_areas": ["확률"], "num_problems": 51}, "num_problems"),
        ("problems", {"weak_areas": ["확률"], "seed": -1}, "seed"),
        ("problems", {"weak_areas": [""]}, "weak_areas"),
        ("problems", {}, "weak_areas"),
    ],
)
def test_bad_arguments_are_refused_by_field(
    node: Node, tool: str, arguments: dict[str, object], field: str
) -> None:
    """Out of range, unknown, missing, nameless."""
    with pytest.raises(ValidationError, match=field):
        getattr(node, tool)(**arguments)
