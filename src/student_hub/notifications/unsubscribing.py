"""Links by which a reader says, without signing in, that they want no more mails about reports."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from uuid import UUID

from student_hub.platform.security.keyring import Keyring

PURPOSE = "unsubscribe-link"
ID_BYTES = 16
SEAL_BYTES = 16


class Links:
    """Makes links about a notification, and reads none but its own."""

    def __init__(self, keyring: Keyring, root: str) -> None:
        self._keyring = keyring
        self.root = root.rstrip("/")

    def link(self, notification_id: UUID) -> str:
        """Where its reader can unsubscribe."""
        token = notification_id.bytes + self._seal(notification_id, self._keyring.key_id)
        return f"{self.root}/unsubscribe?token={urlsafe_b64encode(token).decode().rstrip('=')}"

    def read(self, token: str) -> UUID | None:
        """Whose link it is; None for one that was not made here."""
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (Error, ValueError):
            return None
        if len(raw) != ID_BYTES + SEAL_BYTES:
            return None
        found = UUID(bytes=raw[:ID_BYTES])
        seals = [self._seal(found, key_id) for key_id in self._keyring.known_ids]
        genuine = any(hmac.compare_digest(seal, raw[ID_BYTES:]) for seal in seals)
        return found if genuine else None

    def _seal(self, notification_id: UUID, key_id: str) -> bytes:
        seal = self._keyring.fingerprint(PURPOSE, str(notification_id), key_id)
        return seal[:SEAL_BYTES]
