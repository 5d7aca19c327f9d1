"""/admin/keys: issue, list and revoke API keys (scope admin)."""

from typing import Annotated

from fastapi import APIRouter, Path

from student_hub.access.keys import ID_FORM
from student_hub.access.schemas import IssuedKey, Key, NewKey
from student_hub.access.service import Access
from student_hub.platform.http.deps import CallerDep, part

router = APIRouter(prefix="/admin/keys", tags=["keys"])
AccessDep = Annotated[Access, part(Access)]
KeyId = Annotated[str, Path(pattern=ID_FORM, description="The twelve digits after `shk_live_`.")]


@router.post("", status_code=201, summary="Issue a key; its secret is shown this once")
async def create_key(wanted: NewKey, access: AccessDep, caller: CallerDep) -> IssuedKey:
    """Issues a key of the scopes wanted."""
    return await access.create_key(caller, wanted)


@router.get("", summary="List every key, the newest first")
async def list_keys(access: AccessDep, caller: CallerDep) -> list[Key]:
    """Lists keys with their states, without secrets."""
    return await access.list_keys(caller)


@router.delete("/{key_id}", summary="Revoke a key: it is refused from now on")
async def revoke_key(key_id: KeyId, access: AccessDep, caller: CallerDep) -> Key:
    """Revokes a key; a second time changes nothing.

    The process that answers refuses it at once, every other one within about a second.
    """
    return await access.revoke_key(caller, key_id)
