"""What the room of interventions says of a class."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from student_hub.analytics.schemas import Finished, Running


class ClassPlans(NamedTuple):
    """Interventions under way, what the finished ones changed, and whom one helps just now."""

    running: Sequence[Running] = ()
    finished: Finished | None = None
    helped: frozenset[UUID] = frozenset()


class Plans(Protocol):
    """Who knows interventions."""

    async def of_students(self, ids: Sequence[UUID]) -> ClassPlans:
        """Those of these students."""
        ...
