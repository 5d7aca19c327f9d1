"""Keys that replace keys, and hashes that move to another master key, on a real database."""

import asyncio
from datetime import timedelta

import pytest

from access.stage import Time, an_access, faults_of, said, until_hearing
from doorway import PEPPERS
from student_hub.access.errors import KeyNotFound, KeyOver, KeyReplaced, KeysOverlap
from student_hub.access.schemas import IssuedKey, Key, NewKey, Rotation
from student_hub.access.service import ADMINISTRATOR, Access
from student_hub.platform.db.database import Database
from student_hub.platform.db.listening import Listener
from student_hub.platform.errors import InvalidInput, NotAllowed, NotAuthenticated
from student_hub.platform.security.caller import Caller, Role, Scope

pytestmark = pytest.mark.requirement("api-keys", "key-rotation-overlap")

TEACHER = NewKey(
    name="김 선생님의 노트북",
    scopes={Scope.READ},
    role=Role.TEACHER,
    subject="teacher-7",
    expires_in_days=30,
)
AT_ONCE = Rotation(overlap_hours=0)
OTHER = {"11111111": b"another master's pepper".ljust(32)}


async def is_good(access: Access, key: str) -> bool:
    try:
        await access.authenticate(key)
    except NotAuthenticated:
        return False
    return True


async def shown(access: Access, key_id: str) -> Key:
    return {key.id: key for key in await access.list_keys(ADMINISTRATOR)}[key_id]


async def issue(access: Access, wanted: NewKey = TEACHER) -> IssuedKey:
    return await access.create_key(ADMINISTRATOR, wanted)


async def rotate(access: Access, key: Key, wanted: Rotation | None = None) -> IssuedKey:
    return await access.rotate_key(ADMINISTRATOR, key.id, wanted or Rotation())


async def test_a_successor_is_the_same_for_everybody_but_has_another_secret(
    access: Access,
) -> None:
    """Same subject, role and scopes: grants and the audit log go on as they were."""
    old = await issue(access)
    new = await rotate(access, old)
    before, after = [await access.authenticate(key.key) for key in (old, new)]
    assert (before.subject, before.role, before.scopes) == (after.subject, after.role, after.scopes)
    assert before.credential != after.credential
    assert (await shown(access, old.id)).replaced_by == new.id
    assert (new.name, new.replaced_by, new.key == old.key) == (old.name, None, False)


async def test_the_successor_of_a_key_without_a_subject_is_still_the_first_one(
    access: Access,
) -> None:
    """`key:<first id>` for ever, however often the key is rotated: what was granted to it stays."""
    first = await issue(access, NewKey(name="hub", scopes={Scope.READ}))
    second = await rotate(access, first, AT_ONCE)
    third = await rotate(access, second, AT_ONCE)
    assert [key.subject for key in (second, third)] == [f"key:{first.id}"] * 2


@pytest.mark.parametrize(("hours", "overlap"), [(None, 24), (1, 1), (720, 720)])
async def test_the_old_key_is_good_for_the_overlap_and_no_longer(
    access: Access, time: Time, hours: int | None, overlap: int
) -> None:
    """A day unless said otherwise; to the last moment, and not from then on."""
    old = await issue(access, TEACHER.model_copy(update={"expires_in_days": 365}))
    new = await rotate(access, old, None if hours is None else Rotation(overlap_hours=hours))
    time.pass_by(hours=overlap, seconds=-1)
    assert await is_good(access, old.key)
    time.pass_by(seconds=1)
    assert not await is_good(access, old.key)
    assert await is_good(access, new.key)


async def test_without_overlap_the_old_key_ends_at_once(access: Access) -> None:
    """For a key that somebody else may have seen."""
    old = await issue(access)
    new = await rotate(access, old, AT_ONCE)
    assert [await is_good(access, key.key) for key in (old, new)] == [False, True]


async def test_the_process_that_rotates_a_key_does_not_wait_for_the_news(
    database: Database, late_listener: Listener
) -> None:
    """A key that ended at once is refused by the very next request, though it was remembered."""
    access = an_access(database, listener=late_listener)
    await until_hearing(late_listener)
    old = await issue(access)
    assert await is_good(access, old.key)
    await access.drain()
    await rotate(access, old, AT_ONCE)
    assert not await is_good(access, old.key)


async def test_rotation_never_makes_a_key_live_longer(access: Access, time: Time) -> None:
    """An old key that ends before the overlap does ends when it was to; the new one lasts as long.

    As long as the old one was to last from its issue.
    """
    old = await issue(access)
    time.pass_by(days=29, hours=23)
    new = await rotate(access, old)
    assert (await shown(access, old.id)).expires_at == old.expires_at
    assert new.expires_at == time.now + timedelta(days=30)


async def test_a_line_never_has_three_good_keys(access: Access, time: Time) -> None:
    """While two overlap there is no third one, unless the newer of them ends at once."""
    first = await issue(access)
    second = await rotate(access, first)
    with pytest.raises(KeysOverlap):
        await rotate(access, second)
    third = await rotate(access, second, AT_ONCE)
    good = [await is_good(access, key.key) for key in (first, second, third)]
    assert good == [True, False, True]
    with pytest.raises(KeysOverlap):
        await rotate(access, third)
    time.pass_by(hours=24)
    fourth = await rotate(access, third)
    assert await is_good(access, fourth.key)


async def test_a_key_has_one_successor_however_many_ask_at_once(access: Access) -> None:
    """The second who asks hears that there is one already."""
    old = await issue(access)
    asked = [rotate(access, old) for _ in range(4)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, IssuedKey) for answer in answers) == 1
    assert sum(isinstance(answer, KeyReplaced) for answer in answers) == 3


async def test_only_a_good_key_has_a_successor(access: Access, time: Time) -> None:
    """A revoked, an expired and an unknown key have none."""
    revoked, expired = await issue(access), await issue(access)
    await access.revoke_key(ADMINISTRATOR, revoked.id)
    with pytest.raises(KeyOver):
        await rotate(access, revoked)
    time.pass_by(days=30)
    with pytest.raises(KeyOver):
        await rotate(access, expired)
    with pytest.raises(KeyNotFound):
        await access.rotate_key(ADMINISTRATOR, "0123456789ab")
    with pytest.raises(NotAllowed):
        await access.rotate_key(Caller("key:x", frozenset({Scope.WRITE})), expired.id)


@pytest.mark.parametrize(
    ("role", "scopes", "beyond"),
    [
        (Role.SERVICE, {Scope.READ, Scope.ADMIN}, ["admin"]),
        (Role.TEACHER, {Scope.READ, Scope.WRITE, Scope.SENSITIVE}, ["sensitive", "write"]),
        (Role.PARENT, {Scope.WRITE}, ["write"]),
        (Role.STUDENT, {Scope.ADMIN}, ["admin"]),
    ],
)
async def test_a_key_gets_no_scope_beyond_its_role(
    access: Access, role: Role, scopes: set[Scope], beyond: list[str]
) -> None:
    """The wish is refused whole, and each scope is named."""
    with pytest.raises(InvalidInput) as refused:
        await issue(access, NewKey(name="x", scopes=scopes, role=role))
    assert [fault["problem"].split()[0] for fault in faults_of(refused.value)] == beyond
    assert await access.list_keys(ADMINISTRATOR) == []


async def test_a_scope_that_was_stored_beyond_the_role_counts_for_nothing(
    access: Access, owner: Database
) -> None:
    """Whoever wrote it there: the ceiling holds when the key is used, too."""
    issued = await issue(access)
    await said(owner, "UPDATE api_keys SET scopes = '{admin,read,write}' RETURNING id")
    assert (await access.authenticate(issued.key)).scopes == {Scope.READ}


async def test_a_key_outlives_its_master_key_and_is_hashed_anew_at_its_next_use(
    access: Access, database: Database, time: Time
) -> None:
    """Under the old master key as long as that is known; once used, it needs it no more."""
    used, unused = await issue(access), await issue(access)
    both = an_access(database, peppers={**OTHER, **PEPPERS}, clock=time)
    assert await is_good(both, used.key)
    await both.drain()
    masters = [(await shown(both, key.id)).master_key_id for key in (used, unused)]
    assert masters == ["11111111", "00000000"]
    alone = an_access(database, peppers=OTHER, clock=time)
    assert [await is_good(alone, key.key) for key in (used, unused)] == [True, False]


async def test_a_key_of_before_master_keys_had_names_is_found_and_named(
    access: Access, database: Database, owner: Database, time: Time
) -> None:
    """Rows of older versions say nothing of their master key: every known one is tried."""
    issued = await issue(access)
    await said(owner, "UPDATE api_keys SET master_key_id = NULL RETURNING id")
    both = an_access(database, peppers={**OTHER, **PEPPERS}, clock=time)
    assert await is_good(both, issued.key)
    await both.drain()
    assert (await shown(both, issued.id)).master_key_id == "11111111"
