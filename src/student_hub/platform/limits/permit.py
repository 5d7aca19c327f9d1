"""The leave to do what was asked for: on its way while work that changes nothing has begun."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from student_hub.platform.limits.costs import Allowance
from student_hub.platform.limits.errors import RateLimited
from student_hub.platform.limits.gcra import Rate, Verdict


@dataclass(frozen=True, slots=True)
class Bucket:
    """What one caller has of one allowance; `asking` is how the store is asked, but the weight."""

    name: str
    allowance: Allowance
    rate: Rate
    asking: bytes


class Permit:
    """For one call. Who changes something, asks a node or answers must await `granted` before.

    Without a bucket there is no limit. `verdict` is None until it is known.
    """

    __slots__ = ("_judge", "bucket", "verdict", "weight")

    def __init__(
        self,
        bucket: Bucket | None = None,
        weight: int = 0,
        judge: Callable[[], Awaitable[Verdict]] | None = None,
    ) -> None:
        self.bucket = bucket
        self.weight = weight
        self.verdict: Verdict | None = None
        self._judge = judge

    async def granted(self) -> None:
        """Nothing when the call is allowed; RateLimited otherwise."""
        if self.bucket is None or self._judge is None:
            return
        if self.verdict is None:
            self.verdict = await self._judge()
        if not self.verdict.allowed:
            raise RateLimited(
                allowance=self.bucket.allowance.value,
                retry_after=self.verdict.retry_after_s(self.bucket.rate, self.weight),
            )


UNLIMITED = Permit()
"""For callers without a limit, and for what the hub itself does."""
