"""JSON bodies, read strictly once for every door before anything else reads them."""

from email.message import Message as Header
from functools import lru_cache

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from student_hub.platform.errors import Fact
from student_hub.platform.http.refusal import Refuse
from student_hub.platform.strict_json import NotJson, read


class JsonBodies:
    """Refuses a body that is not strict JSON (400), or not JSON at all where it must be (415)."""

    def __init__(self, app: ASGIApp, *, only_json: frozenset[str], refuse: Refuse) -> None:
        self._app = app
        self._only_json = only_json
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in {"POST", "PUT", "PATCH"}:
            await self._app(scope, receive, send)
        elif _is_json(scope):
            await self._strict(scope, receive, send)
        elif scope["path"] in self._only_json:
            refusal = HTTPException(415, "Send the body as application/json.")
            await self._refuse(scope, refusal)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _strict(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _whole(receive)
        try:
            scope.setdefault("state", {})["json"] = read(body) if body else None
        except NotJson as error:
            refusal = HTTPException(400, f"The body is not JSON: {error}.")
            await self._refuse(scope, refusal)(scope, receive, send)
            return
        await self._app(scope, _replayed(body, receive), send)


def value_of(request: Request) -> Fact:
    """The JSON value of a request's body, as it was read strictly."""
    value: Fact = request.state.json
    return value


def _is_json(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"content-type":
            return _names_json(value)
    return False


@lru_cache(maxsize=128)
def _names_json(content_type: bytes) -> bool:
    header = Header()
    header["content-type"] = content_type.decode("latin-1")
    kind = header.get_content_type()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )


async def _whole(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    whole = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def replay() -> Message:
        message = next(whole, None)
        return await receive() if message is None else message

    return replay
