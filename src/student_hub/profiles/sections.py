"""The parts of a profile that come from nodes, and how they are kept between requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

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


@dataclass(frozen=True, slots=True)
class KeptSection:
    """A section as it was kept, and the generation of the student that it belongs to."""

    section: Section
    generation: int


def encode(section: Section, generation: int) -> bytes:
    """The section as JSON, for a cache entry."""
    value = section.value.model_dump(mode="json")
    return orjson.dumps({"generation": generation, "at": section.at, "value": value})


def decode(node: NodeName, data: bytes | None) -> KeptSection | None:
    """The section of a cache entry; None for no entry, or one of an older shape."""
    if data is None:
        return None
    try:
        kept: dict[str, Any] = orjson.loads(data)
        at = datetime.fromisoformat(kept["at"]).astimezone(UTC)
        section = Section(KINDS[node].model_validate(kept["value"]), at)
        return KeptSection(section, kept["generation"])
    except (ValueError, KeyError, TypeError):
        return None
