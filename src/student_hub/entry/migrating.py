"""Brings the database to what this version of the hub needs, before anything writes into it."""

from sqlalchemy.exc import DBAPIError

from student_hub.entry.context import secret
from student_hub.entry.house import House, build
from student_hub.entry.stack.errors import StackError
from student_hub.history.service import History
from student_hub.migrations import run as migrations
from student_hub.platform.db.database import AT_LENGTH, Database, DatabaseAway
from student_hub.platform.settings import Settings
from student_hub.students.service import Students


async def upgrade(settings: Settings) -> list[str]:
    """The revisions that were applied; then the partitions of these months are there too.

    StackError when there is no way to the database.
    """
    house = build(settings, AT_LENGTH)
    try:
        await require_database(house.parts.get(Database))
        done = await migrations.upgrade(secret(settings, "database_url"))
        await house.parts.get(History).make_partitions()
        await _require_the_right_key(house)
    finally:
        await house.close()
    return done


async def _require_the_right_key(house: House) -> None:
    if not await house.parts.get(Students).can_be_opened():
        raise StackError(
            "the students of this database are sealed with another key: put the right "
            "ENCRYPTION_KEY, or the file encryption.key of the data folder, back."
        )


async def downgrade(settings: Settings, revision: str) -> None:
    """Takes the database back to the revision; StackError when there is no way to it."""
    database = Database(secret(settings, "database_url"))
    try:
        await require_database(database)
    finally:
        await database.close()
    await migrations.downgrade(secret(settings, "database_url"), revision)


async def require_database(database: Database) -> None:
    """Nothing when PostgreSQL answers; StackError says why it does not."""
    try:
        await database.ping()
    except (OSError, DBAPIError, DatabaseAway) as error:
        cause = str(getattr(error, "orig", error)).partition("\n")[0].removesuffix(".")
        raise StackError(f"the database of DATABASE_URL cannot be used: {cause}.") from error
