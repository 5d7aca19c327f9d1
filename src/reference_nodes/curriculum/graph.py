"""The prerequisite graph: which concept needs which, and why."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType

from reference_nodes.curriculum.codes import OFFICIAL, normalise_code
from reference_nodes.curriculum.source import (
    ConceptEntry,
    CurriculumError,
    Domain,
    UnitHeading,
    entries,
)


@dataclass(frozen=True)
class Edge:
    """A prerequisite and the reason, in Korean, why it comes first."""

    code: str
    reason: str


@dataclass(frozen=True)
class Concept:
    """A concept under its main code; `also` are further standards that it covers."""

    code: str
    name: str
    name_en: str
    grade: int
    domain: Domain
    unit: str
    prerequisites: tuple[Edge, ...] = ()
    also: tuple[str, ...] = ()


class Graph:
    """Concepts and their prerequisites, checked when made.

    Wherever a code is asked for, any standard of a concept will do, however typed. A string that
    the curriculum does not know is a concept of its own, without a grade and without neighbours.
    """

    def __init__(self, concepts: Iterable[Concept]) -> None:
        listed = tuple(concepts)
        _refuse(_complaints(listed))
        self.concepts: Mapping[str, Concept] = MappingProxyType({c.code: c for c in listed})
        self._main = {code: c.code for c in listed for code in (c.code, *c.also)}
        self._named = {_folded(name): c.code for c in listed for name in (c.name, c.name_en)}

    def canonical(self, code: str) -> str:
        """Give the main code of the concept that covers this standard, else the string tidied."""
        tidy = normalise_code(code)
        return self._main.get(tidy, tidy)

    def resolve(self, text: str) -> str | None:
        """Give the main code for a code or a concept's Korean or English name; None if unknown."""
        code = self.canonical(text)
        return code if code in self.concepts else self._named.get(_folded(text))

    def find(self, code: str) -> Concept | None:
        """Give the concept that covers this standard, or None."""
        return self.concepts.get(self.canonical(code))

    def name_of(self, code: str) -> str:
        """Give the concept's short Korean name; for an unknown string the string itself."""
        concept = self.find(code)
        return concept.name if concept else code

    def grade_of(self, code: str) -> int | None:
        """Give the grade, 1 to 12, or None for an unknown string."""
        concept = self.find(code)
        return concept.grade if concept else None

    def edges(self, code: str) -> tuple[Edge, ...]:
        """Give the direct prerequisites with their reasons."""
        concept = self.find(code)
        return concept.prerequisites if concept else ()

    def prerequisites(self, code: str) -> tuple[str, ...]:
        """Give the codes of the direct prerequisites."""
        return tuple(edge.code for edge in self.edges(code))

    def ancestors(self, code: str, depth: int = 3) -> tuple[str, ...]:
        """Give the prerequisites up to `depth` steps back, nearest first, each once."""
        found: dict[str, None] = {}
        layer = [self.canonical(code)]
        for _ in range(depth):
            layer = [need for at in layer for need in self.prerequisites(at) if need not in found]
            found.update(dict.fromkeys(layer))
        return tuple(found)

    def blocked_by(self, code: str) -> tuple[str, ...]:
        """Give all concepts that need this one, directly or through others, earlier ones first."""
        blocked = self._dependants.get(self.canonical(code), frozenset[str]())
        return tuple(at for at in self.topological() if at in blocked)

    def topological(self) -> tuple[str, ...]:
        """Give all codes, prerequisites before what needs them; the order never varies."""
        return self._order

    @cached_property
    def _order(self) -> tuple[str, ...]:
        return tuple(TopologicalSorter(_needs(self.concepts.values())).static_order())

    @cached_property
    def _dependants(self) -> Mapping[str, frozenset[str]]:
        above: dict[str, set[str]] = {code: set() for code in self.concepts}
        for code in reversed(self._order):
            for need in self.prerequisites(code):
                above[need] |= above[code] | {code}
        return {code: frozenset(codes) for code, codes in above.items()}


@cache
def load() -> Graph:
    """Give the curriculum's graph, read once.

    Raises:
        CurriculumError: the files are broken; the message names every place.
    """
    return Graph(_concept(heading, entry) for heading, entry in entries())


def _concept(heading: UnitHeading, entry: ConceptEntry) -> Concept:
    needs = tuple(Edge(code, reason) for code, reason in entry.needs.items())
    return Concept(
        code=entry.code,
        name=entry.name,
        name_en=entry.name_en,
        grade=heading.grade,
        domain=heading.domain,
        unit=heading.unit,
        prerequisites=needs,
        also=entry.also,
    )


def _folded(name: str) -> str:
    return normalise_code(name).replace(" ", "").casefold()


def _needs(concepts: Iterable[Concept]) -> dict[str, tuple[str, ...]]:
    return {c.code: tuple(edge.code for edge in c.prerequisites) for c in concepts}


def _refuse(complaints: Iterable[str]) -> None:
    if listed := list(complaints):
        raise CurriculumError("; ".join(listed))


def _complaints(concepts: tuple[Concept, ...]) -> Iterator[str]:
    grades = {c.code: c.grade for c in concepts}
    yield from _repeated(concepts)
    for concept in concepts:
        yield from _bad_codes(concept)
        yield from _bad_edges(concept, grades)
    yield from _cycle(concepts, grades)


def _repeated(concepts: tuple[Concept, ...]) -> Iterator[str]:
    seen: set[str] = set()
    for concept in concepts:
        for mark in (concept.code, *concept.also, concept.name, concept.name_en):
            if mark in seen:
                yield f"{concept.code}: {mark} is there already"
            seen.add(mark)


def _bad_codes(concept: Concept) -> Iterator[str]:
    for code in (concept.code, *concept.also):
        if not OFFICIAL.fullmatch(code):
            yield f"{concept.code}: {code} is no code of a standard"


def _bad_edges(concept: Concept, grades: Mapping[str, int]) -> Iterator[str]:
    for edge in concept.prerequisites:
        if edge.code not in grades:
            yield f"{concept.code}: needs {edge.code}, which is no concept's main code"
        elif grades[edge.code] > concept.grade:
            yield f"{concept.code}: needs {edge.code} of a later grade"
        if not edge.reason.strip():
            yield f"{concept.code}: no reason why it needs {edge.code}"


def _cycle(concepts: tuple[Concept, ...], known: Mapping[str, int]) -> Iterator[str]:
    needs = {
        code: [need for need in wanted if need in known]
        for code, wanted in _needs(concepts).items()
    }
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        yield "a circle: " + " → ".join(error.args[1])
