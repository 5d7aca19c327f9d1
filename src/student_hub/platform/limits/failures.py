"""Wrong keys, by the address they come from: who has sent too many is not looked at for a while."""

import time
from collections import OrderedDict

from student_hub.platform.errors import HubError, Kind
from student_hub.platform.limits.gcra import LocalLimits, Rate

PER_MINUTE = 60
MOST_KEYS = 10_000
NS_PER_US = 1_000


class TooManyFailures(HubError):
    """Too many refused keys from this address: come back in {retry_after} s."""

    kind = Kind.RATE_LIMITED


class Failures:
    """Counts refused credentials by address, in this process.

    Keys that were good here a while ago are looked at all the same, so that one broken client does
    not shut a whole school out that shares its address. Of them only salted hashes are kept.
    """

    def __init__(self, per_minute: int = PER_MINUTE) -> None:
        self._rate = Rate(per_minute) if per_minute else None
        self._refused = LocalLimits(lambda: time.monotonic_ns() // NS_PER_US)
        self._good: OrderedDict[int, None] = OrderedDict()

    def check(self, address: str, key: str) -> None:
        """Nothing when the key may be looked at; TooManyFailures otherwise."""
        if self._rate is None or hash(key) in self._good:
            return
        wait_s = self._refused.wait_s(address, self._rate)
        if wait_s:
            raise TooManyFailures(retry_after=wait_s)

    def refused(self, address: str) -> None:
        """The key that was looked at is no good."""
        if self._rate is not None:
            self._refused.take(address, self._rate, 1)

    def accepted(self, key: str) -> None:
        """The key that was looked at is good."""
        self._good[hash(key)] = None
        if len(self._good) > MOST_KEYS:
            self._good.popitem(last=False)
