"""Every room's tools, which is all that language models and services may call."""

from student_hub.analytics import tools as analytics
from student_hub.interventions import tools as interventions
from student_hub.platform.mcp.tool import Tool
from student_hub.profiles import tools as profiles
from student_hub.schedules import tools as schedules

TOOLS: list[Tool] = [
    *profiles.TOOLS,
    *analytics.TOOLS,
    *interventions.TOOLS,
    *schedules.TOOLS,
]
