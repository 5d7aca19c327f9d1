"""Pydantic's findings as the hub's own error: every wrong field at once, in plain words."""

from collections.abc import Sequence

from pydantic_core import ErrorDetails

from student_hub.platform.errors import Fact, InvalidInput

MOST = 20
LONGEST = 200


def invalid_input(details: Sequence[ErrorDetails], *, skip: int = 0) -> InvalidInput:
    """The error that names each field (at most 20); `skip` drops leading parts such as "body"."""
    errors: list[Fact] = []
    problems = []
    for detail in details[:MOST]:
        field, problem = path_of(detail["loc"][skip:] or detail["loc"]), problem_of(detail)
        errors.append({"field": field, "problem": problem})
        problems.append(f"{field}: {problem}" if field else problem)
    return InvalidInput(problem="; ".join(problems), errors=errors)


def path_of(location: tuple[int | str, ...]) -> str:
    """Where a finding is: metadata.interests[2]."""
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return "".join(letter for letter in text[:LONGEST] if letter.isprintable())


def problem_of(detail: ErrorDetails) -> str:
    """What the finding is, in plain words that follow the field's name."""
    match detail["type"]:
        case "extra_forbidden":
            return "there is no such field"
        case "model_type" | "dict_type" | "model_attributes_type":
            return "should be an object"
        case "missing":
            return "is needed"
        case _:
            return detail["msg"][:LONGEST]
