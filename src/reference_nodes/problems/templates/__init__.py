"""The kinds of problems there are; `ALL` maps each name to its template."""

from collections.abc import Mapping
from types import MappingProxyType

from reference_nodes.problems.drafts import Template
from reference_nodes.problems.templates import (
    chance,
    equations,
    functions,
    geometry,
    quadratics,
    radicals,
)

ALL: Mapping[str, Template] = MappingProxyType(
    {
        template.name: template
        for module in (equations, quadratics, functions, geometry, chance, radicals)
        for template in module.TEMPLATES
    }
)
