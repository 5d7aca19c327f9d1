"""The reasons for which a student is shown, their evidence, and the sentences for a teacher.

The Korean sentences are noun phrases with a colon: so no particle depends on how a concept's name
ends.
"""

from enum import StrEnum
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict

Fact: TypeAlias = str | int | float | None


class Code(StrEnum):
    """Why a student is shown, the most urgent first."""

    STRUGGLE = "STRUGGLE"
    """Works on what the class works on, and surely does not master it."""
    WHEEL_SPINNING = "WHEEL_SPINNING"
    """Many answers at one concept, and still not there (Beck and Gong 2013)."""
    DECLINE = "DECLINE"
    PREREQ = "PREREQ"
    IDLE = "IDLE"
    RAPID_GUESS = "RAPID_GUESS"
    BEHIND = "BEHIND"


URGENCY = {code: place for place, code in enumerate(Code)}
AT_WORK = frozenset({Code.STRUGGLE, Code.WHEEL_SPINNING})


class Reason(BaseModel):
    """One reason: its code, a sentence in two languages, and the numbers behind it."""

    model_config = ConfigDict(frozen=True)

    code: Code
    text: str
    text_en: str
    evidence: dict[str, Fact]


def struggle(concept: str, mastery: float, low: float, high: float, n: int) -> Reason:
    interval = f"{mastery:.2f} ({low:.2f}–{high:.2f})"
    return Reason(
        code=Code.STRUGGLE,
        text=f"{concept}: 숙달도 {interval}, 답 {n}개",
        text_en=f"{concept}: mastery {interval} after {n} answers",
        evidence=_at(concept, mastery, n) | {"low": round(low, 4), "high": round(high, 4)},
    )


def wheel_spinning(concept: str, mastery: float, n: int) -> Reason:
    return Reason(
        code=Code.WHEEL_SPINNING,
        text=f"{concept}: 답 {n}개 후에도 숙달도 {mastery:.2f}",
        text_en=f"{concept}: mastery still {mastery:.2f} after {n} answers",
        evidence=_at(concept, mastery, n),
    )


def prerequisite(needed: str, mastery: float, n: int, concept: str) -> Reason:
    return Reason(
        code=Code.PREREQ,
        text=f"선수 개념 {needed}: 숙달도 {mastery:.2f} (현재 단원: {concept})",
        text_en=f"prerequisite {needed}: mastery {mastery:.2f} (working on {concept})",
        evidence=_at(needed, mastery, n) | {"blocks": concept},
    )


def decline(before: float, after: float, chance: float) -> Reason:
    return Reason(
        code=Code.DECLINE,
        text=f"전체 숙달도 하락: {before:.2f} → {after:.2f}",
        text_en=f"overall mastery fell: {before:.2f} → {after:.2f}",
        evidence={"before": round(before, 4), "after": round(after, 4), "chance": round(chance, 4)},
    )


def idle(days: int, usual: float | None) -> Reason:
    rhythm = "" if usual is None else f" (평소 간격: {usual:.0f}일)"
    rhythm_en = "" if usual is None else f" (usually every {usual:.0f} days)"
    return Reason(
        code=Code.IDLE,
        text=f"학습 기록 없음: {days}일째{rhythm}",
        text_en=f"no activity for {days} days{rhythm_en}",
        evidence={"days": days, "usual_gap": usual},
    )


def rapid_guess(rapid: int, timed: int) -> Reason:
    return Reason(
        code=Code.RAPID_GUESS,
        text=f"3초 미만 응답: {timed}개 중 {rapid}개",
        text_en=f"answers under 3 s: {rapid} of {timed}",
        evidence={"rapid": rapid, "timed": timed},
    )


def behind(seen: int, usual: float) -> Reason:
    return Reason(
        code=Code.BEHIND,
        text=f"학습한 개념: {seen}개 (학급 중앙값: {usual:.0f}개)",
        text_en=f"concepts practised: {seen} (class median: {usual:.0f})",
        evidence={"seen": seen, "class_median": usual},
    )


def _at(concept: str, mastery: float, n: int) -> dict[str, Fact]:
    return {"concept": concept, "mastery": round(mastery, 4), "n": n}
