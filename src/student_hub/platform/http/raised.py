"""What the app's routes raise, as problem details; fields are named whoever found the fault."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from student_hub.platform.errors import HubError
from student_hub.platform.http.problems import UNEXPECTED, Condition, problem
from student_hub.platform.validation import invalid_input


def say_errors(app: FastAPI) -> None:
    """Makes the app answer everything it raises as problem details."""
    for kind in (HubError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, _answer)


async def _answer(request: Request, error: Exception) -> Response:
    return problem(request.scope, _condition(error))


def _condition(error: Exception) -> Condition:
    match error:
        case HubError() | HTTPException():
            return error
        case RequestValidationError():
            return invalid_input(error.errors(), skip=1)
        case _:
            return UNEXPECTED
