"""Interventions asked for while everything is killed at random, and what is there at the end."""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp
import asyncpg

from fakes.mailserver import Sink
from killing import Ensemble

CALLERS = 8
PAUSE_S = 0.1
GIVEN_UP_S = 300.0
ANSWERED_WITHIN_S = 30.0
UNDER_WAY = "finished_at IS NULL AND kind <> 'measure_abilities' AND kind <> 'measure_ability'"
COUNTS = {
    "interventions": "SELECT count(*) FROM interventions",
    "checks": "SELECT count(*) FROM scheduled_tasks WHERE student_id IS NOT NULL",
    "events": "SELECT count(*) FROM learning_history WHERE source_node = 0",
    "notices": "SELECT count(*) FROM notices WHERE template = 'intervention_created'",
}


@dataclass
class Creating:
    """What was asked for under which key, what was answered, and how long work lay."""

    hub: Ensemble
    chance: Random
    students: list[str] = field(default_factory=list)
    answers: dict[str, set[str]] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    refusals: Counter[int] = field(default_factory=Counter)
    done: bool = False

    async def enrol(self, http: aiohttp.ClientSession, how_many: int) -> None:
        """Students whose parents want mail."""
        rows = [_student(number) for number in range(how_many)]
        async with http.post("/v1/students/import", json={"students": rows}) as response:
            response.raise_for_status()
        self.students = [str(row["id"]) for row in rows]

    async def create(self, http: aiohttp.ClientSession, keys: Sequence[str]) -> None:
        """One intervention a key: asked for until an answer comes, and then once more."""
        for key in keys:
            self.answers[key] = set()
            began = time.monotonic()
            await self._ask(http, key)
            self.times.append(time.monotonic() - began)
            await self._ask(http, key)

    async def kill(self, names: Sequence[str], most: int) -> None:
        """Kills one after the other, at random, until there is nothing more to create."""
        while not self.done and self.kills.total() < most:
            await asyncio.sleep(self.chance.uniform(0.1, 1.0))
            name = self.chance.choice(names)
            await asyncio.to_thread(self.hub.kill, name)
            self.kills[name] += 1
            await asyncio.sleep(self.chance.uniform(0.0, 0.3))
            await asyncio.to_thread(self.hub.start, name)

    async def _ask(self, http: aiohttp.ClientSession, key: str) -> None:
        body = {
            "student_id": self.students[hash_of(key) % len(self.students)],
            "type": "auto",
            "target_level": 0.85,
            "duration_days": 14,
            "idempotency_key": key,
        }
        end = time.monotonic() + GIVEN_UP_S
        while time.monotonic() < end:
            answer = await self._try(http, body)
            if answer is not None:
                self.answers[key].add(answer["intervention_id"])
                return
            await asyncio.sleep(self.chance.uniform(0, PAUSE_S))
        raise AssertionError(f"no answer for {key}")

    async def _try(
        self, http: aiohttp.ClientSession, body: dict[str, object]
    ) -> dict[str, Any] | None:
        limit = aiohttp.ClientTimeout(total=ANSWERED_WITHIN_S)
        try:
            async with http.post("/v1/interventions", json=body, timeout=limit) as response:
                if response.status in {200, 201}:
                    answer: dict[str, Any] = await response.json()
                    return answer
                self.refusals[response.status] += 1
                assert response.status >= 500, await response.text()
        except (aiohttp.ClientError, OSError, TimeoutError):
            self.refusals[0] += 1
        return None


async def create_under_fire(
    creating: Creating, keys: Sequence[str], names: Sequence[str], kills: int
) -> None:
    """Creates by eight callers at a time while these programs are killed; all run at the end."""
    headers = {"X-API-Key": creating.hub.key}
    async with aiohttp.ClientSession(creating.hub.url, headers=headers) as http:
        await creating.enrol(http, 40)
        killing = asyncio.create_task(creating.kill(names, kills))
        await asyncio.gather(*(creating.create(http, keys[at::CALLERS]) for at in range(CALLERS)))
        creating.done = True
        await killing


async def settled(owner: asyncpg.Connection, within_s: float) -> float:
    """Waits until no job is left; the longest that one lay between its asking and its end, s."""
    end = time.monotonic() + within_s
    while await owner.fetchval(f"SELECT count(*) FROM jobs WHERE {UNDER_WAY}"):  # noqa: S608
        assert time.monotonic() < end, await owner.fetch(
            f"SELECT kind, attempts, last_error, not_before FROM jobs WHERE {UNDER_WAY}"  # noqa: S608
        )
        await asyncio.sleep(0.2)
    lag = "SELECT max(extract(epoch FROM finished_at - created_at)) FROM jobs"
    return float(await owner.fetchval(lag) or 0)


async def require_each_once(
    creating: Creating, owner: asyncpg.Connection, sink: Sink
) -> dict[str, int]:
    """Nothing lost, nothing twice: counted from the answers, the database and the mail server."""
    wanted = len(creating.answers)
    answered = [next(iter(ids)) for ids in creating.answers.values() if len(ids) == 1]
    assert len(answered) == len(set(answered)) == wanted, "a key has two interventions, or none"
    stored = {f"INT_{row['id'].hex}" for row in await owner.fetch("SELECT id FROM interventions")}
    assert stored == set(answered)
    counts = {what: await owner.fetchval(sql) for what, sql in COUNTS.items()}
    assert counts == dict.fromkeys(COUNTS, wanted)
    assert await owner.fetchval("SELECT count(*) FROM jobs WHERE failed") == 0
    return {**counts, **await _mails(owner, sink, wanted)}


async def _mails(owner: asyncpg.Connection, sink: Sink, wanted: int) -> dict[str, int]:
    """A mail for each intervention: sent once, or left to a person who was told of it."""
    names = Counter(str(mail["Message-ID"]) for mail in sink.mails)
    assert [name for name, times in names.items() if times > 1] == []
    rows = await owner.fetch(
        "SELECT state, count(*) AS n FROM notifications WHERE channel = 'email' GROUP BY state"
    )
    states = {row["state"]: row["n"] for row in rows}
    assert sum(states.values()) == wanted
    assert states.keys() <= {"sent", "unknown"}
    assert states.get("sent", 0) <= len(names) <= wanted
    return {f"mails {state}": count for state, count in states.items()}


def hash_of(key: str) -> int:
    return uuid.uuid5(uuid.NAMESPACE_OID, key).int


def _student(number: int) -> dict[str, object]:
    return {
        "id": str(uuid.uuid4()),
        "name": f"김학생{number}",
        "school_id": "SCH001",
        "grade": 10,
        "class_name": "1반",
        "student_number": str(number),
        "parent_contact": f"parent{number}@example.kr",
        "metadata": {
            "parent_preferences": {
                "notification_method": "email",
                "report_frequency": "immediate",
            }
        },
    }
