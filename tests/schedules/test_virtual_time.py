"""D5: a week and a year of schedules in virtual time: each time exactly once."""

import pytest

from schedules.stage import Room
from schedules.virtual import Play, daily_and_slower, hourly_and_slower, played
from student_hub.platform.security.keyring import Keyring

pytestmark = [pytest.mark.requirement("schedules-once"), pytest.mark.timeout(600)]


async def test_each_time_of_a_week_is_fired_once(
    room: Room, database_url: str, keyring: Keyring
) -> None:
    """Two schedulers at once, one of them restarted, a tenth of their transactions aborted."""
    drafts = hourly_and_slower()
    play = await played(room, database_url, keyring, drafts, days=7, most_minutes=29, seed=1)
    require_each_once(play)
    assert play.aborted > 5
    assert play.restarts > 2


async def test_each_time_of_a_year_is_fired_once(
    room: Room, database_url: str, keyring: Keyring
) -> None:
    """Through all changes of the clocks of seven zones."""
    drafts = daily_and_slower()
    play = await played(room, database_url, keyring, drafts, days=366, most_minutes=700, seed=2)
    require_each_once(play)


async def test_outages_and_clocks_astray_fire_no_time_twice_and_lose_none_uncounted(
    room: Room, database_url: str, keyring: Keyring
) -> None:
    """Clocks jump for days and back: what has no run of its own is counted as missed in one."""
    drafts = hourly_and_slower()
    play = await played(
        room, database_url, keyring, drafts, days=14, most_minutes=29, seed=3, astray=True
    )
    for task_id, planned in play.planned.items():
        runs = play.runs[task_id]
        assert len(set(runs)) == len(runs)
        # A clock that went ahead may have fired what was to come only later.
        due = [at for at in planned if at <= runs[-1]]
        assert set(due) >= {at for at in runs if at <= planned[-1]}
        if runs[-1] <= planned[-1]:
            assert len(runs) + play.missed[task_id] == len(due)
    assert play.jobs == sum(map(len, play.runs.values()))
    assert sum(play.missed.values()) > 0


def require_each_once(play: Play) -> None:
    assert play.slots > 500
    assert play.runs == {task: times for task, times in play.planned.items() if times}
    assert sum(play.missed.values()) == 0
    assert play.jobs == play.slots
