"""The outermost layer: names each request, guards its answer, notes it in the log."""

import asyncio
import itertools
import re
import secrets
import time
from collections.abc import Mapping

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from student_hub.platform.http.exchange import Exchange
from student_hub.platform.http.load import Load, overdue, overload
from student_hub.platform.http.problems import UNEXPECTED, Condition
from student_hub.platform.http.refusal import Refuse
from student_hub.platform.observability.logging import REQUEST_ID
from student_hub.platform.observability.metrics import Metrics

AN_ID = re.compile(r"[0-9a-fA-F-]{36}")
SANE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ALWAYS = frozenset({"/livez", "/readyz", "/health", "/metrics"})
"""Paths that are answered however much there is to do: operators need them just then."""
EVENT = "http_request"
log = structlog.get_logger()


class Edge:
    """Every answer has a request id and security headers; what nobody foresaw is a bare 500.

    What is too much is refused before anything is looked at. Each request is one line of the log,
    with what its door has put in the exchange's note.
    """

    def __init__(
        self, app: ASGIApp, *, refuse: Refuse, metrics: Metrics, load: Load | None = None
    ) -> None:
        self._app = app
        self._refuse = refuse
        self._metrics = metrics
        self._load = load or Load()
        self._process = secrets.token_hex(8)
        self._numbers = itertools.count(secrets.randbits(32))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        heads = dict(scope["headers"][::-1])
        request_id = _given_id(heads) or f"{self._process}{next(self._numbers):016x}"
        exchange = Exchange(request_id, send, heads)
        scope.setdefault("state", {}).update(request_id=request_id, exchange=exchange)
        token = REQUEST_ID.set(request_id)
        self._load.enter(exchange)
        try:
            await self._answer(scope, receive, exchange)
        finally:
            self._load.leave(exchange)
            self._note(scope, exchange)
            REQUEST_ID.reset(token)

    async def _answer(self, scope: Scope, receive: Receive, exchange: Exchange) -> None:
        try:
            why = self._load.too_much()
            if why is None or scope["path"] in ALWAYS:
                await self._app(scope, receive, exchange.send)
            else:
                self._metrics.requests_shed.labels(why).inc()
                await self._say(scope, receive, exchange, overload())
        except ClientDisconnect:
            log.info("client_went_away")
        except asyncio.CancelledError:
            if exchange.overdue is None or exchange.task is None:
                raise
            exchange.task.uncancel()
            self._metrics.requests_shed.labels(exchange.overdue).inc()
            await self._say(scope, receive, exchange, overdue(exchange))
        except Exception:
            log.exception("request_failed")
            if not exchange.finished and exchange.status:
                raise
            await self._say(scope, receive, exchange, UNEXPECTED)

    async def _say(
        self, scope: Scope, receive: Receive, exchange: Exchange, condition: Condition
    ) -> None:
        if not exchange.status:
            await self._refuse(scope, condition)(scope, receive, exchange.send)

    def _note(self, scope: Scope, exchange: Exchange) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._metrics.observe_request(method, route, exchange.status)
        line = {
            "event": EVENT,
            "method": method,
            "route": route,
            "status": exchange.status,
            "duration_ms": round((time.perf_counter() - exchange.started) * 1_000, 2),
            "caller": getattr(scope["state"].get("caller"), "subject", None),
            "request_id": exchange.request_id,
        }
        if "path_params" in scope:
            line.update(_ids(scope))
        line.update(exchange.note)
        (log.debug if route == "/livez" else log.info)(**line)


def _ids(scope: Scope) -> dict[str, str]:
    """The ids in the path, if they are ids: a path may hold whatever somebody pasted."""
    given = scope.get("path_params") or {}
    return {name: value for name, value in given.items() if AN_ID.fullmatch(str(value))}


def _given_id(heads: Mapping[bytes, bytes]) -> str | None:
    given = heads.get(b"x-request-id")
    return given.decode() if given is not None and SANE_ID.fullmatch(given) else None
