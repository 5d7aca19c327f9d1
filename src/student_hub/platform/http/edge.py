"""The outermost layer: names each request, guards its answer, notes it in the log."""

import re
import secrets
import time

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

from student_hub.platform.http.problems import UNEXPECTED
from student_hub.platform.http.refusal import Refuse
from student_hub.platform.observability.metrics import Metrics

AN_ID = re.compile(r"[0-9a-fA-F-]{36}")
SANE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
log = structlog.get_logger()


class Answer:
    """The answer on its way out: gets its headers, and remembers how far it came."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._id = request_id
        self.status = 0
        self.finished = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            message["headers"] = [*message.get("headers", []), *self._missing(message)]
        elif message["type"] == "http.response.body":
            self.finished = not message.get("more_body", False)
        await self._send(message)

    def _missing(self, message: Message) -> list[tuple[bytes, bytes]]:
        there = {name for name, _ in message.get("headers", [])}
        safe = [header for header in SECURITY_HEADERS if header[0] not in there]
        return [*safe, (b"x-request-id", self._id.encode())]


class Edge:
    """Every answer has a request id and security headers; what nobody foresaw is a bare 500."""

    def __init__(self, app: ASGIApp, *, refuse: Refuse, metrics: Metrics) -> None:
        self._app = app
        self._refuse = refuse
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Some servers keep the blanks around header values, which are not part of them (RFC 9110).
        scope["headers"] = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        bound = bind_contextvars(request_id=request_id)
        try:
            await self._answer(scope, receive, Answer(send, request_id))
        finally:
            reset_contextvars(**bound)

    async def _answer(self, scope: Scope, receive: Receive, answer: Answer) -> None:
        start = time.perf_counter()
        try:
            await self._app(scope, receive, answer.send)
        except ClientDisconnect:
            log.info("client_went_away")
        except Exception:
            log.exception("request_failed")
            if not answer.status:
                await self._refuse(scope, UNEXPECTED)(scope, receive, answer.send)
            elif not answer.finished:
                raise
        finally:
            self._note(scope, answer, time.perf_counter() - start)

    def _note(self, scope: Scope, answer: Answer, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._metrics.observe_request(method, route, answer.status)
        write = log.debug if route == "/livez" else log.info
        write(
            "http_request",
            method=method,
            route=route,
            **_ids(scope),
            status=answer.status,
            duration_ms=round(seconds * 1_000, 2),
            caller=getattr(scope["state"].get("caller"), "subject", None),
        )


def _ids(scope: Scope) -> dict[str, str]:
    """The ids in the path, if they are ids: a path may hold whatever somebody pasted."""
    given = scope.get("path_params") or {}
    return {name: value for name, value in given.items() if AN_ID.fullmatch(str(value))}


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and SANE_ID.fullmatch(value):
            return bytes(value).decode()
    return secrets.token_hex(16)
