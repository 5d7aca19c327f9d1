"""Node 5: what a day or a week has brought."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import TypeVar

import pytest
from pydantic import BaseModel

from learning_events import START, answer, call, context_of, student_id
from reference_nodes.events import LearningEvent
from reference_nodes.nodes.report import DailyReport, LatestReports, WeeklyReport, tools
from reference_nodes.serving.context import ToolError

pytestmark = pytest.mark.requirement("nodes-real-models")

T = TypeVar("T", bound=BaseModel)
DAY = 24 * 60.0
A_WEEK_ON = START + timedelta(days=9)
FACTORING, QUADRATIC = "9수02-19", "9수02-20"


class Reader(HTMLParser):
    """Collects the text of a page and the tags in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def asked(
    kind: type[T],
    folder: Path,
    events: Iterable[LearningEvent],
    tool: str,
    *,
    now: datetime = A_WEEK_ON,
    **arguments: object,
) -> T:
    context = context_of(folder, events, now=now)
    with context.log:
        given = call(tools(context), tool, **arguments)
    assert isinstance(given, kind)
    return given


def week(student: str = "a", results: str = "xoxoooooo") -> list[LearningEvent]:
    """Three problems on each of three days, from Monday on."""
    return [
        answer(student, f"p{n}", r == "o", minutes=DAY * (n // 3) + n % 3, time_spent=120)
        for n, r in enumerate(results)
    ]


def latest(folder: Path, events: Iterable[LearningEvent], now: datetime) -> LatestReports:
    return asked(
        LatestReports, folder, events, "get_latest_reports", now=now, student_id=student_id("a")
    )


def test_the_latest_finished_day_and_week_are_reported(tmp_path: Path) -> None:
    """The newest comes first; sums are those of the period alone."""
    got = latest(tmp_path, week(), A_WEEK_ON)
    assert [report.type for report in got.reports] == ["weekly", "daily"]
    weekly, daily = got.reports
    assert (weekly.period.first, weekly.period.last) == (date(2026, 3, 2), date(2026, 3, 8))
    assert (weekly.totals.problems, weekly.totals.correct, weekly.totals.minutes) == (9, 7, 18)
    assert (daily.period.first, daily.totals.problems) == (date(2026, 3, 4), 3)
    assert weekly.generated_at.isoformat() == "2026-03-08T15:00:00+00:00"


def test_a_period_that_is_not_over_has_no_report(tmp_path: Path) -> None:
    """On Wednesday evening there is Tuesday's report, and none of the week."""
    (daily,) = latest(tmp_path, week(), START + timedelta(days=2, hours=1)).reports
    assert (daily.type, daily.period.first) == ("daily", date(2026, 3, 3))


def test_reports_are_the_same_whenever_they_are_asked_for(tmp_path: Path) -> None:
    """Id and content follow from the log, not from the moment of the question."""
    first = latest(tmp_path / "1", week(), A_WEEK_ON)
    later = latest(tmp_path / "2", week(), A_WEEK_ON + timedelta(days=2))
    assert first.reports == later.reports
    assert len({report.report_id for report in first.reports}) == 2


def test_nobody_has_no_reports(tmp_path: Path) -> None:
    """Empty answers for a student without events, not errors."""
    assert latest(tmp_path / "1", [], A_WEEK_ON).reports == []
    daily = asked(
        DailyReport, tmp_path / "2", [], "generate_daily_report", student_id=student_id("a")
    )
    assert (daily.report, daily.html) == (None, None)


def test_the_change_comes_with_an_interval_around_it(tmp_path: Path) -> None:
    """Improvement shows as a rise; whether it is sure is said in the reasons."""
    report = latest(tmp_path, week(), A_WEEK_ON).reports[0]
    assert report.overall is not None
    low, high = report.overall.interval
    assert low < report.overall.change < high
    assert report.overall.change == pytest.approx(
        report.overall.after - report.overall.before, abs=2e-4
    )
    sure = "SURE_CHANGE" if low > 0 or high < 0 else "NO_SURE_CHANGE"
    assert sure in {reason.code for reason in report.reasons}
    (concept,) = report.concepts
    assert (concept.code, concept.answers) == (QUADRATIC, 9)


def test_the_next_step_is_a_weak_prerequisite_first(tmp_path: Path) -> None:
    """Quadratic equations fail; factoring, weak too, is named with its mastery."""
    factoring = [
        answer("a", f"f{n}", False, minutes=n - 3 * DAY, concepts=[FACTORING]) for n in range(6)
    ]
    step = (
        latest(tmp_path, [*factoring, *week(results="xxxxxxxxx")], A_WEEK_ON).reports[0].next_step
    )
    assert (step.action, step.code) == ("review_prerequisite", FACTORING)
    assert "이차방정식" in step.text


def test_the_next_step_after_success_is_to_go_on(tmp_path: Path) -> None:
    """Nothing weak and nothing due on the day itself."""
    events = [answer("a", f"p{n}", True, minutes=n, difficulty=0.1) for n in range(60)]
    report = latest(tmp_path, events, START + timedelta(days=1)).reports[0]
    assert report.next_step.action == "go_on"


def test_a_daily_report_has_a_page_that_says_the_same(tmp_path: Path) -> None:
    """HTML with the summary, the concept and the next step; no scripts."""
    got = asked(
        DailyReport,
        tmp_path,
        week(),
        "generate_daily_report",
        student_id=student_id("a"),
        date=date(2026, 3, 3),
    )
    assert got.report is not None
    assert got.html is not None
    page = Reader(got.html)
    assert got.report.summary in page.text
    assert got.report.next_step.text in page.text
    assert "이차방정식" in page.text
    assert "script" not in page.tags


def test_a_concepts_name_cannot_bring_markup_into_a_page(tmp_path: Path) -> None:
    """Names of foreign skills are text, whatever they contain."""
    evil = "<script>alert(1)</script>"
    events = [answer("a", f"p{n}", False, minutes=n, concepts=[evil]) for n in range(4)]
    got = asked(DailyReport, tmp_path, events, "generate_daily_report", student_id=student_id("a"))
    assert got.html is not None
    page = Reader(got.html)
    assert "script" not in page.tags
    assert evil in page.text


def test_a_day_that_is_not_over_is_refused(tmp_path: Path) -> None:
    """The error names the field."""
    with pytest.raises(ToolError, match="not over") as refused:
        asked(
            DailyReport,
            tmp_path,
            week(),
            "generate_daily_report",
            student_id=student_id("a"),
            date=date(2026, 3, 11),
        )
    assert refused.value.field == "date"


def test_a_weekly_report_needs_the_students(tmp_path: Path) -> None:
    """This node knows no rosters and says so instead of reporting an empty class."""
    with pytest.raises(ToolError, match="rosters") as refused:
        asked(WeeklyReport, tmp_path, week(), "generate_weekly_report", class_id="SCH001:10:1반")
    assert refused.value.field == "student_ids"


def test_a_weekly_report_tells_the_active_from_the_absent(tmp_path: Path) -> None:
    """Figures are of those with activity; the others are named; help goes to the surely weak."""
    weak = [answer("b", f"p{n}", False, minutes=n, time_spent=60) for n in range(30)]
    got = asked(
        WeeklyReport,
        tmp_path,
        [*week(), *weak],
        "generate_weekly_report",
        class_id="SCH001:10:1반",
        student_ids=[student_id(name) for name in ("a", "b", "absent", "a")],
    )
    assert (got.week.students, got.week.with_activity) == (3, 2)
    assert got.week.without_activity == [student_id("absent")]
    assert got.week.median_minutes == 24
    assert got.week.needs_help == [student_id("b")]
    page = Reader(got.html)
    assert "SCH001:10:1반" in page.text
    assert str(student_id("b")) in page.text
