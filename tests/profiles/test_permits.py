"""A profile that is asked for before it is known whether the caller may still ask."""

import asyncio

import pytest

from profiles.stage import Stage
from student_hub.platform.limits.costs import Allowance
from student_hub.platform.limits.errors import RateLimited
from student_hub.platform.limits.gcra import Rate, Verdict
from student_hub.platform.limits.permit import Bucket, Permit
from student_hub.platform.security.caller import SYSTEM

pytestmark = pytest.mark.requirement("rate-limit")

BUCKET = Bucket("limit:x", Allowance.ORDINARY, Rate(10), b"")
YES, NO = Verdict(allowed=True, whole_in_us=0), Verdict(allowed=False, whole_in_us=60_000_000)


class Judge:
    """Tells its verdict when it is let go on."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self) -> Verdict:
        self.asked.set()
        await self.go_on.wait()
        return self.verdict

    def permit(self) -> Permit:
        return Permit(BUCKET, 1, self)


@pytest.fixture(params=["fresh", "cached"])
async def known(request: pytest.FixtureRequest, stage: Stage) -> bool:
    """Whether the profile is in the cache."""
    if request.param == "cached":
        await stage.profile()
    return bool(request.param == "cached")


async def test_nothing_is_asked_of_a_node_before_the_permit_is_known(
    stage: Stage, known: bool
) -> None:
    """While the store thinks, at most the cache is read; then the nodes are asked as ever."""
    before, judge = stage.calls(), Judge(YES)
    reply = asyncio.create_task(
        stage.profiles.reply(SYSTEM, stage.student.id, permit=judge.permit())
    )
    await judge.asked.wait()
    for _ in range(50):
        await asyncio.sleep(0)
    assert stage.calls() == before
    assert not reply.done()
    judge.go_on.set()
    assert (await reply).cached is known


async def test_who_is_refused_gets_no_profile_cached_or_not(stage: Stage, known: bool) -> None:
    """RateLimited, and no node was asked."""
    del known
    before, judge = stage.calls(), Judge(NO)
    judge.go_on.set()
    with pytest.raises(RateLimited):
        await stage.profiles.reply(SYSTEM, stage.student.id, permit=judge.permit())
    assert stage.calls() == before
