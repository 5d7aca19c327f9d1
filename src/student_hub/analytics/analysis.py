"""Puts the answer about a class together out of what was gathered: pure, the same each time."""

from collections.abc import Sequence

from student_hub.analytics import figures
from student_hub.analytics.learners import Day, Gathered, Learner
from student_hub.analytics.places import Place
from student_hub.analytics.plans import ClassPlans
from student_hub.analytics.risk.ranking import at_risk, groups
from student_hub.analytics.risk.rules import setting_of
from student_hub.analytics.schemas import (
    ClassAnalytics,
    DayShown,
    Engagement,
    InterventionsShown,
    Mastery,
    Method,
    RosterShown,
    WindowShown,
)
from student_hub.analytics.statistics.summary import ENOUGH_STUDENTS, Verdict, quartiles
from student_hub.analytics.window import Window
from student_hub.analytics.words import caveats, headline

METHOD = Method(model="two-level partial pooling", interval=0.8, target=figures.TARGET)
MOST_WEAKEST = 5
MOST_RUNNING = 20


def analyse(
    place: Place, window: Window, gathered: Gathered, plans: ClassPlans, *, own: bool
) -> ClassAnalytics:
    """The answer; only the class's `own` teacher is told of fewer than five students."""
    if not own and len(gathered.learners) < ENOUGH_STUDENTS:
        return _hidden(place, window, gathered)
    had = [each for each in gathered.learners if not each.is_missing]
    setting = setting_of(had, gathered.names, window.now, window.today)
    concepts = figures.by_concept(had, gathered.names, 1 if own else ENOUGH_STUDENTS)
    risks, total = at_risk(had, setting, plans.helped)
    enough = own or sum(each.has_data for each in had) >= ENOUGH_STUDENTS
    growth = figures.grown(had) if gathered.compares else None
    lines = headline(concepts, risks, growth)
    return ClassAnalytics(
        class_id=place.id,
        window=_window(window),
        generated_at=window.now,
        method=METHOD,
        roster=_roster(gathered),
        headline=lines.korean,
        headline_en=lines.english,
        mastery=Mastery(
            overall=figures.overall(had) if enough else None,
            by_concept=concepts[: figures.MOST_CONCEPTS],
        ),
        weakest_concepts=[at.concept for at in concepts if at.verdict is Verdict.WEAK][
            :MOST_WEAKEST
        ],
        engagement=_engagement(gathered.learners, gathered.days),
        growth=growth,
        at_risk=risks,
        at_risk_total=total,
        groups=groups(had, setting),
        interventions=InterventionsShown(
            running=list(plans.running)[:MOST_RUNNING], finished=plans.finished
        ),
        caveats=caveats(gathered, growth, hidden=False),
    )


def _hidden(place: Place, window: Window, gathered: Gathered) -> ClassAnalytics:
    """How many they are, and nothing more."""
    lines = headline([], [], None)
    return ClassAnalytics(
        class_id=place.id,
        window=_window(window),
        generated_at=window.now,
        method=METHOD,
        roster=RosterShown(
            students=len(gathered.learners) + gathered.left_out,
            left_out=gathered.left_out,
            unanswered=0,
            with_data=0,
            active_in_window=0,
            coverage=None,
        ),
        headline=lines.korean[:0],
        headline_en=lines.english[:0],
        mastery=Mastery(overall=None, by_concept=[]),
        weakest_concepts=[],
        engagement=_engagement([], []),
        growth=None,
        at_risk=[],
        at_risk_total=0,
        groups=[],
        interventions=InterventionsShown(running=[], finished=None),
        caveats=caveats(Gathered([], 0, [], {}, compares=True), None, hidden=True),
    )


def _window(window: Window) -> WindowShown:
    return WindowShown.model_validate(
        {"from": window.first_day, "to": window.today, "days": window.days}
    )


def _roster(gathered: Gathered) -> RosterShown:
    students = len(gathered.learners) + gathered.left_out
    with_data = sum(each.has_data for each in gathered.learners)
    return RosterShown(
        students=students,
        left_out=gathered.left_out,
        unanswered=sum(each.is_missing for each in gathered.learners),
        with_data=with_data,
        active_in_window=sum(each.habits.active_days > 0 for each in gathered.learners),
        coverage=round(with_data / students, 4) if students else None,
    )


def _engagement(learners: Sequence[Learner], days: Sequence[Day]) -> Engagement:
    active = [each.habits for each in learners if each.habits.active_days]
    minutes = [each.minutes_a_day for each in active if each.minutes_a_day is not None]
    return Engagement(
        per_day=[
            DayShown(date=at.date, active=at.active, problems=at.problems, minutes=at.minutes)
            for at in days
        ],
        median_minutes_per_active_day=_median(minutes),
        active_days_median=_median([each.active_days for each in active]),
    )


def _median(values: Sequence[float]) -> float | None:
    return round(quartiles(values).median, 1) if values else None
