"""Node 6, School info: what is known of a school."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from reference_nodes.nodes.questions import Question
from reference_nodes.school.register import School, find
from reference_nodes.serving.context import NodeContext, NodeTool, ToolError


class SchoolQuestion(Question):
    """Which school."""

    school_id: Annotated[str, StringConstraints(min_length=1, max_length=50)] = Field(
        description="The school's id, such as SCH001."
    )


class SchoolAnswer(School):
    """A school, and the moment, in UTC, at which this was told."""

    generated_at: datetime


def tools(context: NodeContext) -> list[NodeTool]:
    """The tools of node 6."""

    def get_school(question: SchoolQuestion) -> SchoolAnswer:
        return SchoolAnswer(**dict(_known(question.school_id)), generated_at=context.clock())

    return [
        NodeTool(
            name="get_school",
            title="A school",
            description="Name, kind, region, address, home page and terms of one school.",
            arguments=SchoolQuestion,
            answer=SchoolAnswer,
            run=get_school,
        )
    ]


def _known(school_id: str) -> School:
    school = find(school_id)
    if school is None:
        raise ToolError(f"no school {school_id!r}", code="not_found", field="school_id")
    return school
