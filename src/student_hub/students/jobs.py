"""What the room does in the background: keys rotate, care notes in clear are sealed."""

from collections.abc import Mapping
from typing import Any

from student_hub.platform.jobs.job import Effect, Handler, Job
from student_hub.students.care import CareNotes
from student_hub.students.messages import RotateKeys, SealCareNotes
from student_hub.students.rotation import Rotation


def student_handlers(rotation: Rotation, care: CareNotes) -> Mapping[type[Job], Handler[Any]]:
    """The handlers of the room's jobs."""

    async def rotate_keys(job: RotateKeys) -> Effect | None:
        return await rotation.advance(job)

    async def seal_care_notes(_job: SealCareNotes) -> None:
        await care.seal_clear()

    return {RotateKeys: rotate_keys, SealCareNotes: seal_care_notes}
