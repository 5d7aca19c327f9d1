"""Keys as they are asked for and shown."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from student_hub.platform.security.caller import Scope
from student_hub.platform.text import Text

LONGEST_LIFE_DAYS = 3_650


class NewKey(BaseModel):
    """What is wanted of a new key."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Text, Field(max_length=100, description="Whose or what for.")]
    scopes: Annotated[set[Scope], Field(min_length=1)]
    expires_in_days: Annotated[int, Field(ge=1, le=LONGEST_LIFE_DAYS, strict=True)] = 365


class Key(BaseModel):
    """A key without its secret; `prefix` is how it begins."""

    id: str
    prefix: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class IssuedKey(Key):
    """A new key with its secret, which is shown this once."""

    key: str
