"""Breaker and retry budget: each rule by itself, and all together against a reference model."""

from collections import Counter
from random import Random

import pytest

from nodes.reference_model import ModelBreaker, ModelBudget, ModelCall
from nodes.ticks import Ticks
from student_hub.nodes.breaker import Breaker, Circuit, Ticket
from student_hub.nodes.budget import RetryBudget

SEEDS = range(5)
STEPS = 60_000
PAUSES = (0.0, 1 / 64, 0.25, 1.0, 2.0, 9.75, 10.0)
WEIGHTS = (30, 60, 4, 2, 2, 1, 1)


def chance(seed: int = 0) -> Random:
    return Random(seed)  # noqa: S311 (a seeded walk)


def a_breaker() -> tuple[Breaker, Ticks]:
    ticks = Ticks()
    return Breaker(ticks, chance()), ticks


def let_in(breaker: Breaker) -> Ticket:
    ticket = breaker.admit()
    assert ticket is not None
    return ticket


def opened() -> tuple[Breaker, Ticks]:
    breaker, ticks = a_breaker()
    for _ in range(20):
        breaker.bad(let_in(breaker))
    assert breaker.circuit is Circuit.OPEN
    return breaker, ticks


@pytest.mark.requirement("breaker")
@pytest.mark.parametrize(("good", "bad", "opens"), [(0, 19, 0), (10, 10, 1), (11, 10, 0)])
def test_it_opens_at_half_of_at_least_twenty(good: int, bad: int, opens: int) -> None:
    """Nineteen bad calls are too few to judge by; ten of twenty are enough, ten of 21 are not."""
    breaker, _ = a_breaker()
    for _ in range(good):
        breaker.good(let_in(breaker))
    for _ in range(bad):
        breaker.bad(let_in(breaker))
    assert breaker.read().opened == opens


@pytest.mark.requirement("breaker")
def test_what_is_ten_seconds_old_no_longer_counts() -> None:
    """The window slides: calls leave it one by one, exactly ten seconds after they ended."""
    breaker, ticks = a_breaker()
    for _ in range(19):
        breaker.bad(let_in(breaker))
    ticks.move(9.75)
    assert breaker.read().calls == 19
    ticks.move(0.25)
    breaker.bad(let_in(breaker))
    assert (breaker.circuit, breaker.read().calls) == (Circuit.CLOSED, 1)


@pytest.mark.requirement("breaker")
def test_it_stays_open_longer_after_each_bad_probe_up_to_a_limit() -> None:
    """2, 4, 8, 16, 30 and again 30 seconds, each shortened by at most a fifth."""
    breaker, ticks = opened()
    for seconds in (2, 4, 8, 16, 30, 30):
        ticks.move(0.8 * seconds - 0.01)
        assert breaker.admit() is None
        ticks.move(0.2 * seconds + 0.01)
        breaker.bad(let_in(breaker))


class Longest(Random):
    """Chance that always gives the most."""

    def uniform(self, _a: float, b: float) -> float:
        return b


@pytest.mark.requirement("breaker")
def test_it_is_probed_from_the_very_moment_on() -> None:
    """Open for two seconds means that at two seconds it is not refused any more."""
    ticks = Ticks()
    breaker = Breaker(ticks, Longest())
    for _ in range(20):
        breaker.bad(let_in(breaker))
    ticks.move(2 - 1 / 64)
    assert breaker.refuses()
    ticks.move(1 / 64)
    assert breaker.admit() is not None


@pytest.mark.requirement("breaker")
def test_a_good_probe_closes_it_and_forgets_the_past() -> None:
    """The old failures are gone, and the next opening is short again."""
    breaker, ticks = opened()
    ticks.move(2)
    breaker.bad(let_in(breaker))
    ticks.move(4)
    breaker.good(let_in(breaker))
    assert (breaker.circuit, breaker.read().calls) == (Circuit.CLOSED, 0)
    for _ in range(20):
        breaker.bad(let_in(breaker))
    ticks.move(2)
    assert breaker.admit() is not None


@pytest.mark.requirement("breaker-one-probe")
def test_one_probe_is_out_at_a_time() -> None:
    """Fifty ask at once when the time is over: one may; it is withdrawn, and another one may."""
    breaker, ticks = opened()
    ticks.move(2)
    for _ in range(2):
        tickets = [ticket for _ in range(50) if (ticket := breaker.admit()) is not None]
        assert len(tickets) == 1
        breaker.withdraw(tickets[0])


@pytest.mark.requirement("breaker")
def test_late_outcomes_of_an_earlier_state_are_ignored() -> None:
    """Calls from before the opening end while it is open, probing and closed: nothing changes."""
    breaker, ticks = a_breaker()
    early = [let_in(breaker) for _ in range(60)]
    for _ in range(20):
        breaker.bad(early.pop())
    ticks.move(2)
    probe = let_in(breaker)
    breaker.good(early.pop())
    breaker.bad(early.pop())
    breaker.withdraw(early.pop())
    assert breaker.circuit is Circuit.PROBING
    breaker.good(probe)
    for ticket in early:
        breaker.bad(ticket)
    assert (breaker.circuit, breaker.read().calls) == (Circuit.CLOSED, 0)


@pytest.mark.requirement("retry-budget")
def test_repeats_are_a_fifth_of_the_calls_and_one_a_second() -> None:
    """Ten without any call, one more for each five calls, all anew after ten seconds."""
    ticks = Ticks()
    budget = RetryBudget(ticks)
    assert sum(budget.take() for _ in range(50)) == 10
    for _ in range(9):
        budget.count_call()
    assert sum(budget.take() for _ in range(50)) == 1
    ticks.move(10)
    assert sum(budget.take() for _ in range(50)) == 10


@pytest.mark.requirement("breaker", "breaker-one-probe")
@pytest.mark.parametrize("seed", SEEDS)
def test_the_breaker_does_what_the_reference_model_does(seed: int) -> None:
    """60,000 random steps a seed under a virtual clock: the same state after each of them."""
    walk = Walk(seed)
    for _ in range(STEPS):
        walk.step()
    seen = walk.seen
    assert seen["opened"] >= 50
    rare = ("probe good", "probe bad", "probe withdrawn", "late", "refused", "longest")
    assert min(seen[kind] for kind in rare) >= 10


class Walk:
    """A random walk of the breaker and the model side by side."""

    def __init__(self, seed: int) -> None:
        self.random = chance(seed)
        self.ticks = Ticks()
        self.breaker = Breaker(self.ticks, chance(seed + 1_000))
        self.model = ModelBreaker(chance(seed + 1_000))
        self.out: list[tuple[Ticket, ModelCall]] = []
        self.mood = 0.5
        self.seen: Counter[str] = Counter()

    def step(self) -> None:
        if self.random.random() < 0.002:
            self.mood = self.random.choice((0.05, 0.5, 0.95, 1.0))
        self.random.choices((self.ask, self.tell, self.wait), (45, 45, 10))[0]()
        reading = self.breaker.read()
        recent = self.model.recent()
        said = (reading.circuit.value, reading.opened, reading.calls, reading.bad)
        assert said == (self.model.name, self.model.opened, len(recent), recent.count("bad"))
        self.seen["opened"] = reading.opened

    def wait(self) -> None:
        pause = self.random.choices(PAUSES, WEIGHTS)[0]
        self.ticks.move(pause)
        self.model.now += pause

    def ask(self) -> None:
        refuses = self.breaker.refuses()
        ticket, call = self.breaker.admit(), self.model.ask()
        assert refuses == (ticket is None) == (call is None)
        if ticket is None or call is None:
            self.seen["refused"] += 1
        else:
            self.out.append((ticket, call))

    def tell(self) -> None:
        if not self.out:
            return
        ticket, call = self.out.pop(self.random.randrange(len(self.out)))
        outcome = self._outcome()
        kind = f"probe {outcome}" if call.probe else outcome
        self.seen["late" if call.period != self.model.period else kind] += 1
        self.seen["longest"] += self.model.seconds_shut() == 30
        self.model.tell(call, outcome)
        tell = {"good": self.breaker.good, "bad": self.breaker.bad}
        tell.get(outcome, self.breaker.withdraw)(ticket)

    def _outcome(self) -> str:
        if self.random.random() < 0.2:
            return "withdrawn"
        return "bad" if self.random.random() < self.mood else "good"


@pytest.mark.requirement("retry-budget")
@pytest.mark.parametrize("seed", SEEDS)
def test_the_budget_does_what_the_reference_model_does(seed: int) -> None:
    """60,000 random steps a seed: the same leave to repeat, or none, each time."""
    random, ticks, model = chance(seed), Ticks(), ModelBudget()
    budget, refused = RetryBudget(ticks), 0
    for _ in range(STEPS):
        match random.choices(("call", "repeat", "wait"), (50, 20, 30))[0]:
            case "call":
                budget.count_call()
                model.calls.append(model.now)
            case "repeat":
                allowed = budget.take()
                assert allowed == model.take()
                refused += not allowed
            case _:
                pause = random.choices(PAUSES, WEIGHTS)[0]
                ticks.move(pause)
                model.now += pause
    assert refused >= 100
