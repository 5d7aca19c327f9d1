"""What a rotation of the master key works on, and how far it is."""

from typing import Protocol
from uuid import UUID

from pydantic import BaseModel

from student_hub.platform.db.database import Transaction

Rewrapped = tuple[int, UUID | None]
"""How many rows were brought over, and the last one looked at; None at the end of the table."""


class Holder(Protocol):
    """Rows that were made under one master key or another, in the order of their ids.

    What is kept under an old key stays readable beside its rewrapping, and each batch is whole in
    itself: the work may be broken off anywhere and begun again.
    """

    @property
    def name(self) -> str: ...

    async def per_key(self, tx: Transaction) -> dict[str, int]:
        """How many rows there are under each master key, by its id."""
        ...

    async def rewrap(
        self, tx: Transaction, after: UUID | None, most: int, *, patient: bool
    ) -> Rewrapped:
        """Brings at most so many rows after that one under the current master key.

        Those that somebody is changing are passed over, or waited for by one who is patient.
        """
        ...


class MasterKey(BaseModel):
    """A master key by its id (no part of it), and how many rows of each table it holds."""

    key_id: str
    current: bool
    known: bool
    rows: dict[str, int]


class RotationStatus(BaseModel):
    """Every master key that is known or holds something; `left` rows are not under the current."""

    keys: list[MasterKey]
    left: int
