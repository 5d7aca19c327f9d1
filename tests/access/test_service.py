"""Whose key it is, and the life of keys, on a real database."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from access.stage import Time, an_access
from doorway import ADMINISTRATOR_KEY, NOWHERE
from student_hub.access.errors import KeyNotFound
from student_hub.access.keys import new_key
from student_hub.access.schemas import NewKey
from student_hub.access.service import ADMINISTRATOR, Access
from student_hub.platform.db.database import Database
from student_hub.platform.errors import NotAllowed, NotAuthenticated
from student_hub.platform.security.caller import Caller, Role, Scope

pytestmark = pytest.mark.requirement("api-keys")

READER = Caller("key:reader", frozenset({Scope.READ}))
WANTED = NewKey(name="김 선생님의 노트북", scopes={Scope.READ}, expires_in_days=30)


async def test_a_key_is_its_bearer_with_the_scopes_it_was_given(access: Access) -> None:
    """The caller is named by the key's id, which is safe to log, and may do what was granted."""
    issued = await access.create_key(ADMINISTRATOR, WANTED)
    caller = await access.authenticate(issued.key)
    own = f"key:{issued.id}"
    assert caller == Caller(own, frozenset({Scope.READ}), Role.SERVICE, credential=own)


async def test_the_secret_is_kept_nowhere(access: Access, database: Database) -> None:
    """The row holds a hash of 32 bytes; neither the key nor its secret is in it."""
    issued = await access.create_key(ADMINISTRATOR, WANTED)
    async with database.transaction() as tx:
        row = (await tx.session.execute(text("SELECT * FROM api_keys"))).one()
    assert len(row.hash) == 32
    assert issued.key.split("_")[3] not in str(row)


async def test_listed_keys_show_how_they_begin_and_no_more(access: Access) -> None:
    """The newest comes first, with its prefix, and without a secret."""
    await access.create_key(ADMINISTRATOR, WANTED)
    issued = await access.create_key(ADMINISTRATOR, WANTED)
    shown = await access.list_keys(ADMINISTRATOR)
    assert {key.prefix for key in shown} >= {f"shk_live_{issued.id}"}
    assert len(shown) == 2
    assert not any(issued.key.split("_")[3] in key.model_dump_json() for key in shown)


async def test_a_revoked_key_is_refused_from_the_next_request_on(
    access: Access, database: Database, time: Time
) -> None:
    """Also by a process that remembers nothing; revoking it again changes nothing."""
    issued = await access.create_key(ADMINISTRATOR, WANTED)
    other_process = an_access(database, clock=time)
    await other_process.authenticate(issued.key)
    first = await access.revoke_key(ADMINISTRATOR, issued.id)
    with pytest.raises(NotAuthenticated):
        await other_process.authenticate(issued.key)
    time.pass_by(days=1)
    assert (await access.revoke_key(ADMINISTRATOR, issued.id)).revoked_at == first.revoked_at


async def test_a_key_ends_on_its_day(access: Access, time: Time) -> None:
    """Good until the last moment, refused from the expiry on."""
    issued = await access.create_key(ADMINISTRATOR, WANTED)
    time.pass_by(days=30, seconds=-1)
    await access.authenticate(issued.key)
    time.pass_by(seconds=1)
    with pytest.raises(NotAuthenticated):
        await access.authenticate(issued.key)


async def test_a_well_formed_key_that_was_never_issued_is_refused(access: Access) -> None:
    """Neither an unknown id nor a known id with another secret gets in."""
    issued = await access.create_key(ADMINISTRATOR, WANTED)
    forged = new_key()
    body = forged.text.replace(forged.id, issued.id)[:-8]
    for text_ in (forged.text, f"{body}00000000", ""):
        with pytest.raises(NotAuthenticated):
            await access.authenticate(text_)


async def test_the_right_id_with_another_secret_is_refused(
    database: Database, time: Time, access: Access
) -> None:
    """A key is checked against its hash: one made under another pepper does not fit."""
    issued = await access.create_key(ADMINISTRATOR, WANTED)
    other = an_access(database, peppers={"00000000": b"another".ljust(32)}, clock=time)
    with pytest.raises(NotAuthenticated):
        await other.authenticate(issued.key)


async def test_the_first_administrator_needs_no_database() -> None:
    """The key of the settings works before there is any other, and while the database is away."""
    access = an_access(Database(NOWHERE))
    assert await access.authenticate(ADMINISTRATOR_KEY) == ADMINISTRATOR
    for wrong in (ADMINISTRATOR_KEY[:-1], ADMINISTRATOR_KEY + " ", "김" * 20):
        with pytest.raises(NotAuthenticated):
            await access.authenticate(wrong)


async def test_without_a_first_key_nobody_is_administrator() -> None:
    """No setting means no such key, not an empty one; a short one is refused at the start."""
    access = an_access(Database(NOWHERE), administrator_key=None)
    with pytest.raises(NotAuthenticated):
        await access.authenticate("")
    with pytest.raises(ValueError, match="16 characters"):
        an_access(Database(NOWHERE), administrator_key="x" * 15)


async def test_use_is_noted_at_most_once_a_minute(access: Access, time: Time) -> None:
    """A busy key costs one write a minute, and no request waits for it."""
    issued = await access.create_key(ADMINISTRATOR, WANTED)
    noted = []
    for seconds in (0, 59, 1):
        time.pass_by(seconds=seconds)
        await access.authenticate(issued.key)
        await access.drain()
        (shown,) = await access.list_keys(ADMINISTRATOR)
        noted.append(shown.last_used_at)
    start = noted[0]
    assert start is not None
    assert noted == [start, start, start + timedelta(minutes=1)]


async def test_only_an_administrator_handles_keys(access: Access) -> None:
    """A reader can neither issue, list nor revoke."""
    with pytest.raises(NotAllowed):
        await access.create_key(READER, WANTED)
    with pytest.raises(NotAllowed):
        await access.list_keys(READER)
    with pytest.raises(NotAllowed):
        await access.revoke_key(READER, "x")


async def test_an_unknown_key_cannot_be_revoked(access: Access) -> None:
    """The administrator hears that there is none."""
    with pytest.raises(KeyNotFound) as caught:
        await access.revoke_key(ADMINISTRATOR, "0123456789ab")
    assert "0123456789ab" not in f"{caught.value.message} {caught.value.facts}"
