"""How one student stands in the curriculum: which prerequisites are not there yet."""

from collections.abc import Mapping

from reference_nodes.curriculum.graph import Graph
from reference_nodes.learning.model import Estimate

UNMET_BELOW = 0.70
"""A prerequisite with a mastery under this is unmet; one never answered on is not judged."""


def unmet(graph: Graph, masteries: Mapping[str, Estimate], code: str, depth: int = 1) -> list[str]:
    """The prerequisites of a concept that the student answered on and has not mastered."""
    needed = graph.ancestors(code, depth)
    return [need for need in needed if need in masteries and masteries[need].mean < UNMET_BELOW]
