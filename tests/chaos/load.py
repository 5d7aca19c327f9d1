"""Requests at a set pace, whatever becomes of them, and whether a profile was truly served."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

ASKED = ("logic-engine", "q-dna", "lab-node", "report-node", "school-info")
SECTIONS = {
    "logic-engine": "knowledge_state",
    "q-dna": "mastery_levels",
    "lab-node": "recent_activities",
    "report-node": "latest_reports",
    "school-info": "school",
}
SHOWN = {"fresh", "cached", "stale"}
MISSING = {"unavailable"}
LONGEST_S = 2.0
GIVEN_UP_S = 20.0


@dataclass(frozen=True)
class Answer:
    """What came of one request: when it was sent, how long it took, and what was wrong with it."""

    at: float
    seconds: float
    profile: dict[str, Any] | None
    problem: str | None

    @property
    def served(self) -> bool:
        """Whether it was a profile, whole or labelled, within two seconds."""
        return self.problem is None and self.seconds <= LONGEST_S

    @property
    def cached(self) -> bool:
        return self.profile is not None and bool(self.profile["cached"])

    def state(self, node: str) -> str:
        return "" if self.profile is None else str(self.profile["sources"][node]["state"])

    def reason(self, node: str) -> str | None:
        return None if self.profile is None else self.profile["sources"][node]["reason"]


async def ask(http: aiohttp.ClientSession, student_id: str, days: int = 30) -> Answer:
    """Asks for a profile over REST; never raises."""
    path = f"/v1/students/{student_id}/profile?days={days}"
    at = time.monotonic()
    try:
        async with asyncio.timeout(GIVEN_UP_S), http.get(path) as response:
            status, body = response.status, await response.read()
    except (aiohttp.ClientError, OSError) as error:
        return Answer(at, time.monotonic() - at, None, type(error).__name__)
    seconds = time.monotonic() - at
    if status != 200:
        return Answer(at, seconds, None, f"HTTP {status} {body[:200]!r}")
    profile = orjson.loads(body)
    return Answer(at, seconds, profile, fault_of(profile))


async def at_pace(
    one: Callable[[int], Awaitable[Answer]], per_second: float, seconds: float
) -> list[Answer]:
    """The answers to so many requests a second; none waits for another's answer."""
    start, asked = time.monotonic(), []
    for number in range(round(per_second * seconds)):
        await asyncio.sleep(start + number / per_second - time.monotonic())
        asked.append(asyncio.ensure_future(one(number)))
    return await asyncio.gather(*asked)


def fault_of(profile: dict[str, Any]) -> str | None:
    """What a profile says that is not true: of a section that is missing, or one that is not."""
    for node in ASKED:
        source, section = profile["sources"][node], profile[SECTIONS[node]]
        if source["state"] not in SHOWN | MISSING:
            return f"{node} is {source['state']}"
        if (section is None) != (source["state"] in MISSING):
            return f"{node} is {source['state']} and its section {section!r:.50}"
        if (source["reason"] is not None) != (source["state"] in {"stale", "unavailable"}):
            return f"{node} is {source['state']} with the reason {source['reason']}"
    return None


def problems(answers: Sequence[Answer]) -> dict[str, int]:
    """How often each thing was wrong."""
    said = [each.problem or "late" for each in answers if not each.served]
    return {problem: said.count(problem) for problem in set(said)}
