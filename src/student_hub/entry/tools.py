"""Every room's tools, which is all that language models and services may call."""

from student_hub.analytics import tools as analytics
from student_hub.platform.mcp.tool import Tool
from student_hub.profiles import tools as profiles

TOOLS: list[Tool] = [*profiles.TOOLS, *analytics.TOOLS]
