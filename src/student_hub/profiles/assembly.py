"""Puts a profile together out of the register's row and the nodes' sections."""

from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import TypeVar

from student_hub.nodes.registry import NodeName
from student_hub.nodes.schemas import (
    Activities,
    KnowledgeState,
    MasteryLevels,
    NodeAnswer,
    Reports,
    School,
)
from student_hub.profiles.asking import Outcome
from student_hub.profiles.schemas import BasicInfo, Source, State, UnifiedProfile
from student_hub.profiles.sections import Sections
from student_hub.students.schemas import Student

A = TypeVar("A", bound=NodeAnswer)


def assemble(
    student: Student,
    wanted: AbstractSet[NodeName],
    kept: Sections,
    outcome: Outcome,
    stale: Sections,
    now: datetime,
) -> UnifiedProfile:
    """The profile of the sections `kept` in the cache, just answered, and `stale` ones."""
    shown = {node: at for node, at in {**stale, **kept, **outcome.good}.items() if node in wanted}
    activities = _value(shown, NodeName.LAB, Activities)
    reports = _value(shown, NodeName.REPORT, Reports)
    states = _states(wanted, kept, outcome, stale)
    cached = not outcome.good and not outcome.failed
    return UnifiedProfile(
        student_id=student.id,
        basic_info=_basic_info(student),
        school=_value(shown, NodeName.SCHOOL, School),
        knowledge_state=_value(shown, NodeName.LOGIC_ENGINE, KnowledgeState),
        mastery_levels=_value(shown, NodeName.Q_DNA, MasteryLevels),
        recent_activities=activities.activities if activities else None,
        latest_reports=reports.reports if reports else None,
        active_interventions=[],
        sources={node.value: _source(node, states[node], shown, outcome, now) for node in NodeName},
        cached=cached,
        generated_at=max(section.at for section in shown.values()) if cached else now,
    )


def _basic_info(student: Student) -> BasicInfo:
    return BasicInfo(
        name=student.name,
        school_id=student.school_id,
        grade=student.grade,
        class_name=student.class_name,
    )


def _value(shown: Sections, node: NodeName, kind: type[A]) -> A | None:
    section = shown.get(node)
    return section.value if section is not None and isinstance(section.value, kind) else None


def _states(
    wanted: AbstractSet[NodeName], kept: Sections, outcome: Outcome, stale: Sections
) -> dict[NodeName, State]:
    states = dict.fromkeys(NodeName, State.SKIPPED)
    states |= dict.fromkeys(outcome.failed, State.UNAVAILABLE)
    states |= dict.fromkeys(stale, State.STALE)
    states |= dict.fromkeys(wanted & kept.keys(), State.CACHED)
    return states | dict.fromkeys(outcome.good, State.FRESH)


def _source(
    node: NodeName, state: State, shown: Sections, outcome: Outcome, now: datetime
) -> Source:
    section = shown.get(node)
    return Source(
        node=node.number,
        state=state,
        age_seconds=None if section is None else round((now - section.at).total_seconds(), 3),
        answered_at=None if section is None else section.at,
        reason=outcome.failed.get(node),
    )
