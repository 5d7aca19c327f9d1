"""Puts a profile together out of the register's row and the nodes' sections."""

from dataclasses import dataclass
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
from student_hub.profiles.rendering import basic_info
from student_hub.profiles.schemas import Source, State, UnifiedProfile
from student_hub.profiles.sections import Sections
from student_hub.students.schemas import Student

A = TypeVar("A", bound=NodeAnswer)


@dataclass(frozen=True, slots=True)
class Gathered:
    """The sections that were `kept`, what the nodes said now, and older answers for who failed."""

    kept: Sections
    outcome: Outcome
    stale: Sections

    @property
    def shown(self) -> Sections:
        return {**self.stale, **self.kept, **self.outcome.good}

    @property
    def is_cached(self) -> bool:
        """Whether no node had to be asked."""
        return not self.outcome.good and not self.outcome.failed

    @property
    def is_whole(self) -> bool:
        """Whether every node that was wanted has a good answer."""
        return not self.outcome.failed


def assemble(student: Student, gathered: Gathered, now: datetime) -> UnifiedProfile:
    """The profile, with what became of every node."""
    shown = gathered.shown
    activities = _value(shown, NodeName.LAB, Activities)
    reports = _value(shown, NodeName.REPORT, Reports)
    return UnifiedProfile(
        student_id=student.id,
        basic_info=basic_info(student),
        school=_value(shown, NodeName.SCHOOL, School),
        knowledge_state=_value(shown, NodeName.LOGIC_ENGINE, KnowledgeState),
        mastery_levels=_value(shown, NodeName.Q_DNA, MasteryLevels),
        recent_activities=activities.activities if activities else None,
        latest_reports=reports.reports if reports else None,
        active_interventions=[],
        sources={node.value: _source(node, gathered, now) for node in NodeName},
        cached=gathered.is_cached,
        generated_at=now,
    )


def _value(shown: Sections, node: NodeName, kind: type[A]) -> A | None:
    section = shown.get(node)
    return section.value if section is not None and isinstance(section.value, kind) else None


def _state(node: NodeName, gathered: Gathered) -> State:
    if node in gathered.outcome.good:
        return State.FRESH
    if node in gathered.kept:
        return State.CACHED
    if node in gathered.stale:
        return State.STALE
    return State.UNAVAILABLE if node in gathered.outcome.failed else State.SKIPPED


def _source(node: NodeName, gathered: Gathered, now: datetime) -> Source:
    section = gathered.shown.get(node)
    return Source(
        node=node.number,
        state=_state(node, gathered),
        age_seconds=None if section is None else round((now - section.at).total_seconds(), 3),
        answered_at=None if section is None else section.at,
        reason=gathered.outcome.failed.get(node),
    )
