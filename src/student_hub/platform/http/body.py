"""How large a request body may be, whether or not its length was announced."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from student_hub.platform.http.refusal import Refuse


class BodyLimit:
    """Refuses a longer body with 413, before it is read or as soon as it has grown too long."""

    def __init__(self, app: ASGIApp, *, most: int, refuse: Refuse) -> None:
        self._app = app
        self._most = most
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._check(_announced(scope))
            await self._app(scope, self._counted(receive), send)
        except HTTPException as error:
            await self._refuse(scope, error)(scope, receive, send)

    def _counted(self, receive: Receive) -> Receive:
        read = 0

        async def counting() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            self._check(read)
            return message

        return counting

    def _check(self, size: int) -> None:
        if size > self._most:
            raise HTTPException(413, f"A body may have {self._most} bytes, this one has more.")


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
