"""What a call costs: of which allowance it takes, and how much of it."""

from dataclasses import dataclass
from enum import StrEnum


class Allowance(StrEnum):
    """What a caller has so much of in a minute."""

    ORDINARY = "ordinary"
    EXPENSIVE = "expensive"
    """Imports, exports, interventions, analytics, schedules: work for minutes, or for many."""


@dataclass(frozen=True, slots=True)
class Cost:
    """So much of that allowance; a batch weighs what is in it."""

    allowance: Allowance
    weight: int = 1


ORDINARY = Cost(Allowance.ORDINARY)
EXPENSIVE = Cost(Allowance.EXPENSIVE)
