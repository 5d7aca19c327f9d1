"""Keys that processes remember: how soon a revoked one is refused, and what the others cost."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from access.stage import BOUND_S, Counting, an_access, until_hearing
from student_hub.access.schemas import NewKey
from student_hub.access.service import ADMINISTRATOR, Access
from student_hub.platform.db.database import Database
from student_hub.platform.db.listening import Listener
from student_hub.platform.errors import NotAuthenticated
from student_hub.platform.security.caller import Scope

pytestmark = pytest.mark.requirement("api-keys", "remembered-rows")
WANTED = NewKey(name="tablet", scopes={Scope.READ})


@pytest.fixture
async def counting(database_url: str) -> AsyncIterator[Counting]:
    database = Counting(database_url)
    yield database
    await database.close()


async def until_refused(access: Access, key: str) -> None:
    async with asyncio.timeout(BOUND_S):
        while True:
            try:
                await access.authenticate(key)
            except NotAuthenticated:
                return
            await asyncio.sleep(0.005)


async def test_another_process_that_remembers_the_key_soon_refuses_it(
    database: Database, counting: Counting, listener: Listener
) -> None:
    """The notification of the commit reaches it; until then it asks the database nothing."""
    here = an_access(database)
    elsewhere = an_access(counting, listener=listener)
    issued = await here.create_key(ADMINISTRATOR, WANTED)
    await until_hearing(listener)
    await elsewhere.authenticate(issued.key)
    await elsewhere.drain()
    await here.revoke_key(ADMINISTRATOR, issued.id)
    await until_refused(elsewhere, issued.key)


async def test_the_process_that_revokes_a_key_does_not_wait_for_the_news(
    database: Database, late_listener: Listener
) -> None:
    """It is refused by the very next request, though the notification has not come yet."""
    access = an_access(database, listener=late_listener)
    issued = await access.create_key(ADMINISTRATOR, WANTED)
    await until_hearing(late_listener)
    await access.authenticate(issued.key)
    await access.drain()
    await access.revoke_key(ADMINISTRATOR, issued.id)
    with pytest.raises(NotAuthenticated):
        await access.authenticate(issued.key)


async def test_a_remembered_key_costs_one_write_a_minute_and_no_read(
    counting: Counting, late_listener: Listener
) -> None:
    """That the row in memory does not tell of its last use yet makes no request write it again."""
    access = an_access(counting, listener=late_listener)
    issued = await access.create_key(ADMINISTRATOR, WANTED)
    await until_hearing(late_listener)
    before = counting.count
    for _ in range(5):
        await access.authenticate(issued.key)
        await access.drain()
    assert counting.count - before == 2
