"""/admin/keys and /admin/grants: who has a key, and whom they may see (scope admin)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from student_hub.access.grants import MOST_LISTED
from student_hub.access.keys import ID_FORM
from student_hub.access.schemas import (
    Grant,
    GrantFilter,
    GrantPage,
    IssuedKey,
    Key,
    NewGrant,
    NewKey,
    Rotation,
)
from student_hub.access.service import ROTATION, Access
from student_hub.platform.http.deps import CallerDep, part

router = APIRouter(prefix="/admin/keys", tags=["keys"])
grants_router = APIRouter(prefix="/admin/grants", tags=["grants"])
FILTERS = frozenset(GrantFilter.model_fields)
AccessDep = Annotated[Access, part(Access)]
KeyId = Annotated[str, Path(pattern=ID_FORM, description="The twelve digits after `shk_live_`.")]


class Wanted(GrantFilter):
    """Which page of which grants."""

    # A query string has no numbers.
    grade: Annotated[int, Query(ge=1, le=12)] | None = None
    cursor: str | None = None
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 50


@router.post("", status_code=201, summary="Issue a key; its secret is shown this once")
async def create_key(wanted: NewKey, access: AccessDep, caller: CallerDep) -> IssuedKey:
    """Issues a key of the role and scopes wanted; 422 names a scope beyond the role.

    Its bearer is `key:<id>` unless a `subject` says whose key it is: grants go to subjects.
    """
    return await access.create_key(caller, wanted)


@router.get("", summary="List every key, the newest first")
async def list_keys(access: AccessDep, caller: CallerDep) -> list[Key]:
    """Lists keys with their states, without secrets."""
    return await access.list_keys(caller)


@router.post("/{key_id}/rotate", status_code=201, summary="Issue a key's successor")
async def rotate_key(
    key_id: KeyId, access: AccessDep, caller: CallerDep, wanted: Rotation = ROTATION
) -> IssuedKey:
    """Issues a successor with the same role, scopes and subject; the old key ends later.

    Both are good for the overlap. 409 for a key that has a successor, is good no more, or whose
    own predecessor is still good.
    """
    return await access.rotate_key(caller, key_id, wanted)


@router.delete("/{key_id}", summary="Revoke a key: it is refused from now on")
async def revoke_key(key_id: KeyId, access: AccessDep, caller: CallerDep) -> Key:
    """Revokes a key; a second time changes nothing.

    The process that answers refuses it at once, every other one within about a second.
    """
    return await access.revoke_key(caller, key_id)


@grants_router.post("", status_code=201, summary="Let a subject see students")
async def create_grant(wanted: NewGrant, access: AccessDep, caller: CallerDep) -> Grant:
    """Grants a school, a grade, a class or a student; 409 when the subject has just that."""
    return await access.grants.create(caller, wanted)


@grants_router.get("", summary="List grants, filtered and in pages")
async def list_grants(
    wanted: Annotated[Wanted, Query()], access: AccessDep, caller: CallerDep
) -> GrantPage:
    """Lists grants in the order of their ids; those that count no more with `ended=true`."""
    chosen = GrantFilter.model_construct(**wanted.model_dump(include=set(FILTERS)))
    return await access.grants.page(caller, chosen, cursor=wanted.cursor, limit=wanted.limit)


@grants_router.delete("/{grant_id}", summary="Revoke a grant: it counts no more")
async def revoke_grant(grant_id: UUID, access: AccessDep, caller: CallerDep) -> Grant:
    """Revokes a grant; a second time changes nothing.

    The process that answers obeys at once, every other one within about a second.
    """
    return await access.grants.revoke(caller, grant_id)
