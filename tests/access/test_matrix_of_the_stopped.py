"""A student whose processing is stopped: no door of the matrix makes the hub ask a node of them."""

import asyncio

import pytest

from access.matrix import CAST, READS, Target
from access.matrix_stage import Stage, done

pytestmark = [pytest.mark.requirement("processing-stopped"), pytest.mark.timeout(300)]

DAYS = 77


def told_of(stage: Stage, target: Target) -> list[str]:
    """Every request of the hub to a node in which the student is."""
    return [request for request in stage.hub.node.seen if str(target.id) in request]


def ask_everything(stage: Stage, target: Target) -> None:
    """Whoever may see the student asks by every door; then all jobs are done that are due."""
    for name, actor in CAST.items():
        if target.place in actor.sees:
            for operation in READS.values():
                operation.ask(stage.clients[name], target, DAYS)
    asyncio.run(stage.hub.work())


def stop(stage: Stage, target: Target, state: str) -> None:
    wish = {"state": state, "reason": "처리정지 요청"}
    done(stage.administrator.put(f"/v1/students/{target.id}/processing", json=wish))


def test_no_door_asks_a_node_about_a_student_who_was_stopped(stage: Stage) -> None:
    """Neither for what is read nor for an event that waited; after resuming nodes are asked."""
    target = stage.targets["own"]
    stop(stage, target, "stopped")
    before = len(told_of(stage, target))
    ask_everything(stage, target)
    assert told_of(stage, target)[before:] == []
    stop(stage, target, "open")
    ask_everything(stage, target)
    assert len(told_of(stage, target)) > before
