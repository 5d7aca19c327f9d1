"""Faults on purpose, so that tests of a node's callers can make it slow, failing or lying."""

import re
from collections.abc import Iterable
from typing import Self

from anyio import sleep
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

WRONG_STUDENT = b"00000000-0000-4000-8000-00000000dead"
DRIP_BYTES = 64
_STUDENT_ID = re.compile(rb'(student_id\\?":\s*\\?")[0-9a-fA-F-]{36}')


class FaultSpecError(ValueError):
    """A fault that is not known, or a figure that it cannot have."""


class Faults(BaseModel):
    """What is wrong with a node; the default is nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    latency: float = Field(default=0, ge=0, description="seconds before each answer")
    hang: bool = Field(default=False, description="never answers")
    error: float = Field(default=0, ge=0, le=1, description="share of calls that end in a 500")
    refuse: bool = Field(default=False, description="every call ends in a 503")
    garbage: bool = Field(default=False, description="answers with what is no JSON")
    drip: float = Field(default=0, ge=0, description="seconds between pieces of 64 bytes")
    huge: int = Field(default=0, ge=0, le=10**9, description="blanks added to each answer")
    wrong_student: bool = Field(default=False, description="answers about somebody else")

    @classmethod
    def of(cls, specs: Iterable[str]) -> Self:
        """Read specs such as `latency=0.8`, `error=0.3`, `hang`; a bare name takes a default.

        Raises:
            FaultSpecError: it names the fault.
        """
        try:
            return cls.model_validate(dict(map(_read, specs)))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise FaultSpecError(f"{first['loc'][0]}: {first['msg']}") from error

    @property
    def distorts(self) -> bool:
        """Whether the true answer is made first and changed then."""
        return bool(self.drip or self.huge or self.wrong_student)


BARE: dict[str, float | bool] = {
    "latency": 1.0,
    "hang": True,
    "error": 1.0,
    "refuse": True,
    "garbage": True,
    "drip": 0.2,
    "huge": 8 * 1024 * 1024,
    "wrong_student": True,
}


class FaultInjector:
    """Stands before an application and does what `faults` says, call by call."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app, self._owed, self.faults = app, 0.0, faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        faults = self.faults
        await sleep(faults.latency)
        if faults.hang:
            await _until_gone(receive)
        elif (fault := self._instead(faults)) is not None:
            await fault(scope, receive, send)
        elif faults.distorts:
            await self._distorted(faults, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _instead(self, faults: Faults) -> Response | None:
        if faults.refuse:
            return Response("refused on purpose", 503)
        self._owed += faults.error  # spread evenly, so that a run can be repeated
        if faults.error and self._owed >= 1 - 1e-9:
            self._owed -= 1
            return Response("failed on purpose", 500)
        if faults.garbage:
            return Response(b"\xff<html>not what was asked", media_type="application/json")
        return None

    async def _distorted(self, faults: Faults, scope: Scope, receive: Receive, send: Send) -> None:
        start, body = await _collected(self._app, scope, receive)
        if faults.wrong_student:
            body = _STUDENT_ID.sub(rb"\g<1>" + WRONG_STUDENT, body)
        body += b" " * faults.huge
        kept = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
        length = (b"content-length", str(len(body)).encode())
        await send({**start, "headers": [*kept, length]})
        size = DRIP_BYTES if faults.drip else max(len(body), 1)
        for at in range(0, len(body), size):
            await sleep(faults.drip)
            piece = body[at : at + size]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _read(spec: str) -> tuple[str, float | bool | str]:
    name, _, figure = spec.partition("=")
    if name not in BARE:
        raise FaultSpecError(f"{name!r} is no fault; there are {', '.join(BARE)}")
    return name, figure or BARE[name]


def described() -> str:
    """The faults there are, for a help text."""
    about = {name: each.description for name, each in Faults.model_fields.items()}
    return ", ".join(f"{name} ({text})" for name, text in about.items())


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _collected(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    messages: list[Message] = []

    async def collect(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, collect)
    return messages[0], b"".join(message.get("body", b"") for message in messages[1:])
