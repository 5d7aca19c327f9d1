"""The platform's error codes: JSON-RPC's own and the hub's; every door says the same ones."""

from typing import assert_never

from student_hub.platform.errors import Fact, HubError, Kind

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
NODE_FAILED = -32001
NOT_FOUND = -32002
ACCESS_DENIED = -32003
RATE_LIMITED = -32004
CONFLICT = -32005


def code_of(kind: Kind) -> int:  # noqa: PLR0911 (a table has as many lines as it has)
    """The code that every door gives this kind of error; -32001 tells of nodes alone."""
    match kind:
        case Kind.UNAUTHENTICATED | Kind.FORBIDDEN:
            return ACCESS_DENIED
        case Kind.NOT_FOUND:
            return NOT_FOUND
        case Kind.INVALID:
            return INVALID_PARAMS
        case Kind.CONFLICT:
            return CONFLICT
        case Kind.RATE_LIMITED:
            return RATE_LIMITED
        case Kind.UNAVAILABLE:
            return NODE_FAILED
        case Kind.AWAY:
            return INTERNAL_ERROR
        case _:
            assert_never(kind)


def data_of(error: HubError) -> dict[str, Fact]:
    """The facts of an error for a machine; what its message already says whole is left out."""
    return {name: fact for name, fact in error.facts.items() if name != "problem"}


def structured(error: HubError) -> dict[str, Fact]:
    """An error as the object that JSON-RPC and tool results carry."""
    return {"code": code_of(error.kind), "message": error.message, "data": data_of(error)}
