"""Who a key belongs to, and the life of keys."""

import asyncio
import hmac
from datetime import datetime, timedelta

import structlog

from student_hub.access import repository
from student_hub.access.errors import KeyNotFound
from student_hub.access.keys import (
    PREFIX,
    Presented,
    check_administrator_key,
    hash_of,
    new_key,
    read_key,
)
from student_hub.access.models import ApiKey
from student_hub.access.schemas import IssuedKey, Key, NewKey
from student_hub.platform.cache.remembered import Remembered
from student_hub.platform.clock import Clock, utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.db.listening import Listener
from student_hub.platform.errors import NotAuthenticated
from student_hub.platform.security.caller import Caller, Role, Scope

CHANGED = "api_key_changed"
NOTED_EVERY = timedelta(minutes=1)
ADMINISTRATOR = Caller("key:administrator", frozenset({Scope.ADMIN}), Role.ADMIN)
log = structlog.get_logger()


class Access:
    """Knows every key by its hash alone, and remembers those that are in use.

    Whoever revokes a key refuses it from the next request on. Other processes hear of it from
    PostgreSQL, usually within milliseconds; one whose line to PostgreSQL hangs trusts nothing
    that it remembers after 2.5 seconds.
    """

    def __init__(
        self,
        database: Database,
        *,
        pepper: bytes,
        administrator_key: str | None = None,
        clock: Clock = utc_now,
        listener: Listener | None = None,
    ) -> None:
        if administrator_key is not None:
            check_administrator_key(administrator_key)
        self._database = database
        self._pepper = pepper
        self._administrator = (
            None if administrator_key is None else hash_of(pepper, administrator_key)
        )
        self._clock = clock
        self._known = Remembered[ApiKey | None](listener, CHANGED)
        self._notes: dict[str, asyncio.Task[None]] = {}
        self._noted_at: dict[str, datetime] = {}

    async def authenticate(self, key: str) -> Caller:
        """Whose key that is; NotAuthenticated for any that is not good now."""
        if self._is_administrator(key):
            return ADMINISTRATOR
        presented = read_key(key)
        if presented is None:
            raise NotAuthenticated
        row = await self._row(presented.id)
        if row is None or not self._good(row, presented):
            raise NotAuthenticated
        self._note_use(row)
        return Caller(f"key:{row.id}", frozenset(Scope(scope) for scope in row.scopes))

    async def create_key(self, caller: Caller, wanted: NewKey) -> IssuedKey:
        """A new key; its secret is in this answer and nowhere else."""
        caller.require(Scope.ADMIN)
        made, now = new_key(), self._clock()
        row = ApiKey(
            id=made.id,
            name=wanted.name,
            hash=hash_of(self._pepper, made.text),
            scopes=sorted(scope.value for scope in wanted.scopes),
            created_at=now,
            expires_at=now + timedelta(days=wanted.expires_in_days),
        )
        async with self._database.transaction() as tx:
            await repository.add(tx, row)
        log.info("api_key_issued", key_id=made.id, caller=caller.subject)
        return IssuedKey(key=made.text, **_shown(row).model_dump())

    async def list_keys(self, caller: Caller) -> list[Key]:
        """Every key ever issued, the newest first."""
        caller.require(Scope.ADMIN)
        async with self._database.transaction() as tx:
            return [_shown(row) for row in await repository.newest_first(tx)]

    async def revoke_key(self, caller: Caller, key_id: str) -> Key:
        """The key, good no more, here at once; KeyNotFound when there is none of that id."""
        caller.require(Scope.ADMIN)
        async with self._database.transaction() as tx:
            row = await repository.revoke(tx, key_id, self._clock())
        self._known.forget(key_id)
        if row is None:
            raise KeyNotFound
        log.info("api_key_revoked", key_id=key_id, caller=caller.subject)
        return _shown(row)

    async def drain(self) -> None:
        """Waits until every use that was being noted is stored."""
        await asyncio.gather(*self._notes.values(), return_exceptions=True)

    async def _row(self, key_id: str) -> ApiKey | None:
        """The key as it is stored now, from memory where nothing has changed since."""

        async def load() -> ApiKey | None:
            async with self._database.transaction() as tx:
                return await repository.find(tx, key_id)

        return await self._known.read(key_id, load)

    def _is_administrator(self, key: str) -> bool:
        known = self._administrator
        return known is not None and hmac.compare_digest(known, hash_of(self._pepper, key))

    def _good(self, row: ApiKey, presented: Presented) -> bool:
        same = hmac.compare_digest(row.hash, hash_of(self._pepper, presented.text))
        living = row.expires_at is None or self._clock() < row.expires_at
        return same and living and row.revoked_at is None

    def _note_use(self, row: ApiKey) -> None:
        now = self._clock()
        # A remembered row may be older than what was noted since.
        times = (row.last_used_at, self._noted_at.get(row.id))
        fresh = any(at is not None and now - at < NOTED_EVERY for at in times)
        if not fresh and row.id not in self._notes:
            self._noted_at[row.id] = now
            task = asyncio.create_task(self._write_use(row.id, now), name=row.id)
            self._notes[row.id] = task
            task.add_done_callback(self._noted)

    async def _write_use(self, key_id: str, now: datetime) -> None:
        async with self._database.transaction() as tx:
            await repository.note_use(tx, key_id, now, NOTED_EVERY)

    def _noted(self, task: asyncio.Task[None]) -> None:
        del self._notes[task.get_name()]
        if not task.cancelled() and (error := task.exception()):
            log.warning("api_key_use_not_noted", reason=type(error).__name__)


def _shown(row: ApiKey) -> Key:
    return Key(
        id=row.id,
        prefix=f"{PREFIX}{row.id}",
        name=row.name,
        scopes=[Scope(scope) for scope in row.scopes],
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
