"""A document on its way out, kept aside until it is whole: sealed, for it may touch a disk."""

from collections.abc import AsyncIterator
from tempfile import SpooledTemporaryFile
from weakref import finalize

from student_hub.platform.security.sealing import new_key, seal, unseal

IN_MEMORY = 4 * 1_024 * 1_024
PIECE = 64 * 1_024
LENGTH = 4


class Aside:
    """Bytes in an unnamed file, under a key that nobody has but this object."""

    def __init__(self) -> None:
        self._key = new_key()
        self._file = SpooledTemporaryFile[bytes](max_size=IN_MEMORY)
        # A reader who goes away lets the document go half read, or not read at all.
        self._end = finalize(self, self._file.close)
        self._waiting = bytearray()
        self._pieces = 0

    def write(self, data: bytes) -> None:
        """Adds to the document."""
        self._waiting += data
        while len(self._waiting) >= PIECE:
            self._put(bytes(self._waiting[:PIECE]))
            del self._waiting[:PIECE]

    async def read(self) -> AsyncIterator[bytes]:
        """The whole document from its beginning, once; the file is gone then."""
        self._put(bytes(self._waiting))
        self._file.seek(0)
        for number in range(self._pieces):
            length = int.from_bytes(self._file.read(LENGTH))
            yield unseal(self._key, self._file.read(length), str(number))
        self.close()

    def close(self) -> None:
        """Lets the file go, read or not."""
        self._end()

    def _put(self, piece: bytes) -> None:
        sealed = seal(self._key, piece, str(self._pieces))
        self._file.write(len(sealed).to_bytes(LENGTH) + sealed)
        self._pieces += 1
