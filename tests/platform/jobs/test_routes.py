"""The operators' desk at /admin/jobs: what is listed, read, retried and dropped, and by whom."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from counting import Count, CountSoon, do, put, silent_ledger, until
from factories import scalar
from student_hub.platform.db.database import Database
from student_hub.platform.jobs.job import Job
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.queues import Queue
from whole_hub import WholeHub, whole_hub

pytestmark = pytest.mark.requirement("jobs-desk")

PATH = "/admin/jobs"
KILL = """
    UPDATE jobs SET failed = true, finished_at = now(), attempts = 12, last_error = 'ValueError',
        last_message = '(student_hub/history/jobs.py:52)'
    WHERE (payload->>'number')::int = ANY ('{{{}}}')
"""
HOUR = "UPDATE jobs SET not_before = now() + interval '1 h' WHERE (payload->>'number')::int = {}"
MINUTE = "UPDATE jobs SET not_before = now() - interval '1 min' WHERE kind = 'count'"
NUMBERS = text("SELECT id, (payload->>'number')::int AS number FROM jobs")
NOTED = "SELECT count(*) FROM audit_inbox WHERE action = :action AND outcome = :outcome"


@pytest.fixture
def hub(database_url: str, valkey_url: str) -> Iterator[WholeHub]:
    with whole_hub(database_url, valkey_url) as hub:
        yield hub


@pytest.fixture
def http(hub: WholeHub) -> Iterator[httpx2.Client]:
    with hub.client() as http:
        yield http


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return silent_ledger(database)


@pytest.fixture
async def ids(database: Database, ledger: Ledger) -> dict[int, int]:
    """Jobs by their numbers: 1 and 2 dead, 3 delayed, 4 running, 5 done, 6 and 7 due."""
    jobs: list[Job] = [Count(number=number) for number in (4, 5)]
    await put(database, ledger, jobs)
    claims = [await ledger.claim(Queue.DEFAULT) for _ in jobs]
    assert claims[1] is not None
    await ledger.finish(claims[1], None)
    more: list[Job] = [Count(number=number) for number in (1, 2, 3, 6)]
    await put(database, ledger, [*more, CountSoon(number=7)])
    await do(database, KILL.format("1,2"))
    await do(database, HOUR.format(3))
    async with database.transaction() as tx:
        found = await tx.session.execute(NUMBERS)
        return {row.number: row.id for row in found}


def numbers(answer: httpx2.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [job["payload"]["number"] for job in answer.json()["jobs"]]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [7, 6, 3, 2, 1, 5, 4]),
        ({"state": "dead"}, [2, 1]),
        ({"state": "delayed"}, [3]),
        ({"state": "running"}, [4]),
        ({"state": "done"}, [5]),
        ({"state": "due"}, [7, 6]),
        ({"state": "due", "queue": "high_priority"}, [7]),
        ({"kind": "count_soon"}, [7]),
        ({"kind": "count", "state": "due"}, [6]),
    ],
)
async def test_jobs_are_listed_by_kind_state_and_queue(
    http: httpx2.Client, ids: dict[int, int], wanted: dict[str, str], found: list[int]
) -> None:
    """The newest first; every job is in one state."""
    assert len(ids) == 7
    assert numbers(http.get(PATH, params=wanted)) == found


async def test_a_long_list_comes_in_pages(http: httpx2.Client, ids: dict[int, int]) -> None:
    """Each cursor goes on where the page before ended; the last page has none."""
    seen: list[int] = []
    cursor: str | None = None
    for _ in range(4):
        params: dict[str, Any] = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        answer = http.get(PATH, params=params)
        seen += numbers(answer)
        cursor = answer.json()["next"]
    assert seen == [7, 6, 3, 2, 1, 5, 4]
    assert cursor is None
    assert len(ids) == len(seen)


async def test_a_dead_job_says_what_it_was_and_why_it_died(
    http: httpx2.Client, ids: dict[int, int]
) -> None:
    """Its ids, its attempts, the class of the last error and where it was raised."""
    job = http.get(f"{PATH}/{ids[1]}").json()
    assert job["error"] == {"kind": "ValueError", "message": "(student_hub/history/jobs.py:52)"}
    assert (job["state"], job["attempts"], job["most_attempts"]) == ("dead", 12, 12)
    assert (job["kind"], job["queue"], job["payload"]) == ("count", "default", {"number": 1})


async def test_a_running_job_says_where_it_runs(http: httpx2.Client, ids: dict[int, int]) -> None:
    """Since when, and in which process of which machine."""
    job = http.get(f"{PATH}/{ids[4]}").json()
    assert job["state"] == "running"
    assert job["started_at"] is not None
    assert job["worker"].partition(":")[2].isdigit()


async def test_a_retried_job_is_due_with_all_its_attempts(
    http: httpx2.Client, ids: dict[int, int], ledger: Ledger, database: Database
) -> None:
    """The next worker has it; what was delayed is due at once as well."""
    for number, attempts in ((1, 0), (3, 0)):
        job = http.post(f"{PATH}/{ids[number]}/retry").json()
        assert (job["state"], job["attempts"]) == ("due", attempts)
    await do(database, MINUTE)
    taken = {
        claim.payload["number"] for _ in range(3) if (claim := await ledger.claim(Queue.DEFAULT))
    }
    assert taken == {1, 3, 6}


async def test_all_dead_jobs_of_a_kind_are_retried_by_one_call(
    http: httpx2.Client, ids: dict[int, int]
) -> None:
    """Once; there is nothing left for the second call."""
    assert len(ids) == 7
    for retried in (2, 0):
        answer = http.post(f"{PATH}/retry", params={"kind": "count"})
        assert answer.json() == {"retried": retried, "left": 0}
    assert http.post(f"{PATH}/retry", params={"kind": "other"}).json()["retried"] == 0
    assert http.post(f"{PATH}/retry").status_code == 422


async def test_a_dropped_job_is_no_more(
    http: httpx2.Client, ids: dict[int, int], database: Database
) -> None:
    """It is told once more what it was; a second time there is none."""
    for number in (1, 3, 6):
        assert http.delete(f"{PATH}/{ids[number]}").json()["payload"] == {"number": number}
    for method, path in (("DELETE", ""), ("GET", ""), ("POST", "/retry")):
        gone = http.request(method, f"{PATH}/{ids[1]}{path}")
        assert (gone.status_code, gone.json()["code"]) == (404, -32002)
    assert await scalar(database, "SELECT count(*) FROM jobs") == 4


@pytest.mark.parametrize(("number", "state"), [(4, "running"), (5, "done")])
async def test_a_job_in_hands_or_done_is_not_touched(
    http: httpx2.Client, ids: dict[int, int], number: int, state: str
) -> None:
    """409 says in which state it is."""
    for method, path in (("POST", "/retry"), ("DELETE", "")):
        refused = http.request(method, f"{PATH}/{ids[number]}{path}")
        assert (refused.status_code, refused.json()["code"]) == (409, -32005)
        assert refused.json()["data"]["state"] == state


async def test_the_queues_are_seen(
    http: httpx2.Client, ids: dict[int, int], database: Database
) -> None:
    """How many jobs are in which state, the age of the oldest due one, and what is dead."""
    assert len(ids) == 7
    await do(database, MINUTE.replace("kind = 'count'", f"id = {ids[6]}"))
    seen = http.get(f"{PATH}/queues").json()
    queues = {queue.pop("queue"): queue for queue in seen["queues"]}
    lag = queues["default"].pop("lag_s")
    assert queues["default"] == {"due": 1, "delayed": 1, "running": 1, "dead": 2}
    assert 60 <= lag < 600
    assert queues["high_priority"]["due"] == 1
    assert queues["low_priority"] == {"due": 0, "delayed": 0, "running": 0, "dead": 0, "lag_s": 0}
    assert seen["dead"] == [{"kind": "count", "dead": 2}]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "?state=lost"),
        ("GET", "?queue=middle"),
        ("GET", "?kind=Count;"),
        ("GET", "?limit=0"),
        ("GET", "?limit=201"),
        ("GET", "?cursor=-1"),
        ("GET", f"?cursor={2**64}"),
        ("GET", "?cursor=١"),
        ("GET", "?since=1"),
        ("GET", "/first"),
        ("GET", "/0"),
        ("DELETE", f"/{2**63}"),
        ("POST", "/retry?kind="),
    ],
)
def test_what_cannot_be_is_refused_by_field(http: httpx2.Client, method: str, path: str) -> None:
    """422 with the field; nothing is done."""
    refused = http.request(method, f"{PATH}{path}")
    assert (refused.status_code, refused.json()["code"]) == (422, -32602)


DOORS = [
    ("GET", ""),
    ("GET", "/queues"),
    ("GET", "/{}"),
    ("POST", "/{}/retry"),
    ("POST", "/retry?kind=count"),
    ("DELETE", "/{}"),
]


@pytest.mark.parametrize(("method", "path"), DOORS)
async def test_the_desk_is_for_administrators(
    hub: WholeHub,
    http: httpx2.Client,
    ids: dict[int, int],
    database: Database,
    method: str,
    path: str,
) -> None:
    """An administrator's key without the scope may not even read, and the audit log says so."""
    scopes = {"role": "admin", "scopes": ["read", "write"], "name": "reader"}
    key = http.post("/admin/keys", json=scopes).json()["key"]
    with hub.client(key) as limited:
        refused = limited.request(method, PATH + path.format(ids[1]))
    assert (refused.status_code, refused.json()["code"]) == (403, -32003)
    assert await scalar(database, "SELECT count(*) FROM jobs WHERE failed") == 2
    await until(lambda: refusal_is_noted(database))


async def refusal_is_noted(database: Database) -> bool:
    refused = "SELECT count(*) FROM audit_inbox WHERE action LIKE 'job.%' AND outcome = 'refused'"
    return await scalar(database, refused) == 1


async def test_what_an_operator_does_is_in_the_audit_log(
    http: httpx2.Client, ids: dict[int, int], database: Database
) -> None:
    """Changes with their transaction; so is who looked, before the answer left."""
    http.post(f"{PATH}/{ids[1]}/retry")
    http.post(f"{PATH}/retry", params={"kind": "count"})
    http.delete(f"{PATH}/{ids[3]}")
    for action, times in (("job.retry", 2), ("job.drop", 1)):
        assert await scalar(database, NOTED, action=action, outcome="ok") == times


async def test_the_hubs_metrics_tell_of_the_queues(
    http: httpx2.Client, ids: dict[int, int]
) -> None:
    """Any API process knows them from the ledger: depth by state, and lag."""
    assert len(ids) == 7
    lines = http.get("/metrics").text.splitlines()
    assert 'jobs{queue="default",state="dead"} 2.0' in lines
    assert 'jobs{queue="high_priority",state="due"} 1.0' in lines
    assert any(line.startswith('job_queue_lag_seconds{queue="default"} ') for line in lines)
