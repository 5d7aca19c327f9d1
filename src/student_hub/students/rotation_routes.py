"""/admin/encryption-keys/rotation: bring everything under the current master key."""

from typing import Annotated

from fastapi import APIRouter

from student_hub.platform.http.deps import CallerDep, part
from student_hub.students.rotation import Rotation
from student_hub.students.rotation_schemas import RotationStatus

router = APIRouter(prefix="/admin/encryption-keys/rotation", tags=["admin"])
RotationDep = Annotated[Rotation, part(Rotation)]


@router.post("", status_code=202, summary="Rotate: bring everything under the current master key")
async def start_rotation(rotation: RotationDep, caller: CallerDep) -> RotationStatus:
    """Starts it in the background and says what is to be done; safe to repeat."""
    return await rotation.start(caller)


@router.get("", summary="How many rows each master key has")
async def read_rotation(rotation: RotationDep, caller: CallerDep) -> RotationStatus:
    """A key under which nothing is left may be dropped from the settings."""
    return await rotation.status(caller)
