"""What an answer says of its caller's allowances: `RateLimit-Policy` and `RateLimit`.

As in draft-ietf-httpapi-ratelimit-headers-10: q calls in w seconds, r left, whole again in t.
"""

from collections.abc import Iterable

from student_hub.platform.limits.gcra import PERIOD_US, SECOND_US
from student_hub.platform.limits.permit import Permit

Header = tuple[bytes, bytes]
WINDOW_S = PERIOD_US // SECOND_US


def headers_of(permits: Iterable[Permit]) -> list[Header]:
    """The two headers; none when nothing was limited, or nothing is known."""
    # The last of several permits of one allowance is the one that says what is left.
    last = {permit.bucket.allowance: permit for permit in permits if permit.bucket is not None}
    policies, standings = [], []
    for permit in last.values():
        if permit.bucket is None or permit.verdict is None:
            continue
        name, rate, verdict = permit.bucket.allowance.value, permit.bucket.rate, permit.verdict
        policies.append(f'"{name}";q={rate.limit};w={WINDOW_S}')
        standings.append(f'"{name}";r={verdict.remaining(rate)};t={verdict.reset_s()}')
    if not policies:
        return []
    return [
        (b"ratelimit-policy", ", ".join(policies).encode()),
        (b"ratelimit", ", ".join(standings).encode()),
    ]
