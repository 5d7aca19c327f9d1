"""What was measured: kept as JSON, printed as a table."""

import subprocess
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import orjson

from benchmarks.load import Seen

HERE = Path(__file__).parent
GIT = "/usr/bin/git"


@dataclass(frozen=True)
class Result:
    """One figure; `n` is how many requests it rests on."""

    name: str
    value: float
    unit: str
    n: int
    commit: str
    date: str


class Results:
    """Collects runs by name, and says each figure as the median over the rounds."""

    def __init__(self) -> None:
        self._runs: dict[str, list[Seen]] = {}
        self._extra: list[tuple[str, float, str, int]] = []

    def add(self, name: str, seen: Seen) -> None:
        """One round of that name."""
        self._runs.setdefault(name, []).append(seen)

    def note(self, name: str, value: float, unit: str, n: int) -> None:
        """A figure that is no plain run."""
        self._extra.append((name, value, unit, n))

    def ratio(self, name: str, run: str, yardstick: str) -> None:
        """Throughput of one beside the other's: the median of the rounds' own ratios."""
        pairs = list(zip(self._runs[run], self._runs[yardstick], strict=True))
        ratios = [_rate(mine) / _rate(theirs) for mine, theirs in pairs]
        self.note(name, round(median(ratios), 3), "ratio", sum(len(s.times) for s, _ in pairs))

    def all(self) -> list[Result]:
        """Every figure."""
        commit, date = _commit(), datetime.now(UTC).isoformat(timespec="seconds")
        rows = [row for name, runs in self._runs.items() for row in _figures(name, runs)]
        return [Result(*row, commit, date) for row in [*rows, *self._extra]]

    def save(self, name: str = "latest") -> Path:
        """The file that the figures are in now."""
        file = HERE / "results" / f"{name}.json"
        file.parent.mkdir(exist_ok=True)
        rows = [asdict(result) for result in self.all()]
        file.write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2) + b"\n")
        return file

    def table(self) -> str:
        """Markdown: a line a run, then the other figures."""
        head = "| run | req/s | p50 ms | p95 ms | p99 ms | CPU µs | cached | n | failed |"
        lines = [head, "|---|---|---|---|---|---|---|---|---|"]
        for name, runs in self._runs.items():
            cells = [f"{value:,.6g}" for _, value, _, _ in _figures(name, runs)[:6]]
            n, failed = sum(len(s.times) for s in runs), sum(s.failed for s in runs)
            lines.append(f"| {name} | {' | '.join(cells)} | {n} | {failed} |")
        lines += ["", "| figure | value | unit |", "|---|---|---|"]
        lines += [f"| {name} | {value:,.6g} | {unit} |" for name, value, unit, _ in self._extra]
        return "\n".join(lines)


def _figures(name: str, runs: list[Seen]) -> list[tuple[str, float, str, int]]:
    n = sum(len(seen.times) for seen in runs)
    rows = [(f"{name}_throughput", median(map(_rate, runs)), "req/s")]
    rows += [
        (f"{name}_p{share}", median(_percentile(seen, share) * 1_000 for seen in runs), "ms")
        for share in (50, 95, 99)
    ]
    cpu = median(seen.cpu / len(seen.times) * 1_000_000 for seen in runs)
    rows.append((f"{name}_cpu_per_request", cpu, "us"))
    cached = median(seen.cached / len(seen.times) for seen in runs)
    rows.append((f"{name}_cached_share", cached, "ratio"))
    rows.append((f"{name}_failed", float(sum(seen.failed for seen in runs)), "requests"))
    return [(row, round(value, 3), unit, n) for row, value, unit in rows]


def _rate(seen: Seen) -> float:
    return len(seen.times) / seen.seconds


def _percentile(seen: Seen, share: int) -> float:
    times = sorted(seen.times)
    return times[min(len(times) - 1, len(times) * share // 100)]


def _commit() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(  # noqa: S603 (fixed words)
            [GIT, *words], cwd=HERE, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no")
    return git("rev-parse", "--short", "HEAD") + ("-changed" if changed else "")
