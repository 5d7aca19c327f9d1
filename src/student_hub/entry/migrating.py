"""Brings the database to what this version of the hub needs, before anything writes into it."""

from sqlalchemy.exc import DBAPIError

from student_hub.entry.context import owner_url
from student_hub.entry.guarded import unguarded
from student_hub.entry.house import House, build
from student_hub.entry.stack.errors import StackError
from student_hub.history.service import History
from student_hub.migrations import run as migrations
from student_hub.migrations.errors import RoleNotMade
from student_hub.platform.db.connecting import RoleRefused
from student_hub.platform.db.database import AT_LENGTH, Database, DatabaseAway
from student_hub.platform.settings import Settings
from student_hub.students.care import CareNotes
from student_hub.students.service import Students


async def upgrade(settings: Settings) -> list[str]:
    """The revisions that were applied; then the partitions of these months are there too.

    What an older hub has kept in clear of care notes is sealed, as a revision has no keys for it.

    StackError when there is no way to the database, or none under its row-level security.
    """
    await _require_owner(settings)
    try:
        done = await migrations.upgrade(owner_url(settings))
    except RoleNotMade as error:
        raise StackError(f"{error}.") from error
    house = build(settings, AT_LENGTH)
    try:
        await require_database(house.parts.get(Database))
        await house.parts.get(History).make_partitions()
        await _require_the_right_key(house)
        await house.parts.get(CareNotes).seal_clear()
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
    await _require_owner(settings)
    await migrations.downgrade(owner_url(settings), revision)


async def _require_owner(settings: Settings) -> None:
    database = Database(owner_url(settings), role=None)
    try:
        await require_database(database)
    finally:
        await database.close()


async def require_database(database: Database) -> None:
    """Nothing when PostgreSQL answers; StackError says why it does not."""
    try:
        await database.ping()
    except RoleRefused as error:
        raise unguarded(error) from error
    except (OSError, DBAPIError, DatabaseAway) as error:
        cause = str(getattr(error, "orig", error)).partition("\n")[0].removesuffix(".")
        raise StackError(f"the database of DATABASE_URL cannot be used: {cause}.") from error
