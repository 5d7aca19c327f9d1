"""Who may read the log, what they see of it, and that this is noted too."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from access.audit.persons import ADMIN, NOW, STUDENT, bar, teacher
from student_hub.access.audit.errors import AuditAway
from student_hub.access.audit.keeping import LogKeeper
from student_hub.access.audit.schemas import Action, AuditFilter, Outcome
from student_hub.access.audit.service import Audit
from student_hub.access.audit.spool import Spool
from student_hub.platform.db.database import Database
from student_hub.platform.errors import InvalidInput, NotAllowed
from student_hub.platform.security.caller import Caller, Door, Origin, Role

pytestmark = pytest.mark.requirement("audit-queries")
OTHER = UUID("550e8400-e29b-41d4-a716-446655440001")


class Hours:
    """A clock that goes on an hour with each look."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        self.now += timedelta(hours=1)
        return self.now


@pytest.fixture
async def told(database: Database, spool_folder: Path, keeper: LogKeeper) -> Audit:
    """Six entries, an hour apart, of which the first three are sealed."""
    audit = Audit(database, Spool(spool_folder), Hours(NOW))
    audit.saw(teacher("kim"), Action.PROFILE_READ, [STUDENT])
    audit.saw(teacher("lee"), Action.PROFILE_READ, [OTHER])
    audit.saw(teacher("kim"), Action.STUDENT_LIST, [STUDENT, OTHER])
    await audit.drain()
    await keeper.seal()
    audit.saw(teacher("lee"), Action.STUDENT_READ, [STUDENT], outcome=Outcome.REFUSED)
    origin = Origin(Door.REST, "192.0.2.8", "r-5")
    parent = Caller("park", frozenset(), Role.PARENT, frozenset(), "c", origin)
    audit.saw(parent, Action.STUDENT_EXPORT, [STUDENT], reason="내 아이의 기록")
    async with database.transaction() as tx:
        await audit.note(tx, ADMIN, Action.STUDENT_UPDATE, [STUDENT], detail={"fields": "email"})
    await audit.drain()
    return audit


FILTERS: list[tuple[AuditFilter, list[int]]] = [
    (AuditFilter(), [6, 5, 4, 3, 2, 1]),
    (AuditFilter(subject="kim"), [3, 1]),
    (AuditFilter(student_id=OTHER), [3, 2]),
    (AuditFilter(action=Action.PROFILE_READ), [2, 1]),
    (AuditFilter(door=Door.REST), [5]),
    (AuditFilter(outcome=Outcome.REFUSED), [4]),
    (AuditFilter(since=NOW + timedelta(hours=5)), [6, 5]),
    (AuditFilter(until=NOW + timedelta(hours=2)), [1]),
    (AuditFilter(since=NOW + timedelta(hours=2), until=NOW + timedelta(hours=4)), [3, 2]),
    (AuditFilter(subject="kim", student_id=OTHER), [3]),
    (AuditFilter(student_id=uuid4()), []),
]


@pytest.mark.parametrize(("wanted", "hours"), FILTERS)
async def test_entries_come_newest_first_and_pass_every_filter(
    told: Audit, wanted: AuditFilter, hours: list[int]
) -> None:
    """The sealed and those that are not yet alike."""
    page = await told.page(ADMIN, wanted)
    assert [round((one.at - NOW) / timedelta(hours=1)) for one in page.entries] == hours
    assert page.next is None
    for one, hour in zip(page.entries, hours, strict=True):
        assert (one.sealed, one.seq) == ((True, hour) if hour <= 3 else (False, None))


async def test_pages_follow_on_each_other_while_entries_are_sealed(
    told: Audit, keeper: LogKeeper
) -> None:
    """None twice, none left out."""
    seen: list[UUID] = []
    cursor: str | None = None
    while True:
        page = await told.page(
            ADMIN, AuditFilter(until=NOW + timedelta(hours=7)), cursor=cursor, limit=2
        )
        seen += [one.id for one in page.entries]
        cursor = page.next
        await keeper.seal()
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 6


async def test_reading_the_log_is_noted(told: Audit) -> None:
    """Who looked, and at whose entries; so is a look that was refused."""
    await told.page(ADMIN, AuditFilter(student_id=STUDENT))
    with pytest.raises(NotAllowed):
        await told.page(teacher("lee"), AuditFilter(student_id=OTHER))
    with pytest.raises(NotAllowed):
        await told.review(teacher("lee"), "2026-11")
    await told.review(ADMIN, "2026-11")
    await told.drain()
    page = await told.page(ADMIN, AuditFilter(action=Action.AUDIT_READ))
    assert [(one.subject, one.outcome, one.student_ids, one.detail) for one in page.entries] == [
        (ADMIN.subject, "ok", [], {"review": "2026-11"}),
        ("lee", "refused", [], {}),
        ("lee", "refused", [OTHER], {}),
        (ADMIN.subject, "ok", [STUDENT], {"entries": 5}),
    ]


async def test_a_look_that_cannot_be_noted_is_refused(told: Audit, spool_folder: Path) -> None:
    """The administrator's too."""
    await told.drain()
    bar(spool_folder)
    with pytest.raises(AuditAway):
        await told.page(ADMIN)


@pytest.mark.parametrize(
    ("field", "given"),
    [("limit", {"limit": 0}), ("limit", {"limit": 201}), ("cursor", {"cursor": "x"})],
)
async def test_a_bad_page_names_its_field(told: Audit, field: str, given: dict[str, int]) -> None:
    """As everywhere."""
    with pytest.raises(InvalidInput, match=field):
        await told.page(ADMIN, **given)  # type: ignore[arg-type]


async def test_a_family_may_know_who_touched_their_childs_data(
    told: Audit, database: Database
) -> None:
    """Who, in which role, when, by which door, what and why; not from where, and no refusals."""
    async with database.transaction() as tx:
        first = await told.accesses(tx, STUDENT, limit=3)
        rest = await told.accesses(tx, STUDENT, cursor=first.next, limit=3)
    assert [(one.subject, one.role, one.action) for one in first.accesses] == [
        (ADMIN.subject, "admin", "student.update"),
        ("park", "parent", "student.export"),
        ("kim", "teacher", "student.list"),
    ]
    assert [(one.subject, one.action) for one in rest.accesses] == [("kim", "profile.read")]
    assert (rest.next, first.accesses[1].reason) == (None, "내 아이의 기록")
    assert "192.0.2" not in first.model_dump_json()
