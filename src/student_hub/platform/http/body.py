"""How large a request body may be, whether or not its length was announced."""

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from student_hub.platform.http.exchange import Exchange


class Body:
    """The body on its way in: refused with 413 as soon as it has grown too long.

    While a part is waited for, the exchange says so.
    """

    def __init__(self, receive: Receive, exchange: Exchange, most: int) -> None:
        self._receive = receive
        self._exchange = exchange
        self._most = most
        self._read = 0
        self._again: bytes | None = None

    async def whole(self) -> bytes:
        """All of it; `receive` gives it once more."""
        message = await self.receive()
        if not message.get("more_body", False) and message["type"] == "http.request":
            self._again = bytes(message.get("body", b""))
            return self._again
        parts = [message.get("body", b"")]
        while message.get("more_body", False):
            message = await self.receive()
            parts.append(message.get("body", b""))
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        self._again = b"".join(parts)
        return self._again

    async def receive(self) -> Message:
        """The next part."""
        again, self._again = self._again, None
        if again is not None:
            return {"type": "http.request", "body": again, "more_body": False}
        self._exchange.reads = True
        message = await self._receive()
        self._exchange.reads = False
        self._read += len(message.get("body", b""))
        if self._read > self._most:
            raise too_large(self._most)
        return message


def too_large(most: int) -> HTTPException:
    """The refusal of a body of more bytes than that."""
    return HTTPException(413, f"A body may have {most} bytes, this one has more.")
