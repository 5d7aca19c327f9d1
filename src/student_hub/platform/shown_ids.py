"""Ids as people and models see them: `INT_…`, a prefix and the digits of the UUID."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

HEX = r"[0-9a-fA-F]"
PLAIN = re.compile(rf"{HEX}{{8}}(-{HEX}{{4}}){{3}}-{HEX}{{12}}")


@dataclass(frozen=True, slots=True)
class Shown:
    """Marks a UUID that goes out with the prefix, and comes in with it or as a plain UUID.

    `InterventionId = Annotated[UUID, Shown("INT")]`
    """

    prefix: str

    def show(self, value: UUID) -> str:
        """INT_550e8400e29b41d4a716446655440000."""
        return f"{self.prefix}_{value.hex}"

    def read(self, value: object) -> UUID:
        """The UUID of either form; PydanticCustomError for anything else."""
        if isinstance(value, UUID):
            return value
        if isinstance(value, str):
            marked = value.removeprefix(f"{self.prefix}_")
            if marked != value and re.fullmatch(rf"{HEX}{{32}}", marked):
                return UUID(hex=marked)
            if PLAIN.fullmatch(value):
                return UUID(value)
        raise PydanticCustomError(
            "shown_id",
            "should be {prefix}_ and 32 hexadecimal digits, or a UUID",
            {"prefix": self.prefix},
        )

    def __get_pydantic_core_schema__(
        self, _source: Any, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                self.show, return_schema=core_schema.str_schema()
            ),
        )

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            "type": "string",
            "pattern": rf"^({self.prefix}_{HEX}{{32}}|{PLAIN.pattern})$",
            "examples": [self.show(UUID(int=0x550E8400E29B41D4A716446655440000))],
        }
