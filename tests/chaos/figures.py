"""What the long proofs measured: a JSON list of figures, each with its seed, date and commit."""

import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

ROOT = Path(__file__).parents[2]
FILE = ROOT / "benchmarks/results/chaos.json"
GIT = "/usr/bin/git"
SHARES = (50, 95, 99, 100)


@dataclass(frozen=True)
class Figure:
    """One figure; `n` is what it rests on."""

    name: str
    value: float
    unit: str
    n: int
    seed: int
    commit: str
    date: str


class Figures:
    """The figures of one test; those of the same names from before are replaced."""

    def __init__(self) -> None:
        self._figures: list[Figure] = []

    def note(self, name: str, value: float, unit: str, *, n: int, seed: int) -> None:
        date = datetime.now(UTC).isoformat(timespec="seconds")
        self._figures.append(Figure(name, round(value, 4), unit, n, seed, commit(), date))

    def times(self, name: str, seconds: Sequence[float], *, seed: int) -> None:
        """Median, 95th and 99th percentile and the longest, in milliseconds."""
        for share in SHARES:
            value = percentile(seconds, share) * 1_000
            self.note(f"{name}_p{share}", value, "ms", n=len(seconds), seed=seed)

    def keep(self) -> str:
        """The figures as lines for a person; they are in the file now."""
        before = orjson.loads(FILE.read_bytes()) if FILE.exists() else []
        ours = {figure.name: asdict(figure) for figure in self._figures}
        kept = {**{each["name"]: each for each in before}, **ours}
        rows = [kept[name] for name in sorted(kept)]
        FILE.write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2) + b"\n")
        return "\n".join(f"{f.name} = {f.value:,.6g} {f.unit} (n {f.n})" for f in self._figures)


def percentile(values: Sequence[float], share: int) -> float:
    """The value that `share` per cent of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


def commit() -> str:
    """The commit that was measured, and whether something was changed since."""

    def git(*words: str) -> str:
        done = subprocess.run([GIT, *words], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no")
    return git("rev-parse", "--short", "HEAD") + ("-changed" if changed else "")
