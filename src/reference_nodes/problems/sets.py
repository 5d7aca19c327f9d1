"""Several problems for some concepts, the same for the same wishes and seed."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle
from math import exp, log
from typing import Final

from reference_nodes.problems.drafts import LEVELS, Level, Template
from reference_nodes.problems.maker import Problem, make, templates_for

SUCCESS_AIMED_AT: Final = 0.80
"""Share of right answers that practice aims at (Wilson 2019; Rosenshine 2012)."""
_CLIP: Final = 0.02
_TRIES: Final = 40
_LEVEL_BOUNDS: Final = (0.35, 0.60)


@dataclass(frozen=True)
class Wish:
    """A concept to practise and the difficulty, 0 to 1, that suits the student."""

    code: str
    difficulty: float


@dataclass(frozen=True)
class ProblemSet:
    """`without_template` are the wished codes for which there is no template.

    `short_by` tells how many problems fewer than wished there are, as no two are alike.
    """

    set_id: str
    problems: tuple[Problem, ...]
    without_template: tuple[str, ...]
    short_by: int


def difficulty_for(ability: float) -> float:
    """Give the difficulty, 0 to 1, of items met with probability 0.80 at an ability in logits.

    In the Rasch model that item has d = ability - logit(0.80); the logistic of d is the scale of
    an event's `difficulty`.
    """
    return 1 / (1 + exp(log(SUCCESS_AIMED_AT / (1 - SUCCESS_AIMED_AT)) - ability))


def suitable_difficulty(mastery: float) -> float:
    """Give `difficulty_for` a mastery, the chance at an item of average difficulty."""
    clipped = min(max(mastery, _CLIP), 1 - _CLIP)
    return difficulty_for(log(clipped / (1 - clipped)))


def suitable_level(difficulty: float) -> Level:
    """Give the level whose problems come nearest to a difficulty."""
    return LEVELS[sum(difficulty >= bound for bound in _LEVEL_BOUNDS)]


def has_template(code: str) -> bool:
    """Whether problems can be made for the concept."""
    return bool(templates_for(code))


def default_seed(wishes: Iterable[Wish], count: int) -> int:
    """Give the seed that wishes have when nobody chose one."""
    return _digest("seed", _key(wishes), count)


def set_id(wishes: Iterable[Wish], count: int, seed: int) -> str:
    """Give the id of the set that these wishes, this number and this seed make."""
    return f"PS_{_digest('set', _key(wishes), count, seed):016x}"


def make_set(wishes: Sequence[Wish], count: int, seed: int | None = None) -> ProblemSet:
    """Give up to `count` different problems, the concepts taking turns in the order wished."""
    seed = default_seed(wishes, count) if seed is None else seed
    able = [
        (template, suitable_level(wish.difficulty))
        for wish in wishes
        for template in templates_for(wish.code)
    ]
    problems = _different(able, count, seed) if able else ()
    return ProblemSet(
        set_id=set_id(wishes, count, seed),
        problems=problems,
        without_template=_unable(wishes),
        short_by=count - len(problems),
    )


def _unable(wishes: Iterable[Wish]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(wish.code for wish in wishes if not has_template(wish.code)))


def _different(
    able: Sequence[tuple[Template, Level]], count: int, seed: int
) -> tuple[Problem, ...]:
    found: dict[str, Problem] = {}
    turns = cycle(able)
    for attempt in range(_TRIES * count):
        if len(found) == count:
            break
        template, level = next(turns)
        problem = make(template.name, level, _digest("problem", seed, attempt) % 2**32)
        found.setdefault(problem.statement, problem)
    return tuple(found.values())


def _key(wishes: Iterable[Wish]) -> str:
    return ",".join(f"{wish.code}:{suitable_level(wish.difficulty)}" for wish in wishes)


def _digest(*parts: object) -> int:
    text = "|".join(map(str, parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
