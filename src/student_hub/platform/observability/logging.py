"""Logs as one JSON object a line: what happened, when, in which request; never a person's data."""

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

PRIVATE = frozenset(
    {"name", "email", "parent_contact", "api_key", "key", "password", "authorization", "metadata"}
)
"""Names of values that never reach a log, whoever passes them."""

QUIET = ("uvicorn.access", "mcp", "aiohttp.access", "celery", "kombu")
"""Libraries whose own lines repeat ours, or show what requests hold."""


def configure_logging(level: str, style: Literal["json", "console"]) -> None:
    """Sends every log line of this process, libraries' too, to standard error in one form."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_private,
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=True,
    )
    _configure_stdlib(level, shared, style)


def without_private(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The event with every value of a private name taken out."""
    return {name: "[removed]" if name in PRIVATE else value for name, value in event.items()}


def _configure_stdlib(level: str, shared: list[Processor], style: str) -> None:
    last: Processor = structlog.dev.ConsoleRenderer(
        exception_formatter=structlog.dev.plain_traceback  # a rich one shows local variables
    )
    if style == "json":
        last = structlog.processors.JSONRenderer(ensure_ascii=False)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
