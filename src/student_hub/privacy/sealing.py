"""The seals of proofs: only this hub can have made one, also after its master key was rotated."""

import hmac
from collections.abc import Iterable
from uuid import UUID

import orjson
import structlog

from student_hub.platform.db.database import Transaction
from student_hub.platform.security.keyring import Keyring
from student_hub.privacy import repository
from student_hub.privacy.models import ErasureRow
from student_hub.privacy.schemas import Erasure

PURPOSE = "erasure-proof"
UNSEALED = {"seal", "seal_key_id", "genuine", "nodes", "cache_emptied_at"}
"""What of a proof comes after its seal, or is told of it."""
log = structlog.get_logger()


class Seals:
    """Makes and checks the seals of proofs, which are one more thing that a master key holds."""

    name = "erasures"

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def sealed(self, proof: Erasure) -> Erasure:
        """The proof with a seal of the current master key."""
        key_id = self._keyring.key_id
        seal = self._seal(proof, key_id).hex()
        return proof.model_copy(update={"seal": seal, "seal_key_id": key_id, "genuine": True})

    def is_genuine(self, proof: Erasure) -> bool:
        """Whether the seal fits, and was made under a master key that is known."""
        if proof.seal_key_id not in self._keyring.known_ids:
            return False
        return hmac.compare_digest(self._seal(proof, proof.seal_key_id).hex(), proof.seal)

    def shown(self, row: ErasureRow) -> Erasure:
        """The proof, checked."""
        names = Erasure.model_fields.keys() - {"genuine", "seal"}
        values = {name: getattr(row, name) for name in names}
        proof = Erasure.model_validate({**values, "seal": row.seal.hex(), "genuine": False})
        return proof.model_copy(update={"genuine": self.is_genuine(proof)})

    async def per_key(self, tx: Transaction) -> dict[str, int]:
        """How many proofs are sealed under each master key."""
        return await repository.per_key(tx)

    async def rewrap(
        self, tx: Transaction, after: UUID | None, most: int, *, patient: bool
    ) -> tuple[int, UUID | None]:
        """Seals proofs anew under the current key; one that is not genuine stays as it is."""
        del patient  # proofs are changed by nobody for long
        rows = await repository.sealed_otherwise(tx, self._keyring.key_id, after, most)
        renewed = [self.sealed(proof) for proof in self._genuine(rows)]
        for proof in renewed:
            await repository.seal(tx, proof.id, bytes.fromhex(proof.seal), proof.seal_key_id)
        return len(renewed), rows[-1].id if rows else None

    def _genuine(self, rows: Iterable[ErasureRow]) -> Iterable[Erasure]:
        for proof in map(self.shown, rows):
            if proof.genuine:
                yield proof
            else:
                log.error("erasure_proof_broken", erasure_id=str(proof.id))

    def _seal(self, proof: Erasure, key_id: str) -> bytes:
        said = proof.model_dump(mode="json", exclude=UNSEALED)
        text = orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()
        return self._keyring.fingerprint(PURPOSE, text, key_id)
