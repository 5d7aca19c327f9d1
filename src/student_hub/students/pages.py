"""Where a page of students ended."""

from uuid import UUID

from student_hub.platform.errors import InvalidInput


def position_of(cursor: str | None) -> UUID | None:
    """The id after which the next page begins; InvalidInput for what no page gave."""
    try:
        return None if cursor is None else UUID(cursor)
    except ValueError as error:
        raise InvalidInput.field("cursor", "is not one that a page gave") from error
