"""Mixed reviews of due concepts: one that exercises other due ones stands for them as well."""

from collections.abc import Iterator, Sequence
from typing import Final

from reference_nodes.curriculum.graph import Graph
from reference_nodes.paths.steps import Step

CONCEPTS_PER_REVIEW: Final = 3
PROBLEMS_PER_CONCEPT: Final = 2


def mixed_reviews(due: Sequence[str], graph: Graph, seconds_per_problem: int) -> Iterator[Step]:
    """Give reviews until every due concept is practised, by itself or through one that needs it.

    Own rule: the concept with the most due prerequisites (three steps back) goes first, and takes
    them off the list.
    """
    left = sorted(set(due))
    while left:
        picked: list[str] = []
        covered: list[str] = []
        while left and len(picked) < CONCEPTS_PER_REVIEW:
            best = min(left, key=lambda code: (-len(_through(code, left, graph)), code))
            through = _through(best, left, graph)
            picked.append(best)
            covered += through
            left = [code for code in left if code != best and code not in through]
        yield _review(picked, covered, graph, seconds_per_problem)


def _through(code: str, due: Sequence[str], graph: Graph) -> list[str]:
    return [need for need in graph.ancestors(code) if need in due]


def _review(
    picked: Sequence[str], covered: Sequence[str], graph: Graph, seconds_per_problem: int
) -> Step:
    problems = PROBLEMS_PER_CONCEPT * len(picked)
    names = [graph.name_of(code) for code in picked]
    also = f"; 함께 연습되는 선수 개념 {len(covered)}개" if covered else ""
    return Step(
        "mixed_review",
        tuple(picked),
        " · ".join(names),
        problems * seconds_per_problem,
        f"복습할 때가 된 개념 {len(picked)}개 (기억 유지율 0.90 미만){also}",
        problems,
    )
