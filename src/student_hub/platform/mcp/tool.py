"""A tool out of a plain function: its arguments, schemas and hints, read off its signature."""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin, get_type_hints

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from student_hub.platform.errors import Fact, InvalidInput
from student_hub.platform.limits.costs import ORDINARY, Cost
from student_hub.platform.limits.permit import Permit
from student_hub.platform.mcp.schemas import JsonObject, input_schema, output_schema
from student_hub.platform.parts import Parts
from student_hub.platform.security.caller import Caller
from student_hub.platform.validation import invalid_input

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Encoded(Generic[T]):
    """A `T` that is JSON already: it goes out as it is, unparsed.

    The facts are for the line of the log that the request gets.
    """

    json: bytes
    facts: Mapping[str, Fact] = field(default_factory=dict)


Function = Callable[..., Awaitable[BaseModel | Encoded[Any]]]


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that language models and services may call by name."""

    name: str
    door: str
    """What the rules of the doors call it."""
    title: str
    description: str
    read_only: bool
    idempotent: bool
    destructive: bool
    open_world: bool
    service: type[object]
    arguments: type[BaseModel]
    input_schema: JsonObject
    output_schema: JsonObject
    cost: Cost
    weighs: str | None
    caller_name: str | None
    permit_name: str | None
    function: Function

    def read(self, arguments: Mapping[str, object]) -> BaseModel:
        """The arguments as their model; InvalidInput names every field that is wrong."""
        try:
            return self.arguments.model_validate_json(orjson.dumps(arguments))
        except ValidationError as error:
            raise invalid_input(error.errors()) from error
        except orjson.JSONEncodeError as error:
            raise InvalidInput(problem="the arguments are not plain JSON", errors=[]) from error

    def cost_of(self, arguments: BaseModel) -> Cost:
        """What a call with these arguments costs."""
        if self.weighs is None:
            return self.cost
        return Cost(self.cost.allowance, self.cost.weight * len(getattr(arguments, self.weighs)))

    async def run(
        self, parts: Parts, caller: Caller, permit: Permit, arguments: BaseModel
    ) -> Encoded[Any]:
        """The answer as JSON, whichever form the function gave it in.

        A function that takes the permit awaits it itself, when it must; any other has it granted
        before it begins.
        """
        named = dict(vars(arguments))
        if self.caller_name is not None:
            named[self.caller_name] = caller
        if self.permit_name is None:
            await permit.granted()
        else:
            named[self.permit_name] = permit
        answer = await self.function(parts.get(self.service), **named)
        if isinstance(answer, Encoded):
            return answer
        return Encoded(answer.model_dump_json(by_alias=True).encode())


def tool(
    function: Function,
    *,
    title: str,
    read_only: bool,
    idempotent: bool,
    destructive: bool = False,
    open_world: bool = False,
    cost: Cost = ORDINARY,
    weighs: str | None = None,
) -> Tool:
    """The function as a tool: first its service, `Caller` and `Permit` are put in, the rest asked.

    A call costs `cost`, times the length of the list argument that `weighs` names.
    """
    hints = get_type_hints(function, include_extras=True)
    service, *names = inspect.signature(function).parameters
    caller_name, permit_name = _named(hints, names, Caller), _named(hints, names, Permit)
    asked = [name for name in names if name not in {caller_name, permit_name}]
    arguments = _arguments(function, hints, asked)
    return Tool(
        name=function.__name__,
        door=f"tool {function.__name__}",
        title=title,
        description=inspect.getdoc(function) or "",
        read_only=read_only,
        idempotent=idempotent,
        destructive=destructive,
        open_world=open_world,
        service=hints[service],
        arguments=arguments,
        input_schema=input_schema(arguments),
        output_schema=output_schema(_answer(hints["return"])),
        cost=cost,
        weighs=weighs,
        caller_name=caller_name,
        permit_name=permit_name,
        function=function,
    )


def _named(hints: Mapping[str, Any], names: Sequence[str], kind: type) -> str | None:
    return next((name for name in names if hints[name] is kind), None)


def _arguments(function: Function, hints: dict[str, Any], names: list[str]) -> type[BaseModel]:
    parameters = inspect.signature(function).parameters
    fields: dict[str, Any] = {
        name: (
            hints[name],
            ...
            if parameters[name].default is inspect.Parameter.empty
            else parameters[name].default,
        )
        for name in names
    }
    rules = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    return create_model(f"{function.__name__}_arguments", __config__=rules, **fields)


def _answer(returned: Any) -> type[BaseModel]:
    kind = returned
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) is Encoded:
        kind = get_args(kind)[0]
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        raise TypeError(f"a tool answers with a model or Encoded[model], not {returned}")
    return kind
