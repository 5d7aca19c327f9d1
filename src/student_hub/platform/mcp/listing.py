"""The tools as clients see them listed."""

from collections.abc import Iterable

from mcp_types import Tool as ListedTool
from mcp_types import ToolAnnotations

from student_hub.platform.mcp.tool import Tool


def listed(tools: Iterable[Tool]) -> list[ListedTool]:
    """Each tool with its title, description, schemas and hints."""
    return [_listed(tool) for tool in tools]


def _listed(tool: Tool) -> ListedTool:
    return ListedTool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        annotations=ToolAnnotations(
            title=tool.title,
            read_only_hint=tool.read_only,
            idempotent_hint=tool.idempotent,
            destructive_hint=tool.destructive,
            open_world_hint=tool.open_world,
        ),
    )
