"""Node 4, Lab: what students did and when, and the way by which events come in."""

import datetime as dt
from typing import Annotated

from pydantic import BaseModel, Field

from reference_nodes.events import LearningEvent
from reference_nodes.learning.activity import DayOfStudy, days_of_study, last_days
from reference_nodes.nodes.questions import Question, StudentAnswer, StudentQuestion
from reference_nodes.serving.context import NodeContext, NodeTool

MOST_EVENTS = 1_000


class ActivityQuestion(StudentQuestion):
    """Whose activities, and how far back."""

    days: int = Field(
        default=30, ge=1, le=365, description="Days in Seoul, today being one of them."
    )


class Activity(BaseModel):
    """One type of activity on one day."""

    date: dt.date = Field(description="Calendar day in Seoul.")
    type: str
    duration: int = Field(description="Seconds of study.")
    problems_solved: int = Field(description="Problems answered, right or wrong.")
    correct: int


class RecentActivities(StudentAnswer):
    """Activities, the newest first."""

    activities: list[Activity]


class EventsToRecord(Question):
    """Learning events to put in the log."""

    events: Annotated[list[LearningEvent], Field(min_length=1, max_length=MOST_EVENTS)]


class Recorded(BaseModel):
    """How many events were new and how many the log already had."""

    recorded: int
    repeated: int


class EventToVoid(Question):
    """Which event: the pair that identifies it."""

    source_node: int = Field(ge=0, le=6)
    source_id: str = Field(min_length=1, max_length=200)


class Voided(BaseModel):
    """Whether the event counted until now."""

    voided: bool


class Forgotten(StudentAnswer):
    """How many events of the student there were."""

    forgotten: int


def tools(context: NodeContext) -> list[NodeTool]:
    """The tools of node 4."""
    return [*_told_tools(context), *_taking_out_tools(context)]


def _taking_out_tools(context: NodeContext) -> list[NodeTool]:
    def void_event(which: EventToVoid) -> Voided:
        return Voided(voided=context.log.void(which.source_node, which.source_id))

    def forget_student(question: StudentQuestion) -> Forgotten:
        gone = context.log.forget(str(question.student_id))
        return Forgotten(
            student_id=question.student_id, forgotten=gone, generated_at=context.clock()
        )

    return [
        NodeTool(
            name="void_event",
            title="Void a learning event",
            description=(
                "Take an event out of the log that all nodes compute from, for good: sent again, "
                "it is not stored. What was computed from it is computed anew. Safe to repeat."
            ),
            arguments=EventToVoid,
            answer=Voided,
            run=void_event,
            read_only=False,
            destructive=True,
        ),
        NodeTool(
            name="forget_student",
            title="Forget a student",
            description=(
                "Destroy all learning events of a student who was erased from the platform. What "
                "was computed from them, difficulties too, is computed anew. Safe to repeat."
            ),
            arguments=StudentQuestion,
            answer=Forgotten,
            run=forget_student,
            read_only=False,
            destructive=True,
        ),
    ]


def _told_tools(context: NodeContext) -> list[NodeTool]:

    def get_recent_activities(question: ActivityQuestion) -> RecentActivities:
        return _recent_activities(context, question)

    def record_events(sent: EventsToRecord) -> Recorded:
        return Recorded(**context.log.append(sent.events)._asdict())

    return [
        NodeTool(
            name="get_recent_activities",
            title="Recent activities of a student",
            description=(
                "Per day and type of activity: seconds of study, problems answered, and how many "
                "of them right, the newest day first. Days without activity are left out."
            ),
            arguments=ActivityQuestion,
            answer=RecentActivities,
            run=get_recent_activities,
        ),
        NodeTool(
            name="record_events",
            title="Record learning events",
            description=(
                "Put up to 1,000 learning events in the log that all nodes compute from. An event "
                "is identified by (source_node, source_id) and stored once, however often sent."
            ),
            arguments=EventsToRecord,
            answer=Recorded,
            run=record_events,
            read_only=False,
        ),
    ]


def _recent_activities(context: NodeContext, question: ActivityQuestion) -> RecentActivities:
    now = context.clock()
    since = last_days(now, question.days).timestamp()
    events = context.log.of_student(str(question.student_id), since)
    return RecentActivities(
        student_id=question.student_id,
        activities=[_activity(day) for day in days_of_study(events)],
        generated_at=now,
    )


def _activity(day: DayOfStudy) -> Activity:
    return Activity(
        date=day.date,
        type=day.type,
        duration=round(day.duration),
        problems_solved=day.problems_solved,
        correct=day.correct,
    )
