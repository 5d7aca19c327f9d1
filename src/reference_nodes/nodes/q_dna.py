"""Node 2, Q-DNA: how far a student has come, and where the weak spots are."""

from collections import defaultdict
from collections.abc import Mapping
from statistics import fmean

from pydantic import BaseModel, Field

from reference_nodes.curriculum.graph import Graph
from reference_nodes.learning.model import Estimate
from reference_nodes.learning.overall import overall_mastery
from reference_nodes.learning.standing import UNMET_BELOW, unmet
from reference_nodes.nodes.batches import levels_tool
from reference_nodes.nodes.questions import (
    Interval,
    Share,
    StudentAnswer,
    StudentQuestion,
    interval,
    rounded,
)
from reference_nodes.serving.context import NodeContext, NodeTool

ENOUGH = 3
CLEAR_GAP = 0.1
PREREQUISITE_DEPTH = 3
MOST_AREAS = 50


class Coverage(BaseModel):
    """Concepts practised, out of those of the grades that the student works on."""

    seen: int
    of: int


class MasteryLevel(StudentAnswer):
    """One figure for everything practised, and one for each domain; null without answers."""

    overall: Share | None
    interval: Interval | None
    by_subject: dict[str, Share]
    coverage: Coverage
    answers: int


class WeakAreaQuestion(StudentQuestion):
    """Whose weak areas, measured against which mastery."""

    target_level: float = Field(default=0.85, gt=0, le=1, description="Mastery to reach.")


class WeakArea(BaseModel):
    """A concept under the target; `blocks` are practised concepts that need it."""

    code: str
    concept: str
    current_mastery: Share
    target_mastery: Share
    interval: Interval
    answers: int
    blocks: list[str]


class WeakAreas(StudentAnswer):
    """Weak concepts, the most urgent first."""

    weak_areas: list[WeakArea]


def tools(context: NodeContext) -> list[NodeTool]:
    """The tools of node 2."""

    def get_mastery_level(question: StudentQuestion) -> MasteryLevel:
        return _mastery_level(context, question)

    def analyze_weak_areas(question: WeakAreaQuestion) -> WeakAreas:
        return _weak_areas(context, question)

    return [
        NodeTool(
            name="get_mastery_level",
            title="Mastery level of a student",
            description=(
                "Overall mastery with its 80 % interval and the mastery of each domain, every "
                "practised concept counting the same; coverage says how many were practised. "
                "Null and empty for a student without answers."
            ),
            arguments=StudentQuestion,
            answer=MasteryLevel,
            run=get_mastery_level,
        ),
        NodeTool(
            name="analyze_weak_areas",
            title="Weak areas of a student",
            description=(
                "Concepts surely or clearly under the target after at least three answers, and "
                "weak prerequisites behind them, sorted by gap times number of concepts blocked."
            ),
            arguments=WeakAreaQuestion,
            answer=WeakAreas,
            run=analyze_weak_areas,
        ),
        levels_tool(context),
    ]


def _mastery_level(context: NodeContext, question: StudentQuestion) -> MasteryLevel:
    student = str(question.student_id)
    belief, masteries = context.model.belief(student), context.model.masteries(student)
    overall = overall_mastery(belief, masteries)
    return MasteryLevel(
        student_id=question.student_id,
        overall=rounded(overall.mean) if overall else None,
        interval=interval(overall.low, overall.high) if overall else None,
        by_subject=_by_subject(context.graph, overall, masteries),
        coverage=_coverage(context.graph, masteries),
        answers=belief.answers,
        generated_at=context.clock(),
    )


def _by_subject(
    graph: Graph, overall: Estimate | None, masteries: Mapping[str, Estimate]
) -> dict[str, float]:
    domains: dict[str, list[float]] = defaultdict(list)
    for code, known in masteries.items():
        if concept := graph.find(code):
            domains[concept.domain].append(known.mean)
    subjects = {domain: rounded(fmean(means)) for domain, means in sorted(domains.items())}
    return {"math": rounded(overall.mean), **subjects} if overall else {}


def _coverage(graph: Graph, masteries: Mapping[str, Estimate]) -> Coverage:
    grades = {graph.grade_of(code) for code in masteries} - {None}
    expected = {code for code, concept in graph.concepts.items() if concept.grade in grades}
    return Coverage(seen=len(masteries), of=len(expected | set(masteries)))


def _weak_areas(context: NodeContext, question: WeakAreaQuestion) -> WeakAreas:
    graph, target = context.graph, question.target_level
    masteries = context.model.masteries(str(question.student_id))
    weak = {code for code, known in masteries.items() if _is_weak(known, target)}
    ceiling = min(UNMET_BELOW, target)
    behind = {need for code in weak for need in unmet(graph, masteries, code, PREREQUISITE_DEPTH)}
    weak |= {code for code in behind if masteries[code].mean < ceiling}
    areas = [_area(graph, masteries, code, target) for code in weak]
    areas.sort(key=lambda area: (-_urgency(area), area.code))
    return WeakAreas(
        student_id=question.student_id,
        weak_areas=areas[:MOST_AREAS],
        generated_at=context.clock(),
    )


def _is_weak(known: Estimate, target: float) -> bool:
    if known.answers < ENOUGH or known.mean >= target:
        return False
    return known.high < target or target - known.mean > CLEAR_GAP


def _area(graph: Graph, masteries: Mapping[str, Estimate], code: str, target: float) -> WeakArea:
    known = masteries[code]
    return WeakArea(
        code=code,
        concept=graph.name_of(code),
        current_mastery=rounded(known.mean),
        target_mastery=target,
        interval=interval(known.low, known.high),
        answers=known.answers,
        blocks=[above for above in graph.blocked_by(code) if above in masteries],
    )


def _urgency(area: WeakArea) -> float:
    return (area.target_mastery - area.current_mastery) * (1 + len(area.blocks))
