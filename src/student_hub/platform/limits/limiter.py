"""Gives permits: the store counts for all processes, this process for itself when it is away."""

import hashlib
import time
from collections.abc import Mapping
from functools import lru_cache, partial

import structlog

from student_hub.platform.cache.line import Line
from student_hub.platform.cache.resp import Refused, Reply, Word, bulk, command
from student_hub.platform.cache.wire import Away, Place
from student_hub.platform.limits.costs import Allowance, Cost
from student_hub.platform.limits.gcra import SCRIPT, LocalLimits, Rate, Verdict
from student_hub.platform.limits.permit import UNLIMITED, Bucket, Permit
from student_hub.platform.security.caller import Caller

SHA = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()
MOST_BUCKETS = 10_000
NS_PER_US = 1_000
log = structlog.get_logger()


class Limiter:
    """One bucket for each caller and allowance, whatever address they call from.

    While the store is away each process goes on from what it last heard: a caller may then have
    the whole allowance at each process, and never all they like.
    """

    def __init__(self, line: Line, per_minute: Mapping[Allowance, int]) -> None:
        self._line = line
        self._rates = {kind: Rate(limit) for kind, limit in per_minute.items() if limit > 0}
        self._local = LocalLimits(lambda: time.monotonic_ns() // NS_PER_US)
        self._alone = False

    def ask(self, caller: Caller, cost: Cost) -> Permit:
        """A permit that is on its way, together with what else is asked in this turn of the loop.

        More than the whole allowance weighs as much as all of it.
        """
        rate = self._rates.get(cost.allowance)
        if rate is None:
            return UNLIMITED
        bucket = _bucket(caller.credential, caller.subject, cost.allowance, rate)
        weight = min(cost.weight, rate.limit)
        place = self._line.send(bucket.asking + bulk(weight))
        return Permit(bucket, weight, partial(self._judge, place, bucket, weight))

    async def _judge(self, place: Place, bucket: Bucket, weight: int) -> Verdict:
        reply = await place
        if isinstance(reply, Refused) and reply.startswith("NOSCRIPT"):
            reply = await self._line.send(_whole(bucket, weight))
        verdict = _said(reply)
        self._note(alone=verdict is None)
        if verdict is None:
            return self._local.take(bucket.name, bucket.rate, weight)
        self._local.learn(bucket.name, verdict.whole_in_us)
        return verdict

    def _note(self, *, alone: bool) -> None:
        if alone is not self._alone:
            self._alone = alone
            log.warning("rate_limits_local" if alone else "rate_limits_shared")


def _said(reply: Reply | Away) -> Verdict | None:
    match reply:
        case [int(allowed), int(whole_in_us)]:
            return Verdict(bool(allowed), whole_in_us)
        case _:
            return None


@lru_cache(maxsize=MOST_BUCKETS)
def _bucket(credential: str, subject: str, allowance: Allowance, rate: Rate) -> Bucket:
    who = hashlib.sha256(f"{credential}\n{subject}".encode()).hexdigest()[:32]
    name = f"limit:{allowance.value}:{who}"
    words: tuple[Word, ...] = (b"EVALSHA", SHA, 1, name, rate.interval_us, rate.period_us)
    return Bucket(name, allowance, rate, b"*7\r\n" + b"".join(map(bulk, words)))


def _whole(bucket: Bucket, weight: int) -> bytes:
    rate = bucket.rate
    return command(b"EVAL", SCRIPT, 1, bucket.name, rate.interval_us, rate.period_us, weight)
