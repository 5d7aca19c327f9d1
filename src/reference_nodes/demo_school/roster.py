"""Who is in the class: invented people, the same ones for the same seed."""

from dataclasses import dataclass, replace
from random import Random
from uuid import UUID, uuid5

SCHOOL_ID = "SCH001"
GRADE = 10
CLASS_NAME = "1반"
FIRST_NAME_OF_ALL = "김철수"
_NAMESPACE = UUID("5f0c2f7e-6b1d-4c55-9d55-6a5a0d2f3c11")

_FAMILY = "김이박최정강조윤장임한오서신권황안송류홍"
_GIVEN = (
    "서연", "민준", "지우", "도윤", "하은", "시우", "예린", "주원", "수아",
    "건우", "채원", "현우", "다은", "준서", "유진", "태윤", "소율", "은호",
    "지민", "우진", "나윤", "승현", "가온", "재원", "보민", "한결", "예나",
    "정우", "해린", "동현", "세아", "윤호", "아린", "성민", "다인", "규민",
)  # fmt: skip
_INTERESTS = ("축구", "음악", "게임", "독서", "그림", "과학", "요리", "영화", "코딩", "여행")
_STYLES = ("visual", "auditory", "reading", "kinesthetic")
_METHODS = ("email", "in_app", "in_app", "none")
_FREQUENCIES = ("daily", "weekly", "weekly", "monthly")


@dataclass(frozen=True)
class ParentPreferences:
    """How a parent wants to hear of reports."""

    notification_method: str
    report_frequency: str


@dataclass(frozen=True)
class Metadata:
    """What else a school notes of a student."""

    learning_style: str
    interests: list[str]
    parent_preferences: ParentPreferences


@dataclass(frozen=True)
class Student:
    """A student as the hub takes one."""

    id: UUID
    name: str
    school_id: str
    grade: int
    class_name: str
    student_number: str
    email: str
    parent_contact: str
    metadata: Metadata


def student_id(seed: int, number: int) -> UUID:
    """The UUID of a seed's student by number, from 1."""
    return uuid5(_NAMESPACE, f"{seed}/{number}")


def students(seed: int, count: int) -> list[Student]:
    """The class; its first student is always 김철수."""
    return [_student(seed, number) for number in range(1, count + 1)]


def _student(seed: int, number: int) -> Student:
    random = Random(f"{seed}/roster/{number}")  # noqa: S311 # a simulation
    metadata = _metadata(random, number)
    by_mail = metadata.parent_preferences.notification_method == "email"
    return Student(
        id=student_id(seed, number),
        name=_name(seed, number),
        school_id=SCHOOL_ID,
        grade=GRADE,
        class_name=CLASS_NAME,
        student_number=f"{number:02d}",
        email=f"student{number:02d}@example.com",
        parent_contact=f"parent{number:02d}@example.com" if by_mail else f"010-0000-{number:04d}",
        metadata=metadata,
    )


def _name(seed: int, number: int) -> str:
    if number == 1:
        return FIRST_NAME_OF_ALL
    given = list(_GIVEN)
    Random(f"{seed}/names").shuffle(given)  # noqa: S311 # a simulation
    family = Random(f"{seed}/family/{number}").choice(_FAMILY)  # noqa: S311 # a simulation
    return family + given[number % len(given)]


def _metadata(random: Random, number: int) -> Metadata:
    style = random.choice(_STYLES)
    interests = random.sample(_INTERESTS, random.randint(1, 3))
    wishes = ParentPreferences(random.choice(_METHODS), random.choice(_FREQUENCIES))
    # The family of the student whom everybody looks at is told by mail, so that there is some.
    return Metadata(
        style, interests, replace(wishes, notification_method="email") if number == 1 else wishes
    )
