"""The words of a report, in Korean: noun phrases, so that no particle depends on a name."""

from collections.abc import Collection, Mapping, Sequence
from statistics import fmean

from reference_nodes.curriculum.graph import Graph
from reference_nodes.eventlog import LoggedEvent
from reference_nodes.learning.model import Estimate, LearningModel
from reference_nodes.learning.standing import UNMET_BELOW, unmet
from reference_nodes.reports.shapes import MasteryChange, NextStep, Period, Reason, Totals

TARGET = 0.85
CLEARLY = 0.3
"""Logits by which items must differ from the average to be called hard or easy."""


def summary(totals: Totals, overall: MasteryChange | None) -> str:
    """The report in one line."""
    done = f"문제 {totals.problems}개 중 {totals.correct}개 정답, 학습 {totals.minutes}분"
    if overall is None:
        return done
    return f"{done}. 전체 숙달도 {overall.before:.2f} → {overall.after:.2f}"


def reasons(
    model: LearningModel,
    events: Sequence[LoggedEvent],
    overall: MasteryChange | None,
    totals: Totals,
    period: Period,
) -> list[Reason]:
    """What stands behind the figures."""
    found = [_answers(totals)] if totals.problems else []
    found += _difficulty(model, events)
    found += _rhythm(totals, period)
    return found + ([_certainty(overall)] if overall else [])


def next_step(
    graph: Graph, masteries: Mapping[str, Estimate], practised: Sequence[str], due: Collection[str]
) -> NextStep:
    """What to do next: a weak prerequisite first, then the weakest concept, then a review."""
    by_need = sorted(practised, key=lambda code: (masteries[code].mean, code))
    if by_need and masteries[by_need[0]].mean < TARGET:
        return _mend(graph, masteries, by_need[0])
    if due:
        code = min(due, key=lambda each: (masteries[each].mean, each))
        name = graph.name_of(code)
        text = f"복습 권장: {name} (마지막 학습 후 시간 경과)"
        return NextStep(action="review_due", code=code, concept=name, text=text)
    return NextStep(action="go_on", code=None, concept=None, text="다음 개념 학습 가능")


def _mend(graph: Graph, masteries: Mapping[str, Estimate], code: str) -> NextStep:
    name = graph.name_of(code)
    weak = unmet(graph, masteries, code)
    if masteries[code].mean < UNMET_BELOW and weak:
        first = min(weak, key=lambda each: (masteries[each].mean, each))
        need = graph.name_of(first)
        text = f"선수 개념 복습 권장: {need} ({name}의 선수 개념, {_level(masteries[first])})"
        return NextStep(action="review_prerequisite", code=first, concept=need, text=text)
    text = f"연습 권장: {name} ({_level(masteries[code])})"
    return NextStep(action="practice", code=code, concept=name, text=text)


def _level(known: Estimate) -> str:
    return f"숙달도 {known.mean:.2f}, 답 {known.answers}개"


def _answers(totals: Totals) -> Reason:
    share = round(100 * totals.correct / totals.problems)
    text = f"문제 {totals.problems}개 중 {totals.correct}개 정답 ({share}%)"
    return Reason(code="ANSWERS", text=text)


def _difficulty(model: LearningModel, events: Sequence[LoggedEvent]) -> list[Reason]:
    met = [model.item(event.problem_id) for event in events if event.problem_id]
    known = [item.d for item in met if item]
    if not known:
        return []
    gap = fmean(known) - model.items.mean_of_all()
    harder, easier = gap > CLEARLY, gap < -CLEARLY
    text = (
        "평균보다 어려운 문항" if harder else "평균보다 쉬운 문항" if easier else "평균 수준의 문항"
    )
    return [Reason(code="DIFFICULTY", text=text)]


def _rhythm(totals: Totals, period: Period) -> list[Reason]:
    days = (period.last - period.first).days + 1
    if days == 1:
        return []
    return [Reason(code="RHYTHM", text=f"{days}일 중 {totals.active_days}일 학습")]


def _certainty(overall: MasteryChange) -> Reason:
    low, high = overall.interval
    if low <= 0 <= high:
        return Reason(code="NO_SURE_CHANGE", text=f"변화 {low:+.2f} ~ {high:+.2f}: 아직 단정 불가")
    word = "상승" if low > 0 else "하락"
    return Reason(code="SURE_CHANGE", text=f"숙달도 {word} 확인: {low:+.2f} ~ {high:+.2f}")
