"""The jobs that the room asks for."""

from uuid import UUID

from student_hub.platform.jobs.job import Job


class ForgetStudent(Job):
    """Have the nodes and the caches forget a student who was erased.

    Asked for `again` some minutes later: what was under way at the erasure may have come after.
    """

    erasure_id: UUID
    student_id: UUID
    generation: int
    again: bool = False
