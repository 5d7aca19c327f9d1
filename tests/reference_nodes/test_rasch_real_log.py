"""The model on real answers, predicting each one before it is told."""

import gzip
import os
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest

from learning_events import auc
from reference_nodes.learning.items import ItemTable
from reference_nodes.learning.rasch import StudentBelief, absorb, predict

pytestmark = pytest.mark.requirement("nodes-real-models")

LOG = Path(__file__).parents[3] / "shared/data/interactions/assistments2017_342students.tsv.gz"


class Row(NamedTuple):
    student: str
    item: str
    correct: bool
    skill: str


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    if not LOG.exists():
        reason = f"the real log is not at {LOG}; it is local test input and not shipped"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with gzip.open(LOG, "rt") as lines:
        next(lines)
        return [
            Row(student, item, correct == "1", f"skill-{skill.strip()}")
            for student, item, _, correct, skill in (line.split("\t") for line in lines)
        ]


def model_auc(rows: list[Row]) -> float:
    items, students = ItemTable(), defaultdict[str, StudentBelief](StudentBelief)
    attempted: set[tuple[str, str]] = set()
    predictions = []
    for student, name, correct, skill in rows:
        item, belief = items.meet(name, (skill,), None), students[student]
        predictions.append((predict(belief, (skill,), item.d, item.v), correct))
        surprise = absorb(belief, (skill,), item.d, item.v, correct)
        if (student, name) not in attempted:
            attempted.add((student, name))
            items.learn(item, surprise)
    return auc(predictions)


def running_share_auc(rows: list[Row], *, by: str) -> float:
    """The simplest rival: the share right so far on the item or of the student, shrunk."""
    counts: dict[str, list[float]] = defaultdict(lambda: [2.0, 5.0])
    predictions = []
    for row in rows:
        right = counts[getattr(row, by)]
        predictions.append((right[0] / right[1], row.correct))
        right[0] += row.correct
        right[1] += 1
    return auc(predictions)


def test_one_step_ahead_on_assistments_2017(rows: list[Row]) -> None:
    """From a cold start over 90,586 answers: AUC .756, clearly above item or student shares.

    Trials of this model on five folds of another extract of the same data set reached .709. The
    figures of two extracts do not compare, so the bound and the rivals here are this log's own.
    """
    reached = model_auc(rows)
    assert len(rows) == 90_586
    assert reached > 0.745
    assert reached > running_share_auc(rows, by="item") + 0.03
    assert reached > running_share_auc(rows, by="student") + 0.03
