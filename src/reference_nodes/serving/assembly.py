"""Which nodes there are, and one of them put together."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from pydantic import BaseModel
from starlette.types import ASGIApp

from reference_nodes.curriculum import graph
from reference_nodes.eventlog import EventLog
from reference_nodes.learning.model import Keeper, LearningModel
from reference_nodes.serving.context import NodeContext, NodeTool
from reference_nodes.serving.faults import Faults
from reference_nodes.serving.front import Front
from reference_nodes.serving.server import Runner, mcp_application, plainly


@dataclass(frozen=True)
class Node:
    """A node's module, its usual port, and whether its tools read the learning model."""

    module: str
    port: int
    reads_model: bool = True


NODES = {
    "logic-engine": Node("logic_engine", 8001),
    "q-dna": Node("q_dna", 8002),
    "gen-node": Node("gen", 8003),
    "lab-node": Node("lab", 8004, reads_model=False),
    "report-node": Node("report", 8005),
    "school-info": Node("school_info", 8006, reads_model=False),
}


class _NodeModule(Protocol):
    def tools(self, context: NodeContext) -> list[NodeTool]: ...


def utc_now() -> datetime:
    """The clock on the wall, aware, in UTC."""
    return datetime.now(UTC)


@contextmanager
def node_application(
    name: str,
    data_dir: Path,
    *,
    clock: Callable[[], datetime] = utc_now,
    faults: Faults | None = None,
    loopback_only: bool = True,
) -> Iterator[ASGIApp]:
    """The ASGI application of a node over the log in `data_dir`, following it inside the block."""
    node, curriculum = NODES[name], graph.load()
    with EventLog(data_dir) as log:
        model = LearningModel(log, curriculum.canonical)
        tools = _tools_of(node, NodeContext(log, model, curriculum, clock))
        run = settled(model) if node.reads_model else plainly
        app = mcp_application(name, tools, run, loopback_only=loopback_only)
        with _kept(model if node.reads_model else None):
            yield Front(app, faults)


def settled(model: LearningModel) -> Runner:
    """Run tools on a model that has caught up with the log and stays as it is meanwhile."""

    def run(work: Callable[[], BaseModel]) -> BaseModel:
        with model.settled():
            return work()

    return run


def _tools_of(node: Node, context: NodeContext) -> list[NodeTool]:
    # Imported by name: a node shall not carry the template engine or the algebra of another.
    module = cast("_NodeModule", import_module(f"reference_nodes.nodes.{node.module}"))
    return module.tools(context)


@contextmanager
def _kept(model: LearningModel | None) -> Iterator[None]:
    if model is None:
        yield
        return
    keeper = Keeper(model)
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()
