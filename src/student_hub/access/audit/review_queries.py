"""The figures of a monthly review, counted by PostgreSQL."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import TextClause, text

from student_hub.access.audit.entries import FIELDS
from student_hub.access.audit.reviewing import Count, Figures, Period
from student_hub.access.audit.schemas import Action, ExportMade
from student_hub.platform.db.database import Transaction
from student_hub.platform.ids import first_id

MOST_EXPORTS = 100
COLUMNS = ", ".join(FIELDS)
WITHIN = "id >= :first AND id < :behind AND at >= :since AND at < :until"
ENTRIES = f"""
    WITH entries AS (
        SELECT {COLUMNS} FROM audit_log WHERE {WITHIN}
        UNION ALL
        SELECT {COLUMNS} FROM audit_inbox WHERE {WITHIN}
            AND (SELECT seq FROM audit_log WHERE audit_log.id = audit_inbox.id) IS NULL
    )
"""  # noqa: S608 (constants)
EXPORTED = f"action = '{Action.STUDENT_EXPORT.value}' AND outcome = 'ok'"


def _of_entries(query: str) -> TextClause:
    return text(f"{ENTRIES} {query}")


COUNTS = _of_entries(
    f"""
    SELECT subject, action, outcome, array_agg(DISTINCT role) AS roles, count(*) AS entries,
        count(*) FILTER (WHERE extract(hour FROM at AT TIME ZONE 'Asia/Seoul')
            NOT BETWEEN 7 AND 21) AS outside_hours,
        count(*) FILTER (WHERE {EXPORTED} AND reason IS NULL) AS without_reason
    FROM entries GROUP BY subject, action, outcome
    """  # noqa: S608 (constants)
)
STUDENTS = _of_entries(
    "SELECT subject, count(DISTINCT student) AS students "
    "FROM entries, unnest(student_ids) AS student GROUP BY subject"
)
EXPORTS = _of_entries(
    f"""
    SELECT subject, at, door, request_id, cardinality(student_ids) AS students, reason
    FROM (SELECT *, row_number() OVER (PARTITION BY subject ORDER BY id) AS place
        FROM entries WHERE {EXPORTED}) AS exports
    WHERE place <= :most ORDER BY id
    """  # noqa: S608 (constants)
)
MONTHS = _of_entries(
    "SELECT subject, count(*) AS entries FROM entries "
    "GROUP BY subject, date_trunc('month', at AT TIME ZONE 'Asia/Seoul')"
)


async def figures(tx: Transaction, period: Period) -> Figures:
    """What the month was like, and how busy the months before it were."""
    month = _range(period.since, period.until)
    before = _range(period.compared_since, period.since)
    counts = await tx.session.execute(COUNTS, month)
    students = await tx.session.execute(STUDENTS, month)
    months: dict[str, list[int]] = defaultdict(list)
    for row in await tx.session.execute(MONTHS, before):
        months[row.subject].append(row.entries)
    return Figures(
        counts=[Count(**row._asdict()) for row in counts],
        students={row.subject: row.students for row in students},
        exports=await _exports(tx, month),
        months=months,
    )


async def _exports(tx: Transaction, month: Mapping[str, object]) -> dict[str, list[ExportMade]]:
    made: dict[str, list[ExportMade]] = defaultdict(list)
    for row in await tx.session.execute(EXPORTS, {**month, "most": MOST_EXPORTS}):
        made[row.subject].append(ExportMade.model_validate(row._asdict()))
    return made


def _range(since: datetime, until: datetime) -> dict[str, object]:
    # Ids sort by time: the index on them finds a month.
    return {"since": since, "until": until, "first": first_id(since), "behind": first_id(until)}
