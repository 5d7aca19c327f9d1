"""/rpc: the tools over bare JSON-RPC 2.0, single or batch, the answer itself as `result`."""

import asyncio
from typing import Annotated, TypeVar

import orjson
import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from student_hub.platform.codes import INVALID_REQUEST, METHOD_NOT_FOUND, structured
from student_hub.platform.errors import Fact, HubError
from student_hub.platform.http.exchange import Exchange, exchange_of
from student_hub.platform.http.json_bodies import value_of
from student_hub.platform.mcp.dispatcher import Dispatcher
from student_hub.platform.mcp.envelopes import failure, success, unexpected
from student_hub.platform.mcp.listing import listed
from student_hub.platform.validation import invalid_input

LONGEST_BATCH = 100
AT_ONCE = 8
STRICT = ConfigDict(strict=True, extra="forbid")
log = structlog.get_logger()
T = TypeVar("T", bound=BaseModel)


class _Request(BaseModel):
    model_config = STRICT

    jsonrpc: Annotated[str, Field(pattern=r"^2\.0$")]
    method: str
    params: dict[str, object] | list[object] = {}
    id: str | int | float | None = None


class _Call(BaseModel):
    model_config = STRICT

    name: str
    arguments: dict[str, object] = {}
    meta: Annotated[dict[str, object], Field(validation_alias="_meta")] = {}


class _List(BaseModel):
    model_config = STRICT

    meta: Annotated[dict[str, object], Field(validation_alias="_meta")] = {}


class RpcDoor:
    """Answers one HTTP request: a call, or a batch of at most 100, eight of them at once."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        tools = listed(dispatcher.tools.values())
        dumped = [tool.model_dump(by_alias=True, exclude_none=True) for tool in tools]
        self._list = orjson.dumps({"tools": dumped})

    async def answer(self, request: Request) -> Response:
        """204 when nothing but notifications came, else what the calls gave."""
        value = value_of(request)
        if isinstance(value, list):
            body = await self._batch(value, request.scope)
        else:
            body = await self._one(value, request.scope, exchange_of(request.scope))
        if body is None:
            return Response(status_code=204)
        return Response(body, media_type="application/json")

    async def _batch(self, values: list[Fact], scope: Scope) -> bytes | None:
        if not 1 <= len(values) <= LONGEST_BATCH:
            return failure(None, _fault(INVALID_REQUEST, f"A batch holds 1 to {LONGEST_BATCH}."))
        gate = asyncio.Semaphore(AT_ONCE)
        whole = exchange_of(scope)

        async def gated(value: Fact) -> bytes | None:
            apart = whole.part()
            async with gate:
                answer = await self._one(value, scope, apart)
            if apart.note:
                log.info(**apart.note)  # the request's own line has no room for all of them
            return answer

        answers = await asyncio.gather(*(gated(value) for value in values))
        said = [answer for answer in answers if answer is not None]
        return b"[" + b",".join(said) + b"]" if said else None

    async def _one(self, value: Fact, scope: Scope, exchange: Exchange) -> bytes | None:
        try:
            request = _Request.model_validate(value)
        except ValidationError as error:
            problem = invalid_input(error.errors()).message
            return failure(_id_in(value), _fault(INVALID_REQUEST, problem))
        answer = await self._answered(request, scope, exchange)
        return answer if "id" in request.model_fields_set else None

    async def _answered(self, request: _Request, scope: Scope, exchange: Exchange) -> bytes:
        try:
            return success(request.id, await self._result(request, scope, exchange))
        except _NoMethod:
            return failure(request.id, _fault(METHOD_NOT_FOUND, "There is no such method."))
        except HubError as error:
            return failure(request.id, structured(error))
        except Exception:  # the edge of this door: one call of a batch fails alone
            log.exception("tool_failed")
            return failure(request.id, unexpected(scope))

    async def _result(self, request: _Request, scope: Scope, exchange: Exchange) -> bytes:
        caller = scope["state"]["caller"]
        if request.method == "tools/call":
            call = _read(_Call, request.params)
            return await self._dispatcher.call(call.name, call.arguments, caller, exchange)
        await self._dispatcher.charge(caller, exchange)
        if request.method != "tools/list":
            raise _NoMethod
        _read(_List, request.params)
        return self._list


class _NoMethod(Exception):
    pass


def _read(kind: type[T], params: object) -> T:
    try:
        return kind.model_validate(params)
    except ValidationError as error:
        raise invalid_input(error.errors()) from error


def _fault(code: int, message: str) -> dict[str, Fact]:
    return {"code": code, "message": message}


def _id_in(value: Fact) -> Fact:
    call_id = value.get("id") if isinstance(value, dict) else None
    return call_id if isinstance(call_id, (str, int)) and not isinstance(call_id, bool) else None
