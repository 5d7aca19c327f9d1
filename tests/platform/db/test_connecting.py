"""As whom the hub works, and what a transaction says of whom it sees."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from factories import a_student
from student_hub.platform.db.again import transact
from student_hub.platform.db.connecting import RoleRefused
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.db.listening import Listener
from student_hub.platform.db.roles import HUB_ROLE
from student_hub.platform.security.caller import SYSTEM, Caller, Role, Scope
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("row-level-security")
SAID = text("SELECT current_setting('hub.sees', true), current_setting('hub.subject', true)")
SEEN = text("SELECT count(*) FROM students")
TEACHER = Caller("oidc:school:kim", frozenset({Scope.READ}), Role.TEACHER, frozenset())


async def said(database: Database, caller: Caller | None = None) -> tuple[str, str]:
    """What a transaction of the caller says, '' for nothing."""
    async with database.transaction(caller) as tx:
        sees, subject = (await tx.session.execute(SAID)).one()
    return sees or "", subject or ""


async def seen(database: Database, caller: Caller | None = None) -> object:
    async with database.transaction(caller) as tx:
        return await tx.session.scalar(SEEN)


@pytest.fixture
async def one(database_url: str) -> AsyncIterator[Database]:
    """A database with a single connection, which every transaction gets in turn."""
    database = Database(database_url, pool_size=1)
    yield database
    await database.close()


@pytest.fixture
async def spare(owner: asyncpg.Connection) -> AsyncIterator[str]:
    """A role of the tests' own, for its rights to be changed."""
    role = f"spare_{uuid.uuid4().hex}"
    await owner.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'spare'")
    yield role
    await owner.execute(f"DROP ROLE {role}")


def as_login(url: str, login: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{login}:spare@{parts.hostname}:{parts.port}"))


async def test_every_connection_works_as_the_role_that_owns_nothing(
    database: Database, owner: asyncpg.Connection
) -> None:
    """It is no superuser, passes no policy, cannot log in, and owns no table."""
    async with database.transaction() as tx:
        assert await tx.session.scalar(text("SELECT current_user")) == HUB_ROLE
    role = await owner.fetchrow("SELECT *, oid FROM pg_roles WHERE rolname = $1", HUB_ROLE)
    may = ("rolsuper", "rolbypassrls", "rolcanlogin", "rolcreaterole", "rolcreatedb")
    assert not [name for name in may if role[name]]
    owned = "SELECT count(*) FROM pg_class WHERE relowner = $1"
    assert await owner.fetchval(owned, role["oid"]) == 0


async def test_a_transaction_says_whom_it_sees(database: Database) -> None:
    """All, those of a subject's grants, or nobody."""
    assert await said(database, SYSTEM) == ("all", "")
    assert await said(database, TEACHER) == ("granted", "oidc:school:kim")
    assert await said(database) == ("", "")


async def test_what_a_transaction_sees_is_said_in_one_message_with_its_begin(one: Database) -> None:
    """It costs no round trip of its own."""
    sent: list[str] = []
    async with one.transaction(TEACHER) as tx:
        taken = await (await tx.session.connection()).get_raw_connection()
        assert taken.driver_connection is not None
        taken.driver_connection.add_query_logger(lambda record: sent.append(record.query))
        await tx.session.execute(text("SELECT 1"))
    begin, commit = sent  # queries go another way
    assert begin.startswith("BEGIN")
    assert "hub.subject" in begin
    assert commit == "COMMIT;"


async def test_who_must_have_a_reach_and_has_none_does_not_see_all(database: Database) -> None:
    """A caller made wrongly sees nobody rather than everybody."""
    wrong = Caller("kim", frozenset({Scope.READ}), Role.TEACHER, reach=None)
    assert not wrong.sees_all
    assert await said(database, wrong) == ("granted", "kim")


@pytest.mark.parametrize("subject", ["o'brien", "back\\slash", "'; SET hub.sees = 'all'; --", "김"])
async def test_a_subject_is_a_value_whatever_is_in_it(database: Database, subject: str) -> None:
    """Subjects come from tokens of others: no text of theirs becomes SQL."""
    caller = Caller(subject, frozenset(), Role.TEACHER, frozenset())
    assert await said(database, caller) == ("granted", subject)


async def test_a_subject_with_a_nul_is_refused(one: Database) -> None:
    """PostgreSQL has no such text; the connection is left as it was."""
    with pytest.raises(ValueError, match="NUL"):
        await said(one, Caller("a\0b", frozenset(), Role.TEACHER, frozenset()))
    assert await said(one) == ("", "")


async def test_the_next_user_of_a_connection_sees_nothing_of_the_one_before(
    one: Database, students: Students
) -> None:
    """Neither after a commit nor after an error, nor when nothing was asked."""
    await a_student(students)
    assert await seen(one) == 0
    assert await seen(one, SYSTEM) == 1
    assert await seen(one) == 0
    with suppress(DBAPIError):
        async with one.transaction(SYSTEM) as tx:
            await tx.session.execute(text("SELECT 1/0"))
    assert await seen(one) == 0
    async with one.transaction(SYSTEM):
        pass
    assert await said(one) == ("", "")
    assert await seen(one, TEACHER) == 0
    assert await said(one) == ("", "")


async def test_work_that_is_done_once_more_sees_the_same(
    database: Database, students: Students
) -> None:
    """A deadlock does not change whom the work is done for."""
    await a_student(students)
    counts: list[object] = []

    async def work(tx: Transaction) -> None:
        counts.append(await tx.session.scalar(SEEN))
        if len(counts) == 1:
            raised = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$"
            await tx.session.execute(text(raised))

    await transact(database, work, SYSTEM)
    assert counts == [1, 1]


async def test_a_login_that_may_not_take_the_role_on_is_refused(
    database_url: str, spare: str, owner: asyncpg.Connection
) -> None:
    """Rather than to work as the login itself; granted the role, it works."""
    database = Database(as_login(database_url, spare))
    with pytest.raises(RoleRefused):
        await said(database)
    with pytest.raises(RoleRefused):
        await database.ping()
    await owner.execute(f"GRANT {HUB_ROLE} TO {spare}")
    await database.ping()
    assert await said(database, SYSTEM) == ("all", "")
    await database.close()


@pytest.mark.parametrize("right", ["SUPERUSER", "BYPASSRLS"])
async def test_a_role_that_passes_every_policy_is_refused(
    database_url: str, spare: str, owner: asyncpg.Connection, right: str
) -> None:
    """A role that was given too much protects nobody."""
    harmless = Database(database_url, role=spare)
    await harmless.ping()
    await harmless.close()
    await owner.execute(f"ALTER ROLE {spare} {right}")
    database = Database(database_url, role=spare)
    with pytest.raises(RoleRefused):
        await database.ping()
    await database.close()


async def test_a_role_that_is_not_there_is_refused(database_url: str) -> None:
    """A database that was not migrated is not used as its owner."""
    database = Database(database_url, role=f"nobody_{uuid.uuid4().hex}")
    with pytest.raises(RoleRefused):
        await said(database)
    await database.close()


async def test_a_listener_that_may_not_take_the_role_on_stays_deaf_and_tries_again(
    database_url: str, spare: str
) -> None:
    """What is remembered is not trusted meanwhile."""
    listener = Listener(as_login(database_url, spare))
    with capture_logs() as logs:
        async with asyncio.timeout(10):
            while len(logs) < 2:
                assert not listener.hears
                await asyncio.sleep(0.01)
    await listener.close()
    assert {line["reason"] for line in logs} == {"RoleRefused"}
