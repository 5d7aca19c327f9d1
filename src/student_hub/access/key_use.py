"""Keys in use: whose each is, from memory where nothing has changed, and when it was used last."""

import asyncio
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from student_hub.access import repository
from student_hub.access.identity import Identity
from student_hub.access.keys import ID_PLACE, Peppers, read_key
from student_hub.access.models import ApiKey
from student_hub.access.policy import ceiling, is_good
from student_hub.platform.cache.remembered import Remembered
from student_hub.platform.clock import Clock
from student_hub.platform.db.database import Database
from student_hub.platform.db.listening import Listener
from student_hub.platform.security.caller import Role, Scope

CHANGED = "api_key_changed"
NOTED_EVERY = timedelta(minutes=1)
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class KnownKey:
    """What has to be known of a key to let its bearer in."""

    id: str
    hash: bytes
    identity: Identity
    master_key_id: str | None
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, row: ApiKey) -> "KnownKey":
        return cls(
            id=row.id,
            hash=row.hash,
            identity=identity_of(row),
            master_key_id=row.master_key_id,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            last_used_at=row.last_used_at,
        )


def identity_of(row: ApiKey) -> Identity:
    """Whose key it is; never with a scope beyond its role, whatever was stored."""
    role, own = Role(row.role), f"key:{row.id}"
    scopes = frozenset(Scope(scope) for scope in row.scopes) & ceiling(role)
    return Identity(row.subject or own, role, scopes, own)


class KeyUse:
    """Finds out whose key was brought; notes its use once a minute, without anybody waiting."""

    def __init__(
        self, database: Database, peppers: Peppers, clock: Clock, listener: Listener | None
    ) -> None:
        self._database = database
        self._peppers = peppers
        self._clock = clock
        self._known = Remembered[KnownKey | None](listener, CHANGED)
        self._notes: dict[str, asyncio.Task[None]] = {}
        self._noted_at: dict[str, datetime] = {}

    def recall(self, text: str, digest: bytes) -> Identity | None:
        """Whose key it is, when that is known here and it is good; None says nothing of it.

        Nearly every request ends here. A text that has the digest of a known key is that key: its
        form needs no other look.
        """
        key = self._known.get(text[ID_PLACE])
        return None if key is None else self._judged(key, text, digest)

    async def identify(self, text: str, digest: bytes) -> Identity | None:
        """Whose key it is, None for any that is not good now; `digest` is its current hash."""
        presented = read_key(text)
        if presented is None:
            return None
        key = await self._read(presented.id)
        return None if key is None else self._judged(key, text, digest)

    def forget(self, key_id: str) -> None:
        """The key has changed."""
        self._known.forget(key_id)

    async def drain(self) -> None:
        """Waits until every use that was being noted is stored."""
        await asyncio.gather(*self._notes.values(), return_exceptions=True)

    async def _read(self, key_id: str) -> KnownKey | None:
        async def load() -> KnownKey | None:
            async with self._database.transaction() as tx:
                row = await repository.find(tx, key_id)
            return None if row is None else KnownKey.of(row)

        return await self._known.read(key_id, load)

    def _judged(self, key: KnownKey, text: str, digest: bytes) -> Identity | None:
        now = self._clock()
        if not self._fits(key, text, digest):
            return None
        if not is_good(key.expires_at, key.revoked_at, now):
            return None
        noted = self._noted_at.get(key.id)
        if noted is None or now - noted >= NOTED_EVERY:
            self._note_use(key, now, digest)
        return key.identity

    def _fits(self, key: KnownKey, text: str, digest: bytes) -> bool:
        if key.master_key_id == self._peppers.current:
            return hmac.compare_digest(key.hash, digest)
        return self._peppers.fits(text, key.hash, key.master_key_id)

    def _note_use(self, key: KnownKey, now: datetime, digest: bytes) -> None:
        elsewhere = key.last_used_at and now - key.last_used_at < NOTED_EVERY
        hashed = key.master_key_id == self._peppers.current
        if key.id in self._notes or (elsewhere and hashed):
            return
        self._noted_at[key.id] = now
        task = asyncio.create_task(self._write_use(key, now, digest), name=key.id)
        self._notes[key.id] = task
        task.add_done_callback(self._noted)

    async def _write_use(self, key: KnownKey, now: datetime, digest: bytes) -> None:
        current = self._peppers.current
        async with self._database.transaction() as tx:
            if key.master_key_id != current:
                await repository.hash_anew(tx, key.id, key.hash, digest, current)
                tx.after_commit(lambda: self._forget(key.id))
            await repository.note_use(tx, key.id, now, NOTED_EVERY)

    async def _forget(self, key_id: str) -> None:
        self.forget(key_id)

    def _noted(self, task: asyncio.Task[None]) -> None:
        del self._notes[task.get_name()]
        if not task.cancelled() and (error := task.exception()):
            log.warning("api_key_use_not_noted", reason=type(error).__name__)
