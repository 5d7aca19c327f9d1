"""What questions about a student and their answers have in common."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Interval = Annotated[
    list[float], Field(min_length=2, max_length=2, description="80 % interval, low and high.")
]
Share = Annotated[float, Field(ge=0, le=1)]


class Question(BaseModel):
    """Arguments of a tool; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid")


class StudentQuestion(Question):
    """Arguments of a tool about one student."""

    student_id: UUID = Field(description="The student's UUID.")


class Answer(BaseModel):
    """An answer and the moment, in UTC, at which it was made."""

    generated_at: datetime


class StudentAnswer(Answer):
    """An answer about one student."""

    student_id: UUID


def rounded(value: float) -> float:
    """A probability as it is shown: four digits say more than the model knows."""
    return round(value, 4)


def interval(low: float, high: float) -> list[float]:
    """An 80 % interval as it is shown."""
    return [rounded(low), rounded(high)]
