"""Erasure: rows and key are destroyed, a proof stays, nodes and caches forget too."""

from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from factories import READER, WRITER, a_student, event, generation, scalar, student_in
from planted_rows import EVERYTHING
from privacy_stage import Room
from rotating import AFTER, BEFORE, ROTATED, quiet_ledger
from student_hub.history.schemas import EventKey
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.errors import NotAllowed
from student_hub.platform.security.caller import SYSTEM, Caller, Role, Scope
from student_hub.platform.security.keyring import Keyring
from student_hub.privacy.errors import ProofRefused
from student_hub.privacy.schemas import Erasure
from student_hub.privacy.sealing import Seals
from student_hub.students.errors import StudentNotFound
from student_hub.students.rewrapping import StudentKeys
from student_hub.students.rotation import Rotation
from student_hub.students.rotation_schemas import Holder
from student_hub.students.schemas import ConsentIn, Method, ProcessingIn, Relation, State
from student_hub.students.vault import Vault

pytestmark = pytest.mark.requirement("erasure")
WHY = "본인 요청"
CONSENT = ConsentIn(
    purpose="learning",
    version="1",
    method=Method.WRITTEN,
    given_by_relation=Relation.MOTHER,
)
STOP = ProcessingIn(state=State.STOPPED, reason="test")
GRANT = (
    "INSERT INTO grants (id, subject, kind, student_id, relation, granted_by, created_at) "
    "VALUES (gen_random_uuid(), 'mother', 'student', $1, 'mother', 'test', now())"
)
TABLES = (
    "SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f' "
    "AND confrelid = 'students'::regclass AND conparentid = 0"
)


async def a_whole_student(room: Room, owner: asyncpg.Connection) -> UUID:
    """A student with a row in every table that the hub fills."""
    student = await a_student(room.students, email="a@b.kr", metadata={"special_needs": ["천식"]})
    sent = [event(student.id) for _ in range(3)]
    await room.history.record(SYSTEM, sent)
    key = EventKey(source_node=4, source_id=str(sent[0]["source_id"]))
    await room.history.void(SYSTEM, key)
    await room.consents.give(SYSTEM, student.id, CONSENT)
    await room.consents.set_processing(SYSTEM, student.id, STOP)
    for statement in (GRANT, *EVERYTHING):
        await owner.execute(statement, student.id)
    return student.id


async def told(proofs: Iterable[Erasure]) -> AsyncIterator[Erasure]:
    for proof in proofs:
        yield proof


async def kept(room: Room) -> list[Erasure]:
    return [proof async for proof in room.erasing.ledger()]


async def test_an_erased_student_leaves_no_row_and_a_proof_that_counts_them(
    room: Room, owner: asyncpg.Connection
) -> None:
    """In every table that hangs on a student, whichever room's it is."""
    gone, stays = await a_whole_student(room, owner), await a_student(room.students)
    key_id = await owner.fetchval("SELECT key_id FROM student_keys WHERE student_id = $1", gone)
    proof = await room.erasing.erase(SYSTEM, gone, WHY)
    for (table,) in await owner.fetch(TABLES):
        left = await owner.fetchval(f"SELECT count(*) FROM {table} WHERE student_id = $1", gone)  # noqa: S608 (PostgreSQL's own names)
        assert left == 0, table
    filled = {"students": 1, "student_keys": 1, "student_generations": 1, "consents": 1}
    filled |= {"student_processing": 1, "grants": 1, "learning_history": 2, "event_keys": 3}
    filled |= {"scheduled_tasks": 1, "notices": 1, "notifications": 1, "interventions": 1}
    filled |= {"intervention_notes": 1, "intervention_abilities": 1}
    assert {name: count for name, count in proof.counts.items() if count} == filled
    assert (proof.student_id, proof.by, proof.reason) == (gone, SYSTEM.subject, WHY)
    assert (proof.key_destroyed, proof.genuine) == (key_id, True)
    with pytest.raises(StudentNotFound):
        await room.students.read(SYSTEM, gone)
    assert (await room.students.read(SYSTEM, stays.id)) == stays


async def test_an_erasure_is_for_who_may_write_and_see_and_its_proofs_for_administrators(
    room: Room,
) -> None:
    """Not yours and not there are the same answer."""
    student = await a_student(room.students)
    for caller in (READER, WRITER):
        with pytest.raises(NotAllowed):
            await room.erasing.erase(caller, student.id, WHY)
    with pytest.raises(StudentNotFound):
        await room.erasing.erase(SYSTEM, uuid4(), WHY)
    stranger = Caller("t", frozenset({Scope.READ, Scope.WRITE}), Role.TEACHER, frozenset())
    with pytest.raises(StudentNotFound):
        await room.erasing.erase(stranger, student.id, WHY)
    with pytest.raises(NotAllowed):
        await room.erasing.page(READER)
    assert await kept(room) == []


async def test_nodes_and_caches_forget_and_the_proof_says_so(room: Room) -> None:
    """At once, and again later for what was under way meanwhile; after that nothing is left."""
    student = await a_student(room.students)
    await room.history.record(SYSTEM, [event(student.id)])
    await room.work()
    assert str(student.id) in room.lab.held
    was = await generation(room.database, room.students, student.id)
    await room.erasing.erase(SYSTEM, student.id, WHY)
    (pending,) = await kept(room)
    assert (pending.nodes, pending.cache_emptied_at) == ({}, None)
    await room.work()
    (proof,) = await kept(room)
    assert proof.nodes == {"lab-node": "forgotten"}
    assert proof.cache_emptied_at is not None
    assert proof.genuine
    room.lab.held[str(student.id)] = ["came late"]
    await room.work()
    assert room.lab.held == {}
    assert room.emptied == [(student.id, was)] * 2
    assert await room.work() == 0


async def test_the_second_time_is_later_than_anything_under_way_can_last(room: Room) -> None:
    """A job has a minute, and whole profiles of an earlier generation live for minutes."""
    student = await a_student(room.students)
    await room.erasing.erase(SYSTEM, student.id, WHY)
    await room.work()
    wait = await scalar(room.database, "SELECT max(not_before) - now() FROM jobs")
    assert isinstance(wait, timedelta)
    assert timedelta(minutes=14) < wait <= timedelta(minutes=15)


async def test_a_node_without_the_tool_is_named_as_such(room: Room) -> None:
    """The operator sees what is to be done elsewhere."""
    room.lab.offers_forgetting = False
    student = await a_student(room.students)
    await room.erasing.erase(SYSTEM, student.id, WHY)
    await room.work()
    assert (await kept(room))[0].nodes == {"lab-node": "not_offered"}


async def test_a_node_that_is_away_is_told_as_soon_as_it_is_back(room: Room) -> None:
    """The erasure itself does not wait for it."""
    room.lab.is_away = True
    student = await a_student(room.students)
    await room.erasing.erase(SYSTEM, student.id, WHY)
    await room.work()
    assert (await kept(room))[0].nodes == {}
    room.lab.is_away = False
    await room.work()
    assert room.lab.forgot == [student.id]
    assert (await kept(room))[0].nodes == {"lab-node": "forgotten"}


async def test_who_comes_again_under_their_id_keeps_what_is_theirs_now(room: Room) -> None:
    """The node, which knows no difference, forgets all; what is new is handed to it again."""
    student = await a_student(room.students)
    await room.history.record(SYSTEM, [event(student.id)])
    await room.work()
    await room.erasing.erase(SYSTEM, student.id, WHY)
    await a_student(room.students, id=student.id)
    sent = event(student.id)
    await room.history.record(SYSTEM, [sent])
    while await room.work():
        pass
    assert room.lab.held == {str(student.id): [sent["source_id"]]}


async def test_proofs_are_paged_newest_first(room: Room) -> None:
    """Following the cursor meets all of them once."""
    erased = []
    for _ in range(5):
        student = await a_student(room.students)
        erased.append((await room.erasing.erase(SYSTEM, student.id, WHY)).id)
    met, cursor = [], None
    while True:
        page = await room.erasing.page(SYSTEM, cursor=cursor, limit=2)
        met += [proof.id for proof in page.erasures]
        if (cursor := page.next) is None:
            break
    assert sorted(met) == sorted(erased)
    assert met == sorted(met, reverse=True)


CHANGES = {
    "whose": "student_id = gen_random_uuid()",
    "when": "erased_at = erased_at + interval '1 second'",
    "by whom": "by = 'somebody else'",
    "why": "reason = 'another'",
    "what": "counts = '{}'",
    "which key": "key_destroyed = '00000000'",
    "a flipped bit": "seal = set_bit(seal, 5, 1 - get_bit(seal, 5))",
    "an unknown key": "seal_key_id = '00000000'",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_proof_that_was_altered_is_not_genuine(
    room: Room, owner: asyncpg.Connection, change: str
) -> None:
    """Whatever of it was altered; and nobody is erased on its word."""
    student = await a_student(room.students)
    await room.erasing.erase(SYSTEM, student.id, WHY)
    await owner.execute(f"UPDATE erasures SET {CHANGES[change]}")  # noqa: S608 (fixed texts)
    proofs = (await room.erasing.page(SYSTEM)).erasures
    assert [proof.genuine for proof in proofs] == [False]
    with pytest.raises(ProofRefused):
        await room.erasing.replay(told(proofs))


async def test_the_hub_itself_can_neither_delete_nor_rewrite_a_proof(room: Room) -> None:
    """Its role in the database has no right to it."""
    student = await a_student(room.students)
    await room.erasing.erase(SYSTEM, student.id, WHY)
    for sql in ("DELETE FROM erasures RETURNING 1", "UPDATE erasures SET by = 'x' RETURNING 1"):
        with pytest.raises(Exception, match="permission denied"):
            await scalar(room.database, sql)


@pytest.mark.requirement("key-rotation")
async def test_proofs_are_sealed_anew_when_the_master_key_rotates(database: Database) -> None:
    """So that the old key may go; one that was altered before is not made genuine by it."""
    old = Room(database, BEFORE)
    for _ in range(3):
        student = await a_student(old.students)
        await old.erasing.erase(SYSTEM, student.id, WHY)
    new = Room(database, ROTATED)
    holders: list[Holder] = [StudentKeys(Vault(ROTATED)), Seals(ROTATED)]
    rotation = Rotation(database, ROTATED, quiet_ledger(database), utc_now, new.audit, holders)
    assert (await rotation.status(SYSTEM)).left == 3
    assert (await rotation.run(SYSTEM, lambda _: None)).left == 0
    only_new = Room(database, AFTER)
    assert [proof.genuine for proof in await kept(only_new)] == [True] * 3


async def test_after_a_restore_whoever_was_erased_is_erased_again(
    room: Room, owner: asyncpg.Connection
) -> None:
    """The ledger, kept apart, is enough: the restored database knows nothing of the erasure."""
    gone, stays = await a_whole_student(room, owner), await a_student(room.students)
    await backed_up(owner)
    await room.erasing.erase(SYSTEM, gone, WHY)
    apart = [Erasure.model_validate_json(p.model_dump_json()) for p in await kept(room)]
    await restored(owner)
    assert (await room.students.read(SYSTEM, gone)).id == gone
    replayed = await room.erasing.replay(told(apart))
    assert (replayed.erased_again, replayed.still_gone) == (1, 0)
    with pytest.raises(StudentNotFound):
        await room.students.read(SYSTEM, gone)
    assert (await room.students.read(SYSTEM, stays.id)).id == stays.id
    assert [proof.id for proof in await kept(room)] == [proof.id for proof in apart]
    again = await room.erasing.replay(told(apart))
    assert (again.erased_again, again.still_gone) == (0, 1)
    await room.work()
    assert gone in room.lab.forgot


async def test_a_replay_leaves_alone_who_was_registered_after_their_erasure(room: Room) -> None:
    """They came to the school again; their proof is of their former life."""
    student = await a_student(room.students)
    await room.erasing.erase(SYSTEM, student.id, WHY)
    back = await room.students.create(SYSTEM, student_in(id=student.id))
    await room.erasing.replay(told(await kept(room)))
    assert await room.students.read(SYSTEM, student.id) == back


async def test_a_proof_of_another_hub_erases_nobody(room: Room, database: Database) -> None:
    """A forged file is refused before anything is done."""
    student = await a_student(room.students)
    stranger = Seals(Keyring(bytes(32)))
    proof = await room.erasing.erase(SYSTEM, student.id, WHY)
    back = await room.students.create(SYSTEM, student_in())
    forged = stranger.sealed(proof.model_copy(update={"student_id": back.id, "id": uuid4()}))
    with pytest.raises(ProofRefused):
        await room.erasing.replay(told([forged]))
    assert await room.students.read(SYSTEM, back.id) == back
    assert await scalar(database, "SELECT count(*) FROM erasures") == 1


async def backed_up(owner: asyncpg.Connection) -> None:
    """Copies of all tables of students, as a backup has them."""
    for table in await _tables(owner):
        await owner.execute(f"CREATE TABLE backup_{table} AS SELECT * FROM {table}")  # noqa: S608 (PostgreSQL's own names)


async def restored(owner: asyncpg.Connection) -> None:
    """The database as it was then; proofs and jobs of later are lost with it."""
    await owner.execute("DELETE FROM erasures")
    await owner.execute("DELETE FROM jobs")
    await owner.execute("DELETE FROM students")
    for table in await _tables(owner):
        await owner.execute(f"INSERT INTO {table} SELECT * FROM backup_{table}")  # noqa: S608 (PostgreSQL's own names)


async def _tables(owner: asyncpg.Connection) -> list[str]:
    return ["students", *[row[0] for row in await owner.fetch(TABLES)]]
