"""The rules: which reasons are found, in which order, and what they say."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from student_hub.analytics.learners import Concept, Habits, Learner, Level
from student_hub.analytics.reasons import Code
from student_hub.analytics.risk.ranking import at_risk, groups
from student_hub.analytics.risk.rules import setting_of
from student_hub.analytics.schemas import RiskLevel
from student_hub.analytics.statistics.scale import belief_of

pytestmark = pytest.mark.requirement("class-risks")
NOW = datetime(2026, 11, 20, tzinfo=UTC)
TODAY = date(2026, 11, 20)
NAMES = {"q": "이차방정식", "f": "인수분해"}


def concept(mastery: float, n: int, *unmet: str) -> Concept:
    low, high = max(mastery - 0.15, 0.02), min(mastery + 0.15, 0.98)
    return Concept(mastery, low, high, belief_of(mastery, (low, high)), n, NOW, unmet)


def learner(number: int, idle_days: int = 0, **concepts: Concept) -> Learner:
    last = date.fromordinal(TODAY.toordinal() - idle_days)
    level = Level(20, 0.7, belief_of(0.7, (0.6, 0.8)), 5)
    return Learner(UUID(int=number), concepts, level, level, Habits(last_day=last, usual_gap=2.0))


def test_struggle_comes_before_idleness_and_two_reasons_are_high() -> None:
    """The struggling student is first, who is idle too is high, who is well is not shown."""
    learners = [
        learner(1, q=concept(0.9, 8)),
        learner(2, 12, q=concept(0.9, 8)),
        learner(3, q=concept(0.3, 6)),
        learner(4, 12, q=concept(0.4, 6)),
    ]
    shown, total = at_risk(learners, setting_of(learners, NAMES, NOW, TODAY))
    assert total == 3
    assert [each.student_id.int for each in shown] == [4, 3, 2]
    assert [each.level for each in shown] == [RiskLevel.HIGH, RiskLevel.WATCH, RiskLevel.WATCH]
    codes = [[reason.code for reason in each.reasons] for each in shown]
    assert codes == [[Code.STRUGGLE, Code.IDLE], [Code.STRUGGLE], [Code.IDLE]]
    struggle = shown[1].reasons[0]
    assert struggle.text == "이차방정식: 숙달도 0.30 (0.15–0.45), 답 6개"
    assert struggle.evidence["n"] == 6


def test_few_answers_are_no_struggle() -> None:
    """Below five answers, and with an interval that reaches 0.70, nothing is said."""
    learners = [learner(1, q=concept(0.3, 4)), learner(2, q=concept(0.6, 9))]
    assert at_risk(learners, setting_of(learners, NAMES, NOW, TODAY)) == ([], 0)


def test_those_who_lack_the_same_prerequisite_are_a_group() -> None:
    """The weak prerequisite of what the class works on, with the lowest first."""
    learners = [
        learner(1, q=concept(0.75, 8, "f"), f=concept(0.5, 4)),
        learner(2, q=concept(0.75, 8, "f"), f=concept(0.4, 4)),
        learner(3, q=concept(0.9, 8)),
    ]
    (group,) = groups(learners, setting_of(learners, NAMES, NOW, TODAY))
    assert group.concept == "인수분해"
    assert [each.int for each in group.student_ids] == [2, 1]
    assert group.blocks == ["이차방정식"]
