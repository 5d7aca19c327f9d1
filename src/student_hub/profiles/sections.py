"""The parts of a profile that come from nodes, and how they are kept between requests."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import orjson
from pydantic import TypeAdapter

from student_hub.nodes.gateway import Answered
from student_hub.nodes.registry import NodeName
from student_hub.nodes.schemas import (
    Activities,
    Activity,
    KnowledgeState,
    MasteryLevels,
    NodeAnswer,
    ReportCard,
    Reports,
    School,
)

KINDS: Mapping[NodeName, type[NodeAnswer]] = {
    NodeName.LOGIC_ENGINE: KnowledgeState,
    NodeName.Q_DNA: MasteryLevels,
    NodeName.LAB: Activities,
    NodeName.REPORT: Reports,
    NodeName.SCHOOL: School,
}
"""The nodes a profile asks, and what each answers."""
MEMBERS: Mapping[NodeName, bytes] = {
    NodeName.SCHOOL: b"school",
    NodeName.LOGIC_ENGINE: b"knowledge_state",
    NodeName.Q_DNA: b"mastery_levels",
    NodeName.LAB: b"recent_activities",
    NodeName.REPORT: b"latest_reports",
}
"""What a profile calls each node's answer, in its order."""
LISTS: Mapping[NodeName, str] = {NodeName.LAB: "activities", NodeName.REPORT: "reports"}
"""Of these answers a profile shows the list that they consist of."""
SHOWN: Mapping[NodeName, TypeAdapter[Any]] = {
    NodeName.LOGIC_ENGINE: TypeAdapter(KnowledgeState),
    NodeName.Q_DNA: TypeAdapter(MasteryLevels),
    NodeName.LAB: TypeAdapter(list[Activity]),
    NodeName.REPORT: TypeAdapter(list[ReportCard]),
    NodeName.SCHOOL: TypeAdapter(School),
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Section:
    """A node's good answer, as JSON, and the time at which the hub got it (UTC)."""

    json: bytes
    at: datetime

    @classmethod
    def of(cls, node: NodeName, answered: Answered[NodeAnswer]) -> "Section":
        field = LISTS.get(node)
        shown = answered.value if field is None else getattr(answered.value, field)
        return cls(SHOWN[node].serializer.to_json(shown), answered.at)


Sections = dict[NodeName, Section]


@dataclass(frozen=True, slots=True)
class KeptSection:
    """A section as it was kept, and the generation of the student that it belongs to."""

    section: Section
    generation: int


def encode(node: NodeName, section: Section, generation: int) -> bytes:
    """The section for a cache entry: its shape, generation and time, and behind that its JSON."""
    at = (section.at - EPOCH) // MICROSECOND
    return b"%b %d %d\n%b" % (_shape(node), generation, at, section.json)


def decode(node: NodeName, data: bytes | None) -> KeptSection | None:
    """The section of a cache entry; None for no entry, or one of another shape."""
    if data is None:
        return None
    head, _, json = data.partition(b"\n")
    shape, _, rest = head.partition(b" ")
    if shape != _shape(node):
        return None
    generation, at = map(int, rest.split(b" "))
    return KeptSection(Section(json, EPOCH + at * MICROSECOND), generation)


@cache
def _shape(node: NodeName) -> bytes:
    """Another one after a change to what a profile shows: what was kept before is left alone."""
    schema = orjson.dumps(SHOWN[node].json_schema(mode="serialization"))
    return hashlib.sha256(schema).hexdigest()[:12].encode()
