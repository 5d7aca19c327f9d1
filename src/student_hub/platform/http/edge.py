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

from student_hub.platform.http.cycle import Whole
from student_hub.platform.http.exchange import SECURITY_HEADERS, Exchange
from student_hub.platform.http.load import Load, overdue, overload
from student_hub.platform.http.pace import Begin
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
BUSY = 503
log = structlog.get_logger()


class Edge:
    """Every answer has a request id and security headers; what nobody foresaw is a bare 500.

    What is too much is refused before anything is looked at. Each request is one line of the log,
    with what its door has put in the exchange's note.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        refuse: Refuse,
        metrics: Metrics,
        load: Load | None = None,
        forms: frozenset[str] = frozenset(),
    ) -> None:
        self._app = app
        self._refuse = refuse
        self._metrics = metrics
        self._load = load or Load()
        self._forms = forms
        self._busy: dict[str, Whole] = {}
        self._process = secrets.token_hex(8)
        self._numbers = itertools.count(secrets.randbits(32))

    def turned_away(self, method: str, path: str) -> Whole | None:
        """What a request is answered with that is one too many; None for one that may come in.

        Asked by the connection, before anything is made of the request: so a refusal costs little,
        and is no line of the log.
        """
        why = self._load.no_room()
        if why is None or path in ALWAYS:
            return None
        self._metrics.observe_shed(why)
        self._metrics.observe_request(method if method in METHODS else "other", "unknown", BUSY)
        form = path if path in self._forms else ""
        if form not in self._busy:
            refused = self._refuse({"type": "http", "path": form, "state": {}}, overload())
            headers = [*refused.raw_headers, *SECURITY_HEADERS]
            self._busy[form] = Whole(refused.status_code, headers, bytes(refused.body))
        return self._busy[form]

    def begin(self, path: str, begin: Begin) -> None:
        """Begins with a request as soon as others have had their turn; with a state's at once."""
        if path in ALWAYS:
            begin()
        else:
            self._load.pace.begin(begin)

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
                self._metrics.observe_shed(why)
                await self._say(scope, receive, exchange, overload())
        except ClientDisconnect:
            log.info("client_went_away")
        except asyncio.CancelledError:
            if exchange.overdue is None or exchange.task is None:
                raise
            exchange.task.uncancel()
            self._metrics.observe_shed(exchange.overdue)
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
