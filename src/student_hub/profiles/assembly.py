"""Puts a profile together, as JSON, out of the register's row and the nodes' sections."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from student_hub.nodes.registry import NUMBERS, NodeName
from student_hub.profiles.asking import Outcome
from student_hub.profiles.rendering import Whole, basic_json, instant
from student_hub.profiles.schemas import State
from student_hub.profiles.sections import MEMBERS, Section, Sections
from student_hub.students.schemas import State as Permission
from student_hub.students.schemas import Student

PROFILE = b'{"student_id":"%b","basic_info":%b,%b,"sources":{%b},"cached":%b,"generated_at":"%b"}'
SOURCES = {
    (node, state): f'"{node.value}":{{"node":{node.number},"state":"{state.value}",'.encode()
    for node in NodeName
    for state in State
}
NO_ACTIVE = b"[]"
NOTHING = b"null"
CLOSED = {
    Permission.STOPPED: "processing_stopped",
    Permission.AWAITING_CONSENT: "awaiting_consent",
}


@dataclass(frozen=True)
class Gathered:
    """The sections that were `kept`, what the nodes said now, and older answers for who failed."""

    kept: Sections
    outcome: Outcome
    stale: Sections
    active: bytes | None = NO_ACTIVE
    """The interventions under way as a JSON list; None when they could not be had."""

    @cached_property
    def shown(self) -> Sections:
        return {**self.stale, **self.kept, **self.outcome.good}

    @cached_property
    def members(self) -> bytes:
        """The sections as members of the profile's JSON."""
        return _members(self.shown, self.active)

    @property
    def asked(self) -> list[NodeName]:
        """The nodes that were asked, by their numbers."""
        return sorted({*self.outcome.good, *self.outcome.failed}, key=NUMBERS.__getitem__)

    @property
    def is_cached(self) -> bool:
        """Whether no node had to be asked."""
        return not self.outcome.good and not self.outcome.failed

    @property
    def whole(self) -> Whole | None:
        """All sections, to be kept; None unless every node that was wanted has a good answer."""
        if self.outcome.failed or self.active is None:
            return None
        times = {node: kept.at.timestamp() for node, kept in self.shown.items()}
        return Whole.of(self.members, times)


def assemble(student: Student, gathered: Gathered, now: datetime) -> bytes:
    """The profile (`UnifiedProfile`), with what became of every node."""
    shown = gathered.shown
    return PROFILE % (
        str(student.id).encode(),
        basic_json(student),
        gathered.members,
        b",".join([_source(node, gathered, shown.get(node), now) for node in NodeName]),
        b"true" if gathered.is_cached else b"false",
        instant(now.timestamp()),
    )


def closed(student: Student, why: Permission, now: datetime) -> bytes:
    """The profile of a student whose data must not be processed: who they are, and nothing more."""
    skipped = b'%b"age_seconds":null,"answered_at":null,"reason":"%b"}'
    reason = CLOSED[why].encode()
    return PROFILE % (
        str(student.id).encode(),
        basic_json(student),
        _members({}),
        b",".join(skipped % (SOURCES[node, State.SKIPPED], reason) for node in NodeName),
        b"false",
        instant(now.timestamp()),
    )


def _members(shown: Sections, active: bytes | None = NO_ACTIVE) -> bytes:
    parts = [b'"%b":%b' % (name, _json(shown.get(node))) for node, name in MEMBERS.items()]
    return b",".join([*parts, b'"active_interventions":%b' % (active or NOTHING)])


def _json(section: Section | None) -> bytes:
    return NOTHING if section is None else section.json


def _state(node: NodeName, gathered: Gathered) -> State:
    if node in gathered.outcome.good:
        return State.FRESH
    if node in gathered.kept:
        return State.CACHED
    if node in gathered.stale:
        return State.STALE
    return State.UNAVAILABLE if node in gathered.outcome.failed else State.SKIPPED


def _source(node: NodeName, gathered: Gathered, section: Section | None, now: datetime) -> bytes:
    age = answered = NOTHING
    if section is not None:
        age = b"%.3f" % (now - section.at).total_seconds()
        answered = b'"%b"' % instant(section.at.timestamp())
    why = gathered.outcome.failed.get(node)
    reason = NOTHING if why is None else b'"%b"' % why.value.encode()
    source = SOURCES[node, _state(node, gathered)]
    return b'%b"age_seconds":%b,"answered_at":%b,"reason":%b}' % (source, age, answered, reason)
