"""Profiles as JSON: put together once, and served from the cache without being parsed again.

A whole profile is kept as the JSON of its sections, without the student's name and without what
changes with time. Serving it puts the register's part in front and the sources' ages behind.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import orjson

from student_hub.nodes.registry import NodeName
from student_hub.platform.codes import structured
from student_hub.platform.errors import HubError
from student_hub.profiles.schemas import BasicInfo, UnifiedProfile
from student_hub.profiles.sections import Sections
from student_hub.students.schemas import Student

SECTIONS = (
    "school",
    "knowledge_state",
    "mastery_levels",
    "recent_activities",
    "latest_reports",
    "active_interventions",
)

PROFILE = b'{"student_id":"%s","basic_info":%s,%s,"sources":%s,"cached":true,"generated_at":"%s"}'
CACHED = {
    node: (
        f'"{node.value}":{{"node":{node.number},"state":"cached",'
        '"age_seconds":%.3f,"answered_at":"%s","reason":null}'
    ).encode()
    for node in NodeName
}
SKIPPED = {
    node: (
        f'"{node.value}":{{"node":{node.number},"state":"skipped",'
        '"age_seconds":null,"answered_at":null,"reason":null}'
    ).encode()
    for node in NodeName
}


@dataclass(frozen=True, slots=True)
class Whole:
    """All sections of a profile as JSON members, and when each node answered (epoch seconds)."""

    members: bytes
    answered: dict[str, float]

    @classmethod
    def of(cls, profile: UnifiedProfile, sections: Sections) -> "Whole":
        """The profile's sections, to be kept."""
        dumped = profile.model_dump_json(include=set(SECTIONS)).encode()
        answered = {node.value: kept.at.timestamp() for node, kept in sections.items()}
        return cls(dumped[1:-1], answered)

    @classmethod
    def decode(cls, data: bytes | None) -> "Whole | None":
        """What `encode` made; None for nothing."""
        if data is None:
            return None
        head, _, members = data.partition(b"\n")
        return cls(members, orjson.loads(head))

    def encode(self) -> bytes:
        return orjson.dumps(self.answered) + b"\n" + self.members

    def age_s(self, now: datetime) -> float:
        """Seconds since the oldest answer in it."""
        return now.timestamp() - min(self.answered.values())

    def render(self, student: Student, now: datetime) -> bytes:
        """The profile of that student, `cached`, with every source's age."""
        return PROFILE % (
            str(student.id).encode(),
            basic_info(student).model_dump_json().encode(),
            self.members,
            self._sources(now.timestamp()),
            _instant(max(self.answered.values())),
        )

    def _sources(self, now: float) -> bytes:
        return b"{%s}" % b",".join(self._source(node, now) for node in NodeName)

    def _source(self, node: NodeName, now: float) -> bytes:
        at = self.answered.get(node.value)
        if at is None:
            return SKIPPED[node]
        return CACHED[node] % (max(0.0, now - at), _instant(at))


def render_entry(student_id: UUID, outcome: bytes | HubError) -> bytes:
    """A student's place in an answer about many: the profile, or the error that is theirs alone."""
    name = str(student_id).encode()
    if isinstance(outcome, HubError):
        error = orjson.dumps(structured(outcome))
        return b'{"student_id":"%s","profile":null,"error":%s}' % (name, error)
    return b'{"student_id":"%s","profile":%s,"error":null}' % (name, outcome)


def basic_info(student: Student) -> BasicInfo:
    """Who the student is, as a profile says it."""
    return BasicInfo(
        name=student.name,
        school_id=student.school_id,
        grade=student.grade,
        class_name=student.class_name,
    )


def _instant(epoch: float) -> bytes:
    return datetime.fromtimestamp(epoch, UTC).isoformat().replace("+00:00", "Z").encode()
