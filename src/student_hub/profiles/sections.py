"""The parts of a profile that come from nodes, and how they are kept between requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from student_hub.nodes.gateway import Answered
from student_hub.nodes.registry import NodeName
from student_hub.nodes.schemas import (
    Activities,
    KnowledgeState,
    MasteryLevels,
    NodeAnswer,
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


@dataclass(frozen=True, slots=True)
class Section:
    """A node's good answer and the time at which the hub got it (UTC)."""

    value: NodeAnswer
    at: datetime

    @classmethod
    def of(cls, answered: Answered[NodeAnswer]) -> "Section":
        return cls(answered.value, answered.at)


Sections = dict[NodeName, Section]


def encode(sections: Mapping[NodeName, Section]) -> bytes:
    """The sections as JSON, for a cache entry."""
    return orjson.dumps(
        {
            node.value: {"at": section.at, "value": section.value.model_dump(mode="json")}
            for node, section in sections.items()
        }
    )


def decode(data: bytes | None) -> Sections:
    """The sections of a cache entry; none for no entry, or one of an older shape."""
    if data is None:
        return {}
    try:
        return {
            NodeName(name): _section(NodeName(name), kept)
            for name, kept in orjson.loads(data).items()
        }
    except (ValueError, KeyError):
        return {}


def _section(node: NodeName, kept: Mapping[str, object]) -> Section:
    at = datetime.fromisoformat(str(kept["at"])).astimezone(UTC)
    return Section(KINDS[node].model_validate(kept["value"]), at)
