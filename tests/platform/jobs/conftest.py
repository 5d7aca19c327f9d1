import asyncpg
import pytest

from counting import make_table


@pytest.fixture
async def table(owner: asyncpg.Connection) -> None:
    """The table in which jobs count."""
    await make_table(owner)
