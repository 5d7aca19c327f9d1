"""Node 5, Report: what a day or a week has brought, for a student and for a class."""

import datetime as dt
from statistics import median
from typing import Annotated
from uuid import UUID

from pydantic import Field

from reference_nodes.learning.activity import seoul_day
from reference_nodes.learning.overall import overall_mastery
from reference_nodes.nodes.questions import Answer, Question, StudentAnswer, StudentQuestion
from reference_nodes.reports.compute import Reporter, day_of, ends, week_of
from reference_nodes.reports.pages import class_page, student_page
from reference_nodes.reports.shapes import ClassWeek, Period, Report
from reference_nodes.serving.context import NodeContext, NodeTool, ToolError

HELP_BELOW = 0.70
MOST_STUDENTS = 100

Day = Annotated[
    dt.date, Field(ge=dt.date(1990, 1, 1), lt=dt.date(2100, 1, 1), description="A day in Seoul.")
]


class LatestReports(StudentAnswer):
    """The reports of the latest finished day and week with activity, the newest first."""

    reports: list[Report]


class DailyQuestion(StudentQuestion):
    """Whose day; without a date the latest finished one with activity."""

    date: Day | None = None


class DailyReport(StudentAnswer):
    """A day's report and its page; null when there was no activity."""

    report: Report | None
    html: str | None


class WeeklyQuestion(Question):
    """Which class, who is in it, and a day of the week wanted (else the latest finished week)."""

    class_id: Annotated[str, Field(min_length=1, max_length=200)]
    student_ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_STUDENTS)] | None = (
        Field(default=None, description="The class's students: this node knows no rosters.")
    )
    date: Day | None = Field(default=None, description="Any day of the week wanted, in Seoul.")


class WeeklyReport(Answer):
    """A class's week: figures, the reports of those who did something, and a page."""

    week: ClassWeek
    reports: list[Report]
    html: str


def tools(context: NodeContext) -> list[NodeTool]:
    """The tools of node 5."""
    desk = _Desk(context)
    return [
        NodeTool(
            name="get_latest_reports",
            title="Latest reports of a student",
            description=(
                "The student's reports for the latest finished day and the latest finished week "
                "with activity: sums, change of mastery with its 80 % interval, reasons, and the "
                "next step. Empty for a student without activity."
            ),
            arguments=StudentQuestion,
            answer=LatestReports,
            run=desk.latest,
        ),
        NodeTool(
            name="generate_daily_report",
            title="Daily report of a student",
            description=(
                "One day's report as data and as an HTML page; without a date for the latest "
                "finished day with activity. Null when there was none."
            ),
            arguments=DailyQuestion,
            answer=DailyReport,
            run=desk.daily,
        ),
        NodeTool(
            name="generate_weekly_report",
            title="Weekly report of a class",
            description=(
                "One week, Monday to Sunday, of the students named in student_ids (up to 100), as "
                "data and as an HTML page; without a date for the latest finished week."
            ),
            arguments=WeeklyQuestion,
            answer=WeeklyReport,
            run=desk.weekly,
        ),
    ]


class _Desk:
    def __init__(self, context: NodeContext) -> None:
        self._context = context
        self._reporter = Reporter(context.log, context.model, context.graph)

    def latest(self, question: StudentQuestion) -> LatestReports:
        student, now = question.student_id, self._context.clock()
        found = self._reporter.latest_day(student, now), self._reporter.latest_week(student, now)
        reports = sorted(filter(None, found), key=lambda each: each.generated_at, reverse=True)
        return LatestReports(student_id=student, reports=reports, generated_at=now)

    def daily(self, question: DailyQuestion) -> DailyReport:
        student, now = question.student_id, self._context.clock()
        if question.date:
            period = _over(day_of(question.date), now)
            report = self._reporter.report(student, "daily", period)
        else:
            report = self._reporter.latest_day(student, now)
        html = student_page(report) if report else None
        return DailyReport(student_id=student, report=report, html=html, generated_at=now)

    def weekly(self, question: WeeklyQuestion) -> WeeklyReport:
        if question.student_ids is None:
            raise ToolError(
                "student_ids: this node knows no rosters; name the students of the class",
                code="invalid_arguments",
                field="student_ids",
            )
        students = list(dict.fromkeys(question.student_ids))
        now = self._context.clock()
        period = _over(week_of(question.date or seoul_day(now) - dt.timedelta(days=7)), now)
        found = [self._reporter.report(each, "weekly", period) for each in students]
        reports = [report for report in found if report]
        week = self._week(question.class_id, period, students, reports)
        html = class_page(week, reports)
        return WeeklyReport(week=week, reports=reports, html=html, generated_at=now)

    def _week(
        self, class_id: str, period: Period, students: list[UUID], reports: list[Report]
    ) -> ClassWeek:
        active = {report.student_id for report in reports}
        minutes = [report.totals.minutes for report in reports]
        return ClassWeek(
            class_id=class_id,
            period=period,
            students=len(students),
            with_activity=len(reports),
            without_activity=[each for each in students if each not in active],
            median_minutes=round(median(minutes)) if minutes else None,
            needs_help=[each for each in students if self._needs_help(each)],
        )

    def _needs_help(self, student: UUID) -> bool:
        model = self._context.model
        overall = overall_mastery(model.belief(str(student)), model.masteries(str(student)))
        return overall is not None and overall.high < HELP_BELOW


def _over(period: Period, now: dt.datetime) -> Period:
    if ends(period) > now:
        raise ToolError(
            f"date: {period.last} is not over yet", code="invalid_arguments", field="date"
        )
    return period
