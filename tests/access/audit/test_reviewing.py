"""The monthly review of access records."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from access.audit.persons import ADMIN, STUDENT, teacher
from student_hub.access.audit.keeping import LogKeeper
from student_hub.access.audit.reviewing import (
    SEOUL,
    UNUSUAL_FROM,
    Count,
    Figures,
    Period,
    review_of,
)
from student_hub.access.audit.schemas import Action, Outcome
from student_hub.access.audit.service import Audit
from student_hub.access.audit.spool import Spool
from student_hub.platform.db.database import Database
from student_hub.platform.errors import InvalidInput

pytestmark = pytest.mark.requirement("audit-queries")
At = Callable[[datetime], Audit]


@pytest.fixture
def at(database: Database, spool_folder: Path) -> At:
    """An audit whose clock stands at that time."""
    spool = Spool(spool_folder)
    return lambda time: Audit(database, spool, lambda: time)


def seoul(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SEOUL)


async def test_a_month_is_summed_up_by_subject(at: At, keeper: LogKeeper) -> None:
    """What was done, to how many, what went out and why, what was refused, and when at night."""
    kim, lee = teacher("kim"), teacher("lee")
    for hour, minute in ((6, 59), (7, 0), (21, 59), (22, 0), (3, 0)):
        at(seoul(11, 3, hour, minute)).saw(kim, Action.PROFILE_READ, [STUDENT])
    at(seoul(11, 30, 23, 59)).saw(kim, Action.STUDENT_LIST, [uuid4(), uuid4(), STUDENT])
    noon = at(seoul(11, 10, 12))
    noon.saw(kim, Action.STUDENT_EXPORT, [STUDENT], reason="전학 서류")
    at(seoul(11, 10, 13)).saw(kim, Action.STUDENT_EXPORT, [STUDENT])
    noon.saw(kim, Action.STUDENT_EXPORT, [STUDENT], outcome=Outcome.REFUSED)
    noon.saw(lee, Action.PROFILE_READ, [STUDENT])
    at(seoul(10, 31, 23, 59)).saw(kim, Action.PROFILE_READ, [STUDENT])
    at(seoul(12, 1, 0)).saw(kim, Action.PROFILE_READ, [STUDENT])
    await noon.drain()
    await keeper.seal()
    review = await noon.review(ADMIN, "2026-11")
    assert (review.entries, [one.subject for one in review.subjects]) == (10, ["kim", "lee"])
    one, other = review.subjects
    assert one.actions == {"profile.read": 5, "student.export": 3, "student.list": 1}
    assert (one.roles, one.students, one.refused, one.outside_hours) == (["teacher"], 3, 1, 4)
    assert [(made.students, made.reason) for made in one.exports] == [(1, "전학 서류"), (1, None)]
    assert (one.exports_without_reason, one.usual, one.unusual) == (1, 1.0, False)
    assert (other.usual, other.exports, other.outside_hours) == (None, [], 0)


async def test_entries_that_are_not_sealed_yet_count_too(at: At) -> None:
    """And each one once."""
    noon = at(seoul(11, 10, 12))
    noon.saw(teacher("kim"), Action.PROFILE_READ, [STUDENT])
    await noon.drain()
    assert (await noon.review(ADMIN, "2026-11")).entries == 1


async def test_the_months_before_say_what_is_usual(at: At, keeper: LogKeeper) -> None:
    """Six of them, those without an entry left out."""
    for month, count in ((4, 9), (5, 2), (7, 4), (10, 3)):
        for _ in range(count):
            at(seoul(month, 15, 12)).saw(teacher("kim"), Action.PROFILE_READ, [STUDENT])
    now = at(seoul(11, 10, 12))
    now.saw(teacher("kim"), Action.PROFILE_READ, [STUDENT])
    await now.drain()
    await keeper.seal()
    (one,) = (await now.review(ADMIN, "2026-11")).subjects
    assert one.usual == 3.0


@pytest.mark.parametrize(
    ("entries", "months", "unusual"),
    [
        (UNUSUAL_FROM, [33], True),
        (UNUSUAL_FROM - 1, [1], False),
        (300, [100], False),
        (301, [100], True),
        (301, [100, 90, 500], True),
        (301, [100, 101], False),
        (5_000, [], False),
    ],
)
def test_a_volume_is_unusual_beside_the_subjects_own_months(
    entries: int, months: list[int], *, unusual: bool
) -> None:
    """Over three times the median, from a hundred entries on; a new subject has nothing beside."""
    count = Count("kim", "profile.read", "ok", ["teacher"], entries, 0, 0)
    figures = Figures([count], {}, {}, {"kim": months} if months else {})
    (one,) = review_of(Period.of("2026-11"), figures).subjects
    assert one.unusual is unusual


def test_a_month_is_one_of_seoul() -> None:
    """From midnight there to midnight; and six months before it, over a year's end."""
    period = Period.of("2027-02")
    assert period.since.astimezone(UTC) == datetime(2027, 1, 31, 15, tzinfo=UTC)
    assert period.until - period.since == timedelta(days=28)
    assert period.compared_since == datetime(2026, 8, 1, tzinfo=SEOUL)


@pytest.mark.parametrize("month", ["2026-13", "2026", "", "November", "2026-11-01"])
def test_what_is_no_month_is_refused(month: str) -> None:
    """Named as such."""
    with pytest.raises(InvalidInput, match="month"):
        Period.of(month)
