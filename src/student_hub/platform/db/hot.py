"""A row that many wait for: read past the ORM, at a fraction of its cost."""

from collections.abc import Mapping
from typing import Any

import asyncpg
from sqlalchemy import Select, make_url
from sqlalchemy.sql.compiler import SQLCompiler

from student_hub.platform.db.connecting import HubConnection

DIALECT = make_url("postgresql+asyncpg://").get_dialect()()


class HotRow(asyncpg.Record):  # type: ignore[misc]  # asyncpg has no types
    """A row with its columns as attributes."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


class HotQuery:
    """A query for few rows, compiled once; its values that are not known yet are `bindparam`s."""

    def __init__(self, query: Select[*tuple[Any, ...]]) -> None:
        compiled = query.compile(dialect=DIALECT)
        if not isinstance(compiled, SQLCompiler):
            raise TypeError("not a query")
        self.sql = str(compiled)
        self._known = compiled.params
        self._order = tuple(compiled.positiontup or ())

    def arguments(self, values: Mapping[str, object]) -> list[object]:
        """What stands for $1, $2 …, with these values where the query has none."""
        return [values.get(name, self._known[name]) for name in self._order]


async def fetch_rows(
    connection: HubConnection, opening: str, query: HotQuery, values: Mapping[str, object]
) -> list[HotRow]:
    """The rows; none when a transaction that is opened so sees none."""
    connection.opening = opening
    await connection.execute("BEGIN READ ONLY;")
    rows: list[HotRow] = await connection.fetch(
        query.sql, *query.arguments(values), record_class=HotRow
    )
    await connection.execute("COMMIT;")
    return rows
