"""Reading `concepts/*.yaml`: the shape of the files, and complaints that name what is wrong."""

from collections.abc import Hashable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

Domain = Literal["수와 연산", "변화와 관계", "도형과 측정", "자료와 가능성"]
DOMAINS: tuple[Domain, ...] = get_args(Domain)
FOLDER = Path(__file__).parent / "concepts"

Text = Annotated[str, Field(min_length=1, max_length=120)]


class CurriculumError(ValueError):
    """The curriculum files contradict themselves; the message names every place."""


class UnitHeading(BaseModel):
    """A line that says where the concepts after it stand."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: Text
    grade: Annotated[int, Field(ge=1, le=12)]
    domain: Domain


class ConceptEntry(BaseModel):
    """One concept as written in a file; `needs` maps a prerequisite's code to the reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: Text
    name: Text
    name_en: Text
    also: tuple[Text, ...] = ()
    needs: dict[Text, Text] = {}


_FILE: TypeAdapter[list[UnitHeading | ConceptEntry]] = TypeAdapter(list[UnitHeading | ConceptEntry])


class _Loader(yaml.SafeLoader):
    """Refuses a key written twice, which YAML readers otherwise drop without a word."""

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Hashable, object]:
        keys = [str(key.value) for key, _ in node.value]
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise CurriculumError(f"{node.start_mark}: written twice: {', '.join(twice)}")
        return super().construct_mapping(node, deep)


def entries(folder: Path = FOLDER) -> list[tuple[UnitHeading, ConceptEntry]]:
    """Give every concept of the folder's files with its unit, in file order.

    Raises:
        CurriculumError: a file is missing or not of the expected shape.
    """
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise CurriculumError(f"no curriculum files in {folder}")
    return [pair for path in files for pair in read(path.read_text(encoding="utf-8"), path.name)]


def read(text: str, name: str) -> list[tuple[UnitHeading, ConceptEntry]]:
    """Give the concepts of one file's text; `name` is what complaints call it."""
    try:
        lines = _FILE.validate_python(yaml.load(text, _Loader))  # noqa: S506 -- a SafeLoader
    except (yaml.YAMLError, ValidationError) as error:
        raise CurriculumError(f"{name}: {error}") from error
    return list(_under_headings(lines, name))


def _under_headings(
    lines: Iterable[UnitHeading | ConceptEntry], name: str
) -> Iterator[tuple[UnitHeading, ConceptEntry]]:
    heading: UnitHeading | None = None
    for line in lines:
        if isinstance(line, UnitHeading):
            heading = line
        elif heading is None:
            raise CurriculumError(f"{name}: {line.code} stands before any unit")
        else:
            yield heading, line
