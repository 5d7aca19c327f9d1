"""Every error as problem details (RFC 9457): the one table of this door."""

import re
from http import HTTPStatus
from typing import Any, TypeAlias, assert_never

import orjson
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from student_hub.platform.codes import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    code_of,
    data_of,
)
from student_hub.platform.errors import Fact, HubError, Kind, NotAllowed
from student_hub.platform.http.challenges import lacking, unauthenticated

Condition: TypeAlias = HubError | HTTPException
"""What a door may have to say: an error of the hub, or one of HTTP itself."""


class Problem(BaseModel):
    """A refusal (RFC 9457) with the platform's code, and the id it has in the log."""

    type: str
    title: str
    status: int
    detail: str
    code: int
    request_id: str
    errors: list[dict[str, Any]] | None = Field(None, description="Each wrong field, and why.")
    data: dict[str, Any] | None = Field(None, description="Facts that go with the code.")


MEDIA_TYPE = "application/problem+json"
DESCRIBED: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "Refused; `detail` says why.",
        "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
    }
}
"""What OpenAPI says of every route's refusals."""
PASSING = frozenset({Kind.RATE_LIMITED, Kind.AWAY})
UNEXPECTED = HTTPException(500, "Something unexpected failed here; it is in the log.")


def status_of(kind: Kind) -> HTTPStatus:  # noqa: PLR0911 (a table has as many lines as it has)
    """The HTTP status of this kind of error."""
    match kind:
        case Kind.UNAUTHENTICATED:
            return HTTPStatus.UNAUTHORIZED
        case Kind.FORBIDDEN:
            return HTTPStatus.FORBIDDEN
        case Kind.NOT_FOUND:
            return HTTPStatus.NOT_FOUND
        case Kind.INVALID:
            return HTTPStatus.UNPROCESSABLE_ENTITY
        case Kind.CONFLICT:
            return HTTPStatus.CONFLICT
        case Kind.RATE_LIMITED:
            return HTTPStatus.TOO_MANY_REQUESTS
        case Kind.UNAVAILABLE | Kind.AWAY:
            return HTTPStatus.SERVICE_UNAVAILABLE
        case _:
            assert_never(kind)


def http_code(status: int) -> int:
    """The platform's code for an error of HTTP itself."""
    match status:
        case HTTPStatus.BAD_REQUEST:
            return PARSE_ERROR
        case HTTPStatus.NOT_FOUND | HTTPStatus.METHOD_NOT_ALLOWED:
            return METHOD_NOT_FOUND
        case HTTPStatus.INTERNAL_SERVER_ERROR:
            return INTERNAL_ERROR
        case _:
            return INVALID_REQUEST


def problem(scope: Scope, condition: Condition) -> Response:
    """The answer to a request that met this condition."""
    if isinstance(condition, HubError):
        status, name = status_of(condition.kind), _dashed(type(condition).__name__)
        body = _body(status, name, condition.message, code_of(condition.kind))
        body |= _extra(condition)
    else:
        status = HTTPStatus(condition.status_code)
        body = _body(status, _dashed(status.name), condition.detail, http_code(status))
    body["request_id"] = request_id_of(scope)
    return Response(
        orjson.dumps(body), status, media_type=MEDIA_TYPE, headers=headers_of(scope, condition)
    )


def request_id_of(scope: Scope) -> str:
    """The id under which this request is in the log."""
    return str(scope.get("state", {}).get("request_id", ""))


def headers_of(scope: Scope, condition: Condition) -> dict[str, str]:
    """The headers that HTTP wants beside this condition."""
    if isinstance(condition, HTTPException):
        return dict(condition.headers or {})
    if condition.kind is Kind.UNAUTHENTICATED:
        return {"WWW-Authenticate": unauthenticated(scope)}
    if isinstance(condition, NotAllowed):
        challenge = lacking(scope, str(condition.facts["scope"]))
        return {"WWW-Authenticate": challenge} if challenge else {}
    if condition.kind in PASSING and "retry_after" in condition.facts:
        return {"Retry-After": str(condition.facts["retry_after"])}
    return {}


def _body(status: HTTPStatus, name: str, detail: str, code: int) -> dict[str, Fact]:
    kind = f"urn:student-hub:problem:{name}"
    return {
        "type": kind,
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "code": code,
    }


def _extra(error: HubError) -> dict[str, Fact]:
    facts = data_of(error)
    listed: dict[str, Fact] = {"errors": facts.pop("errors")} if "errors" in facts else {}
    return listed | ({"data": facts} if facts else {})


def _dashed(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", "-", name).lower()
