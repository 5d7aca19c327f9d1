"""Connections to PostgreSQL: as the hub's role, and proven to be no more than that."""

from collections.abc import Mapping

import asyncpg

from student_hub.platform.db.roles import HUB_ROLE
from student_hub.platform.errors import HubError, Kind
from student_hub.platform.security.caller import Caller

SEES_ALL = "SET LOCAL hub.sees = 'all';"
NO_ROLE = frozenset({"22023", "42501"})
"""PostgreSQL's codes for a role that is not there, and for one that must not be taken on."""
RETRY_AFTER_S = 30
HARMLESS = (
    "SELECT current_user = $1 AND NOT rolsuper AND NOT rolbypassrls FROM pg_roles "
    "WHERE rolname = current_user"
)


class RoleRefused(HubError):
    """The database does not let the hub work as the role under which it protects the students.

    Nothing is read or written meanwhile: as anybody else the hub might pass every policy.
    """

    kind = Kind.AWAY

    def __init__(self) -> None:
        super().__init__(retry_after=RETRY_AFTER_S)


class HubConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """Sends `opening` in one message with the next BEGIN: it costs no round trip of its own."""

    opening: str = ""

    async def execute(
        self,
        query: str,
        *args: object,
        timeout: float | None = None,  # noqa: ASYNC109 (asyncpg's own)
    ) -> str:
        if not query.startswith("BEGIN"):
            done: str = await super().execute(query, *args, timeout=timeout)
            return done
        opening, self.opening = self.opening, ""
        try:
            begun: str = await super().execute(query + opening, timeout=timeout)
        except asyncpg.PostgresError:
            # BEGIN was done and what came after it failed: nobody must find the connection so.
            self.terminate()
            raise
        return begun


def opening_of(caller: Caller | None) -> str:
    """What a transaction says at its beginning, so that it sees whom the caller may see."""
    if caller is None:
        return ""
    if caller.sees_all:
        return SEES_ALL
    return f"SET LOCAL hub.sees = 'granted'; SET LOCAL hub.subject = {_literal(caller.subject)};"


async def connect(
    url: str,
    role: str | None = HUB_ROLE,
    *,
    timeout: float,  # noqa: ASYNC109 (asyncpg's own)
    command_timeout: float | None = None,
    server_settings: Mapping[str, str] | None = None,
) -> HubConnection:
    """A connection that works as the role, or without one as whomever the URL names.

    RoleRefused when the role is not to be had or would pass the policies; asyncpg's errors else.
    """
    settings = {"standard_conforming_strings": "on", **(server_settings or {})}
    try:
        connection: HubConnection = await asyncpg.connect(
            "postgresql://" + url.partition("://")[2],
            timeout=timeout,
            command_timeout=command_timeout,
            server_settings=settings if role is None else {**settings, "role": role},
            connection_class=HubConnection,
        )
    except asyncpg.PostgresError as error:
        if role is not None and error.sqlstate in NO_ROLE and role in str(error):
            raise RoleRefused from error
        raise
    if role is not None:
        await _require_harmless(connection, role, timeout)
    return connection


async def _require_harmless(connection: HubConnection, role: str, timeout_s: float) -> None:
    harmless = False
    try:
        harmless = bool(await connection.fetchval(HARMLESS, role, timeout=timeout_s))
    finally:
        if not harmless:
            connection.terminate()
    if not harmless:
        raise RoleRefused


def _literal(value: str) -> str:
    if "\0" in value:
        raise ValueError("a subject has no NUL")
    return "'" + value.replace("'", "''") + "'"
