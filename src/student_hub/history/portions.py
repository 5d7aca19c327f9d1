"""New events in portions that node 4 takes in one call."""

from collections.abc import Iterable, Iterator

from student_hub.history.repository import StoredEvent

AT_ONCE = 500
MOST_BYTES = 1_024 * 1_024


def portions(stored: Iterable[StoredEvent]) -> Iterator[list[int]]:
    """The events' ids, ascending, in portions of at most 500 and of at most 1 MiB of content."""
    ids: list[int] = []
    size = 0
    for event in sorted(stored, key=lambda event: event.id):
        more = len(event.item.content.encode())
        if ids and (len(ids) == AT_ONCE or size + more > MOST_BYTES):
            yield ids
            ids, size = [], 0
        ids.append(event.id)
        size += more
    if ids:
        yield ids
