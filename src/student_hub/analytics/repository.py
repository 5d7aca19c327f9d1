"""Classes in PostgreSQL: whether they changed, who is in them, and what they did."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, func, select, text

from student_hub.analytics.learners import Day, Habits
from student_hub.analytics.places import Place
from student_hub.analytics.window import Window
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.db.hot import HotQuery
from student_hub.platform.security.caller import Caller
from student_hub.students.models import StudentGenerationRow, StudentRow


class ClassState(NamedTuple):
    """How many students there are, and a number that is another one after any change of theirs."""

    students: int
    mark: str


# A sum does not depend on the order, and 64 bits of each (student, generation) make it another one
# whenever somebody comes, goes or changes. A maximum would not do: generations are drawn in an
# order in which transactions need not end.
_MARK = func.sum(
    func.hashtextextended(func.concat(StudentRow.id, ":", StudentGenerationRow.generation), 0)
)
_JOINED = StudentGenerationRow.student_id == StudentRow.id
IN_GRADE = (
    StudentRow.school_id == bindparam("school_id"),
    StudentRow.grade == bindparam("grade"),
)
IN_CLASS = (*IN_GRADE, StudentRow.class_name == bindparam("class_name"))


def _state_query(*where: ColumnElement[bool]) -> HotQuery:
    counted: Select[Any] = select().add_columns(func.count().label("students"), _MARK.label("mark"))
    joined = counted.select_from(StudentRow).join(StudentGenerationRow, _JOINED)
    return HotQuery(joined.where(*where))


STATE_OF_GRADE, STATE_OF_CLASS = _state_query(*IN_GRADE), _state_query(*IN_CLASS)
# How long an answer took: what it says itself, half an hour at most; else the time since the event
# before it, if that is one of the same sitting, five minutes at most. So does node 4.
DAYS_OF_STUDENTS = """
    WITH events AS (
        SELECT student_id, occurred_at,
            CAST(occurred_at AT TIME ZONE 'Asia/Seoul' AS date) AS day,
            coalesce(content ->> 'result' IN ('correct', 'incorrect'), false) AS answered,
            CASE WHEN jsonb_typeof(content -> 'time_spent') = 'number' THEN
                least(greatest(CAST(content ->> 'time_spent' AS numeric), 0), 1800) END AS spent,
            extract(epoch FROM occurred_at - lag(occurred_at) OVER mine) AS gap
        FROM learning_history
        WHERE student_id = ANY(:ids) AND occurred_at >= :since AND occurred_at < :until
            AND event_type <> 'intervention'
        WINDOW mine AS (PARTITION BY student_id ORDER BY occurred_at, id)
    ),
    days AS (
        SELECT student_id, day, count(*) FILTER (WHERE answered) AS problems,
            sum(coalesce(spent, CASE WHEN gap < 1800 THEN least(gap, 300) ELSE 0 END)) / 60
                AS minutes,
            count(spent) FILTER (WHERE answered) AS timed,
            count(*) FILTER (WHERE answered AND spent < 3) AS rapid
        FROM events GROUP BY student_id, day
    )
"""
PER_DAY = text(
    DAYS_OF_STUDENTS  # noqa: S608 (fixed text)
    + """
    SELECT day, count(*) AS active, sum(problems) AS problems, sum(minutes) AS minutes
    FROM days WHERE day >= :first_day GROUP BY day ORDER BY day
    """
)
PER_STUDENT = text(
    DAYS_OF_STUDENTS  # noqa: S608 (fixed text)
    + """
    , gaps AS (
        SELECT *, day - lag(day) OVER (PARTITION BY student_id ORDER BY day) AS since_last
        FROM days
    )
    SELECT student_id, max(day) AS last_day,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY since_last) AS usual_gap,
        count(*) FILTER (WHERE day >= :first_day) AS active_days,
        sum(problems) FILTER (WHERE day >= :first_day) AS problems,
        sum(timed) FILTER (WHERE day >= :first_day) AS timed,
        sum(rapid) FILTER (WHERE day >= :first_day) AS rapid,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY minutes) FILTER (WHERE day >= :first_day)
            AS minutes_a_day
    FROM gaps GROUP BY student_id
    """
)


class ClassRepository:
    """Only reads; what the caller of the transaction may not see is not there."""

    async def state(self, db: Database, caller: Caller, place: Place) -> ClassState | None:
        """The class as the caller sees it; None for one without a student."""
        query = STATE_OF_GRADE if place.class_name is None else STATE_OF_CLASS
        row = await db.fetch_row(caller, query, **_values(place))
        if row is None or not row.students:
            return None
        return ClassState(row.students, f"{row.students}.{row.mark}")

    async def roster(self, tx: Transaction, place: Place) -> list[UUID]:
        """The ids of the students there, in their order."""
        where = IN_GRADE if place.class_name is None else IN_CLASS
        query = select(StudentRow.id).where(*where).order_by(StudentRow.id)
        return list(await tx.session.scalars(query, _values(place)))

    async def days(self, tx: Transaction, ids: Sequence[UUID], window: Window) -> list[Day]:
        """What they did together on each day of the window that saw any of them, by date."""
        rows = await tx.session.execute(PER_DAY, _span(ids, window))
        return [Day(row.day, row.active, int(row.problems), round(row.minutes)) for row in rows]

    async def habits(
        self, tx: Transaction, ids: Sequence[UUID], window: Window
    ) -> dict[UUID, Habits]:
        """What each of them did; nobody who did nothing since the window looks back to."""
        rows = await tx.session.execute(PER_STUDENT, _span(ids, window))
        return {row.student_id: _habits(row) for row in rows}


def _values(place: Place) -> dict[str, object]:
    named = {} if place.class_name is None else {"class_name": place.class_name}
    return {"school_id": place.school_id, "grade": place.grade, **named}


def _span(ids: Sequence[UUID], window: Window) -> dict[str, object]:
    return {
        "ids": list(ids),
        "since": window.looks_back,
        "until": window.now,
        "first_day": window.first_day,
    }


def _habits(row: Any) -> Habits:
    return Habits(
        active_days=row.active_days,
        problems=int(row.problems or 0),
        minutes_a_day=row.minutes_a_day,
        timed=int(row.timed or 0),
        rapid=int(row.rapid or 0),
        last_day=row.last_day,
        usual_gap=row.usual_gap,
    )
