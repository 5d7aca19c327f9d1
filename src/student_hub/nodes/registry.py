"""Which nodes there are, where they live, and what their teams call their tools."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from pydantic import BaseModel


class NodeName(StrEnum):
    """The nodes by their name in code."""

    LOGIC_ENGINE = "logic-engine"
    Q_DNA = "q-dna"
    GEN = "gen-node"
    LAB = "lab-node"
    REPORT = "report-node"
    SCHOOL = "school-info"

    @property
    def number(self) -> int:
        """The node's number on the platform, 1 to 6."""
        return NUMBERS[self]


NUMBERS = {node: number for number, node in enumerate(NodeName, 1)}

A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class NodeTool(Generic[A]):
    """A tool of a node as the hub knows it.

    `answer` is the shape a usable answer has. A node that answers with a bare list has it put into
    the field `list_field`. `repeatable` says that calling twice does no more than calling once.
    A call may take `limit_s` seconds; None stands for the gateway's usual time.
    """

    node: NodeName
    name: str
    answer: type[A]
    list_field: str | None = None
    repeatable: bool = True
    limit_s: float | None = None


@dataclass(frozen=True, slots=True)
class Renamed:
    """What a node's team calls a tool: its name, and our argument names to theirs."""

    name: str
    arguments: Mapping[str, str] = field(default_factory=dict)

    def translate(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments under the names that the node knows."""
        return {self.arguments.get(name, name): value for name, value in arguments.items()}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a node answers, and which of its tools go by other names there."""

    url: str
    renamed: Mapping[str, Renamed] = field(default_factory=dict)

    def wording(self, tool: str, arguments: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """The tool's name and arguments in the node's own words."""
        renamed = self.renamed.get(tool)
        if renamed is None:
            return tool, arguments
        return renamed.name, renamed.translate(arguments)
