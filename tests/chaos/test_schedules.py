"""R7: 10,000 seeded schedules of overlapping reads and writes, over two processes' services."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from chaos.figures import Figures
from doorway import an_audit
from fakes.nodes import FakeNode
from fakes.valkey import Store, store
from profiles import stage as stages
from profiles.disorder import Stale, played
from profiles.stage import Stage, set_up
from profiles.test_interleavings import NEVER_SENT
from student_hub.platform.cache.store import Cache
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.db.listening import Listener
from student_hub.platform.security.keyring import Keyring
from student_hub.profiles.service import Profiles
from student_hub.students.service import Students

SEED = 0
SCHEDULES = int(os.environ.get("CHAOS_SCHEDULES", "10000"))
BOUND_S = 1.0
"""So old may be what a process remembers of a student's generation: a notification's way."""


@dataclass
class Theatre:
    """A stage, a store of its own, and processes that remember nothing, or what they may."""

    stage: Stage
    store: Store
    forgetful: list[Profiles]
    remembering: list[Profiles]


@pytest.fixture
async def theatre(
    database: Database,
    database_url: str,
    students: Students,
    keyring: Keyring,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Theatre]:
    def plain(answers: dict[str, object]) -> FakeNode:
        return FakeNode(answers, dialect="bare")

    monkeypatch.setattr(stages, "FakeNode", plain)
    async with AsyncExitStack() as stack:
        kept = await stack.enter_async_context(store())
        caches = [Cache(kept.url, bytes(32)) for _ in range(3)]
        for cache in caches:
            stack.push_async_callback(cache.close)
        stage = await stack.enter_async_context(set_up(database, students, caches[0]))
        forgetful = [await stack.enter_async_context(stage.with_cache(each)) for each in caches[1:]]
        remembering = []
        for cache in caches[1:]:
            listener = Listener(database_url)
            stack.push_async_callback(listener.close)
            theirs = Students(database, keyring, utc_now, an_audit(database), listener)
            service = stage.with_cache(cache, theirs)
            remembering.append(await stack.enter_async_context(service))
        yield Theatre(stage, kept, forgetful, remembering)


@pytest.mark.requirement("profile-invalidation", "remembered-rows")
@pytest.mark.timeout(7_200)
async def test_nothing_is_stale_beyond_the_bound(theatre: Theatre, figures: Figures) -> None:
    """Without memory nothing is; with it, no longer than a notification takes. No key is sought."""
    plain: list[Stale] = []
    remembered: list[Stale] = []
    read = refused = 0
    for seed in range(SEED, SEED + SCHEDULES):
        for processes, stale in (
            (theatre.forgetful, plain),
            (theatre.remembering, remembered),
        ):
            play = await played(theatre.stage, processes, seed)
            stale.extend(play.stale)
            read, refused = read + play.read, refused + play.refused
    sent = await theatre.store.commands()
    longest = max((each.seconds for each in remembered), default=0.0)
    sought = sum(sent.get(name, 0) for name in NEVER_SENT)
    for name, value, unit in (
        ("r7_stale", float(len(plain)), "reads"),
        ("r7_stale_while_notified", float(len(remembered)), "reads"),
        ("r7_stale_while_notified_longest", longest * 1_000, "ms"),
        ("r7_keys_and_scans", float(sought), "calls"),
        ("r7_read", float(read), "reads"),
        ("r7_refused", float(refused), "reads"),
    ):
        figures.note(name, value, unit, n=SCHEDULES, seed=SEED)
    assert plain == []
    assert longest <= BOUND_S
    assert sought == 0
    assert refused <= 0.01 * read
