"""The lock on the whole house, mounted apps included: a key for every path that is not public."""

from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from student_hub.platform.errors import HubError, NotAuthenticated
from student_hub.platform.http.refusal import Refuse
from student_hub.platform.security.caller import Caller

PUBLIC = frozenset({"/livez", "/readyz", "/health", "/docs", "/openapi.json"})
"""Paths that need no key: states for supervisors, and the description of the interface."""

LONGEST_KEY = 8_192
CARRIERS = frozenset({b"x-api-key", b"authorization"})

Authenticate = Callable[[str], Awaitable[Caller]]


class Authentication:
    """Puts the caller in the scope's state; a missing and a wrong key are answered alike."""

    def __init__(self, app: ASGIApp, *, authenticate: Authenticate, refuse: Refuse) -> None:
        self._app = app
        self._authenticate = authenticate
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http" and scope["path"] not in PUBLIC:
            try:
                caller = await self._authenticate(_key(scope))
            except HubError as error:
                await self._refuse(scope, error)(scope, receive, send)
                return
            scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, receive, send)


def _key(scope: Scope) -> str:
    keys = {
        key
        for name, value in scope["headers"]
        if name in CARRIERS and (key := _offered(name, value))
    }
    key = keys.pop() if len(keys) == 1 else ""
    if not 0 < len(key) <= LONGEST_KEY:
        raise NotAuthenticated
    return key


def _offered(name: bytes, value: bytes) -> str | None:
    if name == b"x-api-key":
        return value.decode("latin-1").strip()
    if value[:7].lower() == b"bearer ":
        return value[7:].decode("latin-1").strip()
    return None
