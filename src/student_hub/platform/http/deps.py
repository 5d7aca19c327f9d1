"""What a route asks for: a part of the house, and who is calling."""

from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request

from student_hub.platform.errors import NotAuthenticated
from student_hub.platform.parts import Parts
from student_hub.platform.security.caller import Caller

T = TypeVar("T")


def part(kind: type[T]) -> Any:
    """The marker that gives a route its part of that type, inside of `Annotated`."""

    async def find(request: Request) -> T:
        parts: Parts = request.app.state.parts
        return parts.get(kind)

    return Depends(find)


async def _caller(request: Request) -> Caller:
    caller = getattr(request.state, "caller", None)
    if not isinstance(caller, Caller):
        raise NotAuthenticated
    return caller


CallerDep = Annotated[Caller, Depends(_caller)]
"""Who is calling, as the authentication layer found them."""
