"""The rules of breaker and budget in the most literal way: the whole past is kept and read anew.

Written from the rules, sharing nothing with the product but the order in which chance is asked.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from random import Random


@dataclass
class ModelCall:
    """A call that was let through: in which period, and whether it was a probe."""

    period: int
    probe: bool


@dataclass
class ModelBreaker:
    """Periods follow each other; in each the circuit is closed, open, or has a probe out."""

    chance: Random
    now: float = 0.0
    name: str = "closed"
    period: int = 0
    opened: int = 0
    bad_probes_in_a_row: int = 0
    may_probe_at: float = 0.0
    outcomes: list[tuple[float, str]] = field(default_factory=list)

    def ask(self) -> ModelCall | None:
        match self.name:
            case "closed":
                return ModelCall(self.period, probe=False)
            case "open" if self.now >= self.may_probe_at:
                self._next("probing")
                return ModelCall(self.period, probe=True)
            case _:
                return None

    def tell(self, call: ModelCall, outcome: str) -> None:
        if call.period != self.period:
            return
        match (call.probe, outcome):
            case (True, "good"):
                self.outcomes = []
                self.bad_probes_in_a_row = 0
                self._next("closed")
            case (True, "bad"):
                self.bad_probes_in_a_row += 1
                self._shut()
            case (True, _):
                self._next("open")
            case (False, "good" | "bad"):
                self.outcomes.append((self.now, outcome))
                if len(self.recent()) >= 20 and self.share_of_bad() >= Fraction(1, 2):
                    self._shut()
            case _:
                pass

    def recent(self) -> list[str]:
        self.outcomes = [each for each in self.outcomes if self.now - each[0] < 10]
        return [outcome for _, outcome in self.outcomes]

    def share_of_bad(self) -> Fraction:
        return Fraction(self.recent().count("bad"), len(self.recent()))

    def seconds_shut(self) -> int:
        seconds = 2
        for _ in range(self.bad_probes_in_a_row):
            seconds = min(30, seconds * 2)
        return seconds

    def _shut(self) -> None:
        self.opened += 1
        self.may_probe_at = self.now + self.seconds_shut() * self.chance.uniform(0.8, 1.0)
        self._next("open")

    def _next(self, name: str) -> None:
        self.name = name
        self.period += 1


@dataclass
class ModelBudget:
    """Repeats of the last ten seconds: at most a fifth of the calls, and ten."""

    now: float = 0.0
    calls: list[float] = field(default_factory=list)
    repeats: list[float] = field(default_factory=list)

    def take(self) -> bool:
        self.calls = [at for at in self.calls if self.now - at < 10]
        self.repeats = [at for at in self.repeats if self.now - at < 10]
        if len(self.repeats) + 1 > Fraction(len(self.calls), 5) + 10:
            return False
        self.repeats.append(self.now)
        return True
