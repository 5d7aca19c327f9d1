"""Profiles as JSON: put together once, and served from the cache without being parsed again.

A whole profile is kept as the JSON of its sections, without the student's name and without what
changes with time. Serving it puts the register's part in front and the sources' ages behind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

import orjson

from student_hub.nodes.registry import NodeName
from student_hub.platform.codes import structured
from student_hub.platform.errors import HubError
from student_hub.platform.text import is_label, visible
from student_hub.profiles.schemas import BasicInfo
from student_hub.students.schemas import Student

HEAD = b'{"student_id":"%b","basic_info":%b,'
FRAME = b',"sources":{%b},"cached":true,"generated_at":"%b"}'
CACHED = b'"%b":{"node":%d,"state":"cached","age_seconds":%%.3f,"answered_at":"%b","reason":null}'
SKIPPED = b'"%b":{"node":%d,"state":"skipped","age_seconds":null,"answered_at":null,"reason":null}'
PARTS = 3
BASIC = tuple(BasicInfo.model_fields)


@dataclass(frozen=True, slots=True)
class Whole:
    """All sections of a profile as JSON members, and when each node answered (epoch seconds).

    `frame` is what comes behind them; in it only the ages are missing, in the order of `answered`.
    """

    members: bytes
    answered: dict[str, float]
    frame: bytes

    @classmethod
    def of(cls, members: bytes, times: Mapping[NodeName, float]) -> "Whole":
        """The sections and their times, to be kept."""
        answered = {node.value: times[node] for node in NodeName if node in times}
        sources = [
            CACHED % (node.value.encode(), node.number, instant(times[node]))
            if node in times
            else SKIPPED % (node.value.encode(), node.number)
            for node in NodeName
        ]
        return cls(members, answered, FRAME % (b",".join(sources), instant(max(times.values()))))

    @classmethod
    def decode(cls, data: bytes | None) -> "Whole | None":
        """What `encode` made; None for nothing, and for what was kept in another form."""
        parts = [] if data is None else data.split(b"\n", 2)
        if len(parts) != PARTS:
            return None
        answered, frame, members = parts
        return cls(members, orjson.loads(answered), frame)

    def encode(self) -> bytes:
        return b"\n".join((orjson.dumps(self.answered), self.frame, self.members))

    def age_s(self, now: datetime) -> float:
        """Seconds since the oldest answer in it."""
        return now.timestamp() - min(self.answered.values())

    def render(self, student: Student, now: datetime) -> bytes:
        """The profile of that student, `cached`, with every source's age."""
        at = now.timestamp()
        ages = tuple([max(0.0, at - answered) for answered in self.answered.values()])
        head = HEAD % (str(student.id).encode(), basic_json(student))
        return b"".join((head, self.members, self.frame % ages))


def render_entry(student_id: UUID, outcome: bytes | HubError) -> bytes:
    """A student's place in an answer about many: the profile, or the error that is theirs alone."""
    name = str(student_id).encode()
    if isinstance(outcome, HubError):
        error = orjson.dumps(structured(outcome))
        return b'{"student_id":"%s","profile":null,"error":%s}' % (name, error)
    return b'{"student_id":"%s","profile":%s,"error":null}' % (name, outcome)


def basic_json(student: Student) -> bytes:
    """Who the student is, as a profile says it: a `BasicInfo`."""
    return orjson.dumps({name: _set_apart(getattr(student, name)) for name in BASIC})


@lru_cache(maxsize=20_000)
def _set_apart(value: str | int) -> object:
    """A name as it is, anything else that was written in its place as `Untrusted`."""
    if isinstance(value, int) or is_label(value):
        return value
    return {"untrusted_text": visible(value)}


def instant(epoch: float) -> bytes:
    """That moment (epoch seconds) as JSON shows it, in UTC."""
    return datetime.fromtimestamp(epoch, UTC).isoformat().replace("+00:00", "Z").encode()
