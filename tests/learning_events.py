"""Learning events for tests of the reference nodes, and measures of their models."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, groupby
from math import sqrt
from pathlib import Path
from uuid import UUID, uuid5

from pydantic import BaseModel

from reference_nodes.curriculum import graph
from reference_nodes.eventlog import EventLog
from reference_nodes.events import Content, LearningEvent
from reference_nodes.learning.model import LearningModel
from reference_nodes.serving.context import NodeContext, NodeTool

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday, 18:00 in Seoul
NAMESPACE = UUID("0c0d0e0f-0000-4000-8000-000000000000")
_numbers = count()


def student_id(name: str | int) -> UUID:
    """A student's id by any name."""
    return uuid5(NAMESPACE, str(name))


def answer(
    student: str | int,
    problem: str,
    correct: bool,
    *,
    minutes: float = 0,
    concepts: Sequence[str] | None = ("9수02-20",),
    difficulty: float | None = None,
    time_spent: float | None = None,
    source_id: str | None = None,
) -> LearningEvent:
    """An answer so many minutes after START; without a source id it is an event of its own."""
    given = {
        "problem_id": problem,
        "result": "correct" if correct else "incorrect",
        "concepts": None if concepts is None else list(concepts),
        "difficulty": difficulty,
        "time_spent": time_spent,
    }
    content = Content.model_validate({k: v for k, v in given.items() if v is not None})
    return trace(student, content, minutes=minutes, source_id=source_id)


def trace(
    student: str | int, content: Content, *, minutes: float = 0, source_id: str | None = None
) -> LearningEvent:
    """Any study event so many minutes after START."""
    return LearningEvent(
        student_id=student_id(student),
        event_type="study",
        source_node=4,
        source_id=source_id or f"test-{next(_numbers)}",
        occurred_at=START + timedelta(minutes=minutes),
        content=content,
    )


def context_of(
    folder: Path, events: Iterable[LearningEvent] = (), *, now: datetime | None = None
) -> NodeContext:
    """A node's context over a log with these events, folded; the caller closes the log."""
    curriculum, log = graph.load(), EventLog(folder)
    log.append(events)
    model = LearningModel(log, curriculum.canonical)
    model.catch_up(patience=60)
    moment = now or START + timedelta(days=1)
    return NodeContext(log, model, curriculum, lambda: moment)


def call(tools: Sequence[NodeTool], name: str, **arguments: object) -> BaseModel:
    """What a tool answers to these arguments."""
    tool = next(tool for tool in tools if tool.name == name)
    return tool.run(tool.arguments.model_validate(arguments))


def auc(predictions: Iterable[tuple[float, bool]]) -> float:
    """Area under the ROC curve (Mann-Whitney, ties count half)."""
    wins = positives = negatives = 0.0
    for _, tied in groupby(sorted(predictions), key=lambda pair: pair[0]):
        results = [result for _, result in tied]
        right, wrong = sum(results), len(results) - sum(results)
        wins += right * (negatives + wrong / 2)
        positives, negatives = positives + right, negatives + wrong
    return wins / (positives * negatives)


def correlation(x: Sequence[float], y: Sequence[float]) -> float:
    """Pearson's r."""
    mx, my = sum(x) / len(x), sum(y) / len(y)
    both = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
    return both / sqrt(sum((a - mx) ** 2 for a in x) * sum((b - my) ** 2 for b in y))


def rank_correlation(x: Sequence[float], y: Sequence[float]) -> float:
    """Spearman's rho, for values without ties."""
    return correlation(_ranks(x), _ranks(y))


def _ranks(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    return [float(ordered.index(value)) for value in values]
