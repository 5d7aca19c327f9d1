"""Who may migrate a database: an owner who is no superuser, and what a superuser does for them."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from sqlalchemy import text

from doorway import an_audit
from factories import a_student, event
from servers import postgres_server
from student_hub.history.service import History
from student_hub.migrations import run
from student_hub.migrations.errors import RoleNotMade
from student_hub.platform.clock import utc_now
from student_hub.platform.db.connecting import RoleRefused
from student_hub.platform.db.database import Database
from student_hub.platform.db.roles import HUB_ROLE
from student_hub.platform.security.caller import SYSTEM
from student_hub.platform.security.keyring import Keyring
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("row-level-security")
UPGRADE = "import asyncio, sys; from student_hub.migrations import run; "
UPGRADE += "print(asyncio.run(run.upgrade(sys.argv[1]))[-1])"


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a server that has never seen a hub."""
    with postgres_server() as url:
        yield url


@pytest.fixture
async def superuser(cluster: str) -> AsyncIterator[asyncpg.Connection]:
    """A superuser of that server; the roles and databases of a test are gone after it."""
    connection = await asyncpg.connect(cluster)
    yield connection
    for name in ("one", "two", "three"):
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    for role in ("plain", HUB_ROLE):
        await connection.execute(f"DROP ROLE IF EXISTS {role}")
    await connection.close()


async def owned(superuser: asyncpg.Connection, cluster: str, rights: str = "") -> str:
    """The address of an empty database for its owner, who is no superuser."""
    await superuser.execute(f"CREATE ROLE plain LOGIN PASSWORD 'plain' {rights}")
    await superuser.execute("CREATE DATABASE one OWNER plain")
    return f"postgresql://plain:plain@{cluster.rpartition('@')[2].rpartition('/')[0]}/one"


async def test_an_owner_who_may_make_roles_needs_nobody(
    superuser: asyncpg.Connection, cluster: str
) -> None:
    """The hub works under the policies, which bind the owner too, and back down it goes."""
    url = await owned(superuser, cluster, "CREATEROLE")
    await run.upgrade(url)
    database = Database(url)
    students = Students(database, Keyring(bytes(range(32))), utc_now, an_audit(database))
    student = await a_student(students)
    history = History(database, students, utc_now, an_audit(database))
    await history.record(SYSTEM, [event(student.id)])
    await history.make_partitions()
    owner = await asyncpg.connect(url)
    assert await owner.fetchval("SELECT count(*) FROM students") == 0
    await owner.close()
    async with database.transaction(SYSTEM) as tx:
        await students.remove(tx, student.id)
    async with database.transaction(SYSTEM) as tx:
        assert await tx.session.scalar(text("SELECT count(*) FROM learning_history")) == 0
    await database.close()
    await run.downgrade(url, "base")
    await run.upgrade(url)


async def test_an_owner_who_may_not_is_told_what_a_superuser_has_to_run(
    superuser: asyncpg.Connection, cluster: str
) -> None:
    """Nothing of the revision stays; what the sentence says is enough."""
    url = await owned(superuser, cluster)
    with pytest.raises(RoleNotMade) as told:
        await run.upgrade(url)
    for statement in (f"CREATE ROLE {HUB_ROLE} NOLOGIN;", f'GRANT {HUB_ROLE} TO "plain";'):
        assert statement in str(told.value)
        await superuser.execute(statement)
    assert (await run.upgrade(url))[0] == "0007"
    database = Database(url)
    await database.ping()
    await database.close()


async def test_a_role_that_only_another_may_take_on_keeps_the_hub_out(
    superuser: asyncpg.Connection, cluster: str
) -> None:
    """The migration goes through, for the hub may log in as somebody else than the owner."""
    url = await owned(superuser, cluster)
    await superuser.execute(f"CREATE ROLE {HUB_ROLE} NOLOGIN")
    await run.upgrade(url)
    database = Database(url)
    with pytest.raises(RoleRefused):
        await database.ping()
    await database.close()


async def test_databases_of_one_server_may_be_migrated_at_once(
    superuser: asyncpg.Connection, cluster: str
) -> None:
    """The role is theirs together, and none of them fails for another's sake."""
    names = ("one", "two", "three")
    for name in names:
        await superuser.execute(f"CREATE DATABASE {name}")
    starts = [
        asyncio.create_subprocess_exec(
            *(sys.executable, "-c", UPGRADE, f"{cluster.rpartition('/')[0]}/{name}"),
            stdout=subprocess.PIPE,
        )
        for name in names
    ]
    processes = await asyncio.gather(*starts)
    said = await asyncio.gather(*(process.communicate() for process in processes))
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len({out for out, _ in said}) == 1
