"""The register of schools, read once."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

Kind = Literal["elementary", "middle", "high"]
_FILE = Path(__file__).parent / "schools.yaml"


class Term(BaseModel):
    """A term with its first and last day, in Korea."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    first_day: date
    last_day: date

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.first_day >= self.last_day:
            raise ValueError(f"{self.name} ends before it begins")
        return self


class School(BaseModel):
    """A school; grades run from 1 to 12 across the kinds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    school_id: Annotated[str, Field(pattern=r"^SCH\d{3}$")]
    name: str
    kind: Kind
    region: str
    address: str | None = None
    homepage: str | None = None
    terms: tuple[Term, ...] = ()


class _Register(BaseModel):
    model_config = ConfigDict(extra="forbid")

    terms: tuple[Term, ...]
    schools: tuple[School, ...]


@cache
def schools() -> Mapping[str, School]:
    """Give all schools by id."""
    text = _FILE.read_text(encoding="utf-8")
    register = TypeAdapter(_Register).validate_python(yaml.safe_load(text))
    shared = {"terms": register.terms}
    return MappingProxyType({s.school_id: s.model_copy(update=shared) for s in register.schools})


def find(school_id: str) -> School | None:
    """Give the school of this id, or None."""
    return schools().get(school_id)
