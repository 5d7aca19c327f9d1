"""Events on their way in: each checked by itself, and made ready for the database."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
from pydantic import JsonValue, ValidationError

from student_hub.history.schemas import Code, EventIn, Refused
from student_hub.platform.ndjson import Unreadable
from student_hub.students.schemas import Fault, State

MOST_CONTENT_BYTES = 16 * 1_024
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD = timedelta(hours=24)
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""A NUL as JSON writes it. Behind another backslash u0000 is plain text, and may be kept."""

Key = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Ready:
    """A good event: its place in the batch, its content as JSON, the fingerprint of all it says."""

    index: int
    event: EventIn
    content: str
    fingerprint: bytes

    @property
    def key(self) -> Key:
        return self.event.source_node, self.event.source_id


@dataclass(slots=True)
class Batch:
    """A batch taken apart; events that say the same twice stand in it once."""

    ready: dict[Key, Ready] = field(default_factory=dict)
    again: dict[Key, list[Ready]] = field(default_factory=dict)
    known: int = 0
    refused: list[Refused] = field(default_factory=list)

    @property
    def repeated(self) -> int:
        """How many events were known, or were in the batch already."""
        return self.known + sum(map(len, self.again.values()))

    @property
    def students(self) -> set[UUID]:
        return {item.event.student_id for item in self.ready.values()}

    def copy(self) -> "Batch":
        """The batch to work on: this one stays as it is."""
        return Batch(dict(self.ready), dict(self.again), self.known, list(self.refused))

    def take(self, item: Ready) -> None:
        first = self.ready.setdefault(item.key, item)
        if first is item:
            return
        if first.fingerprint == item.fingerprint:
            self.again.setdefault(item.key, []).append(item)
        else:
            self._refuse(item, CONFLICT, Code.CONFLICT)

    def refuse(self, key: Key, fault: Fault, code: Code) -> None:
        """Refuses the event, and its repeats in the batch with it."""
        for item in (self.ready.pop(key), *self.again.pop(key, ())):
            self._refuse(item, fault, code)

    def drop_strangers(self, known: set[UUID]) -> None:
        """Refuses the events of all other students."""
        for key, item in list(self.ready.items()):
            if item.event.student_id not in known:
                self.refuse(key, STRANGER, Code.UNKNOWN_STUDENT)

    def drop_closed(self, closed: Mapping[UUID, State]) -> None:
        """Refuses the events of students whose data must not be processed."""
        for key, item in list(self.ready.items()) if closed else ():
            if item.event.student_id in closed:
                problem = f"is of a student whose state is {closed[item.event.student_id]}"
                self.refuse(key, Fault("student_id", problem), Code.PROCESSING_STOPPED)

    def _refuse(self, item: Ready, fault: Fault, code: Code) -> None:
        source_id = item.event.source_id
        self.refused.append(_refused(item.index, source_id, fault, code))


CONFLICT = Fault("source_id", "is known with other content")
STRANGER = Fault("student_id", "is of no student")
VOIDED = Fault("source_id", "was voided and stays so")


def check(entries: Iterable[object], now: datetime, earliest: datetime = EARLIEST) -> Batch:
    """Takes the batch apart: a bad event is refused with its field and costs no other one.

    So is one from before `earliest`, as far back as the history is kept.
    """
    batch = Batch()
    for index, entry in enumerate(entries):
        checked = _check(index, entry, now, earliest)
        if isinstance(checked, Ready):
            batch.take(checked)
        else:
            batch.refused.append(_refused(index, _source_id(entry), checked, Code.INVALID))
    return batch


def _check(index: int, entry: object, now: datetime, earliest: datetime) -> Ready | Fault:
    if isinstance(entry, Unreadable):
        return Fault("", entry.problem)
    try:
        event = EventIn.model_validate(entry)
    except ValidationError as error:
        return Fault.first(error)
    if not EARLIEST <= event.occurred_at <= now + AHEAD:
        return Fault("occurred_at", "is before 2000 or more than 24 hours ahead")
    if event.occurred_at < earliest:
        return Fault("occurred_at", "is older than the history is kept")
    return _ready(index, event)


def _ready(index: int, event: EventIn) -> Ready | Fault:
    try:
        content = _json(event.content)
    except (TypeError, ValueError) as error:
        return Fault("content", f"cannot be kept: {error}")
    if len(content) > MOST_CONTENT_BYTES:
        return Fault("content", f"is larger than {MOST_CONTENT_BYTES} bytes of JSON")
    if NUL.search(content):
        return Fault("content", "has a NUL character")
    return Ready(index, event, content.decode(), _fingerprint(event, content))


def _json(content: dict[str, JsonValue]) -> bytes:
    text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    if text.isascii() or unicodedata.is_normalized("NFC", text.decode()):
        return text
    return orjson.dumps(_composed(content), option=orjson.OPT_SORT_KEYS)


def _composed(value: JsonValue) -> JsonValue:
    match value:
        case str():
            return unicodedata.normalize("NFC", value)
        case list():
            return [_composed(item) for item in value]
        case dict():
            return {unicodedata.normalize("NFC", key): _composed(v) for key, v in value.items()}
        case _:
            return value


def _fingerprint(event: EventIn, content: bytes) -> bytes:
    said = f"{event.student_id}|{event.event_type}|{event.occurred_at.isoformat()}|".encode()
    return hashlib.sha256(said + content).digest()


def _refused(index: int, source_id: str | None, fault: Fault, code: Code) -> Refused:
    return Refused(
        index=index, source_id=source_id, field=fault.field, problem=fault.problem, code=code
    )


def _source_id(entry: object) -> str | None:
    """The sender's name for a broken event, as far as it has one that can be shown."""
    value = entry.get("source_id") if isinstance(entry, dict) else None
    return value[:200] if isinstance(value, str) and value.isprintable() else None
