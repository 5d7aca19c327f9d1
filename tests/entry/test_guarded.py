"""No program starts where PostgreSQL would not protect the students."""

import asyncio
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from pydantic import SecretStr

from student_hub.entry.guarded import require_guarded
from student_hub.entry.migrating import upgrade
from student_hub.entry.stack.errors import StackError
from student_hub.platform.settings import Settings

pytestmark = pytest.mark.requirement("row-level-security")
KEY = SecretStr("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
REDIS = SecretStr("redis://127.0.0.1:1/0")


async def execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(sql)
    await connection.close()


@pytest.fixture
def stranger(database_url: str) -> Iterator[str]:
    """The address of the database for somebody who may not work as the hub's role."""
    name = f"stranger_{uuid.uuid4().hex}"
    asyncio.run(execute(database_url, f"CREATE ROLE {name} LOGIN PASSWORD 'stranger'"))
    parts = urlsplit(database_url)
    yield urlunsplit(parts._replace(netloc=f"{name}:stranger@{parts.hostname}:{parts.port}"))
    asyncio.run(execute(database_url, f"DROP ROLE {name}"))


def settings(url: str, owner: str | None = None) -> Settings:
    return Settings(
        database_url=SecretStr(url),
        database_owner_url=None if owner is None else SecretStr(owner),
        redis_url=REDIS,
        encryption_key=KEY,
    )


def test_a_login_without_the_role_is_told_what_is_missing(stranger: str) -> None:
    """In a sentence with the statement that mends it, and without the password."""
    with pytest.raises(StackError, match="GRANT student_hub_app TO") as told:
        require_guarded(settings(stranger))
    assert "stranger" not in str(told.value)


def test_the_owner_migrates_and_the_login_of_the_hub_is_asked_about(
    stranger: str, empty_database_url: str
) -> None:
    """DATABASE_OWNER_URL brings the schema up; what the hub itself logs in as is still refused."""
    login = urlsplit(stranger)._replace(path=urlsplit(empty_database_url).path)
    with pytest.raises(StackError, match="GRANT student_hub_app TO"):
        asyncio.run(upgrade(settings(urlunsplit(login), empty_database_url)))
    name = login.username
    asyncio.run(execute(empty_database_url, f"GRANT student_hub_app TO {name}"))
    assert asyncio.run(upgrade(settings(urlunsplit(login), empty_database_url))) == []


def test_a_guarded_database_lets_programs_start(database_url: str) -> None:
    """As does one that is away: every connection of its return is asked the same."""
    require_guarded(settings(database_url))
    require_guarded(settings("postgresql://nobody@127.0.0.1:1/nothing"))
