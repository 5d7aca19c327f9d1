"""What is true of the demo school: its learners, its problems, and their habits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from reference_nodes.curriculum import graph
from reference_nodes.demo_school.roster import student_id
from reference_nodes.learners import Item, Learner, draw_learner
from reference_nodes.learning.rasch import sigmoid

GRADES = (9, 10)
ITEMS_EACH = 12
CLASS_SIZE = 26


@dataclass(frozen=True)
class Habit:
    """When and how much somebody studies, and how able that kind of student is on average.

    `weekday` and `weekend` are chances of studying on such a day, `problems` the usual number in
    a sitting, `stops` how many days before the end the last one is.
    """

    name: str
    weekday: float
    weekend: float
    problems: int
    hour: float = 19.5
    stops: int = 0
    ability: float = 0.3


STEADY = Habit("steady", 0.65, 0.4, 12)
KEEN = Habit("keen", 0.85, 0.7, 15, hour=18.0, ability=0.9)
WEEKENDS = Habit("weekends", 0.12, 0.85, 16)
BURSTS = Habit("bursts", 0.3, 0.35, 20, hour=20.5)
STRUGGLING = Habit("struggling", 0.55, 0.3, 11, ability=-1.1)
IDLE = Habit("idle", 0.55, 0.3, 10, stops=18, ability=-0.2)
NEWCOMER = Habit("newcomer", 0.0, 0.0, 0)
_MIX = (STEADY, STEADY, STRUGGLING, KEEN, WEEKENDS, STEADY, BURSTS, STRUGGLING, IDLE, KEEN)


@dataclass(frozen=True)
class Problem:
    """An item and its author's guess at the difficulty, 0 to 1."""

    item: Item
    difficulty: float


@dataclass(frozen=True)
class Truth:
    """The truth behind a demo school's events.

    `learners` and `habits` go by student id; a learner's level on a concept after n answers on it
    is `learner.level(concept, n)`, a right answer has the probability sigmoid(mean level - d).
    """

    concepts: tuple[str, ...]
    learners: Mapping[str, Learner]
    habits: Mapping[str, Habit]
    problems: Mapping[str, Sequence[Problem]]


def truth(seed: int, students: int = CLASS_SIZE) -> Truth:
    """The truth of a seed: concepts of grades 9 and 10, learners, habits, problems by concept."""
    course = _course()
    ids = {number: str(student_id(seed, number)) for number in range(1, students + 1)}
    habits = {ids[number]: _habit(number, students) for number in ids}
    return Truth(
        concepts=course,
        learners={ids[n]: _learner(seed, n, course, habits[ids[n]]) for n in ids},
        habits=habits,
        problems={concept: _problems(seed, concept, course) for concept in course},
    )


def _course() -> tuple[str, ...]:
    curriculum = graph.load()
    return tuple(c for c in curriculum.topological() if curriculum.concepts[c].grade in GRADES)


def _habit(number: int, students: int) -> Habit:
    if number == students and students > 1:
        return NEWCOMER
    habit = _MIX[(number - 1) % len(_MIX)]
    return replace(habit, stops=habit.stops + number % 5) if habit.stops else habit


def _learner(seed: int, number: int, course: Sequence[str], habit: Habit) -> Learner:
    drawn = draw_learner(Random(f"{seed}/learner/{number}"), course)  # noqa: S311 # a simulation
    return replace(drawn, theta=habit.ability + 0.6 * drawn.theta)


def _problems(seed: int, concept: str, course: Sequence[str]) -> list[Problem]:
    random = Random(f"{seed}/problems/{concept}")  # noqa: S311 # a simulation
    base = random.gauss(0, 0.4)
    needed = [code for code in graph.load().prerequisites(concept) if code in course]
    return [_problem(random, concept, base, number, needed) for number in range(ITEMS_EACH)]


def _problem(
    random: Random, concept: str, base: float, number: int, needed: Sequence[str]
) -> Problem:
    both = bool(needed) and number % 4 == 3  # noqa: PLR2004 # every fourth needs what came before
    concepts = (concept, random.choice(needed)) if both else (concept,)
    d = base + random.gauss(0, 0.8)
    return Problem(Item(f"{concept}-p{number + 1:02d}", concepts, d), _guess(d, random))


def _guess(d: float, random: Random) -> float:
    return round(min(max(sigmoid(d + random.gauss(0, 0.3)), 0.05), 0.95), 2)
