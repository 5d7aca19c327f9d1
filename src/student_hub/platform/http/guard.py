"""The guard at every route: asks whether the caller may knock there, before anything is done."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from fastapi import Request
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from student_hub.platform.security.caller import Caller

Admit: TypeAlias = Callable[[str, Caller | None], None]
"""Given a door's name and who knocks; raises a HubError for one who may not."""

Dependency: TypeAlias = Callable[[Request], Awaitable[None]]


def door_name(method: str, template: str) -> str:
    """`GET /v1/students/{student_id}`; to ask for the head alone is to read."""
    return f"{'GET' if method == 'HEAD' else method} {template}"


def guard(admit: Admit) -> Dependency:
    """The dependency of every route of FastAPI's, whichever router it came with."""

    async def ask(request: Request) -> None:
        scope = request.scope
        admit(door_name(scope["method"], scope["route"].path), scope["state"].get("caller"))

    return ask


def guard_plain(routes: Sequence[BaseRoute], admit: Admit) -> None:
    """The same for routes and mounts of Starlette's own, which know no dependencies."""
    for route in routes:
        if isinstance(route, Mount | Route):
            route.app = _Guarded(route.app, route, admit)


class _Guarded:
    def __init__(self, app: ASGIApp, route: Mount | Route, admit: Admit) -> None:
        self._app = app
        self._path = route.path
        self._any_method = not getattr(route, "methods", None)
        self._admit = admit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        door = self._path if self._any_method else door_name(scope["method"], self._path)
        self._admit(door, scope.get("state", {}).get("caller"))
        await self._app(scope, receive, send)
