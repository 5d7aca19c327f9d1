"""What Alembic runs: on the connection of `run.py`, or on the URL given as `-x url=…`."""

import asyncio
import re

from alembic import context
from alembic.runtime.environment import NameFilterParentNames, NameFilterType
from sqlalchemy import Connection, text

from student_hub.access import models as access_models
from student_hub.access.audit import models as audit_models
from student_hub.history import models as history_models
from student_hub.platform.db.base import Base
from student_hub.platform.db.database import owner_engine
from student_hub.platform.jobs import models as job_models
from student_hub.privacy import models as privacy_models
from student_hub.schedules import models as schedule_models
from student_hub.students import models as student_models

MODELS = (
    access_models,
    audit_models,
    job_models,
    student_models,
    history_models,
    privacy_models,
    schedule_models,
)
"""Imported for what they add to the metadata."""
LOCK_TIMEOUT = "5s"
PARTITION = re.compile(r"learning_history_(default|\d{4}_\d{2})")


def is_ours(name: str | None, kind: NameFilterType, _: NameFilterParentNames) -> bool:
    """Partitions are made by the hub itself and no business of a revision."""
    return not (kind == "table" and name is not None and PARTITION.fullmatch(name))


def migrate(connection: Connection) -> None:
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    # The owner obeys the policies too: without this a revision would change no student's row.
    connection.execute(text("SET hub.sees = 'all'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=is_ours,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def migrate_url(url: str) -> None:
    engine = owner_engine(url)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


given = context.config.attributes.get("connection")
if isinstance(given, Connection):
    migrate(given)
else:
    asyncio.run(migrate_url(context.get_x_argument(as_dictionary=True)["url"]))
