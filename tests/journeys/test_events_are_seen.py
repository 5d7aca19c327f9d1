"""How soon an event that is posted to the hub is seen; 300 of them under load are in chaos."""

import os
import signal
import time

import httpx2
import pytest

from journeys.seeing import an_event, counts
from journeys.stack import Stack, until

LONGEST_S = 5.0
"""What the contract promises."""


@pytest.mark.requirement("event-to-profile", "cache-away")
def test_an_event_is_seen_within_five_seconds_also_across_a_restart_of_the_store(
    stack: Stack, http: httpx2.Client
) -> None:
    """By every layer: the nodes that count it, what is kept of them, and the profile."""
    page = http.get("/v1/students", params={"school_id": "SCH001", "limit": 5}).json()
    for number, student in enumerate(page["students"]):
        if number == 3:
            os.kill(stack.pids["valkey"], signal.SIGKILL)
        see_one(http, student["id"])
    until(lambda: http.get("/health").json()["redis"] == "up", 30)


def see_one(http: httpx2.Client, student_id: str) -> None:
    """Posts an event and reads the profile until it is in it."""
    path = f"/v1/students/{student_id}/profile"
    before = counts(http.get(path).json())
    posted = time.monotonic()
    receipt = http.post("/v1/events", json={"events": [an_event(student_id)]}).json()
    assert receipt["stored"] == 1
    wanted = before[0] + 1, before[1] + 1
    until(lambda: counts(http.get(path).json()) == wanted, 30)
    assert time.monotonic() - posted < LONGEST_S
