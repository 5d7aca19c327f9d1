"""What a running stack tells `student-hub status` and `student-hub env`."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from student_hub.entry.stack.lock import is_held
from student_hub.entry.stack.private import write_private

_NAME = "stack.json"


@dataclass(frozen=True)
class StackState:
    """Where a running stack is reached, and its processes by name."""

    pid: int
    url: str
    api_key: str
    database_url: str
    redis_url: str
    ports: dict[str, int]
    pids: dict[str, int]


def write_state(data_dir: Path, state: StackState) -> None:
    """Publish the state to the owner of the data folder alone (it holds passwords)."""
    write_private(data_dir / _NAME, json.dumps(asdict(state), indent=2) + "\n")


def renew_pids(data_dir: Path, pids: dict[str, int]) -> None:
    """Say which processes there are now, if a state has been published."""
    state = read_state(data_dir)
    if state is not None:
        write_state(data_dir, replace(state, pids=pids))


def read_state(data_dir: Path) -> StackState | None:
    """The state of the stack that runs on the data folder now; None when none does."""
    try:
        text = (data_dir / _NAME).read_text()
    except FileNotFoundError:
        return None
    return StackState(**json.loads(text)) if is_held(data_dir) else None


def remove_state(data_dir: Path) -> None:
    """Say that the stack has stopped."""
    (data_dir / _NAME).unlink(missing_ok=True)
