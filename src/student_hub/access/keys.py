"""The form of an API key: `shk_live_<id>_<secret>_<checksum>`."""

import hmac
import re
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from student_hub.access.errors import AdministratorKeyUnusable

PREFIX = "shk_live_"
ID_BYTES = 6
SECRET_BYTES = 24
ID_FORM = r"^[0-9a-f]{12}$"
ID_PLACE = slice(len(PREFIX), len(PREFIX) + 2 * ID_BYTES)
FORM = re.compile(rf"({PREFIX}([0-9a-f]{{12}})_[0-9a-f]{{48}})_([0-9a-f]{{8}})")
SHORTEST_ADMINISTRATOR_KEY = 16


@dataclass(frozen=True, slots=True)
class Presented:
    """A key of the right form; nothing says yet that it was ever issued."""

    id: str
    text: str


def new_key() -> Presented:
    """A key with 192 random bits."""
    key_id = secrets.token_hex(ID_BYTES)
    body = f"{PREFIX}{key_id}_{secrets.token_hex(SECRET_BYTES)}"
    return Presented(key_id, f"{body}_{_checksum(body)}")


def read_key(text: str) -> Presented | None:
    """The key when its form and checksum are right: typing errors cost no look-up."""
    match = FORM.fullmatch(text)
    if match is None or _checksum(match[1]) != match[3]:
        return None
    return Presented(match[2], text)


def check_administrator_key(text: str) -> None:
    """Nothing for a key that is long enough and arrives in a header as it is.

    AdministratorKeyUnusable for any other, without the key.
    """
    if len(text) < SHORTEST_ADMINISTRATOR_KEY:
        raise AdministratorKeyUnusable(
            f"API_KEY must have {SHORTEST_ADMINISTRATOR_KEY} characters or more, "
            f"it has {len(text)}."
        )
    if not (text.isascii() and text.isprintable()) or text != text.strip():
        raise AdministratorKeyUnusable(
            "API_KEY may have printable ASCII characters only, and no blanks around them: "
            "others do not arrive in a header as they are."
        )


class Peppers:
    """The secrets under which keys are hashed: one of each master key, the current one first."""

    def __init__(self, by_master: Mapping[str, bytes]) -> None:
        self._by_master = dict(by_master)
        self.current = next(iter(self._by_master))
        self._pepper = self._by_master[self.current]

    def hash(self, text: str) -> bytes:
        """What is kept of a new key: HMAC-SHA256 (RFC 2104) under the current one, 32 bytes."""
        return hmac.digest(self._pepper, text.encode(), "sha256")

    def fits(self, text: str, kept: bytes, master_key_id: str | None) -> bool:
        """Whether that is what was kept of the key, under that master key; under any for None."""
        named = self._by_master if master_key_id is None else (master_key_id,)
        known = [pepper for name in named if (pepper := self._by_master.get(name)) is not None]
        return any(
            hmac.compare_digest(kept, hmac.digest(pepper, text.encode(), "sha256"))
            for pepper in known
        )


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
