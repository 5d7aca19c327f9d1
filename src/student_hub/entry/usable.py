"""Whether the settings can be used, said in one sentence before anything starts."""

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from student_hub.access.keys import check_administrator_key
from student_hub.entry.stack.errors import StackError
from student_hub.nodes.lab import ACTIVITIES, RECORD
from student_hub.nodes.logic_engine import KNOWLEDGE
from student_hub.nodes.q_dna import MASTERY
from student_hub.nodes.report import LATEST
from student_hub.nodes.school import SCHOOL
from student_hub.platform.db.database import async_url
from student_hub.platform.settings import Settings

REDIS_SCHEMES = ("redis://", "rediss://", "unix://")
TOOLS = (KNOWLEDGE, MASTERY, ACTIVITIES, RECORD, LATEST, SCHOOL)
RENAMABLE = frozenset(f"{tool.node.value}.{tool.name}" for tool in TOOLS)
"""The tools of nodes that the hub calls, as NODE_TOOLS names them."""


def require_usable(settings: Settings) -> None:
    """Nothing when each setting makes sense; StackError names the first that does not."""
    try:
        if settings.api_key is not None:
            check_administrator_key(settings.api_key.get_secret_value())
        if settings.database_url is not None:
            _check_database(settings.database_url.get_secret_value())
        if settings.redis_url is not None:
            _check_redis(settings.redis_url.get_secret_value())
    except ValueError as error:
        raise StackError(f"{str(error).removesuffix('.')}.") from error
    _require_known_tools(settings)


def _check_database(url: str) -> None:
    """ValueError without the URL, which may hold a password."""
    address = async_url(url)
    try:
        make_url(address)
    except (ValueError, ArgumentError) as error:
        raise ValueError(
            "DATABASE_URL must look like postgresql://user:password@host:port/database"
        ) from error


def _check_redis(url: str) -> None:
    if not url.startswith(REDIS_SCHEMES):
        raise ValueError(f"REDIS_URL must start with {', '.join(REDIS_SCHEMES)}")


def _require_known_tools(settings: Settings) -> None:
    unknown = sorted(settings.node_tools.keys() - RENAMABLE)
    if unknown:
        known = ", ".join(sorted(RENAMABLE))
        raise StackError(f"NODE_TOOLS names {unknown[0]}, which the hub never calls: {known}.")
