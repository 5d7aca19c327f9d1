"""Learning paths: prerequisites first, then the largest gain per minute, within the days given."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from reference_nodes.curriculum.graph import Graph
from reference_nodes.paths.reviews import mixed_reviews
from reference_nodes.paths.steps import Goal, Plan, Step, Student
from reference_nodes.problems.sets import SUCCESS_AIMED_AT, difficulty_for, suitable_difficulty

READY_FROM: Final = 0.70
"""A prerequisite of at least this mastery is left alone, and so is what stands behind it."""
DEPTH: Final = 3
REVIEW_BELOW: Final = 0.60
FEWEST_PROBLEMS, MOST_PROBLEMS, WIDEST_GAP = 5, 20, 0.5
REVIEW_SECONDS, SECONDS_PER_PROBLEM = 1800, 180
UNKNOWN: Final = 0.5
"""The mastery that a goal without answers is planned with."""
MIXED_EVERY: Final = 3


@dataclass(frozen=True)
class _Work:
    """A concept to work on; `serves` are the goals that wait for it, nearest first."""

    code: str
    mastery: float
    target: float
    is_goal: bool
    serves: tuple[str, ...]

    @property
    def gap(self) -> float:
        return self.target - self.mastery

    @property
    def needs_review(self) -> bool:
        return self.mastery < REVIEW_BELOW

    @property
    def problems(self) -> int:
        share = min(1.0, self.gap / WIDEST_GAP)
        return round(FEWEST_PROBLEMS + share * (MOST_PROBLEMS - FEWEST_PROBLEMS))

    @property
    def minutes(self) -> float:
        review = REVIEW_SECONDS if self.needs_review else 0
        return (review + self.problems * SECONDS_PER_PROBLEM) / 60

    @property
    def worth(self) -> float:
        return self.gap * (1 + len(self.serves)) / self.minutes


def plan(goals: Sequence[Goal], student: Student, graph: Graph, days: int) -> Plan:
    """Give the steps that bring a student nearer to the goals within so many days.

    Goals already reached are left out. Each concept gets a review if its mastery is under 0.60,
    then practice at the difficulty that is met with probability 0.80; every third step reviews
    due concepts. What does not fit is cut from the end, the first step never.
    """
    available = round(days * student.minutes_per_day * 60)
    ordered = ordered_work(goals, student, graph)
    steps = list(_woven(ordered, student, graph))
    ends = accumulate(step.seconds for step in steps)
    fitting = max(sum(end <= available for end in ends), min(1, len(steps)))
    return Plan(tuple(steps[:fitting]), tuple(steps[fitting:]), available)


def ordered_work(goals: Sequence[Goal], student: Student, graph: Graph) -> list[_Work]:
    """Give the concepts to work on, each after its prerequisites, the largest gain first."""
    waiting = _chosen(goals, student, graph)
    above = {code: set(graph.blocked_by(code)) & waiting.keys() for code in waiting}
    ordered: list[_Work] = []
    while waiting:
        ready = [w for w in waiting.values() if not any(w.code in above[c] for c in waiting)]
        best = min(ready, key=lambda work: (-work.worth, work.code))
        ordered.append(waiting.pop(best.code))
    return ordered


def _chosen(goals: Sequence[Goal], student: Student, graph: Graph) -> dict[str, _Work]:
    targets = {graph.canonical(goal.code): goal.target for goal in goals}
    open_goals = {
        code: target
        for code, target in targets.items()
        if student.mastery.get(code, UNKNOWN) < target
    }
    serves: dict[str, list[str]] = {code: [] for code in open_goals}
    for goal in open_goals:
        for need in _unready(goal, student, graph):
            serves.setdefault(need, []).append(goal)
    highest = max(open_goals.values(), default=0.0)
    return {
        code: _Work(
            code,
            student.mastery.get(code, UNKNOWN),
            open_goals.get(code, max(highest, READY_FROM)),
            code in open_goals,
            tuple(waiting),
        )
        for code, waiting in serves.items()
    }


def _unready(goal: str, student: Student, graph: Graph) -> list[str]:
    """Walk back from a goal; stop at what is mastered, pass through what was never answered."""
    seen: dict[str, None] = {}
    layer = [goal]
    for _ in range(DEPTH):
        needs = (need for code in layer for need in graph.prerequisites(code))
        layer = [
            need
            for need in dict.fromkeys(needs)
            if need not in seen and student.mastery.get(need, 0.0) < READY_FROM
        ]
        seen.update(dict.fromkeys(layer))
    return [code for code in seen if code in student.mastery]


def _woven(ordered: Sequence[_Work], student: Student, graph: Graph) -> Iterator[Step]:
    busy = {work.code for work in ordered}
    due = [code for code in map(graph.canonical, student.due) if code not in busy]
    reviews = mixed_reviews(due, graph, SECONDS_PER_PROBLEM)
    count = 0
    for step in (step for work in ordered for step in _steps(work, student, graph)):
        if count % MIXED_EVERY == MIXED_EVERY - 1 and (review := next(reviews, None)):
            yield review
            count += 1
        yield step
        count += 1


def _steps(work: _Work, student: Student, graph: Graph) -> Iterator[Step]:
    why = _why(work, student, graph)
    name = graph.name_of(work.code)
    if work.needs_review:
        yield Step("review_concept", (work.code,), name, REVIEW_SECONDS, why)
    difficulty = _difficulty(work, student.ability.get(work.code))
    yield Step(
        "practice",
        (work.code,),
        name,
        work.problems * SECONDS_PER_PROBLEM,
        f"{why}; 난이도 {difficulty:.2f}에서 예상 정답률 {SUCCESS_AIMED_AT:.2f}",
        work.problems,
        difficulty,
    )


def _difficulty(work: _Work, ability: float | None) -> float:
    exact = suitable_difficulty(work.mastery) if ability is None else difficulty_for(ability)
    return round(exact, 2)


def _why(work: _Work, student: Student, graph: Graph) -> str:
    standing = _standing(work, student)
    if work.is_goal:
        waiting = f", 다른 목표 {len(work.serves)}개의 선수 개념" if work.serves else ""
        return f"목표 개념{waiting}, {standing}, 목표 {work.target:.2f}"
    goal = work.serves[0]
    others = f" 외 {len(work.serves) - 1}개" if len(work.serves) > 1 else ""
    reasons = [edge.reason for edge in graph.edges(goal) if edge.code == work.code]
    because = f" ({reasons[0]})" if reasons else ""
    return f"{graph.name_of(goal)}{others}의 선수 개념{because}, {standing}"


def _standing(work: _Work, student: Student) -> str:
    if work.code not in student.mastery:
        return f"숙달도 자료 없음 ({UNKNOWN:.2f}로 봄)"
    count = student.answers.get(work.code)
    return f"숙달도 {work.mastery:.2f}" + (f" (n={count})" if count is not None else "")
