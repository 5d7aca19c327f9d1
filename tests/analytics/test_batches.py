"""What a node says of many students at once fits into an answer."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from reference_nodes.curriculum import graph
from reference_nodes.nodes.batches import KnowledgeOf, KnowledgeStates
from student_hub.nodes.batches import MOST_STATES
from student_hub.nodes.connection import MOST_BYTES


@pytest.mark.requirement("class-analytics")
def test_the_largest_batch_of_the_curriculum_is_not_too_large() -> None:
    """Students who met every concept: structured, and once more as escaped text."""
    curriculum = graph.load()
    codes = sorted(curriculum.concepts)
    rows = [(code, 0.1234, 0.0123, 0.2345, 1234, 1_770_000_000) for code in codes]
    unmet = {code: list(curriculum.ancestors(code, 1)) for code in codes}
    students = [
        KnowledgeOf(student_id=uuid4(), concepts=rows, unmet=unmet) for _ in range(MOST_STATES)
    ]
    names = {code: curriculum.name_of(code) for code in codes}
    answer = KnowledgeStates(students=students, names=names, generated_at=datetime.now(UTC))
    text = answer.model_dump_json()
    sent = len(text.encode()) + len(json.dumps(text, ensure_ascii=False).encode())
    assert sent < MOST_BYTES
