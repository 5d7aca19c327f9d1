"""`student-hub audit`: whether the audit log is whole, and the review of a month."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from student_hub.access.audit.anchors import Anchor, Anchors, AnchorsUnreadable
from student_hub.access.audit.keeping import LogKeeper
from student_hub.access.audit.reviewing import SEOUL
from student_hub.access.audit.schemas import AuditReview, ExportMade, SubjectReview
from student_hub.access.audit.service import Audit
from student_hub.access.audit.verification import Verdict
from student_hub.entry.house import House, build
from student_hub.entry.migrating import require_database
from student_hub.entry.stack.errors import StackError
from student_hub.platform.db.database import AT_LENGTH, Database
from student_hub.platform.security.caller import Caller, Door, Origin, Role, Scope
from student_hub.platform.settings import Settings

SHOWN_EXPORTS = 10


async def verify(settings: Settings, file: Path | None) -> tuple[str, bool]:
    """What is to be said of the log, and whether it is whole.

    The anchors are those of the file, or else of the data folder.
    """
    house = build(settings, AT_LENGTH)
    try:
        await require_database(house.parts.get(Database))
        anchors = _anchors(house, file)
        verdict = await house.parts.get(LogKeeper).verify(anchors)
    finally:
        await house.close()
    return verdict_text(verdict, len(anchors)), verdict.finding is None


async def review(settings: Settings, month: str) -> str:
    """The review of the month, for people; the log notes that it was read."""
    house = build(settings, AT_LENGTH)
    try:
        await require_database(house.parts.get(Database))
        found = await house.parts.get(Audit).review(_somebody_here(), month)
    finally:
        await house.close()
    return "\n".join(_lines(found))


def verdict_text(verdict: Verdict, anchors: int) -> str:
    """How much there is, and that it is whole, or where it is not."""
    size = f"{verdict.entries} entries, {verdict.seals} seals"
    if verdict.finding is None:
        return f"{size}, {f'{anchors} anchors' if anchors else 'no anchors'}: whole"
    broken = verdict.finding
    return f"broken at entry {broken.seq}: {broken.flaw}: {broken.what} (whole before: {size})"


def _anchors(house: House, file: Path | None) -> list[Anchor]:
    kept = house.parts.get(Anchors)
    try:
        if file is not None and not file.is_file():
            raise StackError(f"there is no file {file}.")
        return kept.all() if file is None else Anchors(file).all()
    except AnchorsUnreadable as error:
        raise StackError(f"the anchors cannot be read: {error}.") from error


def _somebody_here() -> Caller:
    scopes = frozenset({Scope.ADMIN})
    return Caller(f"cli:{os.getuid()}", scopes, Role.ADMIN, origin=Origin(Door.CLI))


def _lines(found: AuditReview) -> Iterator[str]:
    yield f"{found.month} (Asia/Seoul): {found.entries} entries, {len(found.subjects)} subjects"
    for one in found.subjects:
        yield ""
        yield from _of_subject(one)


def _of_subject(one: SubjectReview) -> Iterator[str]:
    yield f"{one.subject} ({', '.join(one.roles)}): {one.entries} entries, {one.students} students"
    yield "  " + ", ".join(f"{action} {count}" for action, count in one.actions.items())
    usual = "new" if one.usual is None else f"a usual month has {one.usual:g}"
    yield f"  {'UNUSUAL VOLUME' if one.unusual else 'volume'}: {usual}"
    yield f"  refused {one.refused}, outside 07:00-22:00 {one.outside_hours}"
    yield from _exports(one.exports)
    if one.exports_without_reason:
        yield f"  EXPORTS WITHOUT A REASON: {one.exports_without_reason}"


def _exports(exports: Iterable[ExportMade]) -> Iterator[str]:
    for number, made in enumerate(exports):
        if number == SHOWN_EXPORTS:
            yield "  … (all of them: GET /admin/audit?action=student.export)"
            return
        reason = made.reason or "no reason"
        yield f"  export {made.at.astimezone(SEOUL):%F %H:%M}, {made.students} students: {reason}"
