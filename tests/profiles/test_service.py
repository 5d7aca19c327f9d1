"""The unified profile: complete when all is well, labelled when it is not."""

from datetime import date
from uuid import UUID

import asyncpg
import pytest
from dirty_equals import IsPartialDict
from redis.asyncio import Redis

from fakes.nodes import body, hang, status
from profiles.stage import Stage, a_student
from student_hub.nodes.registry import NodeName
from student_hub.platform.cache.store import Cache
from student_hub.platform.db.database import DatabaseAway
from student_hub.platform.errors import NotAllowed
from student_hub.platform.security.caller import SYSTEM, Caller, Scope
from student_hub.profiles.schemas import State, UnifiedProfile
from student_hub.students.errors import StudentNotFound
from student_hub.students.schemas import StudentPatch

ASKED = {"logic-engine", "q-dna", "lab-node", "report-node", "school-info"}


@pytest.mark.requirement("profile-sections")
async def test_a_profile_has_every_section_of_the_contract(stage: Stage) -> None:
    """Register, knowledge, mastery, activities, reports and school come together in one answer."""
    profile = await stage.profile()
    assert profile.basic_info.model_dump() == {
        "name": "김철수",
        "school_id": "SCH001",
        "grade": 10,
        "class_name": "1반",
    }
    assert profile.knowledge_state is not None
    assert profile.knowledge_state.model_dump() == IsPartialDict(node=1)
    assert profile.knowledge_state.concepts[0].mastery == 0.85
    assert profile.mastery_levels is not None
    assert profile.mastery_levels.by_subject == {"math": 0.82}
    assert profile.recent_activities is not None
    assert profile.recent_activities[0].date == date(2026, 1, 8)
    assert profile.latest_reports is not None
    assert profile.latest_reports[0].report_id == "REP123"
    assert profile.school is not None
    assert profile.school.name == "한빛고등학교"
    assert profile.active_interventions == []
    assert not profile.cached
    assert profile.generated_at == stage.clock.now


@pytest.mark.requirement("profile-sources")
async def test_sources_name_every_node_with_its_state_and_time(stage: Stage) -> None:
    """Six nodes are listed: five that were asked, and node 3 which a profile does not ask."""
    profile = await stage.profile()
    states = {name: source.state for name, source in profile.sources.items()}
    assert states == dict.fromkeys(ASKED, State.FRESH) | {"gen-node": State.SKIPPED}
    assert [source.node for source in profile.sources.values()] == [1, 2, 3, 4, 5, 6]
    assert {profile.sources[name].answered_at for name in ASKED} == {stage.clock.now}


@pytest.mark.requirement("profile-cache")
async def test_a_second_call_comes_from_the_cache_and_tells_its_age(stage: Stage) -> None:
    """Within the time to live no node is asked again, and every source says how old it is."""
    await stage.profile()
    asked = stage.calls()
    stage.clock.move(60)
    profile = await stage.profile()
    assert stage.calls() == asked
    assert profile.cached
    assert {profile.sources[name].state for name in ASKED} == {State.CACHED}
    assert {profile.sources[name].age_seconds for name in ASKED} == {60.0}


@pytest.mark.requirement("profile-cache")
async def test_sections_expire_after_the_time_to_live(stage: Stage) -> None:
    """After the time to live and its grace, by the hub's clock, the nodes are asked anew."""
    await stage.profile()
    stage.clock.move(360)
    profile = await stage.profile()
    assert not profile.cached
    assert set(stage.calls().values()) == {2}


@pytest.mark.requirement("profile-revalidation")
async def test_within_the_grace_an_old_profile_is_shown_while_a_new_one_is_gathered(
    stage: Stage,
) -> None:
    """Nobody waits for the renewal; the next reader has it."""
    await stage.profile()
    stage.clock.move(301)
    shown = await stage.profile()
    assert shown.cached
    assert {shown.sources[name].age_seconds for name in ASKED} == {301.0}
    await stage.settled()
    assert set(stage.calls().values()) == {2}
    renewed = await stage.profile()
    assert renewed.cached
    assert {renewed.sources[name].age_seconds for name in ASKED} == {0.0}


@pytest.mark.requirement("profile-revalidation")
async def test_a_changed_student_is_never_shown_the_old_way_meanwhile(stage: Stage) -> None:
    """The grace is for age alone: after a write the old profile is not shown once more."""
    await stage.profile()
    stage.clock.move(301)
    await stage.touch(stage.student.id)
    assert not (await stage.profile()).cached


@pytest.mark.requirement("profile-invalidation")
async def test_a_change_to_the_student_makes_only_their_profile_stale(stage: Stage) -> None:
    """A new generation leaves old entries behind; another student's entries stay good."""
    await stage.profile()
    other = await stage.students.create(SYSTEM, a_student("이영희"))
    await stage.touch(other.id)
    assert (await stage.profile()).cached
    await stage.students.update(SYSTEM, stage.student.id, StudentPatch(class_name="2반"))
    profile = await stage.profile()
    assert not profile.cached
    assert profile.basic_info.class_name == "2반"


@pytest.mark.requirement("profile-without-history")
async def test_without_history_the_lab_is_not_asked(stage: Stage) -> None:
    """include_history=false skips node 4 alone; its section is null, not missing."""
    profile = await stage.profile(include_history=False)
    assert stage.calls()["lab-node"] == 0
    assert profile.recent_activities is None
    assert profile.sources["lab-node"].state is State.SKIPPED
    assert profile.knowledge_state is not None


@pytest.mark.requirement("profile-without-history")
async def test_windows_are_kept_apart_in_the_cache(stage: Stage) -> None:
    """A profile of 7 days is not answered with one of 30 days."""
    await stage.profile(days=30)
    assert not (await stage.profile(days=7)).cached
    assert [arguments["days"] for _, arguments in stage.nodes[NodeName.LAB].calls] == [30, 7]


@pytest.mark.requirement("profile-node-failure")
@pytest.mark.parametrize("node", [name for name in NodeName if name is not NodeName.GEN])
async def test_a_failing_node_costs_only_its_own_section(stage: Stage, node: NodeName) -> None:
    """With nothing older to show, the section is null and its source says why."""
    stage.nodes[node].fault = status(500)
    profile = await stage.profile()
    assert profile.sources[node.value].state is State.UNAVAILABLE
    assert profile.sources[node.value].reason == "error"
    others = ASKED - {node.value}
    assert {profile.sources[name].state for name in others} == {State.FRESH}
    sections = profile.model_dump(include=set(SECTIONS))
    assert {SECTIONS[name] for name, value in sections.items() if value is None} == {node}


SECTIONS = {
    "school": NodeName.SCHOOL,
    "knowledge_state": NodeName.LOGIC_ENGINE,
    "mastery_levels": NodeName.Q_DNA,
    "recent_activities": NodeName.LAB,
    "latest_reports": NodeName.REPORT,
}


@pytest.mark.requirement("profile-node-failure")
async def test_the_last_good_answer_is_shown_as_stale(stage: Stage) -> None:
    """A node that fails after it once answered shows that answer, its age and the reason."""
    await stage.profile()
    stage.nodes[NodeName.Q_DNA].fault = body(b"<html>")
    await stage.touch(stage.student.id)
    stage.clock.move(600)
    profile = await stage.profile()
    source = profile.sources["q-dna"]
    assert (source.state, source.reason, source.age_seconds) == (State.STALE, "invalid", 600.0)
    assert profile.mastery_levels is not None
    assert profile.mastery_levels.overall == 0.78


@pytest.mark.requirement("profile-failures-not-cached")
async def test_a_failure_is_never_cached_and_good_sections_are(stage: Stage) -> None:
    """The next call asks only the node that failed; once it answers, all is complete again."""
    stage.nodes[NodeName.REPORT].fault = status(503)
    await stage.profile()
    stage.nodes[NodeName.REPORT].fault = None
    profile = await stage.profile()
    assert stage.calls() == dict.fromkeys(ASKED, 1)
    assert profile.sources["report-node"].state is State.FRESH
    assert profile.sources["q-dna"].state is State.CACHED
    assert (await stage.profile()).cached


@pytest.mark.requirement("profile-deadline")
async def test_all_nodes_hanging_still_gives_the_register(stage: Stage) -> None:
    """Each node times out on its own; the caller gets what the hub itself knows."""
    for node in stage.nodes.values():
        node.fault = hang
    profile = await stage.profile()
    assert profile.basic_info.name == "김철수"
    assert {profile.sources[name].reason for name in ASKED} == {"timeout"}


@pytest.mark.requirement("profile-deadline")
async def test_a_silent_database_is_said_to_be_away_within_the_deadline(
    stage: Stage, database_url: str
) -> None:
    """A table that is locked elsewhere costs a profile less than its deadline, and no node."""
    holder = await asyncpg.connect(database_url)
    async with holder.transaction():
        await holder.execute("LOCK TABLE students IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(DatabaseAway):
            await stage.profile()
    await holder.close()
    assert set(stage.calls().values()) == {0}
    assert (await stage.profile()).basic_info.name == "김철수"


@pytest.mark.requirement("profile-node-failure")
async def test_a_moved_student_is_never_shown_the_school_of_before(stage: Stage) -> None:
    """With node 6 away a new school's section is null; the old school's answer is not theirs."""
    await stage.profile()
    await stage.students.update(SYSTEM, stage.student.id, StudentPatch(school_id="SCH999"))
    stage.nodes[NodeName.SCHOOL].fault = status(503)
    profile = await stage.profile()
    assert profile.basic_info.school_id == "SCH999"
    assert profile.school is None
    assert profile.sources["school-info"].state is State.UNAVAILABLE


@pytest.mark.requirement("profile-node-failure")
async def test_an_answer_older_than_a_day_is_shown_no_more(stage: Stage) -> None:
    """Serving a good answer as stale does not make it younger."""
    await stage.profile()
    stage.nodes[NodeName.Q_DNA].fault = status(503)
    for hours, state in ((12, State.STALE), (11, State.STALE), (1, State.UNAVAILABLE)):
        stage.clock.move(hours * 3600)
        await stage.touch(stage.student.id)
        assert (await stage.profile()).sources["q-dna"].state is state


@pytest.mark.requirement("profile-unknown-student")
async def test_an_unknown_student_is_an_error_and_no_node_is_asked(stage: Stage) -> None:
    """Only a student who does not exist, or may not be seen, is an error."""
    with pytest.raises(StudentNotFound):
        await stage.profiles.get(SYSTEM, UUID(int=1))
    assert set(stage.calls().values()) == {0}


@pytest.mark.requirement("policy-before-cache")
async def test_who_may_see_is_decided_on_a_cache_hit_too(stage: Stage) -> None:
    """A caller without the right is refused alike for a cached, and for an absent student."""
    await stage.profile()
    stranger = Caller("key:stranger", frozenset({Scope.WRITE}))
    for student_id in (stage.student.id, UUID(int=1)):
        with pytest.raises(NotAllowed):
            await stage.profiles.get(stranger, student_id)


@pytest.mark.requirement("cache-sealed")
async def test_nothing_personal_can_be_read_in_the_store(stage: Stage, valkey_url: str) -> None:
    """Neither the name nor a node's answer stands in the store in clear."""
    await stage.profile()
    async with Redis.from_url(valkey_url) as redis:
        names = [name async for name in redis.scan_iter(f"*{stage.student.id}*")]
        kept = [await redis.get(name) for name in names]
    assert len(kept) == 5
    for value in kept:
        assert isinstance(value, bytes)
        assert "김철수".encode() not in value
        assert b"mastery" not in value


@pytest.mark.requirement("cache-away")
async def test_without_the_store_profiles_are_slower_not_wrong(stage: Stage) -> None:
    """With Valkey away every call asks the nodes, and the answers are complete."""
    away = Cache("redis://127.0.0.1:1/0", bytes(32))
    async with stage.with_cache(away) as profiles:
        for _ in range(2):
            json = await profiles.get(SYSTEM, stage.student.id)
            profile = UnifiedProfile.model_validate_json(json)
            assert profile.knowledge_state is not None
            assert not profile.cached
    await away.close()
    assert set(stage.calls().values()) == {2}
