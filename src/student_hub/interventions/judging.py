"""What a progress check proposes, by rules that a teacher can follow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean

from student_hub.interventions.schemas import AreaNow, AreaToMend, Progress, Proposal
from student_hub.nodes.schemas import ConceptState

FALLEN = 0.05
"""A mastery lower by so much is a fall."""
GAIN = 0.02
"""A mean gain of less is none."""
HALF = 0.5
DIGITS = 4
"""As nodes round: a difference of two masteries is no exact number."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an intervention stands at a check; `elapsed` is the share of its days that are over."""

    areas: Sequence[AreaNow]
    progress: Progress
    elapsed: float

    @property
    def known(self) -> list[AreaNow]:
        return [area for area in self.areas if area.now is not None]

    @property
    def gain(self) -> float | None:
        """The mean change of mastery, of those areas that could be had."""
        changes = [area.now - area.start for area in self.areas if area.now is not None]
        return fmean(changes) if changes else None

    @property
    def share_done(self) -> float:
        return self.progress.completed / self.progress.total if self.progress.total else 1.0


def judge(standing: Standing) -> tuple[Proposal, list[str]]:
    """What is proposed and why: the first rule that holds.

    complete: every area is known and at its target. escalate: a mastery fell by 0.05; or no step
    was done; or half of the days are over and as large a part of the steps done as of the days,
    but the mean gain is under 0.02. extend: the days are over. Else continue.
    """
    if standing.known and all(_reached(area) for area in standing.areas):
        return Proposal.COMPLETE, ["targets_reached"]
    if troubles := _troubles(standing):
        return Proposal.ESCALATE, troubles
    if standing.elapsed >= 1:
        return Proposal.EXTEND, ["time_over"]
    return Proposal.CONTINUE, ["on_the_way"]


def areas_now(areas: Sequence[AreaToMend], concepts: Sequence[ConceptState]) -> list[AreaNow]:
    """The weak areas with what node 1 knows of them now, found by code, else by name."""
    by_code = {state.code: state.mastery for state in concepts if state.code}
    by_name = {state.name: state.mastery for state in concepts if isinstance(state.name, str)}
    return [
        AreaNow(
            concept=area.concept,
            code=area.code,
            start=area.current_mastery,
            now=_of(area, by_code, by_name),
            target=area.target_mastery,
        )
        for area in areas
    ]


def elapsed(started_at: datetime, ends_at: datetime, now: datetime) -> float:
    """The share of the time that is over, 0 to 1."""
    whole = (ends_at - started_at).total_seconds()
    share = (now - started_at).total_seconds() / whole if whole > 0 else 1.0
    return min(max(share, 0.0), 1.0)


def _of(area: AreaToMend, by_code: dict[str, float], by_name: dict[str, float]) -> float | None:
    if area.code is not None and area.code in by_code:
        return by_code[area.code]
    return by_name.get(area.concept) if isinstance(area.concept, str) else None


def _reached(area: AreaNow) -> bool:
    return area.now is not None and area.now >= area.target


def _troubles(standing: Standing) -> list[str]:
    found = []
    if any(
        area.now is not None and round(area.start - area.now, DIGITS) >= FALLEN
        for area in standing.areas
    ):
        found.append("mastery_fell")
    if standing.progress.total and not standing.progress.completed:
        found.append("not_begun")
    gain = standing.gain
    diligent = standing.elapsed >= HALF and standing.share_done >= standing.elapsed
    if gain is not None and diligent and round(gain, DIGITS) < GAIN:
        found.append("no_gain")
    return found
