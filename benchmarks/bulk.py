"""A register and a history of any size, put into PostgreSQL by itself: a million rows a minute.

The rows are as the hub writes them, but for what is sealed: every student's is a copy of one
student's, under a key that does not open it. They are there to be in the way, not to be read.
Triggers and foreign keys are off meanwhile: no million of notifications, no million of look-ups.
"""

import asyncpg

PER_STATEMENT = 250_000
MONTHS = 12
OWN_SHARE = 100
"""Every so many-th event is one of the students whom the bench asks for."""

BULK_ID = "md5('bulk-student-' || n)::uuid"
STUDENTS = f"""
WITH of AS (SELECT * FROM students WHERE id = $1),
numbers AS (SELECT n FROM generate_series($2::int, $3::int) AS n),
put AS (
    INSERT INTO students (id, name, name_index, school_id, grade, class_name, student_number,
        email, parent_contact, care, metadata, created_at, updated_at)
    SELECT {BULK_ID}, name, sha256(int4send(n)), 'BULK' || n / 1000, 1 + n / 100 % 12,
        n / 25 % 4 + 1 || '반', n::text, email, parent_contact, care, metadata, now(), now()
    FROM numbers, of
), keys AS (
    INSERT INTO student_keys (student_id, wrapped, key_id)
    SELECT {BULK_ID}, wrapped, key_id FROM numbers, student_keys WHERE student_id = $1
)
INSERT INTO student_generations (student_id, generation)
SELECT {BULK_ID}, nextval('student_generation_seq') FROM numbers
"""  # noqa: S608 (our own words)
EVENTS = f"""
WITH made AS MATERIALIZED (
    SELECT m, nextval('learning_history_id_seq') AS id, 'bulk-' || m AS source_id,
        now() - make_interval(mins => (m::bigint * 7919 % ({MONTHS} * 30 * 1440))::int) AS at,
        CASE WHEN m % {OWN_SHARE} = 0
            THEN ($1::uuid[])[1 + m / {OWN_SHARE} % cardinality($1::uuid[])]
            ELSE {BULK_ID} END AS student_id
    FROM generate_series($3::int, $4::int) AS m,
        LATERAL (SELECT (m::bigint * 104729 % $2)::int AS n) AS of
), keys AS (
    INSERT INTO event_keys
        (source_node, source_id, student_id, event_id, occurred_at, fingerprint)
    SELECT 4, source_id, student_id, id, at, sha256(int4send(m)) FROM made
)
INSERT INTO learning_history
    (id, student_id, event_type, source_node, source_id, content, occurred_at)
SELECT id, student_id, 'study', 4, source_id, jsonb_build_object(
    'node', 4, 'action', 'solved_problem', 'problem_id', 'prob_' || m % 5000,
    'result', CASE WHEN m % 3 = 0 THEN 'incorrect' ELSE 'correct' END,
    'time_spent', m % 300, 'difficulty', 0.65), at
FROM made
"""  # noqa: S608 (our own words)


class Bulk:
    """Fills one hub's database; `own` are students whom the hub itself has put there."""

    def __init__(self, url: str, own: list[str]) -> None:
        self._url = url
        self._own = own
        self._students = 0
        self._events = 0

    async def grow(self, students: int, events: int) -> None:
        """Until there are so many of both beside the hub's own."""
        db = await asyncpg.connect(self._url)
        try:
            await db.execute("SET session_replication_role = replica")
            await self._months(db)
            for first in range(self._students, students, PER_STATEMENT):
                last = min(first + PER_STATEMENT, students) - 1
                await db.execute(STUDENTS, self._own[0], first, last)
            for first in range(self._events, events, PER_STATEMENT):
                last = min(first + PER_STATEMENT, events) - 1
                await db.execute(EVENTS, self._own, students, first, last)
            self._students, self._events = students, events
            await db.execute("VACUUM ANALYZE")
            await db.execute("CHECKPOINT")
        finally:
            await db.close()

    async def bytes(self) -> int:
        """What the database takes on disk."""
        db = await asyncpg.connect(self._url)
        try:
            return int(await db.fetchval("SELECT pg_database_size(current_database())"))
        finally:
            await db.close()

    async def _months(self, db: asyncpg.Connection) -> None:
        for back in range(MONTHS + 1):
            await db.execute(
                "SELECT learning_history_make_partition("
                "(date_trunc('month', now()) - make_interval(months => $1))::date)",
                back,
            )
