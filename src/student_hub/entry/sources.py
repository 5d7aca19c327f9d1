"""What `student-hub import` can read."""

from enum import StrEnum


class Source(StrEnum):
    """What an import file holds."""

    INTERACTIONS = "interactions"
    NDJSON = "ndjson"
