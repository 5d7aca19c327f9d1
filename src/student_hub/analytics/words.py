"""What an answer says in sentences: its headline, and what has to be said beside the figures."""

from collections.abc import Iterator, Sequence
from statistics import StatisticsError, correlation
from typing import NamedTuple

from student_hub.analytics.learners import Gathered, Learner
from student_hub.analytics.schemas import AtRisk, Caveat, ConceptShown, GrowthShown, RiskLevel
from student_hub.analytics.statistics.summary import ENOUGH_STUDENTS, Verdict

MOST_HEADLINES = 4
MOST_WEAK_NAMED = 2
CLEARLY = 0.3
ENOUGH_TO_CORRELATE = 10


class Lines(NamedTuple):
    """The same in Korean and in English."""

    korean: list[str]
    english: list[str]


def headline(
    concepts: Sequence[ConceptShown], risks: Sequence[AtRisk], growth: GrowthShown | None
) -> Lines:
    """The few things that a teacher should know first."""
    pairs = [*_weak(concepts), *_help(risks), *_growth(growth)]
    if not pairs:
        pairs = [("뚜렷한 약점 없음", "no clear weakness")]
    shown = pairs[:MOST_HEADLINES]
    return Lines([korean for korean, _ in shown], [english for _, english in shown])


def caveats(gathered: Gathered, growth: GrowthShown | None, *, hidden: bool) -> list[Caveat]:
    """What keeps the figures from saying all of it."""
    found = [_caveat(*each) for each in _gaps(gathered)]
    if hidden:
        found.append(_caveat("small_group", "5명 미만 집단: 수치 비공개", SMALL))
    elif growth is None:
        found.append(_no_growth(gathered))
    if _stronger_are_active(gathered.learners):
        found.append(_caveat("active_are_stronger", "활동이 많은 학생일수록 높은 숙달도", ACTIVE))
    return found


SMALL = "figures about fewer than 5 students are for the class's own teacher"
ACTIVE = "students who answer more are the stronger ones: the class may be lower than it looks"


def _weak(concepts: Sequence[ConceptShown]) -> Iterator[tuple[str, str]]:
    for at in [each for each in concepts if each.verdict is Verdict.WEAK][:MOST_WEAK_NAMED]:
        figure = f"{at.mean:.2f} ({at.ci[0]:.2f}–{at.ci[1]:.2f})"
        yield (
            f"{at.concept}: 학급 숙달도 {figure}, {at.n_students}명",
            f"{at.concept}: class mastery {figure}, n = {at.n_students}",
        )


def _help(risks: Sequence[AtRisk]) -> Iterator[tuple[str, str]]:
    first = sum(each.level is RiskLevel.HIGH for each in risks)
    if first:
        yield f"도움 우선: {first}명", f"to be helped first: {first}"


def _growth(growth: GrowthShown | None) -> Iterator[tuple[str, str]]:
    if growth is None or growth.ci[0] <= 0 <= growth.ci[1]:
        return
    figure = f"{growth.change:+.2f} ({growth.ci[0]:+.2f}–{growth.ci[1]:+.2f})"
    yield f"숙달도 변화: {figure}, {growth.n}명", f"change of mastery: {figure}, n = {growth.n}"


def _gaps(gathered: Gathered) -> Iterator[tuple[str, str, str]]:
    answered = [each for each in gathered.learners if not each.is_missing]
    empty = sum(not each.has_data for each in answered)
    missing = len(gathered.learners) - len(answered)
    if empty:
        yield "no_data", f"자료 없음: {empty}명", f"{empty} students have no data"
    if gathered.left_out:
        out = gathered.left_out
        yield "left_out", f"처리 제외: {out}명", f"{out} students may not be processed: left out"
    if missing:
        yield (
            "unanswered",
            f"조회 실패: {missing}명, 수치에서 제외",
            f"{missing} students could not be had from a node: not in the figures",
        )


def _no_growth(gathered: Gathered) -> Caveat:
    if gathered.compares:
        text_en = f"growth needs {ENOUGH_STUDENTS} students with answers before and in the window"
        return _caveat("growth_too_few", f"변화 계산에 필요한 학생: {ENOUGH_STUDENTS}명", text_en)
    text_en = "the mastery node cannot tell how far students were before: no growth"
    return _caveat("growth_unavailable", "이전 숙달도 조회 불가: 변화 없음으로 해석 금지", text_en)


def _stronger_are_active(learners: Sequence[Learner]) -> bool:
    levels = [each.now for each in learners if each.now is not None and each.now.belief is not None]
    if len(levels) < ENOUGH_TO_CORRELATE:
        return False
    masteries = [level.mastery or 0.0 for level in levels]
    try:
        return correlation(masteries, [float(level.answers) for level in levels]) > CLEARLY
    except StatisticsError:  # all the same
        return False


def _caveat(code: str, text: str, text_en: str) -> Caveat:
    return Caveat(code=code, text=text, text_en=text_en)
