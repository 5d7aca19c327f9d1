"""Logs as one JSON object a line: what happened, when, in which request; never a person's data."""

import json
import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Literal

import orjson
import structlog
from pydantic import BaseModel
from structlog.typing import EventDict, Processor, WrappedLogger

from student_hub.platform.observability.exceptions import message_of, trace_of, without_detail

PRIVATE = frozenset(
    {"name", "email", "parent_contact", "api_key", "key", "password", "authorization", "metadata"}
)
"""Names of values that never reach a log, whoever passes them."""
REMOVED = "[removed]"

QUIET = ("uvicorn.access", "mcp", "aiohttp.access", "celery", "kombu")
"""Libraries whose own lines repeat ours, or show what requests hold."""


def configure_logging(level: str, style: Literal["json", "console"]) -> None:
    """Sends every log line of this process, libraries' too, to standard error in one form."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(trace_of),
        without_private,
    ]
    last, factory = _way_out(style)
    structlog.configure(
        processors=[*shared, last],
        logger_factory=factory,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=True,
    )
    _configure_stdlib(level, shared, style)


def without_private(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The event with every value of a private name taken out, however deep it lies."""
    return {name: REMOVED if name in PRIVATE else _safe(value) for name, value in event.items()}


def _safe(value: object) -> object:
    if isinstance(value, str):
        return without_detail(value)
    if isinstance(value, BaseException):
        return message_of(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_safe(held) for held in value]
    named = _fields_of(value)
    if named is None:
        return value
    return {
        str(name): REMOVED if str(name).lower() in PRIVATE else _safe(held)
        for name, held in named.items()
    }


def _fields_of(value: object) -> Mapping[object, object] | None:
    if isinstance(value, Mapping):
        return value
    if isinstance(value, BaseModel):
        return dict(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return None


def _way_out(style: str) -> tuple[Processor, Callable[..., WrappedLogger]]:
    """For JSON straight to the stream: by way of `logging` a line costs three times as much."""
    if style == "json":
        renderer = structlog.processors.JSONRenderer(serializer=_encoded)
        return renderer, structlog.WriteLoggerFactory(sys.stderr)
    wrap = structlog.stdlib.ProcessorFormatter.wrap_for_formatter
    return wrap, structlog.stdlib.LoggerFactory()


def _encoded(event: EventDict, **_: object) -> str:
    try:
        return orjson.dumps(event, default=repr).decode()
    except orjson.JSONEncodeError:  # a number over 64 bits, half a surrogate pair
        return json.dumps(event, default=repr)


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
