"""How a layer in front of the app refuses a request: the door behind it chooses the form."""

from collections.abc import Callable
from typing import TypeAlias

from starlette.responses import Response
from starlette.types import Scope

from student_hub.platform.http.problems import Condition

Refuse: TypeAlias = Callable[[Scope, Condition], Response]
