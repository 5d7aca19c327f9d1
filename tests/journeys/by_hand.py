"""Figures of an answer log made without any of the product's code, straight from the formulas.

Used to check the profile of an imported student: counting by hand, and the online Rasch filter as
docs/models.md states it, written anew for one concept an answer.
"""

import gzip
import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

BASE = datetime(2024, 3, 3, 15, tzinfo=UTC)
SEOUL = timezone(timedelta(hours=9))


@dataclass(frozen=True)
class Row:
    """One line of the log."""

    user: str
    item: str
    at: datetime
    correct: int
    skill: str

    @property
    def source_id(self) -> str:
        return f"{self.user}-{self.item}-{int((self.at - BASE).total_seconds())}"


def read_log(file: Path) -> list[Row]:
    with gzip.open(file, "rt") as lines:
        next(lines)
        cells = [line.rstrip("\n").split("\t") for line in lines]
    return [Row(u, i, BASE + timedelta(seconds=int(t)), int(c), s) for u, i, t, c, s in cells]


def in_order_of_arrival(rows: Iterable[Row], source_ids: Iterable[str]) -> list[Row]:
    """The rows as the nodes met them: the difficulty of an item is learned as answers come in."""
    arrived = {source_id: place for place, source_id in enumerate(source_ids)}
    return sorted(rows, key=lambda row: arrived[row.source_id])


def is_in_order_of_time(rows: Iterable[Row], user: str) -> bool:
    times = [row.at for row in rows if row.user == user]
    return times == sorted(times)


def answers_by_skill(rows: Iterable[Row], user: str) -> Counter[str]:
    return Counter(f"skill-{row.skill}" for row in rows if row.user == user)


def solved_by_day(rows: Iterable[Row], user: str, since: datetime) -> dict[str, tuple[int, int]]:
    """Per day in Seoul: problems answered, and answered rightly."""
    days: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if row.user == user and row.at >= since:
            days[row.at.astimezone(SEOUL).date().isoformat()].append(row.correct)
    return {day: (len(results), sum(results)) for day, results in days.items()}


@dataclass
class Learner:
    theta: float = 0.0
    v: float = 0.7
    strength: dict[str, float] = field(default_factory=dict)
    spread: dict[str, float] = field(default_factory=dict)
    count: Counter[str] = field(default_factory=Counter)
    tried: set[str] = field(default_factory=set)


@dataclass
class Rasch:
    """The filter over a whole log, one concept an answer."""

    learners: dict[str, Learner] = field(default_factory=lambda: defaultdict(Learner))
    items: dict[str, list[float]] = field(default_factory=dict)
    of_skill: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def absorb(self, row: Row) -> None:
        learner, item = self.learners[row.user], self._item(row)
        t = learner.strength.get(row.skill, 0.0)
        v_k = learner.spread.get(row.skill, 0.3)
        p = 1 / (1 + math.exp(-(learner.theta - item[0] + t)))
        information = p * (1 - p)
        scale = 1 + information * (learner.v + item[1] + v_k)
        g, h = (row.correct - p) / scale, information / scale
        learner.theta += learner.v * g
        learner.v += 0.001 - learner.v**2 * h
        learner.strength[row.skill] = t + v_k * g + 0.2 / (1 + learner.count[row.skill])
        learner.spread[row.skill] = v_k - v_k**2 * h + 0.01
        learner.count[row.skill] += 1
        if row.item not in learner.tried:
            learner.tried.add(row.item)
            item[0], item[1] = item[0] - item[1] * g, item[1] - item[1] ** 2 * h

    def mastery(self, user: str, skill: str) -> float:
        """The chance of a right answer on an item of the skill's mean difficulty."""
        learner = self.learners[user]
        mu = learner.theta + learner.strength[skill] - self._mean(skill)
        return 1 / (
            1 + math.exp(-mu / math.sqrt(1 + math.pi * (learner.v + learner.spread[skill]) / 8))
        )

    def _item(self, row: Row) -> list[float]:
        if row.item not in self.items:
            start = self._mean(row.skill) if self.of_skill[row.skill] else self._mean_of_all()
            self.items[row.item] = [start, 1.0]
            self.of_skill[row.skill].append(row.item)
        return self.items[row.item]

    def _mean(self, skill: str) -> float:
        items = self.of_skill[skill]
        return sum(self.items[item][0] for item in items) / len(items)

    def _mean_of_all(self) -> float:
        return sum(d for d, _ in self.items.values()) / len(self.items) if self.items else 0.0
