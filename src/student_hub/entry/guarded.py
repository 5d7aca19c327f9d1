"""No program of the hub starts where the database would not protect the students."""

import asyncio

from sqlalchemy.exc import DBAPIError

from student_hub.entry.context import secret
from student_hub.entry.stack.errors import StackError
from student_hub.platform.db.connecting import RoleRefused
from student_hub.platform.db.database import Database, DatabaseAway
from student_hub.platform.db.roles import HUB_ROLE
from student_hub.platform.settings import Settings


def require_guarded(settings: Settings) -> None:
    """Nothing when the hub works under row-level security; StackError when it would not.

    A database that is away may come back: every new connection is asked the same again.
    """
    asyncio.run(_ask(Database(secret(settings, "database_url"), pool_size=1)))


def unguarded(error: RoleRefused) -> StackError:
    """What a person has to do about it."""
    return StackError(
        f"{error.message} Bring it up to date with `student-hub migrate`, let a superuser of its "
        f"server run GRANT {HUB_ROLE} TO the account of DATABASE_URL, and see that {HUB_ROLE} "
        "itself is neither SUPERUSER nor BYPASSRLS."
    )


async def _ask(database: Database) -> None:
    try:
        await database.ping()
    except RoleRefused as error:
        raise unguarded(error) from error
    except (OSError, DBAPIError, DatabaseAway):
        return
    finally:
        await database.close()
