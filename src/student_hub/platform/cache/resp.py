"""RESP2, the protocol of Redis and Valkey: commands as bytes, replies as values."""

from typing import TypeAlias, Union

Word: TypeAlias = bytes | str | int
Reply: TypeAlias = Union[bytes, int, "Refused", list["Reply"], None]
"""A status line is bytes, as a value is."""

END = b"\r\n"


class Refused(str):
    """What the store said was wrong with a command; a reply like any other."""

    __slots__ = ()


class NotResp(ValueError):
    """What came is no RESP2: whoever sent it is no store."""


def command(*words: Word) -> bytes:
    """The command as it is sent."""
    return b"*%d\r\n" % len(words) + b"".join(map(bulk, words))


def bulk(word: Word) -> bytes:
    """One word of a command."""
    raw = word if isinstance(word, bytes) else str(word).encode()
    return b"$%d\r\n%b\r\n" % (len(raw), raw)


class Reader:
    """Makes replies out of what arrives, in whatever pieces it arrives."""

    def __init__(self) -> None:
        self._held = b""
        self._parts: list[bytes] = []
        self._missing = 0

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that are whole now; NotResp when it cannot go on."""
        if self._missing > len(data):
            self._parts.append(data)
            self._missing -= len(data)
            return []
        whole = b"".join((self._held, *self._parts, data)) if self._held else data
        self._parts.clear()
        self._missing = 0
        return self._read(whole)

    def _read(self, whole: bytes) -> list[Reply]:
        replies: list[Reply] = []
        at = 0
        while at < len(whole):
            try:
                reply, at = _reply(whole, at)
            except _Unfinished as unfinished:
                self._missing = unfinished.missing
                break
            replies.append(reply)
        self._held = whole[at:]
        return replies


class _Unfinished(Exception):
    def __init__(self, missing: int = 1) -> None:
        self.missing = missing


def _reply(data: bytes, at: int) -> tuple[Reply, int]:
    end = data.find(END, at)
    if end < 0:
        raise _Unfinished
    kind, after = data[at : at + 1], end + 2
    try:
        if kind == b"$":
            return _bulk(data, after, int(data[at + 1 : end]))
        if kind == b"*":
            return _list(data, after, int(data[at + 1 : end]))
        if kind == b":":
            return int(data[at + 1 : end]), after
    except ValueError as error:
        raise NotResp("a number was expected") from error
    if kind == b"+":
        return data[at + 1 : end], after
    if kind == b"-":
        return Refused(data[at + 1 : end].decode(errors="replace")), after
    raise NotResp("a reply of no known kind")


def _bulk(data: bytes, start: int, length: int) -> tuple[Reply, int]:
    if length < 0:
        return None, start
    stop = start + length
    if len(data) < stop + 2:
        raise _Unfinished(stop + 2 - len(data))
    return data[start:stop], stop + 2


def _list(data: bytes, at: int, length: int) -> tuple[Reply, int]:
    if length < 0:
        return None, at
    replies: list[Reply] = []
    for _ in range(length):
        reply, at = _reply(data, at)
        replies.append(reply)
    return replies, at
