"""The lock on the whole house, mounted apps included: a key for every path that is not public."""

from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from student_hub.platform.errors import HubError, NotAuthenticated
from student_hub.platform.http.challenges import STATE, WELL_KNOWN, Challenge
from student_hub.platform.http.refusal import Refuse
from student_hub.platform.limits.failures import Failures
from student_hub.platform.security.caller import Caller, Door, Origin

STATES = frozenset({"/livez", "/readyz", "/health", "/docs", "/openapi.json"})
PUBLIC = STATES | {WELL_KNOWN, f"{WELL_KNOWN}/mcp", "/unsubscribe"}
"""Paths that need no key: states, the description of the interface, what a mail links to."""

LONGEST_KEY = 8_192
CARRIERS = frozenset({b"x-api-key", b"authorization"})

DOORS = {"/mcp": Door.MCP, "/rpc": Door.RPC}
ADMINISTRATION = "/admin/"

Authenticate = Callable[[str, Origin], Awaitable[Caller]]


class Authentication:
    """Puts the caller in the scope's state; a missing and a wrong key are answered alike.

    An address with too many wrong keys is told so, and they are not looked at for a while.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        authenticate: Authenticate,
        refuse: Refuse,
        failures: Failures | None = None,
        challenge: Challenge | None = None,
    ) -> None:
        self._app = app
        self._authenticate = authenticate
        self._refuse = refuse
        self._failures = failures or Failures(0)
        self._challenge = challenge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http" and scope["path"] not in PUBLIC:
            state = scope.setdefault("state", {})
            state[STATE] = self._challenge
            try:
                caller = await self._identify(_key(scope), origin_of(scope))
            except HubError as error:
                await self._refuse(scope, error)(scope, receive, send)
                return
            state["caller"] = caller
        await self._app(scope, receive, send)

    async def _identify(self, key: str, origin: Origin) -> Caller:
        address = origin.address or ""
        self._failures.check(address, key)
        try:
            caller = await self._authenticate(key, origin)
        except NotAuthenticated:
            self._failures.refused(address)
            raise
        self._failures.accepted(key)
        return caller


def origin_of(scope: Scope) -> Origin:
    """Where the request came from: the door, the peer's address, and the request's id."""
    path, client = scope["path"], scope.get("client")
    door = DOORS.get(path)
    if door is None:
        door = Door.ADMIN if path.startswith(ADMINISTRATION) else Door.REST
    request_id = scope.get("state", {}).get("request_id")
    return Origin(door, None if client is None else client[0], request_id)


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
