"""Node 1, Logic Engine: what a student knows, concept by concept."""

from datetime import datetime

from pydantic import BaseModel, Field

from reference_nodes.learning.model import Estimate
from reference_nodes.learning.standing import unmet
from reference_nodes.nodes.batches import knowledge_tool
from reference_nodes.nodes.questions import (
    Interval,
    Share,
    StudentAnswer,
    StudentQuestion,
    interval,
    rounded,
)
from reference_nodes.serving.context import NodeContext, NodeTool

MOST_CONCEPTS = 500


class ConceptState(BaseModel):
    """How a student stands at one concept."""

    code: str
    name: str
    mastery: Share = Field(description="Probability of a right answer on an average item.")
    interval: Interval
    answers: int
    last_at: datetime
    due: bool = Field(description="Retrievability (FSRS) has fallen under 0.9: time to review.")
    unmet_prerequisites: list[str] = Field(
        description="Codes of direct prerequisites that were practised and are under 0.70."
    )


class KnowledgeState(StudentAnswer):
    """Every concept that a student answered on, the newest first."""

    concepts: list[ConceptState]


def tools(context: NodeContext) -> list[NodeTool]:
    """The tools of node 1."""

    def get_knowledge_state(question: StudentQuestion) -> KnowledgeState:
        return _knowledge_state(context, question)

    return [
        NodeTool(
            name="get_knowledge_state",
            title="Knowledge state of a student",
            description=(
                "Per concept that the student has practised: mastery with its 80 % interval, "
                "how many answers it rests on, when the last one was, whether it is due for "
                "review, and which prerequisites are weak. Empty for a student without answers."
            ),
            arguments=StudentQuestion,
            answer=KnowledgeState,
            run=get_knowledge_state,
        ),
        knowledge_tool(context),
    ]


def _knowledge_state(context: NodeContext, question: StudentQuestion) -> KnowledgeState:
    student, now = str(question.student_id), context.clock()
    masteries, due = context.model.masteries(student), context.model.due(student, now)

    def state(code: str, known: Estimate, last_at: datetime) -> ConceptState:
        return ConceptState(
            code=code,
            name=context.graph.name_of(code),
            mastery=rounded(known.mean),
            interval=interval(known.low, known.high),
            answers=known.answers,
            last_at=last_at,
            due=code in due,
            unmet_prerequisites=unmet(context.graph, masteries, code),
        )

    states = [
        state(code, known, known.last_at) for code, known in masteries.items() if known.last_at
    ]
    states.sort(key=lambda at: (-at.last_at.timestamp(), at.code))
    return KnowledgeState(
        student_id=question.student_id, concepts=states[:MOST_CONCEPTS], generated_at=now
    )
