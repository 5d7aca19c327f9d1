"""Many callers at once, and many students in one call."""

import asyncio
import uuid
from typing import Any

import orjson
import pytest

from fakes.nodes import status
from nodes.lanes import eventually
from profiles.stage import Stage, a_student
from student_hub.nodes.registry import NodeName
from student_hub.platform.cache.store import Cache
from student_hub.platform.errors import InvalidInput
from student_hub.platform.security.caller import SYSTEM
from student_hub.profiles import gathering
from student_hub.profiles.schemas import UnifiedProfile, UnifiedProfiles
from student_hub.profiles.service import Profiles
from student_hub.profiles.wanted import Wanted


@pytest.mark.requirement("single-flight")
async def test_a_crowd_in_one_process_makes_one_load_per_node(stage: Stage) -> None:
    """500 callers who miss at once are served by one gathering."""
    calls = [stage.profiles.get(SYSTEM, stage.student.id) for _ in range(500)]
    answers = await asyncio.gather(*calls)
    assert len(set(answers)) == 1
    assert set(stage.calls().values()) == {1}


@pytest.mark.requirement("single-flight")
async def test_a_crowd_over_four_processes_makes_one_load_per_node(
    stage: Stage, processes: list[Profiles]
) -> None:
    """The lease in the store lets one process gather; the others wait for what it keeps."""
    calls = [processes[n % 4].get(SYSTEM, stage.student.id) for n in range(500)]
    answers = [orjson.loads(answer) for answer in await asyncio.gather(*calls)]
    assert all(answer["knowledge_state"] for answer in answers)
    assert set(stage.calls().values()) == {1}


@pytest.mark.requirement("single-flight")
async def test_a_caller_who_leaves_does_not_end_the_load_for_the_others(stage: Stage) -> None:
    """The first caller's going away costs neither the second nor the cache anything."""
    first = asyncio.create_task(stage.profiles.get(SYSTEM, stage.student.id))
    await stage.until_busy()
    second = asyncio.create_task(stage.profiles.get(SYSTEM, stage.student.id))
    await asyncio.sleep(0)
    first.cancel()
    assert orjson.loads(await second)["knowledge_state"]
    assert set(stage.calls().values()) == {1}


@pytest.mark.requirement("single-flight")
async def test_who_gathers_during_a_renewal_that_is_another_processs_has_a_profile(
    stage: Stage, cache: Cache
) -> None:
    """A renewal that leaves the work to another process has nothing for who waits for an answer."""
    await stage.profile()
    glance = await stage.students.recall(SYSTEM, stage.student.id)
    wanted = Wanted.of(glance, include_history=True, days=30)
    assert await cache.lease(f"lease:{wanted.name}", 30)
    stage.gatherer.refresh(wanted)
    reply = await stage.gatherer.gather(wanted)
    assert UnifiedProfile.model_validate_json(reply.json).knowledge_state is not None


@pytest.mark.requirement("profile-invalidation")
async def test_a_slow_fill_that_ends_after_a_write_is_not_shown(stage: Stage) -> None:
    """What was gathered for the old generation is kept under the old name, and never read again."""
    gate = asyncio.Event()

    async def wait_first(scope: Any, receive: Any, send: Any) -> None:
        await gate.wait()
        await status(503)(scope, receive, send)

    await stage.profile()
    await stage.touch(stage.student.id)
    stage.nodes[NodeName.LAB].fault = wait_first
    slow = asyncio.create_task(stage.profile())
    await stage.until_busy()
    await stage.touch(stage.student.id)
    stage.nodes[NodeName.LAB].fault = None
    fresh = await stage.profile()
    gate.set()
    await slow
    assert not fresh.cached
    assert fresh.sources["lab-node"].state == "fresh"
    shown = await stage.profile()
    assert shown.cached
    assert shown.recent_activities == fresh.recent_activities


@pytest.mark.requirement("profile-batch")
async def test_a_batch_answers_in_order_and_each_entry_fails_alone(stage: Stage) -> None:
    """A student who does not exist has an error in their place; the others have their profiles."""
    other = await stage.students.create(SYSTEM, a_student("이영희"))
    nobody = uuid.uuid4()
    await stage.profile()
    json = await stage.profiles.get_many(SYSTEM, [other.id, nobody, stage.student.id])
    entries = UnifiedProfiles.model_validate_json(json).profiles
    assert [entry.student_id for entry in entries] == [other.id, nobody, stage.student.id]
    assert [entry.profile is not None and entry.profile.cached for entry in entries] == [
        False,
        False,
        True,
    ]
    assert entries[0].profile is not None
    assert entries[0].profile.basic_info.name == "이영희"
    assert entries[1].error is not None
    assert entries[1].error.code == -32002


@pytest.mark.requirement("profile-batch")
@pytest.mark.parametrize("count", [0, 101])
async def test_a_batch_of_none_or_too_many_is_refused(stage: Stage, count: int) -> None:
    """The field and the limit are named, and no node is asked."""
    with pytest.raises(InvalidInput, match="student_ids: must be 1 to 100"):
        await stage.profiles.get_many(SYSTEM, [uuid.uuid4() for _ in range(count)])
    assert set(stage.calls().values()) == {0}


@pytest.mark.requirement("profile-batch", "profile-turns")
async def test_who_has_no_turn_in_time_fails_alone(
    stage: Stage, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One turn at a time, and a slow node: the first of three is gathered, the others are told."""
    monkeypatch.setattr(gathering, "AT_ONCE", 1)
    monkeypatch.setattr(gathering, "LONGEST_WAIT_S", 0.01)
    others = [(await stage.students.create(SYSTEM, a_student(name))).id for name in "가나"]
    refused = asyncio.Event()

    async def wait(_scope: Any, _receive: Any, _send: Any) -> None:
        await refused.wait()

    stage.nodes[NodeName.LAB].fault = wait
    cache = Cache(valkey_url, uuid.uuid4().bytes * 2)
    async with stage.with_cache(cache) as profiles:
        first = asyncio.create_task(profiles.get(SYSTEM, stage.student.id))
        await eventually(lambda: stage.nodes[NodeName.LAB].posts > 0)
        json = await profiles.get_many(SYSTEM, others)
        refused.set()
        assert orjson.loads(await first)["knowledge_state"]
    await cache.close()
    for entry in UnifiedProfiles.model_validate_json(json).profiles:
        assert entry.error is not None
        assert entry.error.data["retry_after"] == 1
