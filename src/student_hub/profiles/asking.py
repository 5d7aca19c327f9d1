"""Asks several nodes at once under one deadline; who fails or is late fails alone."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from student_hub.nodes.errors import NodeFailed, Reason
from student_hub.nodes.gateway import Answered
from student_hub.nodes.lab import Lab
from student_hub.nodes.logic_engine import LogicEngine
from student_hub.nodes.q_dna import QDna
from student_hub.nodes.registry import NodeName
from student_hub.nodes.report import Report
from student_hub.nodes.school import SchoolInfo
from student_hub.profiles.sections import Section, Sections
from student_hub.profiles.wanted import Wanted

Call = Coroutine[Any, Any, Answered[Any]]


@dataclass(frozen=True, slots=True)
class ProfileNodes:
    """The nodes that a profile is gathered from."""

    logic_engine: LogicEngine
    q_dna: QDna
    lab: Lab
    report: Report
    school: SchoolInfo

    def call(self, node: NodeName, wanted: Wanted, deadline: float) -> Call:
        """The question for that node, to be answered before `deadline` (time.monotonic()).

        KeyError for a node that a profile does not ask.
        """
        student = wanted.student
        match node:
            case NodeName.LOGIC_ENGINE:
                return self.logic_engine.knowledge_state(student.id, deadline=deadline)
            case NodeName.Q_DNA:
                return self.q_dna.mastery_levels(student.id, deadline=deadline)
            case NodeName.LAB:
                return self.lab.recent_activities(student.id, wanted.days, deadline=deadline)
            case NodeName.REPORT:
                return self.report.latest_reports(student.id, deadline=deadline)
            case NodeName.SCHOOL:
                return self.school.school(student.school_id, deadline=deadline)
            case _:
                raise KeyError(node)


@dataclass(slots=True)
class Outcome:
    """Who answered, and why the others did not."""

    good: Sections = field(default_factory=dict)
    failed: dict[NodeName, Reason] = field(default_factory=dict)


async def ask_all(calls: Mapping[NodeName, Call], deadline_s: float) -> Outcome:
    """All calls side by side; after `deadline_s` seconds those still open count as timed out."""
    tasks = {node: asyncio.create_task(call) for node, call in calls.items()}
    try:
        if tasks:
            await asyncio.wait(tasks.values(), timeout=deadline_s)
        return _collect(tasks)
    finally:
        for task in tasks.values():
            task.cancel()


def _collect(tasks: Mapping[NodeName, asyncio.Task[Answered[Any]]]) -> Outcome:
    outcome = Outcome()
    for node, task in tasks.items():
        if not task.done():
            outcome.failed[node] = Reason.TIMEOUT
            continue
        try:
            outcome.good[node] = Section.of(node, task.result())
        except NodeFailed as error:
            outcome.failed[node] = error.reason
    return outcome
