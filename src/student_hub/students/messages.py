"""The jobs that the room asks for."""

from uuid import UUID

from student_hub.platform.jobs.job import Job
from student_hub.platform.jobs.payloads import Word
from student_hub.platform.jobs.queues import Queue


class RotateKeys(Job):
    """Bring everything under the master key `to`; of the table `holder`, what comes `after`.

    A job works for some seconds and leaves the rest to another one, so that progress is kept.
    `moved` counts the rows of this pass; `left` were left when it began, after one without any.
    """

    queue = Queue.LOW_PRIORITY
    to: Word
    holder: Word | None = None
    after: UUID | None = None
    moved: int = 0
    left: int | None = None


class SealCareNotes(Job):
    """Seal the care notes that a hub from before v0009 has written in clear."""

    queue = Queue.LOW_PRIORITY
