"""Who may see whom."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from doorway import KNOWN
from student_hub.access.policy import may_see
from student_hub.platform.security.caller import Caller, Scope

pytestmark = pytest.mark.requirement("policy-before-cache")


@dataclass(frozen=True)
class Pupil:
    id: UUID = KNOWN
    school_id: str = "SCH001"
    grade: int = 10
    class_name: str = "1반"


@pytest.mark.parametrize("scope", [Scope.READ, Scope.ADMIN])
def test_whoever_may_read_sees_every_student(scope: Scope) -> None:
    """Until there are grants, the scope alone decides."""
    assert may_see(Caller("key:x", frozenset({scope})), Pupil())


def test_whoever_may_only_write_sees_nobody() -> None:
    """An importer's key reads nothing back."""
    assert not may_see(Caller("key:x", frozenset({Scope.WRITE})), Pupil())
