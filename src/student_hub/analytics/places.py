"""Which class or grade is meant, and who may see it as a whole."""

from dataclasses import dataclass

from student_hub.platform.errors import InvalidInput
from student_hub.platform.security.caller import Caller, Scope
from student_hub.platform.text import HIDDEN_LETTERS, clean

LONGEST = 50
GRADES = range(1, 13)
FORM = "is not {school_id}:{grade}:{class_name} or {school_id}:{grade}, such as SCH001:10:1반"


@dataclass(frozen=True, slots=True)
class Place:
    """A class, or a whole grade when it names no class."""

    school_id: str
    grade: int
    class_name: str | None = None

    @classmethod
    def of(cls, class_id: str) -> "Place":
        """What the id says; InvalidInput for another form.

        A school's id has no colon. The class's name is all that follows the second one, so it may
        have colons and blanks itself.
        """
        school_id, _, rest = _cleaned(class_id).partition(":")
        grade, colon, class_name = rest.partition(":")
        known = grade.isascii() and grade.isdecimal() and not grade.startswith("0")
        if not (known and int(grade) in GRADES and 0 < len(school_id) <= LONGEST):
            raise InvalidInput.field("class_id", FORM)
        if colon and not 0 < len(class_name) <= LONGEST:
            raise InvalidInput.field("class_id", FORM)
        return cls(school_id, int(grade), class_name if colon else None)

    @property
    def id(self) -> str:
        grade = f"{self.school_id}:{self.grade}"
        return grade if self.class_name is None else f"{grade}:{self.class_name}"

    def is_seen_by(self, caller: Caller) -> bool:
        """Whether the caller may see every student there, and so figures about all of them."""
        if {Scope.READ, Scope.ADMIN}.isdisjoint(caller.scopes):
            return False
        if caller.reach is None:
            return caller.sees_all
        wider = {f"school:{self.school_id}", f"grade:{self.school_id}:{self.grade}"}
        return not wider.isdisjoint(caller.reach) or self.is_own_of(caller)

    def is_own_of(self, caller: Caller) -> bool:
        """Whether the caller was given this very class."""
        return self.class_name is not None and f"class:{self.id}" in (caller.reach or ())


def _cleaned(class_id: str) -> str:
    if len(class_id) > 2 * LONGEST + 10 or not HIDDEN_LETTERS.isdisjoint(class_id):
        raise InvalidInput.field("class_id", FORM)
    try:
        return str(clean(class_id))
    except ValueError as error:
        raise InvalidInput.field("class_id", "has a character that nobody sees") from error
