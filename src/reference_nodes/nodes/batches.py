"""What nodes 1 and 2 say of many students in one call: compact, for classes and grades."""

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from reference_nodes.learning.model import Estimate
from reference_nodes.learning.overall import overall_mastery
from reference_nodes.learning.standing import unmet
from reference_nodes.nodes.questions import Interval, Question, Share, interval, rounded
from reference_nodes.serving.context import NodeContext, NodeTool

MOST_STUDENTS = 50
MOST_CONCEPTS = 500

Row = tuple[str, float, float, float, int, int]


class StudentsQuestion(Question):
    """Whom it is about."""

    student_ids: list[UUID] = Field(min_length=1, max_length=MOST_STUDENTS)


class LevelsQuestion(StudentsQuestion):
    """Whom it is about, and at which moment (default: now)."""

    as_of: AwareDatetime | None = None


class KnowledgeOf(BaseModel):
    """One student: rows of code, mastery, its 80 % interval, answers, time of the last (epoch)."""

    student_id: UUID
    concepts: list[Row]
    unmet: dict[str, list[str]] = Field(description="Weak direct prerequisites by concept.")


class KnowledgeStates(BaseModel):
    """Several students, and the names of the concepts by code."""

    students: list[KnowledgeOf]
    names: dict[str, str]
    generated_at: datetime


class LevelOf(BaseModel):
    """One student over all concepts; `seen` counts those practised."""

    student_id: UUID
    overall: Share | None
    interval: Interval | None
    answers: int
    seen: int


class Levels(BaseModel):
    """Several students as they were at `as_of`, or are now."""

    students: list[LevelOf]
    as_of: datetime | None
    generated_at: datetime


def knowledge_tool(context: NodeContext) -> NodeTool:
    """Node 1's tool for many students."""

    def get_knowledge_states(question: StudentsQuestion) -> KnowledgeStates:
        students = [_knowledge(context, student) for student in question.student_ids]
        codes = {row[0] for each in students for row in each.concepts}
        codes |= {need for each in students for needs in each.unmet.values() for need in needs}
        names = {code: context.graph.name_of(code) for code in sorted(codes)}
        return KnowledgeStates(students=students, names=names, generated_at=context.clock())

    return NodeTool(
        name="get_knowledge_states",
        title="Knowledge states of many students",
        description="The same as get_knowledge_state for up to 50 students, in a compact form.",
        arguments=StudentsQuestion,
        answer=KnowledgeStates,
        run=get_knowledge_states,
    )


def levels_tool(context: NodeContext) -> NodeTool:
    """Node 2's tool for many students."""

    def get_mastery_levels(question: LevelsQuestion) -> Levels:
        return Levels(
            students=[_level(context, each, question.as_of) for each in question.student_ids],
            as_of=question.as_of,
            generated_at=context.clock(),
        )

    return NodeTool(
        name="get_mastery_levels",
        title="Mastery levels of many students",
        description=(
            "Overall mastery of up to 50 students, now or as the answers before a moment had it."
        ),
        arguments=LevelsQuestion,
        answer=Levels,
        run=get_mastery_levels,
    )


def _knowledge(context: NodeContext, student_id: UUID) -> KnowledgeOf:
    masteries = context.model.masteries(str(student_id))
    rows = [_row(code, known) for code, known in list(masteries.items())[:MOST_CONCEPTS]]
    needs = {code: unmet(context.graph, masteries, code) for code in masteries}
    weak = {code: codes for code, codes in needs.items() if codes}
    return KnowledgeOf(student_id=student_id, concepts=rows, unmet=weak)


def _row(code: str, known: Estimate) -> Row:
    last = round(known.last_at.timestamp()) if known.last_at else 0
    mean, low, high = map(rounded, (known.mean, known.low, known.high))
    return code, mean, low, high, known.answers, last


def _level(context: NodeContext, student_id: UUID, as_of: datetime | None) -> LevelOf:
    model, student = context.model, str(student_id)
    belief = model.belief(student) if as_of is None else model.belief_before(student, as_of)
    masteries = {code: model.estimate(belief, code) for code in belief.concepts}
    known = overall_mastery(belief, masteries)
    return LevelOf(
        student_id=student_id,
        overall=rounded(known.mean) if known else None,
        interval=interval(known.low, known.high) if known else None,
        answers=belief.answers,
        seen=len(masteries),
    )
