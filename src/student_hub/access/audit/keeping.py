"""Keeps the log: seals what has arrived, drops what is old enough, and walks over the whole."""

import asyncio
import time
from collections.abc import Iterable
from datetime import timedelta

import structlog

from student_hub.access.audit import repository
from student_hub.access.audit.anchors import Anchor, Anchors, anchor_of
from student_hub.access.audit.chain import (
    BEGINNING,
    Seal,
    SealedEntry,
    hashes,
    is_known,
    is_ours,
    next_seal,
)
from student_hub.access.audit.entries import Deed, Entry, entries_of
from student_hub.access.audit.errors import LogUnsound
from student_hub.access.audit.schemas import Action
from student_hub.access.audit.verification import Broken, Verdict, Walk
from student_hub.platform.clock import Clock, utc_now
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.security.caller import SYSTEM
from student_hub.platform.security.keyring import Keyring

BATCH = 2_000
LONGEST_S = 25.0
MOST_SEALS = 1_000
KEPT_DAYS = 730
log = structlog.get_logger()


class LogKeeper:
    """The only one who writes the log; over an end that it finds unsound it does not seal."""

    def __init__(
        self,
        db: Database,
        keyring: Keyring,
        anchors: Anchors,
        *,
        kept_days: int = KEPT_DAYS,
        clock: Clock = utc_now,
        batch: int = BATCH,
    ) -> None:
        self._db = db
        self._keyring = keyring
        self._anchors = anchors
        self._kept_days = kept_days
        self._clock = clock
        self._batch = batch

    async def seal(self) -> int:
        """Seals what is in the inbox in batches, for 25 seconds at most; how many entries.

        0 while another process is at it. LogUnsound when the end of the log is not what was
        sealed: then somebody has to look (`student-hub audit verify`), and the inbox waits.
        """
        until, done = time.monotonic() + LONGEST_S, 0
        while time.monotonic() < until:
            sealed = await self._seal_batch()
            done += sealed
            if sealed < self._batch:
                break
        return done

    async def prune(self) -> int:
        """Drops the batches that are older than they are kept; how many entries."""
        dropped = 0
        while gone := await self._prune_some():
            dropped += gone
        return dropped

    async def verify(self, anchors: Iterable[Anchor] = ()) -> Verdict:
        """Walks over all seals and entries, and says whether they are what was sealed."""
        kept_since = self._clock() - timedelta(days=self._kept_days)
        walk, number = Walk(self._keyring, anchors, kept_since), 0
        try:
            while seals := await self._seals(number):
                for seal in seals:
                    walk.step(seal, await self._covered(walk.next_seq, seal))
                number = seals[-1].number
            walk.end(await self._bare())
        except Broken as broken:
            return walk.verdict(broken.finding)
        return walk.verdict()

    async def _seals(self, after: int) -> list[Seal]:
        async with self._db.transaction() as tx:
            return await repository.seals(tx, after, MOST_SEALS)

    async def _covered(self, first: int, seal: Seal) -> list[SealedEntry]:
        """The entries up to the seal's last, with any that stand before its first."""
        async with self._db.transaction() as tx:
            return await repository.sealed(tx, first, seal.last_seq)

    async def _bare(self) -> int | None:
        async with self._db.transaction() as tx:
            return await repository.bare(tx)

    async def _seal_batch(self) -> int:
        async with self._db.transaction() as tx:
            if not await repository.lock(tx):
                return 0
            entries = await repository.waiting(tx, self._batch)
            if entries:
                seal = await self._store(tx, entries)
                tx.after_commit(lambda: self._publish(seal))
        return len(entries)

    async def _store(self, tx: Transaction, entries: list[Entry]) -> Seal:
        before = await self._sound_end(tx)
        chained = hashes(BEGINNING if before is None else before.head, entries)
        seal = next_seal(before, chained, self._clock(), self._keyring)
        await repository.store(tx, entries, chained, seal)
        return seal

    async def _sound_end(self, tx: Transaction) -> Seal | None:
        """The last seal; what is sealed on top vouches for it, so it has to be ours."""
        last, seq = await repository.last_seal(tx), await repository.last_seq(tx)
        if seq != (0 if last is None else last.last_seq):
            raise LogUnsound(f"the log ends at {seq}, its last seal does not")
        if last and not (is_known(last, self._keyring) and is_ours(last, self._keyring)):
            raise LogUnsound(f"seal {last.number} was not made with a key that the hub has")
        return last

    async def _publish(self, seal: Seal) -> None:
        """Tells the seal to the log stream and the file of anchors: neither is the database."""
        log.info("audit_sealed", entries=seal.count, **anchor_of(seal).model_dump())
        try:
            last = await asyncio.to_thread(self._anchors.last)
            missed = [] if last is None else await self._missed(last.number, seal.number)
            await asyncio.to_thread(self._anchors.add, [*missed, seal])
        except OSError as error:
            log.exception("audit_anchor_not_written", reason=type(error).__name__)

    async def _missed(self, anchored: int, number: int) -> list[Seal]:
        """Seals whose process died before it could tell of them."""
        if number - anchored <= 1:
            return []
        async with self._db.transaction() as tx:
            found = await repository.seals(tx, anchored, MOST_SEALS)
        return [seal for seal in found if seal.number < number]

    async def _prune_some(self) -> int:
        async with self._db.transaction() as tx:
            gone = await repository.prune(tx, self._kept_days)
            if gone:
                detail = {"entries": gone, "kept_days": self._kept_days}
                deed = Deed(Action.AUDIT_PRUNE, detail=detail)
                await repository.note(tx, entries_of(self._clock(), SYSTEM, deed))
        return gone
