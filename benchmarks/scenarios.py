"""What is measured: the contestants take turns in rounds, for the machine is shared and noisy."""

import base64
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice

import orjson

from benchmarks import asking
from benchmarks.load import Plan, Seen
from benchmarks.results import Results
from benchmarks.roles import callers
from benchmarks.stage import DELAYS_MS, ROOT, Server, Stage

CONNECTIONS = (1, 32, 256, 1_000)
UNCACHED_EACH = {1: 100, 32: 500, 256: 800, 1_000: 1_200}
CLASS_SIZE = 25
TEACHERS = 40
CLASSES_OF_ONE = 3
LOOKS = 400
EVENT_EVERY = 200
SEED = 7
LONGEST_BROWSING_S = 27
MOST = 200_000


@dataclass(frozen=True)
class Effort:
    """How long and how often: the whole run takes about five minutes with the defaults."""

    students: int = 1_000
    rounds: int = 3
    seconds: float = 1.2
    uncached_rounds: int = 2


def drive(
    server: Server, wires: Sequence[bytes], connections: int, seconds: float, most: int = MOST
) -> Seen:
    """What a load process saw."""
    requests = [base64.b64encode(wire).decode() for wire in wires]
    plan = Plan(server.port, server.pid, requests, connections, seconds, most)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=orjson.dumps(asdict(plan)),
        capture_output=True,
        check=False,
        cwd=ROOT,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode()[-2_000:])
    seen = Seen(**orjson.loads(done.stdout))
    if seen.failed:
        sys.stderr.write(f"{seen.failed} failed, the first: {seen.first_failure[:600]}\n")
    return seen


def run_cached(stage: Stage, results: Results, effort: Effort, students: list[str]) -> None:
    """The cached profile through every door, beside the yardsticks."""
    hub = stage.servers["hub_5ms"]
    warm = asking.mcp(students, stage.key)
    drive(hub, warm, 8, 60, len(warm))
    stage.show({s: orjson.dumps(stage.ask(f"/v1/students/{s}/profile")) for s in students})
    contestants = _contestants(stage, students)
    for connections in CONNECTIONS:
        for server in (hub, stage.servers["hub_limited"]):
            drive(server, warm, 8, 60, len(warm))
        for _ in range(effort.rounds):
            for name, (server, wires) in contestants.items():
                seen = drive(server, wires, connections, effort.seconds)
                results.add(f"{name}_c{connections}", seen)
        for run in ("cached_profile_mcp", "cached_profile_mcp_limited"):
            for yardstick in ("floor", "floor_redis_py", "plain_sdk"):
                name = f"{run}_c{connections}"
                results.ratio(f"{name}_ratio_to_{yardstick}", name, f"{yardstick}_c{connections}")


def _contestants(stage: Stage, students: list[str]) -> dict[str, tuple[Server, list[bytes]]]:
    servers, key = stage.servers, stage.key
    hub = servers["hub_5ms"]
    return {
        "floor": (servers["floor"], asking.bare(students)),
        "cached_profile_mcp": (hub, asking.mcp(students, key)),
        "cached_profile_mcp_limited": (servers["hub_limited"], asking.mcp(students, key)),
        "plain_sdk": (servers["plain_sdk"], asking.mcp(students)),
        "floor_redis_py": (servers["floor_redis_py"], asking.bare(students)),
        "cached_profile_rpc": (hub, asking.rpc(students, key)),
        "cached_profile_rest": (hub, asking.rest(students, key)),
    }


def run_roles(
    stage: Stage, results: Results, effort: Effort, students: list[str], grade: int
) -> None:
    """The cached profile at 32 connections, asked for by people of every role."""
    hub = stage.servers["hub_5ms"]
    wires = {
        role: asking.mcp(seen, key) for role, (key, seen) in callers(stage, students, grade).items()
    }
    for _ in range(effort.rounds):
        for role, requests in wires.items():
            drive(hub, requests, 8, 60, len(requests))
            seen = drive(hub, requests, 32, effort.seconds)
            results.add(f"cached_profile_mcp_{role}_c32", seen)


def run_uncached(stage: Stage, results: Results, effort: Effort, fresh: Iterator[str]) -> None:
    """Every request for a student whom nobody has asked for: all nodes are called."""
    for connections, count in UNCACHED_EACH.items():
        for _ in range(effort.uncached_rounds):
            for delay in DELAYS_MS:
                wires = asking.mcp(islice(fresh, count), stage.key)
                seen = drive(stage.servers[f"hub_{delay}ms"], wires, connections, 25, count)
                results.add(f"uncached_profile_nodes_{delay}ms_c{connections}", seen)


def uncached_needed(effort: Effort) -> int:
    """How many students the uncached runs use up."""
    return sum(UNCACHED_EACH.values()) * effort.uncached_rounds * len(DELAYS_MS)


def run_browsing(stage: Stage, results: Results, students: list[str]) -> None:
    """Teachers look through their classes, again and again, while events come in."""
    wires = _browsing(students, stage.key)
    seen = drive(stage.servers["hub_50ms"], wires, 32, LONGEST_BROWSING_S, len(wires))
    results.add("class_browsing_c32", seen)
    looks = len(seen.times) * (EVENT_EVERY - 1) / EVENT_EVERY
    results.note("class_browsing_hit_rate", round(seen.cached / looks, 4), "ratio", len(seen.times))


def _browsing(students: list[str], key: str) -> list[bytes]:
    dice = random.Random(SEED)  # noqa: S311 (a load that can be repeated)
    classes = [students[at : at + CLASS_SIZE] for at in range(0, len(students), CLASS_SIZE)]
    teachers = [dice.sample(classes, CLASSES_OF_ONE) for _ in range(TEACHERS)]
    looks = [student for _ in range(LOOKS) for student in dice.choice(dice.choice(teachers))]
    wires = asking.mcp(looks, key)
    for at, event in zip(
        range(EVENT_EVERY - 1, len(wires), EVENT_EVERY),
        asking.events(looks[::EVENT_EVERY], key),
        strict=True,
    ):
        wires[at] = event
    return wires
