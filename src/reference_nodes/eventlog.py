"""The log of learning events that all node processes share (SQLite, WAL).

Events are appended, and taken out for one of two reasons alone: they were voided, or their student
is to be forgotten.
"""

import hashlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from fcntl import LOCK_EX, flock
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Self

import orjson

from reference_nodes.events import LearningEvent

FILE_NAME = "events.sqlite"
LOCK_NAME = "events.lock"
BATCH = 2_000
BUSY_SECONDS = 30.0

SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    student_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    source_node INTEGER NOT NULL,
    source_id TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    problem_id TEXT,
    concepts TEXT,
    correct INTEGER,
    time_spent REAL,
    difficulty REAL,
    content TEXT NOT NULL,
    UNIQUE (source_node, source_id)
) STRICT;
CREATE INDEX IF NOT EXISTS events_of_student ON events (student_id, occurred_at, seq);
CREATE TABLE IF NOT EXISTS voided (digest BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS taken_out (revision INTEGER PRIMARY KEY AUTOINCREMENT) STRICT;
"""
INSERT = """
INSERT INTO events (student_id, event_type, source_node, source_id, occurred_at,
                    problem_id, concepts, correct, time_spent, difficulty, content)
SELECT ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12
WHERE NOT EXISTS (SELECT 1 FROM voided WHERE digest = ?1) ON CONFLICT DO NOTHING
"""
STANDING = """
SELECT (SELECT max(seq) FROM events), (SELECT max(revision) FROM taken_out)
"""
SELECT = """
SELECT seq, student_id, event_type, occurred_at, problem_id, concepts, correct, time_spent,
       difficulty FROM events
"""

Row = tuple[int, str, str, int, str | None, str | None, int | None, float | None, float | None]


class LoggedEvent(NamedTuple):
    """One row of the log; `at` in seconds since 1970, `concepts` None where none were sent."""

    seq: int
    student_id: str
    event_type: str
    at: float
    problem_id: str | None
    concepts: tuple[str, ...] | None
    correct: bool | None
    time_spent: float | None
    difficulty: float | None

    @property
    def occurred_at(self) -> datetime:
        """The moment, aware, in UTC."""
        return datetime.fromtimestamp(self.at, UTC)

    @property
    def is_answer(self) -> bool:
        """Whether somebody got a problem right or wrong."""
        return self.problem_id is not None and self.correct is not None


class Appended(NamedTuple):
    """How many events were new, and how many the log already had."""

    recorded: int
    repeated: int


class Standing(NamedTuple):
    """The number of the newest event, and how often events have been taken out; 0 for never."""

    head: int
    revision: int


class EventLog:
    """The log in one folder. Safe to use from several threads and several processes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(
            folder / FILE_NAME,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            self._prepare(folder / LOCK_NAME)
        except BaseException:
            self._db.close()
            raise

    def append(self, events: Iterable[LearningEvent]) -> Appended:
        """Store what is new, 2,000 events a transaction; the same events again change nothing."""
        sent = recorded = 0
        rows = iter(map(_row, events))
        while batch := list(islice(rows, BATCH)):
            sent += len(batch)
            recorded += self._insert(batch)
        return Appended(recorded, sent - recorded)

    def void(self, source_node: int, source_id: str) -> bool:
        """Take an event out for good, also should it come later; whether it was there."""
        digest = _digest(source_node, source_id)
        with self._writing():
            self._db.execute("INSERT OR IGNORE INTO voided VALUES (?)", (digest,))
            where = "WHERE source_node = ? AND source_id = ?"
            return bool(self._take_out(where, (source_node, source_id)))

    def forget(self, student_id: str) -> int:
        """Take all events of a student out, overwritten in the files too; how many there were."""
        with self._writing():
            gone = self._take_out("WHERE student_id = ?", (student_id,))
        with self._lock:
            # What the write-ahead log has of them goes into the database file, and it is cut off;
            # while another process reads, that waits until the next time.
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone

    def head(self) -> int:
        """The number of the newest event, 0 for an empty log."""
        return self.standing().head

    def standing(self) -> Standing:
        """How far the log is: whoever follows it begins anew when its revision is another one."""
        with self._lock:
            head, revision = self._db.execute(STANDING).fetchone()
        return Standing(int(head or 0), int(revision or 0))

    def read_after(self, seq: int, limit: int = BATCH) -> list[LoggedEvent]:
        """At most `limit` events that came after number `seq`, in the order of their coming."""
        return self._read("WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit))

    def of_student(
        self, student_id: str, since: float = float("-inf"), until: float = float("inf")
    ) -> list[LoggedEvent]:
        """A student's events with since <= at < until, by (occurred_at, seq)."""
        bounds = (student_id, _micros(since), _micros(until))
        where = "WHERE student_id = ? AND occurred_at >= ? AND occurred_at < ?"
        return self._read(f"{where} ORDER BY occurred_at, seq", bounds)

    def last_before(self, student_id: str, until: float) -> LoggedEvent | None:
        """A student's newest event before a moment (seconds since 1970), None without any."""
        where = "WHERE student_id = ? AND occurred_at < ? ORDER BY occurred_at DESC, seq DESC"
        found = self._read(f"{where} LIMIT 1", (student_id, _micros(until)))
        return found[0] if found else None

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _prepare(self, lock: Path) -> None:
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA secure_delete = ON")
        with lock.open("w") as alone:
            # Going over to WAL does not wait for its turn: it fails when two do it at once.
            flock(alone, LOCK_EX)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.executescript(SCHEMA)

    def _insert(self, batch: list[tuple[object, ...]]) -> int:
        with self._writing():
            return self._db.executemany(INSERT, batch).rowcount

    def _take_out(self, where: str, values: tuple[str | int, ...]) -> int:
        gone = self._db.execute(f"DELETE FROM events {where}", values).rowcount  # noqa: S608 (fixed texts)
        if gone:
            self._db.execute("INSERT INTO taken_out DEFAULT VALUES")
        return gone

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _read(self, where: str, values: tuple[str | int, ...]) -> list[LoggedEvent]:
        with self._lock:
            rows = self._db.execute(f"{SELECT} {where}", values).fetchall()
        return [_logged(row) for row in rows]


def _row(event: LearningEvent) -> tuple[object, ...]:
    content = event.content
    concepts = content.concepts
    return (
        _digest(event.source_node, event.source_id),
        str(event.student_id),
        event.event_type,
        event.source_node,
        event.source_id,
        _micros(event.occurred_at.timestamp()),
        content.problem_id,
        None if concepts is None else orjson.dumps(list(dict.fromkeys(concepts))).decode(),
        None if content.result is None else int(content.result == "correct"),
        content.time_spent,
        content.difficulty,
        content.model_dump_json(exclude_unset=True),
    )


def _digest(source_node: int, source_id: str) -> bytes:
    """What is kept of a voided event: enough to know it again, and nothing to read."""
    return hashlib.sha256(f"{source_node}|{source_id}".encode()).digest()


def _micros(seconds: float) -> int:
    return round(max(-(2.0**52), min(2.0**52, seconds * 1e6)))


@lru_cache(maxsize=65_536)
def _concepts(text: str) -> tuple[str, ...]:
    return tuple(orjson.loads(text))


def _logged(row: Row) -> LoggedEvent:
    seq, student, kind, at, problem, concepts, correct, spent, difficulty = row
    return LoggedEvent(
        seq,
        student,
        kind,
        at / 1e6,
        problem,
        None if concepts is None else _concepts(concepts),
        None if correct is None else correct == 1,
        spent,
        difficulty,
    )
