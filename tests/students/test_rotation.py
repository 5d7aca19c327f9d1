"""The master key rotates while the hub is read and written, and may be broken off anywhere."""

import asyncio
from collections.abc import Iterator
from itertools import count

import asyncpg
import pytest

from factories import READER, a_student, generation, scalar, student_in
from rotating import (
    AFTER,
    BEFORE,
    FIRST_STEP,
    LEFT,
    NEW,
    ROTATED,
    hub,
    quiet_ledger,
    rotation,
    work,
)
from student_hub.platform.db.database import Database
from student_hub.platform.errors import NotAllowed
from student_hub.platform.security.caller import SYSTEM
from student_hub.platform.security.keyring import Keyring
from student_hub.students.errors import KeyNotCurrent, RotationStuck, StudentExists
from student_hub.students.messages import RotateKeys
from student_hub.students.rotation import BATCH
from student_hub.students.rotation_schemas import RotationStatus
from student_hub.students.schemas import Student, StudentFilter, StudentPatch

pytestmark = pytest.mark.requirement("key-rotation")


async def school(database: Database, size: int) -> list[Student]:
    """Students under the old key."""
    old = hub(database, BEFORE)
    rows = [student_in(name=f"학생 {n}") for n in range(size)]
    async with database.transaction(SYSTEM) as tx:
        await old.put_many(tx, SYSTEM, rows)
    found: list[Student] = []
    cursor = None
    while True:
        page = await old.page(SYSTEM, cursor=cursor, limit=200)
        found += page.students
        if (cursor := page.next) is None:
            return found


async def left(database: Database) -> int:
    counted = await scalar(database, LEFT, key_id=ROTATED.key_id)
    assert isinstance(counted, int)
    return counted


async def test_after_a_rotation_the_old_key_is_not_needed_any_more(database: Database) -> None:
    """Every student reads as before, and is found by name, by a hub with the new key alone."""
    made = await school(database, BATCH + 7)
    status = await rotation(database).start(SYSTEM)
    assert status.left == len(made)
    assert await work(database, rotation(database)) == 1
    assert await left(database) == 0
    after = hub(database, AFTER)
    assert await after.can_be_opened()
    for student in (made[0], made[-1]):
        assert await after.read(SYSTEM, student.id) == student
        found = await after.page(SYSTEM, StudentFilter(name=student.name))
        assert [one.id for one in found.students] == [student.id]
    assert not await hub(database, BEFORE).can_be_opened()


async def test_the_status_counts_rows_by_key_known_or_not(database: Database) -> None:
    """An administrator sees when a key holds nothing any more, and what no key opens."""
    await school(database, 3)
    strange = Keyring(bytes([7]) * 32)
    await a_student(hub(database, strange))
    status = await rotation(database).status(SYSTEM)
    rows = {key.key_id: (key.current, key.known, key.rows["student_keys"]) for key in status.keys}
    assert rows == {
        ROTATED.key_id: (True, True, 0),
        BEFORE.key_id: (False, True, 3),
        strange.key_id: (False, False, 1),
    }
    assert status.left == 4
    with pytest.raises(NotAllowed):
        await rotation(database).status(READER)


async def test_a_rotation_does_not_change_what_is_cached(database: Database) -> None:
    """Nobody's data has changed, so nobody's generation does."""
    (student,) = await school(database, 1)
    students = hub(database, ROTATED)
    before = await generation(database, students, student.id)
    await rotation(database).run(SYSTEM, lambda _: None)
    assert await generation(database, students, student.id) == before


async def test_a_rotation_that_is_broken_off_goes_on_where_it_was(database: Database) -> None:
    """Each job works for some seconds, and leaves a job for the rest in the same transaction."""
    made = await school(database, 3 * BATCH)
    ticks: Iterator[int] = count(0, 10)

    def seconds() -> float:
        return float(next(ticks))

    slow = rotation(database, monotonic=seconds)
    await slow.start(SYSTEM)
    lefts = []
    while await work(database, slow, most=1):
        lefts.append(await left(database))
    assert lefts[0] == len(made) - BATCH
    assert lefts == sorted(lefts, reverse=True)
    assert lefts[-1] == 0
    assert len(lefts) > 2


async def test_two_rotations_at_once_do_the_work_once(database: Database) -> None:
    """A job that is taken over while its first worker still runs harms nothing."""
    made = await school(database, 2 * BATCH)
    told: list[RotationStatus] = []
    await asyncio.gather(
        *(rotation(database).run(SYSTEM, told.append) for _ in range(3)),
    )
    assert await left(database) == 0
    assert told
    after = hub(database, AFTER)
    assert [await after.read(SYSTEM, s.id) for s in made[:5]] == made[:5]


async def test_reads_and_writes_never_fail_while_keys_rotate(database: Database) -> None:
    """Of processes with either current key, each reads, finds by name and changes all along."""
    made = await school(database, 60)
    hubs = [hub(database, FIRST_STEP), hub(database, ROTATED)]
    rotated = asyncio.Event()
    reads = 0

    async def use(number: int) -> None:
        nonlocal reads
        turn = number
        while not rotated.is_set():
            students, student = hubs[turn % 2], made[turn % len(made)]
            assert (await students.read(SYSTEM, student.id)).name == student.name
            found = await students.page(SYSTEM, StudentFilter(name=student.name))
            assert student.id in [one.id for one in found.students]
            patch = StudentPatch(email=f"{turn}@example.kr")
            assert (await students.update(SYSTEM, student.id, patch)).email == patch.email
            reads += 1
            turn += 7

    async def rotate() -> None:
        for keyring in (ROTATED, FIRST_STEP, ROTATED):
            await rotation(database, keyring).run(SYSTEM, lambda _: None)
        rotated.set()

    await asyncio.gather(rotate(), *(use(number) for number in range(6)))
    assert reads > 0
    assert await left(database) == 0


async def test_a_name_is_taken_in_its_class_under_whichever_key(database: Database) -> None:
    """Students without a number are told apart by name, also when it is indexed twice over."""
    old, new = hub(database, FIRST_STEP), hub(database, ROTATED)
    await a_student(old, name="김하나", student_number=None)
    with pytest.raises(StudentExists):
        await a_student(new, name="김하나", student_number=None)
    other = await a_student(new, name="김둘", student_number=None)
    with pytest.raises(StudentExists):
        await new.update(SYSTEM, other.id, StudentPatch(name="김하나"))
    await new.update(SYSTEM, other.id, StudentPatch(name="김셋"))


async def test_twins_who_come_at_once_by_two_processes_become_one(database: Database) -> None:
    """Neither sees the other's row yet, and their indexes differ: they wait for each other."""
    hubs = [hub(database, FIRST_STEP), hub(database, ROTATED)]
    for n in range(8):
        made = await asyncio.gather(
            *(a_student(one, name=f"쌍둥이 {n}", student_number=None) for one in hubs),
            return_exceptions=True,
        )
        assert sorted(type(one).__name__ for one in made) == ["Student", "StudentExists"]


async def test_a_process_with_another_current_key_leaves_the_job_to_others(
    database: Database,
) -> None:
    """A worker that was not restarted yet must not bring everything back under the old key."""
    await school(database, 1)
    with pytest.raises(KeyNotCurrent):
        await rotation(database, FIRST_STEP).advance(RotateKeys(to=ROTATED.key_id))


async def test_a_broken_row_stops_no_other_one_and_is_told(
    database: Database, owner: asyncpg.Connection
) -> None:
    """What cannot be opened stays under its old key; the job ends with an error that counts it."""
    made = await school(database, 5)
    await owner.execute(
        "UPDATE student_keys SET wrapped = set_byte(wrapped, 20, 255 - get_byte(wrapped, 20)) "
        "WHERE student_id = $1",
        made[2].id,
    )
    with pytest.raises(RotationStuck, match="1 rows"):
        await rotation(database).run(SYSTEM, lambda _: None)
    assert await left(database) == 1


async def test_rows_that_would_collide_are_left_and_the_others_go_over(
    database: Database,
) -> None:
    """Two hubs that did not know of each other's keys have let one name in twice."""
    await school(database, 4)
    await a_student(hub(database, BEFORE), name="김하나", student_number=None)
    await a_student(hub(database, Keyring(NEW)), name="김하나", student_number=None)
    with pytest.raises(RotationStuck, match="1 rows"):
        await rotation(database).run(SYSTEM, lambda _: None)
    assert await left(database) == 1


async def test_asking_twice_leaves_one_job_and_asking_for_nothing_none(database: Database) -> None:
    """An administrator may press the button again."""
    await rotation(database).start(SYSTEM)
    await school(database, 1)
    for _ in range(3):
        await rotation(database).start(SYSTEM)
    assert await quiet_ledger(database).waiting() in {1, 2}
