"""The monthly review of access records, out of figures.

Korea's safety standard for personal data (개인정보의 안전성 확보조치 기준, 제8조) asks for it:
records are checked at least once a month, and why data was downloaded is confirmed.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from student_hub.access.audit.schemas import AuditReview, ExportMade, Outcome, SubjectReview
from student_hub.platform.errors import InvalidInput

SEOUL = ZoneInfo("Asia/Seoul")
MONTHS_BEFORE = 6
UNUSUAL_TIMES = 3
UNUSUAL_FROM = 100


@dataclass(frozen=True, slots=True)
class Period:
    """A month, and the months before it that it is compared with."""

    month: str
    since: datetime
    until: datetime
    compared_since: datetime

    @classmethod
    def of(cls, month: str) -> "Period":
        """The month of Asia/Seoul that is called so, such as 2026-11; InvalidInput for none."""
        try:
            since = datetime.strptime(month, "%Y-%m").replace(tzinfo=SEOUL)
        except ValueError as error:
            raise InvalidInput.field("month", "is not a month such as 2026-11") from error
        before = since
        for _ in range(MONTHS_BEFORE):
            before = (before - timedelta(days=1)).replace(day=1)
        until = (since + timedelta(days=32)).replace(day=1)
        return cls(month, since, until, before)


@dataclass(frozen=True, slots=True)
class Count:
    """How often a subject did something in the month."""

    subject: str
    action: str
    outcome: str
    roles: list[str]
    entries: int
    outside_hours: int
    without_reason: int
    """Exports of which nobody said why."""


@dataclass(frozen=True, slots=True)
class Figures:
    """All that a review is made of, by subject."""

    counts: list[Count]
    students: dict[str, int]
    exports: dict[str, list[ExportMade]]
    months: dict[str, list[int]]
    """Entries in each of the months before, without those that have none."""


@dataclass(slots=True)
class _Sum:
    roles: set[str] = field(default_factory=set)
    actions: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    entries: int = 0
    refused: int = 0
    outside_hours: int = 0
    without_reason: int = 0

    def add(self, count: Count) -> None:
        self.roles.update(count.roles)
        self.actions[count.action] += count.entries
        self.entries += count.entries
        self.refused += count.entries if count.outcome == Outcome.REFUSED else 0
        self.outside_hours += count.outside_hours
        self.without_reason += count.without_reason


def review_of(period: Period, figures: Figures) -> AuditReview:
    """The review of the month, the busiest subject first."""
    sums = _sums(figures.counts)
    busiest = sorted(sums, key=lambda subject: (-sums[subject].entries, subject))
    return AuditReview(
        month=period.month,
        since=period.since,
        until=period.until,
        entries=sum(one.entries for one in sums.values()),
        subjects=[_subject(name, sums[name], figures) for name in busiest],
    )


def _sums(counts: Iterable[Count]) -> dict[str, _Sum]:
    sums: dict[str, _Sum] = defaultdict(_Sum)
    for count in counts:
        sums[count.subject].add(count)
    return sums


def _subject(name: str, one: _Sum, figures: Figures) -> SubjectReview:
    months = figures.months.get(name, [])
    usual = float(median(months)) if months else None
    many = one.entries >= UNUSUAL_FROM
    return SubjectReview(
        subject=name,
        roles=sorted(one.roles),
        entries=one.entries,
        actions=dict(sorted(one.actions.items())),
        students=figures.students.get(name, 0),
        exports=figures.exports.get(name, []),
        exports_without_reason=one.without_reason,
        refused=one.refused,
        outside_hours=one.outside_hours,
        usual=usual,
        unusual=usual is not None and many and one.entries > UNUSUAL_TIMES * usual,
    )
