"""Who can see one student, and why: for whoever asks with a right to know it."""

from collections.abc import Iterable
from datetime import datetime

from student_hub.access import grants_repository, repository
from student_hub.access.identity import Identity
from student_hub.access.key_use import identity_of
from student_hub.access.models import GrantRow
from student_hub.access.policy import READS, Whereabouts
from student_hub.access.schemas import ByGrant, ByRole, GrantKind, Viewer
from student_hub.platform.db.database import Transaction
from student_hub.platform.security.caller import ALL_SEEING, Role

FIRST_KEY = "the administrator key of the settings"


async def viewers(
    tx: Transaction, student: Whereabouts, now: datetime, administrator: Identity | None
) -> list[Viewer]:
    """Grants that reach the student, then keys whose role sees everybody, each the oldest first."""
    grants = await grants_repository.reaching(tx, student, now)
    keys = [(row.name, identity_of(row)) for row in await repository.good_now(tx, now)]
    if administrator is not None:
        keys.insert(0, (FIRST_KEY, administrator))
    roles = {identity.subject: identity.role for _, identity in keys}
    return [*_by_grants(grants, roles), *_by_role(keys)]


def _by_grants(grants: Iterable[GrantRow], roles: dict[str, Role]) -> list[Viewer]:
    return [
        Viewer(
            subject=grant.subject,
            role=roles.get(grant.subject),
            because=ByGrant(
                kind=GrantKind(grant.kind),
                relation=grant.relation,
                granted_by=grant.granted_by,
                since=grant.created_at,
                expires_at=grant.expires_at,
            ),
        )
        for grant in grants
    ]


def _by_role(keys: Iterable[tuple[str, Identity]]) -> list[Viewer]:
    return [
        Viewer(subject=who.subject, role=who.role, because=ByRole(key=name))
        for name, who in keys
        if who.role in ALL_SEEING and not READS.isdisjoint(who.scopes)
    ]
