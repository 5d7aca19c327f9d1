"""The matrix again with one of two walls torn down: each holds alone, at every door there is."""

import sys

import httpx2
import pytest

from access.matrix import CAST, PLACES, READS
from access.matrix_stage import Stage
from access.test_matrix import looks, walk
from student_hub.access.policy import may_see
from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import Caller, Scope

pytestmark = [pytest.mark.requirement("no-leaks"), pytest.mark.timeout(600)]

WARM_DAYS = 201
OPENED = "ALTER TABLE {} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY"
CLOSED_TABLES = "SELECT relname FROM pg_class WHERE relrowsecurity AND NOT relispartition"


def everybody(caller: Caller, _student: object) -> bool:
    """A policy that has forgotten whom it was made for; scopes are no matter of students."""
    return not {Scope.READ, Scope.ADMIN}.isdisjoint(caller.scopes)


@pytest.fixture
def no_policy(monkeypatch: pytest.MonkeyPatch) -> int:
    """Every room of the running hub is told that everybody may see everybody; how many were."""
    holders = [
        module
        for name, module in list(sys.modules.items())
        if name.startswith("student_hub.") and getattr(module, "may_see", None) is may_see
    ]
    for module in holders:
        monkeypatch.setattr(module, "may_see", everybody)
    return len(holders)


def warmed(stage: Stage) -> dict[str, int]:
    """Has everything cached that can be; the days by which everybody asks for it."""
    for operation in READS.values():
        for place in PLACES:
            operation.ask(stage.administrator, stage.targets[place], WARM_DAYS)
    return dict.fromkeys(CAST, WARM_DAYS)


@pytest.mark.requirement("row-level-security")
def test_with_the_policy_gone_postgresql_leaves_no_leak_at_any_door(
    stage: Stage, no_policy: int
) -> None:
    """Every cell as before, cold and warm: the same answers, whatever the code believes."""
    assert no_policy >= 3
    cold = {name: number for number, name in enumerate(CAST, start=1)}
    assert walk(stage, cold) == (looks(), [])
    assert walk(stage, warmed(stage)) == (looks(), [])


@pytest.mark.requirement("policy-before-cache")
async def test_with_row_security_gone_the_policy_leaves_no_leak_at_any_door(
    stage: Stage, owner: Database
) -> None:
    """The tables are laid open; the services alone decide, and nobody finds out."""
    async with owner.transaction() as tx:
        connection = await tx.session.connection()
        tables = (await connection.exec_driver_sql(CLOSED_TABLES)).scalars().all()
        for table in tables:
            await connection.exec_driver_sql(OPENED.format(table))
    assert {"students", "learning_history", "grants"} <= set(tables)
    cold = {name: number for number, name in enumerate(CAST, start=1)}
    assert walk(stage, cold) == (looks(), [])
    assert walk(stage, warmed(stage)) == (looks(), [])


def test_with_both_gone_the_walk_sees_the_leak(stage: Stage, no_policy: int) -> None:
    """Somebody who is shown what is not theirs is a fault of the walk: it can fail."""
    assert no_policy
    foreign = stage.targets["other school"]
    asked: list[httpx2.Client] = [stage.clients["head"], stage.clients["service"]]
    head, service = (client.get(f"/v1/students/{foreign.id}").status_code for client in asked)
    assert (head, service) == (404, 200)
    stage.clients["head"] = stage.clients["service"]
    _, faults = walk(stage, dict.fromkeys(CAST, WARM_DAYS))
    assert [
        fault for fault in faults if fault.startswith("head, /v1/students/{student_id}, other s")
    ]
