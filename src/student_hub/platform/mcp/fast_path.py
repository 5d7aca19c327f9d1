"""The short way to a tool at /mcp: for calls without any fault, in front of the SDK's app."""

import orjson
import structlog
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from student_hub.platform.codes import structured
from student_hub.platform.errors import HubError
from student_hub.platform.http.exchange import exchange_of
from student_hub.platform.mcp.admission import Admission, Call
from student_hub.platform.mcp.dispatcher import Dispatcher
from student_hub.platform.mcp.envelopes import MCP_PATH, unexpected
from student_hub.platform.mcp.splicing import Splicing
from student_hub.platform.observability.metrics import Metrics

log = structlog.get_logger()


class FastPath:
    """ASGI, inside authentication and strict JSON; what it does not take passes untouched."""

    def __init__(
        self,
        app: ASGIApp,
        dispatcher: Dispatcher,
        *,
        admission: Admission,
        splicing: Splicing,
        metrics: Metrics,
    ) -> None:
        self._app = app
        self._dispatcher = dispatcher
        self._admission = admission
        self._splicing = splicing
        self._route = Route(MCP_PATH, app)
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != MCP_PATH:
            await self._app(scope, receive, send)
            return
        call = self._admitted(scope)
        if call is None:
            self._metrics.observe_way("sdk")
            await self._app(scope, receive, send)
            return
        self._metrics.observe_way("fast")
        scope["route"] = self._route
        await _send(await self._answered(call, scope), send)

    def _admitted(self, scope: Scope) -> Call | None:
        if scope["method"] != "POST" or scope.get("root_path"):
            return None
        body = scope["state"].get("json")
        if body is None:
            return None
        return self._admission.admit(scope["headers"], exchange_of(scope).heads, body)

    async def _answered(self, call: Call, scope: Scope) -> bytes:
        try:
            caller, exchange = scope["state"]["caller"], exchange_of(scope)
            answer = await self._dispatcher.run(call.tool, call.arguments, caller, exchange)
        except HubError as error:
            return self._splicing.failure(call, orjson.dumps(structured(error)))
        except Exception:  # the edge of this door, as in front of the SDK
            log.exception("tool_failed", tool=call.tool.name)
            return self._splicing.failure(call, orjson.dumps(unexpected(scope)))
        return self._splicing.answer(call, answer)


async def _send(body: bytes, send: Send) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
