"""`python -m benchmarks`: runs the bench, prints the table, writes `results/latest.json`."""

import argparse
import sys

from benchmarks.results import Results
from benchmarks.scenarios import (
    Effort,
    run_browsing,
    run_cached,
    run_roles,
    run_scale,
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
    parser.add_argument("--scale", type=int, default=0, help="so many students more, at the end")
    results = measure(Effort(**vars(parser.parse_args())))
    sys.stdout.write(f"{results.table()}\n\nwritten to {results.save()}\n")


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
        if effort.scale:
            run_scale(stage, results, effort, students)
    return results


if __name__ == "__main__":
    main()
