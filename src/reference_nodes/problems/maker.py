"""Making one problem from a template, a level and a seed; the same three give the same problem."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

from reference_nodes.problems.answers import UnreadableAnswerError, read_answer
from reference_nodes.problems.drafts import LEVELS, Draft, Level, Slip, Template
from reference_nodes.problems.exact import Exact
from reference_nodes.problems.templates import ALL

CHOICES: Final = 4
_FEWEST_SLIPS: Final = 2


class NoSuchProblemError(LookupError):
    """The id names no template, level and seed."""


@dataclass(frozen=True)
class Problem:
    """A problem with its answer; `misconceptions` says what a wrong choice betrays, in Korean."""

    problem_id: str
    template: str
    code: str
    level: Level
    difficulty: float
    statement: str
    answer: str
    choices: tuple[str, ...]
    misconceptions: Mapping[str, str]
    draft: Draft = field(repr=False, compare=False)

    def is_right(self, text: str) -> bool:
        """Whether an answer that somebody typed is right; unreadable text is not."""
        return self.draft.holds(text)


def make(name: str, level: Level, seed: int) -> Problem:
    """Give the problem of this template, level and seed.

    Raises:
        KeyError: there is no template of that name.
    """
    template = ALL[name]
    random = _random(name, level, seed)
    draft = template.draw(random, level)
    slips = _betraying(draft)[: CHOICES - 1]
    return Problem(
        problem_id=f"{name}.{level}.{seed}",
        template=name,
        code=template.code,
        level=level,
        difficulty=template.difficulty[level - 1],
        statement=draft.statement,
        answer=draft.answer,
        choices=_choices(random, draft.answer, slips),
        misconceptions={slip.text: slip.misconception for slip in slips},
        draft=draft,
    )


def remake(problem_id: str) -> Problem:
    """Give the problem that an earlier `make` gave this id.

    Raises:
        NoSuchProblemError: no problem has that id.
    """
    name, _, rest = problem_id.partition(".")
    level, _, seed = rest.partition(".")
    levels = {str(known): known for known in LEVELS}
    if name not in ALL or level not in levels or not (seed.isascii() and seed.isdigit()):
        raise NoSuchProblemError(f"no problem {problem_id!r}")
    return make(name, levels[level], int(seed))


def templates_for(code: str) -> tuple[Template, ...]:
    """Give the templates of one concept's main code; often there is none."""
    return tuple(template for template in ALL.values() if template.code == code)


def _random(name: str, level: Level, seed: int) -> Random:
    digest = hashlib.sha256(f"{name}|{seed}|{level}".encode()).digest()
    return Random(digest)  # noqa: S311 -- a problem is to be repeatable, not secret


def _betraying(draft: Draft) -> list[Slip]:
    seen: set[tuple[str, ...]] = set()
    kept = []
    for slip in draft.slips:
        meaning = _meaning(slip.text)
        if meaning not in seen and not draft.holds(slip.text):
            kept.append(slip)
            seen.add(meaning)
    return kept


def _meaning(text: str) -> tuple[str, ...]:
    try:
        return tuple(map(_canonical, read_answer(text)))
    except UnreadableAnswerError:
        return (text,)


def _canonical(value: Exact) -> str:
    return str(sorted(value.terms.items()))


def _choices(random: Random, answer: str, slips: list[Slip]) -> tuple[str, ...]:
    if len(slips) < _FEWEST_SLIPS:
        return ()
    choices = [answer, *(slip.text for slip in slips)]
    random.shuffle(choices)
    return tuple(choices)
