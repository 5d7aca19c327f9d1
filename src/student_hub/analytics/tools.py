"""Class analytics as a tool for language models and services."""

from typing import Annotated

from pydantic import Field

from student_hub.analytics.schemas import ClassAnalytics
from student_hub.analytics.service import Classes
from student_hub.platform.limits.costs import EXPENSIVE
from student_hub.platform.limits.permit import Permit
from student_hub.platform.mcp.tool import Encoded, tool
from student_hub.platform.security.caller import Caller

ClassId = Annotated[
    str,
    Field(
        min_length=3,
        max_length=120,
        description="A class as school_id:grade:class_name, such as SCH001:10:1반, or a whole "
        "grade as school_id:grade, such as SCH001:10.",
    ),
]
Days = Annotated[int, Field(ge=1, le=365, description="How many days back the window goes.")]


async def get_class_analytics(
    classes: Classes, caller: Caller, permit: Permit, class_id: ClassId, days: Days = 30
) -> Encoded[ClassAnalytics]:
    """How a class or grade is doing, and who in it needs help now.

    Use it for "how is my class doing", "who needs help", "what should I teach again". Start with
    `headline` and `at_risk`: each student there comes with reasons (code, sentence, numbers) and
    a suggested action; struggle comes before idleness. Students are named by UUID only.

    Every estimate has an n and an 80 % interval: say both. `verdict` compares the interval with
    the target: `weak` and `fine` are sure, `unsure` is not, `insufficient` means too few students
    or answers to say anything. Read `caveats` to the reader; a null figure could not be had, and
    is not a zero. What interventions changed is never a proof that they caused it.
    """
    reply = await classes.analytics(caller, class_id, days=days, permit=permit)
    return Encoded(reply.json, reply.facts)


TOOLS = [
    tool(
        get_class_analytics,
        title="Class analytics",
        read_only=True,
        idempotent=True,
        cost=EXPENSIVE,
    )
]
