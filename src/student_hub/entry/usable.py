"""Whether the settings can be used, said in one sentence before anything starts."""

import re

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from student_hub.access.keys import check_administrator_key
from student_hub.access.tokens.addresses import may_be_asked
from student_hub.entry.stack.errors import StackError
from student_hub.nodes.lab import ACTIVITIES, RECORD
from student_hub.nodes.logic_engine import KNOWLEDGE
from student_hub.nodes.q_dna import MASTERY
from student_hub.nodes.report import LATEST
from student_hub.nodes.school import SCHOOL
from student_hub.notifications.quiet import QuietHours
from student_hub.notifications.servers import MailServer, sender_of
from student_hub.platform.db.database import async_url
from student_hub.platform.settings import Settings

REDIS_SCHEMES = ("redis://", "rediss://", "unix://")
ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,58}")
RESOURCE = re.compile(r"https?://[!-~]+")
AMISS = frozenset('"#?\\')
SHORTEST_SECRET = 32
TOOLS = (KNOWLEDGE, MASTERY, ACTIVITIES, RECORD, LATEST, SCHOOL)
RENAMABLE = frozenset(f"{tool.node.value}.{tool.name}" for tool in TOOLS)
"""The tools of nodes that the hub calls, as NODE_TOOLS names them."""


def require_usable(settings: Settings) -> None:
    """Nothing when each setting makes sense; StackError names the first that does not."""
    try:
        if settings.api_key is not None:
            check_administrator_key(settings.api_key.get_secret_value())
        for name in ("database_url", "database_owner_url"):
            if (url := getattr(settings, name)) is not None:
                _check_database(name.upper(), url.get_secret_value())
        if settings.redis_url is not None:
            _check_redis(settings.redis_url.get_secret_value())
        if settings.oidc_issuers:
            _check_issuers(settings)
        _check_notifications(settings)
    except ValueError as error:
        raise StackError(f"{str(error).removesuffix('.')}.") from error
    _require_known_tools(settings)


def _check_database(name: str, url: str) -> None:
    """ValueError without the URL, which may hold a password."""
    try:
        address = async_url(url)
    except ValueError as error:
        raise ValueError(str(error).replace("DATABASE_URL", name)) from error
    try:
        make_url(address)
    except (ValueError, ArgumentError) as error:
        raise ValueError(
            f"{name} must look like postgresql://user:password@host:port/database"
        ) from error


def _check_redis(url: str) -> None:
    if not url.startswith(REDIS_SCHEMES):
        raise ValueError(f"REDIS_URL must start with {', '.join(REDIS_SCHEMES)}")


def _check_issuers(settings: Settings) -> None:
    resource = settings.resource_url
    if resource is None:
        raise ValueError("OIDC_ISSUERS needs RESOURCE_URL, the hub's public address")
    if not RESOURCE.fullmatch(resource) or not AMISS.isdisjoint(resource):
        raise ValueError("RESOURCE_URL must look like https://hub.example.org")
    for alias, url in settings.oidc_issuers.items():
        if not ALIAS.fullmatch(alias):
            raise ValueError("OIDC_ISSUERS may have letters, digits, '.', '_', '-' in an alias")
        if not may_be_asked(url, allow_http=settings.oidc_allow_http):
            raise ValueError(f"OIDC_ISSUERS: the issuer {alias} must have an https:// address")


def _check_notifications(settings: Settings) -> None:
    if settings.smtp_url is not None:
        MailServer.of(settings.smtp_url.get_secret_value())
    sender_of(settings.mail_from)
    secret = settings.webhook_secret
    if secret is not None and len(secret.get_secret_value()) < SHORTEST_SECRET:
        raise ValueError(f"WEBHOOK_SECRET has fewer than {SHORTEST_SECRET} characters")
    try:
        QuietHours.of(settings.quiet_hours)
    except ValueError as error:
        raise ValueError(f"QUIET_HOURS {error}") from error


def _require_known_tools(settings: Settings) -> None:
    unknown = sorted(settings.node_tools.keys() - RENAMABLE)
    if unknown:
        known = ", ".join(sorted(RENAMABLE))
        raise StackError(f"NODE_TOOLS names {unknown[0]}, which the hub never calls: {known}.")
