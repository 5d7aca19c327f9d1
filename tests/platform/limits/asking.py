"""A process of its own that asks for permits: `python asking.py URL LIMIT HOW_MANY`.

It connects, says so, waits for a line, asks all at once and says how many were granted.
"""

import asyncio
import sys

from student_hub.platform.cache.line import Line
from student_hub.platform.limits.costs import ORDINARY, Allowance
from student_hub.platform.limits.errors import RateLimited
from student_hub.platform.limits.limiter import Limiter
from student_hub.platform.limits.permit import Permit
from student_hub.platform.security.caller import Caller


async def ask(url: str, limit: int, how_many: int) -> None:
    line = Line(url)
    if await line.ask("PING") != b"PONG":
        raise RuntimeError("no store")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    limiter = Limiter(line, {Allowance.ORDINARY: limit})
    caller = Caller("key:shared", frozenset(), credential="key:shared")
    permits = [limiter.ask(caller, ORDINARY) for _ in range(how_many)]
    granted = sum(await asyncio.gather(*map(is_granted, permits)))
    await line.close()
    sys.stdout.write(f"{granted}\n")


async def is_granted(permit: Permit) -> bool:
    try:
        await permit.granted()
    except RateLimited:
        return False
    return True


if __name__ == "__main__":
    asyncio.run(ask(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
