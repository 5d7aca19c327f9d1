"""The profile as a tool for language models and services."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from student_hub.platform.limits.permit import Permit
from student_hub.platform.mcp.tool import Encoded, tool
from student_hub.platform.security.caller import Caller
from student_hub.profiles.schemas import UnifiedProfile, UnifiedProfiles
from student_hub.profiles.service import MOST_AT_ONCE, Profiles

StudentId = Annotated[UUID, Field(description="The student's UUID, as the hub's register has it.")]
StudentIds = Annotated[
    list[UUID],
    Field(min_length=1, max_length=MOST_AT_ONCE, description="Up to 100 students' UUIDs."),
]
WithHistory = Annotated[
    bool, Field(description="Also ask the Lab (node 4) for recent activities; false is quicker.")
]
Days = Annotated[
    int, Field(ge=1, le=365, description="How many days back recent activities go, 1 to 365.")
]


async def get_unified_profile(
    profiles: Profiles,
    caller: Caller,
    permit: Permit,
    student_id: StudentId,
    include_history: WithHistory = True,
    days: Days = 30,
) -> Encoded[UnifiedProfile]:
    """Everything the platform knows about one student, in one answer.

    Use it for "how is this student doing": who they are, the school, what they know concept by
    concept (mastery from 0 to 1 with an 80 % interval and the number of answers behind it), mastery
    by subject, recent activity by day (durations in seconds), the latest reports and the learning
    interventions under way.

    Read `sources` before drawing conclusions: a section is null when its node could not be
    reached, and `stale` means an older answer is shown because the node failed just now. Few
    answers mean wide intervals: say so rather than over-reading a mastery value.
    """
    reply = await profiles.reply(
        caller, student_id, include_history=include_history, days=days, permit=permit
    )
    return Encoded(reply.json, reply.facts(student_id))


async def get_unified_profiles(
    profiles: Profiles,
    caller: Caller,
    student_ids: StudentIds,
    include_history: WithHistory = True,
    days: Days = 30,
) -> Encoded[UnifiedProfiles]:
    """The same as `get_unified_profile` for up to 100 students in one call.

    Use it for a class or a list of students instead of many single calls. `profiles` is in the
    order of `student_ids`; an entry whose student could not be had carries an `error` in the place
    of its `profile`, and costs the others nothing.
    """
    return Encoded(
        await profiles.get_many(caller, student_ids, include_history=include_history, days=days)
    )


TOOLS = [
    tool(get_unified_profile, title="360-degree student profile", read_only=True, idempotent=True),
    tool(
        get_unified_profiles,
        title="Profiles of many students",
        read_only=True,
        idempotent=True,
        weighs="student_ids",
    ),
]
