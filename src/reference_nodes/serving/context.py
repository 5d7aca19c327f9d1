"""What a node is made of: its tools, and what a tool may look at."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:  # the log and the model stand beside the tools, not above them
    from reference_nodes.curriculum.graph import Graph
    from reference_nodes.eventlog import EventLog
    from reference_nodes.learning.model import LearningModel


class ToolError(Exception):
    """A call that cannot be answered; its message reaches the caller as a result with `isError`."""

    def __init__(self, message: str, *, code: str = "invalid", field: str | None = None) -> None:
        super().__init__(message)
        self.message, self.code, self.field = message, code, field


@dataclass(frozen=True)
class NodeTool:
    """One MCP tool: `run` gets a validated instance of `arguments`, gives one of `answer`.

    `run` is synchronous, quick and deterministic for a given log and clock.
    """

    name: str
    description: str
    arguments: type[BaseModel]
    answer: type[BaseModel]
    run: Callable[[Any], BaseModel]  # each tool takes its own `arguments`
    title: str = ""
    read_only: bool = True
    idempotent: bool = True
    destructive: bool = False


@dataclass(frozen=True)
class NodeContext:
    """What every tool is built with; `clock` gives aware UTC times."""

    log: "EventLog"
    model: "LearningModel"
    graph: "Graph"
    clock: Callable[[], datetime]
