"""Who a credential belongs to and whom they may see; the life of keys; who sees a student."""

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from student_hub.access import repository, viewing
from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.access.errors import KeyNotFound, KeyOver, KeyReplaced, KeysOverlap
from student_hub.access.grants import Grants
from student_hub.access.identity import Identity, TokenReader
from student_hub.access.key_use import KeyUse, identity_of
from student_hub.access.keys import PREFIX, Peppers, Presented, check_administrator_key, new_key
from student_hub.access.models import ApiKey
from student_hub.access.policy import Whereabouts, ceiling, is_good
from student_hub.access.schemas import IssuedKey, Key, NewKey, Rotation, Viewer, Viewers
from student_hub.platform.clock import Clock, utc_now
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.db.listening import Listener
from student_hub.platform.errors import Fact, InvalidInput, NotAuthenticated
from student_hub.platform.security.caller import (
    ALL_SEEING,
    INSIDE,
    SYSTEM,
    Caller,
    Origin,
    Role,
    Scope,
)

ADMINISTRATOR_KEY = "key:administrator"
ADMINISTRATOR = Caller(
    ADMINISTRATOR_KEY, frozenset({Scope.ADMIN}), Role.ADMIN, credential=ADMINISTRATOR_KEY
)
ADMINISTRATORS_IDENTITY = Identity(
    ADMINISTRATOR_KEY, Role.ADMIN, frozenset({Scope.ADMIN}), ADMINISTRATOR_KEY
)
OF_KEYS = "shk_"
DOTS_OF_TOKEN = 2
ROTATION = Rotation()
log = structlog.get_logger()


class Access:
    """Knows every key by its hash alone, and remembers those that are in use; `grants` beside it.

    Whoever revokes a key refuses it from the next request on. Other processes hear of it from
    PostgreSQL, usually within milliseconds; one whose line to PostgreSQL hangs trusts nothing
    that it remembers after 2.5 seconds.

    `peppers` are by the id of their master key, the current one first.
    """

    def __init__(
        self,
        database: Database,
        *,
        peppers: Mapping[str, bytes],
        audit: Audit,
        administrator_key: str | None = None,
        tokens: TokenReader | None = None,
        clock: Clock = utc_now,
        listener: Listener | None = None,
    ) -> None:
        if administrator_key is not None:
            check_administrator_key(administrator_key)
        self._database = database
        self._peppers = Peppers(peppers)
        self._administrator = administrator_key and self._peppers.hash(administrator_key)
        self._audit = audit
        self._tokens = tokens
        self._clock = clock
        self._keys = KeyUse(database, self._peppers, clock, listener)
        self.grants = Grants(database, audit, clock, listener)

    async def authenticate(self, credential: str, origin: Origin = INSIDE) -> Caller:
        """Whose credential that is and whom they may see; NotAuthenticated for none good now."""
        digest = self._peppers.hash(credential)
        who = self._keys.recall(credential, digest) or await self._identify(credential, digest)
        reach = None
        if who.role not in ALL_SEEING:
            reach = self.grants.recall(who.subject)
            if reach is None:
                reach = await self.grants.reach(who.subject)
        return Caller(who.subject, who.scopes, who.role, reach, who.credential, origin)

    async def create_key(self, caller: Caller, wanted: NewKey) -> IssuedKey:
        """A new key; its secret is in this answer and nowhere else.

        InvalidInput names each scope that is beyond the role.
        """
        self._require_admin(caller, Action.KEY_ISSUE)
        _within_ceiling(wanted)
        made, now = new_key(), self._clock()
        row = ApiKey(
            id=made.id,
            name=wanted.name,
            hash=self._peppers.hash(made.text),
            scopes=sorted(scope.value for scope in wanted.scopes),
            role=wanted.role.value,
            subject=wanted.subject,
            master_key_id=self._peppers.current,
            created_at=now,
            expires_at=now + timedelta(days=wanted.expires_in_days),
        )
        async with self._database.transaction(caller) as tx:
            await repository.add(tx, row)
            issued: dict[str, int | str] = {"key": made.id, "role": row.role}
            await self._audit.note(tx, caller, Action.KEY_ISSUE, detail=issued)
        log.info("api_key_issued", key_id=made.id, role=row.role, caller=caller.subject)
        return _issued(row, made)

    async def rotate_key(
        self, caller: Caller, key_id: str, wanted: Rotation = ROTATION
    ) -> IssuedKey:
        """A successor with the same role, scopes, subject and span of life.

        The old key is good for the overlap and no longer than it was. KeyNotFound; KeyOver,
        KeyReplaced or KeysOverlap for a key that cannot be followed now.
        """
        self._require_admin(caller, Action.KEY_ROTATE)
        made = new_key()
        async with self._database.transaction(caller) as tx:
            row = await self._succeed(tx, key_id, made, timedelta(hours=wanted.overlap_hours))
            rotated: dict[str, int | str] = {"key": key_id, "successor": made.id}
            await self._audit.note(tx, caller, Action.KEY_ROTATE, detail=rotated)
        self._keys.forget(key_id)
        log.info("api_key_rotated", key_id=key_id, successor=made.id, caller=caller.subject)
        return _issued(row, made)

    async def list_keys(self, caller: Caller) -> list[Key]:
        """Every key ever issued, the newest first."""
        self._require_admin(caller, Action.KEY_LIST)
        async with self._database.transaction(caller) as tx:
            keys = [_shown(row) for row in await repository.newest_first(tx)]
        self._audit.saw(caller, Action.KEY_LIST, detail={"keys": len(keys)})
        return keys

    async def revoke_key(self, caller: Caller, key_id: str) -> Key:
        """The key, good no more, here at once; KeyNotFound when there is none of that id."""
        self._require_admin(caller, Action.KEY_REVOKE)
        async with self._database.transaction(caller) as tx:
            row = await repository.revoke(tx, key_id, self._clock())
            if row is None:
                raise KeyNotFound
            await self._audit.note(tx, caller, Action.KEY_REVOKE, detail={"key": key_id})
        self._keys.forget(key_id)
        log.info("api_key_revoked", key_id=key_id, caller=caller.subject)
        return _shown(row)

    async def viewers(self, tx: Transaction, student: Whereabouts) -> list[Viewer]:
        """Who can see the student at this moment, and why; whether somebody may ask, is not asked.

        With one entry for every reason: grants, the oldest first, then keys that see everybody. The
        transaction must see all, for nobody else sees others' grants.
        """
        if not tx.sees_all:
            raise ValueError("not every grant is seen from here")
        administrator = ADMINISTRATORS_IDENTITY if self._administrator else None
        return await viewing.viewers(tx, student, self._clock(), administrator)

    async def viewers_of(self, caller: Caller, student: Whereabouts) -> Viewers:
        """The same for a caller who may see the student; the rooms above know whether they may."""
        async with self._database.transaction(SYSTEM) as tx:
            found = Viewers(viewers=await self.viewers(tx, student))
        self._audit.saw(caller, Action.VIEWERS_READ, [student.id])
        return found

    async def drain(self) -> None:
        """Waits until every use of a key that was being noted is stored."""
        await self._keys.drain()

    def _require_admin(self, caller: Caller, action: Action) -> None:
        with self._audit.refusals(caller, action):
            caller.require(Scope.ADMIN)

    async def _identify(self, credential: str, digest: bytes) -> Identity:
        if self._administrator and hmac.compare_digest(self._administrator, digest):
            return ADMINISTRATORS_IDENTITY
        if not credential.startswith(OF_KEYS) and credential.count(".") == DOTS_OF_TOKEN:
            if self._tokens is None:
                raise NotAuthenticated
            return await self._tokens.identify(credential)
        identity = await self._keys.identify(credential, digest)
        if identity is None:
            raise NotAuthenticated
        return identity

    async def _succeed(
        self, tx: Transaction, key_id: str, made: Presented, overlap: timedelta
    ) -> ApiKey:
        now = self._clock()
        old = await repository.find_to_change(tx, key_id)
        if old is None:
            raise KeyNotFound
        if old.replaced_by is not None:
            raise KeyReplaced
        if not is_good(old.expires_at, old.revoked_at, now):
            raise KeyOver
        if overlap and await repository.good_beside(tx, old, now):
            raise KeysOverlap
        row = self._successor(old, made, now)
        old.replaced_by = made.id
        old.expires_at = min(old.expires_at or now + overlap, now + overlap)
        await repository.add(tx, row)
        return row

    def _successor(self, old: ApiKey, made: Presented, now: datetime) -> ApiKey:
        return ApiKey(
            id=made.id,
            name=old.name,
            hash=self._peppers.hash(made.text),
            scopes=old.scopes,
            role=old.role,
            subject=identity_of(old).subject,
            master_key_id=self._peppers.current,
            line=old.line or old.id,
            created_at=now,
            expires_at=old.expires_at and now + (old.expires_at - old.created_at),
        )


def _within_ceiling(wanted: NewKey) -> None:
    beyond = sorted(scope.value for scope in wanted.scopes - ceiling(wanted.role))
    if beyond:
        problems = [f"{scope} is beyond the role {wanted.role}" for scope in beyond]
        errors: list[Fact] = [{"field": "scopes", "problem": problem} for problem in problems]
        raise InvalidInput(problem=f"scopes: {'; '.join(problems)}", errors=errors)


def _issued(row: ApiKey, made: Presented) -> IssuedKey:
    return IssuedKey(key=made.text, **_shown(row).model_dump())


def _shown(row: ApiKey) -> Key:
    identity = identity_of(row)
    return Key(
        id=row.id,
        prefix=f"{PREFIX}{row.id}",
        name=row.name,
        role=identity.role,
        subject=identity.subject,
        scopes=[Scope(scope) for scope in row.scopes],
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        replaced_by=row.replaced_by,
        master_key_id=row.master_key_id,
    )
