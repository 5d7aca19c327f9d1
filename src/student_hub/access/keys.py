"""The form of an API key: `shk_live_<id>_<secret>_<checksum>`."""

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass

from student_hub.access.errors import AdministratorKeyUnusable

PREFIX = "shk_live_"
ID_BYTES = 6
SECRET_BYTES = 24
ID_FORM = r"^[0-9a-f]{12}$"
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


def hash_of(pepper: bytes, text: str) -> bytes:
    """What is kept of a key: HMAC-SHA256 under the pepper, 32 bytes."""
    return hmac.new(pepper, text.encode(), hashlib.sha256).digest()


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
