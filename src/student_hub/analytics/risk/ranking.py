"""Who is shown, in which order, and who could be helped together."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from uuid import UUID

from student_hub.analytics.learners import Learner
from student_hub.analytics.reasons import AT_WORK, URGENCY, Code, Reason
from student_hub.analytics.risk.rules import PREREQ_ANSWERS, PREREQ_UNDER, Setting, reasons_of
from student_hub.analytics.schemas import AtRisk, Group, RiskLevel, SuggestedAction

FEWEST_SHOWN, SHARE_SHOWN, MOST_SHOWN = 8, 0.2, 40
MOST_GROUPS, MOST_TOGETHER, FEWEST_TOGETHER = 5, 8, 2
KINDS_FOR_HIGH = 2
ACTIONS = {
    Code.STRUGGLE: "small_group",
    Code.WHEEL_SPINNING: "one_to_one",
    Code.PREREQ: "review_prerequisite",
    Code.DECLINE: "talk",
    Code.IDLE: "check_in",
    Code.RAPID_GUESS: "talk",
    Code.BEHIND: "check_in",
}


def at_risk(
    learners: Sequence[Learner], setting: Setting, helped: AbstractSet[UUID] = frozenset()
) -> tuple[list[AtRisk], int]:
    """Those whom a reason holds for, struggle before idleness, and how many there are in all.

    A fifth of the class is shown, but eight at least and forty at most.
    """
    found = {each.id: reasons for each in learners if (reasons := reasons_of(each, setting))}
    ordered = sorted(found, key=lambda student: _place(student, found[student]))
    shown = min(MOST_SHOWN, max(FEWEST_SHOWN, int(SHARE_SHOWN * len(learners))))
    same = _in_the_same_place(found)
    entries = [_entry(who, found[who], same, who in helped) for who in ordered[:shown]]
    return entries, len(found)


def groups(learners: Sequence[Learner], setting: Setting) -> list[Group]:
    """Weak prerequisites of what the class works on, and who shares them; the largest first."""
    weak: dict[str, dict[UUID, float]] = defaultdict(dict)
    blocks: dict[str, set[str]] = defaultdict(set)
    for learner in learners:
        concepts = learner.concepts or {}
        for key in setting.unit & concepts.keys():
            for needed in concepts[key].unmet:
                at = concepts.get(needed)
                if at and at.answers >= PREREQ_ANSWERS and at.mastery < PREREQ_UNDER:
                    weak[needed][learner.id] = at.mastery
                    blocks[needed].add(setting.names[key])
    ordered = sorted(weak, key=lambda needed: (-len(weak[needed]), needed))
    return [
        Group(
            concept=setting.names[needed],
            student_ids=_lowest(weak[needed]),
            blocks=sorted(blocks[needed])[:MOST_TOGETHER],
        )
        for needed in ordered[:MOST_GROUPS]
        if len(weak[needed]) >= FEWEST_TOGETHER
    ]


def level_of(reasons: Sequence[Reason]) -> RiskLevel:
    """High for two kinds of reasons."""
    kinds = {reason.code for reason in reasons}
    return RiskLevel.HIGH if len(kinds) >= KINDS_FOR_HIGH else RiskLevel.WATCH


def _place(student: UUID, reasons: Sequence[Reason]) -> tuple[object, ...]:
    kinds = {reason.code for reason in reasons}
    worst = min(URGENCY[code] for code in kinds)
    lowest = min(_mastery(reason) for reason in reasons)
    calm = level_of(reasons) is RiskLevel.WATCH
    return calm, kinds.isdisjoint(AT_WORK), worst, -len(kinds), lowest, student


def _mastery(reason: Reason) -> float:
    value = reason.evidence.get("mastery")
    return value if isinstance(value, float) else 1.0


def _in_the_same_place(found: Mapping[UUID, Sequence[Reason]]) -> dict[object, list[UUID]]:
    same: dict[object, list[UUID]] = defaultdict(list)
    for student in sorted(found):
        concept = found[student][0].evidence.get("concept")
        if concept is not None:
            same[found[student][0].code, concept].append(student)
    return same


def _entry(
    student: UUID,
    reasons: Sequence[Reason],
    same: Mapping[object, Sequence[UUID]],
    helped: bool,
) -> AtRisk:
    first = reasons[0]
    concept = first.evidence.get("concept")
    others = [each for each in same.get((first.code, concept), []) if each != student]
    return AtRisk(
        student_id=student,
        level=level_of(reasons),
        in_intervention=helped,
        reasons=list(reasons),
        suggested_action=SuggestedAction.model_validate(
            {
                "type": ACTIONS[first.code],
                "concept": concept if isinstance(concept, str) else None,
                "with": others[:MOST_TOGETHER],
            }
        ),
    )


def _lowest(masteries: Mapping[UUID, float]) -> list[UUID]:
    return sorted(masteries, key=lambda student: (masteries[student], student))[:MOST_TOGETHER]
