"""What a node's port answers: /mcp, /livez, and /fault to change the faults while it runs."""

from ipaddress import ip_address

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from reference_nodes.serving.faults import FaultInjector, Faults, FaultSpecError

MOST_SPEC_BYTES = 10_000
_SPECS = TypeAdapter(list[str])


class Front:
    """The ASGI application of one node's port; faults touch /mcp alone."""

    def __init__(self, app: ASGIApp, faults: Faults | None = None) -> None:
        self._app, self._mcp = app, FaultInjector(app, faults or Faults())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        match scope["path"], scope["method"]:
            case "/mcp", "POST":
                await self._mcp(scope, receive, send)
                return
            case "/mcp", _:  # a stream would stay idle: there is no session to speak for
                answer: Response = PlainTextResponse("POST only", 405, {"Allow": "POST"})
            case "/livez", "GET":
                answer = PlainTextResponse("ok")
            case "/fault", "POST":
                answer = await self._switch(Request(scope, receive))
            case _:
                answer = PlainTextResponse("nothing here", 404)
        await answer(scope, receive, send)

    async def _switch(self, request: Request) -> Response:
        if not _from_here(request):
            return PlainTextResponse("loopback only", 403)
        try:
            specs = _SPECS.validate_json(await request.body(), strict=True)
            self._mcp.faults = Faults.of(specs)
        except ValidationError:
            return JSONResponse({"error": "a JSON list of specs is needed"}, 400)
        except FaultSpecError as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(specs)


def _from_here(request: Request) -> bool:
    """Whether the caller is on this machine, and not a page in a browser of it."""
    json = request.headers.get("content-type", "").startswith("application/json")
    return json and request.client is not None and ip_address(request.client.host).is_loopback
