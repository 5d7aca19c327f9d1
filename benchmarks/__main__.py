"""`python -m benchmarks`: runs the bench, prints the table, writes `results/latest.json`.

With `--scale` it measures how cost grows with the register and the history instead, and writes
`results/scale.json`.
"""

import argparse
import sys

from benchmarks.creating import run_creating
from benchmarks.growth import FILE, Most, measure_growth
from benchmarks.results import Results
from benchmarks.scenarios import (
    Effort,
    run_browsing,
    run_cached,
    run_roles,
    run_uncached,
    uncached_needed,
)
from benchmarks.stage import running_stage

GRADE = 10


def main() -> None:
    """Reads the options and runs everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--students", type=int, default=Effort.students)
    parser.add_argument("--rounds", type=int, default=Effort.rounds)
    parser.add_argument("--seconds", type=float, default=Effort.seconds, help="of one cached run")
    parser.add_argument("--uncached-rounds", type=int, default=Effort.uncached_rounds)
    parser.add_argument("--scale", action="store_true", help="measure growth, and nothing else")
    parser.add_argument("--most-students", type=int, default=Most.students)
    parser.add_argument("--most-events", type=int, default=Most.events)
    given = parser.parse_args()
    if given.scale:
        results, name = measure_growth(Most(given.most_students, given.most_events)), FILE
    else:
        results, name = measure(_effort(given)), "latest"
    sys.stdout.write(f"{results.table()}\n\nwritten to {results.save(name)}\n")


def _effort(given: argparse.Namespace) -> Effort:
    return Effort(given.students, given.rounds, given.seconds, given.uncached_rounds)


def measure(effort: Effort) -> Results:
    """All scenarios, one after another."""
    results = Results()
    with running_stage() as stage:
        students = stage.fill(effort.students, grade=GRADE)
        browsed = stage.fill(effort.students, grade=11)
        fresh = stage.fill(uncached_needed(effort), grade=9)
        run_cached(stage, results, effort, students)
        run_roles(stage, results, effort, students, GRADE)
        run_uncached(stage, results, effort, iter(fresh))
        run_browsing(stage, results, browsed)
        run_creating(stage, results, students)
    return results


if __name__ == "__main__":
    main()
