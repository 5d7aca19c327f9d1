"""Learning events that are posted to the hub, and the moment at which a profile shows them."""

import itertools
from datetime import UTC, datetime
from typing import Any

CONCEPT = "9수02-20"
_numbers = itertools.count(1)


def an_event(student_id: str) -> dict[str, Any]:
    """A problem solved just now; the numbers of a process make each event one of its own."""
    number = next(_numbers)
    return {
        "student_id": student_id,
        "event_type": "study",
        "source_node": 4,
        "source_id": f"seeing-{number}",
        "occurred_at": datetime.now(UTC).isoformat(),
        "content": {
            "action": "solved_problem",
            "problem_id": f"seeing-{number}",
            "concepts": [CONCEPT],
            "result": "correct",
            "time_spent": 60,
        },
    }


def counts(profile: dict[str, Any]) -> tuple[int, int]:
    """Problems by node 4, and answers to the concept by node 1, as far as the profile has them."""
    solved = sum(day["problems_solved"] for day in profile["recent_activities"] or ())
    concepts = (profile["knowledge_state"] or {"concepts": []})["concepts"]
    answers = sum(each["answers"] for each in concepts if each["code"] == CONCEPT)
    return solved, answers
