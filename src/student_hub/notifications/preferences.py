"""What readers wish: language, channels by category, quiet hours, and their sealed addresses."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

import orjson
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from student_hub.notifications.models import PreferenceRow
from student_hub.notifications.schemas import ChannelName, Preferences, PreferencesIn
from student_hub.platform.db.database import Transaction
from student_hub.platform.security.keyring import Keyring
from student_hub.platform.security.sealing import new_key, seal, unseal

WRAPPING = "notification-preferences"
SEALED = ("email", "webhook")


class PreferenceBook:
    """Keeps preferences; their keys are one more thing that master keys hold."""

    name = "notification_preferences"

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    async def of(self, tx: Transaction, subjects: Sequence[str]) -> dict[str, Preferences]:
        """Those of the subjects who have stored any."""
        query = select(PreferenceRow).where(PreferenceRow.subject.in_(subjects))
        rows = (await tx.session.scalars(query)).all()
        return {row.subject: self._opened(row) for row in rows}

    async def put(
        self, tx: Transaction, subject: str, wanted: PreferencesIn, now: datetime
    ) -> None:
        """Stores them anew; what had refused its address is tried again."""
        row_id, key = await self._id_of(tx, subject), new_key()
        addresses = orjson.dumps({name: getattr(wanted, name) for name in SEALED})
        plain = wanted.model_dump(mode="json", exclude=set(SEALED))
        values = {
            **plain,
            "bad": [],
            "sealed": seal(key, addresses, _place("sealed", row_id)),
            "wrapped": self._wrapped(key, row_id),
            "key_id": self._keyring.key_id,
            "updated_at": now,
        }
        statement = update(PreferenceRow).where(PreferenceRow.id == row_id)
        await tx.session.execute(statement.values(values))

    async def mark_bad(self, tx: Transaction, subject: str, channel: ChannelName) -> None:
        """Nothing goes out to the subject by that channel until they store preferences anew."""
        statement = update(PreferenceRow).where(PreferenceRow.subject == subject)
        bad = func.array_append(PreferenceRow.bad, channel.value)
        await tx.session.execute(statement.values(bad=bad))

    async def remove(self, tx: Transaction, subjects: Sequence[str]) -> None:
        await tx.session.execute(delete(PreferenceRow).where(PreferenceRow.subject.in_(subjects)))

    async def subjects(self, tx: Transaction, before: datetime) -> list[str]:
        """Who stored preferences before then, and has not changed them since."""
        query = select(PreferenceRow.subject).where(PreferenceRow.updated_at < before)
        return list(await tx.session.scalars(query))

    async def per_key(self, tx: Transaction) -> dict[str, int]:
        """How many rows there are under each master key."""
        query = select(PreferenceRow.key_id, func.count()).group_by(PreferenceRow.key_id)
        return {row[0]: row[1] for row in await tx.session.execute(query)}

    async def rewrap(
        self, tx: Transaction, after: UUID | None, most: int, *, patient: bool
    ) -> tuple[int, UUID | None]:
        """Brings at most so many rows after that one under the current master key."""
        others = PreferenceRow.key_id != self._keyring.key_id
        query = select(PreferenceRow).where(others).order_by(PreferenceRow.id).limit(most)
        if after is not None:
            query = query.where(PreferenceRow.id > after)
        rows = (await tx.session.scalars(query.with_for_update(skip_locked=not patient))).all()
        for row in rows:
            key = self._key_of(row)
            row.wrapped, row.key_id = self._wrapped(key, row.id), self._keyring.key_id
        await tx.session.flush()
        return len(rows), rows[-1].id if rows else None

    async def _id_of(self, tx: Transaction, subject: str) -> UUID:
        """The id of the subject's row, which is made when there is none, and locked."""
        new = {
            "id": uuid4(),
            "subject": subject,
            "language": "ko",
            "channels": {},
            "bad": [],
            "sealed": b"",
            "wrapped": b"",
            "key_id": self._keyring.key_id,
            "updated_at": func.now(),
        }
        await tx.session.execute(insert(PreferenceRow).values(new).on_conflict_do_nothing())
        query = select(PreferenceRow.id).where(PreferenceRow.subject == subject)
        return (await tx.session.execute(query.with_for_update())).scalar_one()

    def _opened(self, row: PreferenceRow) -> Preferences:
        addresses = orjson.loads(unseal(self._key_of(row), row.sealed, _place("sealed", row.id)))
        return Preferences.model_validate(
            {
                "language": row.language,
                "channels": row.channels,
                "quiet_hours": row.quiet_hours,
                "bad": sorted(set(row.bad)),
                **addresses,
            }
        )

    def _wrapped(self, key: bytes, row_id: UUID) -> bytes:
        return seal(self._keyring.derive(WRAPPING), key, _place("wrapped", row_id))

    def _key_of(self, row: PreferenceRow) -> bytes:
        wrapping = self._keyring.derive(WRAPPING, row.key_id)
        return unseal(wrapping, row.wrapped, _place("wrapped", row.id))


def _place(column: str, row_id: UUID) -> str:
    return f"notification_preferences|{column}|{row_id}"
