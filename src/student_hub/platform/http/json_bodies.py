"""Bodies: bounded for every door, and strict JSON, read once, where they say they are JSON."""

from email.message import Message as Header
from functools import lru_cache

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from student_hub.platform.errors import Fact
from student_hub.platform.http.body import Body, too_large
from student_hub.platform.http.exchange import Exchange, exchange_of
from student_hub.platform.http.refusal import Refuse
from student_hub.platform.strict_json import NotJson, read

WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class Bodies:
    """Refuses a body that is too large (413), not strict JSON (400), or not JSON at all (415).

    The last only on the paths of `only_json`. The JSON value of a body is in the scope's state.
    """

    def __init__(
        self, app: ASGIApp, *, most: int, only_json: frozenset[str], refuse: Refuse
    ) -> None:
        self._app = app
        self._most = most
        self._only_json = only_json
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = exchange_of(scope)
        body = Body(receive, exchange, self._most)
        try:
            length = exchange.heads.get(b"content-length", b"0")
            if length.isdigit() and int(length) > self._most:
                raise too_large(self._most)
            if scope["method"] in WITH_BODY:
                await self._read(scope, exchange, body)
            await self._app(scope, body.receive, send)
        except HTTPException as error:
            await self._refuse(scope, error)(scope, receive, send)

    async def _read(self, scope: Scope, exchange: Exchange, body: Body) -> None:
        """Reads a body that says it is JSON; any other is left to the app."""
        if not _names_json(exchange.heads.get(b"content-type", b"")):
            if scope["path"] in self._only_json:
                raise HTTPException(415, "Send the body as application/json.")
            return
        text = await body.whole()
        try:
            scope["state"]["json"] = read(text) if text else None
        except NotJson as error:
            raise HTTPException(400, f"The body is not JSON: {error}.") from error


def value_of(request: Request) -> Fact:
    """The JSON value of a request's body, as it was read strictly."""
    value: Fact = request.state.json
    return value


@lru_cache(maxsize=128)
def _names_json(content_type: bytes) -> bool:
    header = Header()
    header["content-type"] = content_type.decode("latin-1")
    kind = header.get_content_type()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )
