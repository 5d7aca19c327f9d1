"""How what a request costs grows with the register and the history."""

import sys
import time
from dataclasses import dataclass
from itertools import islice

import uvloop

from benchmarks import asking
from benchmarks.bulk import Bulk
from benchmarks.results import Results
from benchmarks.scenarios import drive
from benchmarks.stage import SCHOOL, Stage, running_stage

SIZES = (
    (1_000, 0),
    (100_000, 0),
    (1_000_000, 0),
    (1_000_000, 1_000_000),
    (1_000_000, 10_000_000),
)
"""Students and events, in the order in which they are reached."""
FILE = "scale"
GRADE = 10
OWN = 1_000
FRESH = 400
CONNECTIONS = 32
SECONDS = 3.0
WRITTEN = 2_000


@dataclass(frozen=True)
class Most:
    """Sizes beyond these are left out."""

    students: int = 1_000_000
    events: int = 10_000_000


def measure_growth(most: Most) -> Results:
    """The same requests at every size; a figure's name says the size."""
    results = Results()
    sizes = [size for size in SIZES if size[0] <= most.students and size[1] <= most.events]
    with running_stage() as stage:
        own = stage.fill(OWN, GRADE)
        fresh = iter(stage.fill(FRESH * len(sizes), grade=9))
        bulk = Bulk(stage.database_url, own)
        for students, events in sizes:
            name = f"among_{students}_students_{events}_events"
            began = time.monotonic()
            uvloop.run(bulk.grow(students, events))
            results.note(f"load_{name}", round(time.monotonic() - began, 1), "s", students + events)
            size = uvloop.run(bulk.bytes()) / 1_000_000
            results.note(f"database_{name}", round(size, 1), "MB", students + events)
            _measure(stage, results, own, list(islice(fresh, FRESH)), name)
            # The largest take long: what was measured before is kept whatever becomes of them.
            sys.stderr.write(f"{name}: measured, kept in {results.save(FILE)}\n")
    return results


def _measure(stage: Stage, results: Results, own: list[str], fresh: list[str], name: str) -> None:
    hub, key = stage.servers["hub_5ms"], stage.key
    cached = asking.mcp(own, key)
    drive(hub, cached, 8, 25, len(cached))
    a_class = f"/v1/students?school_id={SCHOOL}&grade={GRADE}&class_name=1%EB%B0%98"
    for run, wires, most in (
        ("cached_profile", cached, OWN * 1_000),
        ("uncached_profile", asking.mcp(fresh, key), FRESH),
        ("history_page", asking.paths((f"/v1/students/{s}/history" for s in own), key), WRITTEN),
        ("class_list", asking.paths([a_class], key), WRITTEN),
        ("event_stored", asking.events((own * 2)[:WRITTEN], key), WRITTEN),
    ):
        results.add(f"{run}_{name}", drive(hub, wires, CONNECTIONS, SECONDS, most))
